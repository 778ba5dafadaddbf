"""Asking accounts only when something of them changes or is due finds what asking all finds."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model.event_accounts import account_logs
from rules.model.events import EventLog
from rules.policy.load import load_policy
from rules.replay import replay, replay_accounts

FIRST, LAST = date(2026, 6, 1), date(2026, 7, 10)

POLICY = load_policy(
    """
schema = 1
legal_basis = "contract:terms"

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second"
at = "previous + 9d"
do = ["remind", "call"]
template = "overdue_2"
requires = ["first"]

[[stage]]
id = "final"
at = "due + 30d"
do = ["remind", "note"]
template = "final_notice"
formal = true
deadline = "7d"

[[stage]]
id = "out"
at = "deadline(final) + 1d"
do = ["hand_off"]

[[fee]]
id = "late"
type = "interest"
annual_rate = 18
post = { every = "month", on = "last_business_day" }
minimum_to_post = "2.00"
cap = { percent_of_original = 25 }

[[fee]]
id = "flat"
type = "flat"
amount = "10.00"
grace = "10d"
post = "when_due"
cap = { per_invoice = "10.00" }
"""
)


@st.composite
def books(draw: st.DrawFn) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [{"t": "company", "id": "acme", "base_currency": "GBP"}]
    for name in ("A", "B", "C"):
        kind = draw(st.sampled_from(["company", "unknown"]))
        parent = "A" if name == "B" and draw(st.booleans()) else None
        events.append(
            {"t": "customer", "id": name, "date": "2026-01-01", "name": name, "parent": parent,
             "email": f"{name}@x.example", "entity_type": kind}
        )  # fmt: skip
    for number in range(draw(st.integers(1, 5))):
        due = FIRST + timedelta(days=draw(st.integers(-40, 20)))
        owner, name = draw(st.sampled_from("ABC")), f"I{number}"
        events.append(
            {"t": "invoice", "id": name, "date": str(due - timedelta(days=30)), "due": str(due),
             "customer": owner, "total": draw(st.sampled_from(["50.00", "900.00"]))}
        )  # fmt: skip
        if draw(st.booleans()):
            on = due + timedelta(days=draw(st.integers(-5, 50)))
            known = on + timedelta(days=draw(st.integers(0, 6)))
            events.append(
                {"t": "payment", "id": f"P{number}", "date": str(on), "known": str(known),
                 "customer": owner, "amount": "50.00",
                 "alloc": [{"invoice": name, "amount": draw(st.sampled_from(["50.00", "20.00"]))}]}
            )  # fmt: skip
        if draw(st.booleans()):
            on = due + timedelta(days=draw(st.integers(0, 40)))
            promised = on + timedelta(days=draw(st.integers(1, 20)))
            events.append(
                {"t": "promise", "date": str(on), "customer": owner, "invoices": [name],
                 "on": str(promised)}
            )  # fmt: skip
    return events


def done(log: EventLog, play: Any) -> list[tuple[date, list[str]]]:
    days = play(log, POLICY, FIRST, LAST)
    return [(one.day, sorted(act.action.key for act in one.acts)) for one in days]


@settings(max_examples=10, deadline=None)
@given(books())
def test_both_find_the_same_acts(events: list[dict[str, Any]]) -> None:
    log = EventLog(events)
    assert not log.problems
    assert done(log, replay_accounts) == done(log, replay)


@settings(max_examples=10, deadline=None)
@given(books())
def test_the_parts_hold_what_the_whole_holds(events: list[dict[str, Any]]) -> None:
    log = EventLog(events)
    whole = log.as_of(LAST).book
    parts = [one.book(LAST) for one in account_logs(log)]
    assert sorted(one.id for part in parts for one in part.invoices) == sorted(
        one.id for one in whole.invoices
    )
    assert {name for part in parts for name in part.customers} == set(whole.customers)
    assert sum(len(part.payments) for part in parts) == len(whole.payments)
    assert sum(len(part.commitments) for part in parts) == len(whole.commitments)
