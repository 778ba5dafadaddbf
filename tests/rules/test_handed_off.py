"""Whatever the book, the policy of reminders and the day: what is with an agency is never asked
for, charged for or handed over again, and always says where it is."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.decide import decide
from rules.decision import Act, Skip
from rules.model.events import EventLog
from rules.policy.load import load_policy

TODAY = date(2026, 10, 14)

POLICY = load_policy(
    """
schema = 1
legal_basis = "contract:terms"

[contact]
min_gap = "0d"

[hand_off]
contacts = 0

[[stage]]
id = "soft"
at = "due + 3d"
do = ["remind", "send_invoice"]
template = "overdue_1"
repeat = { every = "7d", times = 50 }

[[stage]]
id = "formal"
at = "due + 20d"
do = ["remind", "hold_credit"]
template = "final_notice"
formal = true
deadline = "7d"

[[stage]]
id = "out"
at = "due + 40d"
do = ["hand_off"]

[[fee]]
id = "late"
type = "interest"
annual_rate = 18
post = { every = "month", on = 14 }
cap = { percent_of_original = 25 }
"""
)


@st.composite
def books(draw: st.DrawFn) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [
        {"t": "company", "id": "acme", "base_currency": "GBP"},
        {"t": "customer", "id": "P", "date": "2026-01-01", "name": "Parent", "email": "p@p.example",
         "entity_type": "company"},
        {"t": "customer", "id": "C", "date": "2026-01-01", "name": "Child", "email": "c@c.example",
         "entity_type": "company", "parent": draw(st.sampled_from([None, "P"]))},
    ]  # fmt: skip
    for number in range(draw(st.integers(1, 6))):
        due = TODAY - timedelta(days=draw(st.integers(-20, 90)))
        owner = draw(st.sampled_from(["P", "C"]))
        name = f"I{number}"
        events.append(
            {"t": "invoice", "id": name, "date": str(due - timedelta(days=30)), "due": str(due),
             "customer": owner, "total": "500.00", "sent": draw(st.sampled_from([True, False]))}
        )  # fmt: skip
        if draw(st.booleans()):
            on = TODAY - timedelta(days=draw(st.integers(0, 30)))
            how = draw(st.sampled_from(["placement", "approved", "done"]))
            if how == "placement":
                told: dict[str, Any] = {"t": "placement", "invoices": [name]}
            else:
                told = {"t": "action", "invoice": name, "kind": "hand_off", "stage": "out",
                        "state": how}  # fmt: skip
            events.append({**told, "date": str(on), "customer": owner})
            if draw(st.booleans()):
                paid = {"t": "payment", "id": f"M{number}", "date": str(TODAY), "customer": owner}
                events.append(
                    {**paid, "amount": "100.00", "alloc": [{"invoice": name, "amount": "100.00"}]}
                )
    return events


@settings(max_examples=150, deadline=None)
@given(books())
def test_what_is_handed_over_is_never_contacted(events: list[dict[str, Any]]) -> None:
    placed = {
        name
        for event in events
        if event["t"] == "placement" or event.get("kind") == "hand_off"
        for name in event.get("invoices", [event.get("invoice")])
    }
    log = EventLog(events)
    assert not log.problems
    decided = decide(log.as_of(TODAY).book, POLICY, TODAY)
    for one in decided:
        if not isinstance(one, Act) or not one.action.is_customer_facing:
            continue
        about = {item.invoice for item in one.action.items}
        assert not about & placed, one.action
        if isinstance(one.action, SendReminder):
            assert not {*one.action.qualified, *one.action.also_open} & placed
        if isinstance(one.action, ChargeLateFee):
            assert one.action.invoice not in placed
    told = {one.invoice: one for one in decided if isinstance(one, Skip)}
    assert not any(one.code == "rule_error" for one in told.values())
    for event in events:
        is_late = event["t"] == "invoice" and date.fromisoformat(event["due"]) < TODAY
        if is_late and event["id"] in placed:
            assert event["id"] in told, event
