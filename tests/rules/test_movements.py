"""A statement of movements sums exactly, whatever happened and whenever it was entered."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rules.aging import unapplied_credit
from rules.calendar import BusinessCalendar
from rules.cycles import latest_slot
from rules.model.events import fold
from rules.movements import activity
from rules.policy.statement import DayOfMonth, Statement
from rules.policy.values import Duration

TODAY = date(2026, 10, 12)
COMPANY = {"t": "company", "id": "acme", "base_currency": "GBP", "timezone": "Europe/London"}
CUSTOMER = {"t": "customer", "id": "C1", "date": "2026-01-05", "name": "North Ltd"}


def invoice(name: str, on: date, total: int) -> dict[str, Any]:
    return {
        "t": "invoice",
        "id": name,
        "date": on.isoformat(),
        "due": (on + timedelta(days=30)).isoformat(),
        "customer": "C1",
        "total": f"{total}.00",
    }


def payment(name: str, on: date, amount: int, of: str | None) -> dict[str, Any]:
    alloc = [{"invoice": of, "amount": f"{amount}.00"}] if of else []
    return {
        "t": "payment",
        "id": name,
        "date": on.isoformat(),
        "customer": "C1",
        "amount": f"{amount}.00",
        "alloc": alloc,
    }


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Invoices, payments that settle a part of them or nothing, some of which come back."""
    events: list[dict[str, Any]] = [COMPANY, CUSTOMER]
    days = st.integers(0, 120).map(lambda back: TODAY - timedelta(days=back))
    for n in range(draw(st.integers(1, 5))):
        on, total = draw(days), draw(st.integers(10, 500))
        events.append(invoice(f"I{n}", on, total))
        if draw(st.booleans()):
            paid_on = min(TODAY, on + timedelta(days=draw(st.integers(0, 60))))
            of = f"I{n}" if draw(st.booleans()) else None
            events.append(payment(f"P{n}", paid_on, draw(st.integers(1, total)), of))
            if draw(st.booleans()):
                back = min(TODAY, paid_on + timedelta(days=draw(st.integers(1, 20))))
                events.append(
                    {"t": "payment_reversed", "date": back.isoformat(), "payment": f"P{n}"}
                )
    return events


@given(lives(), st.integers(1, 60), st.integers(0, 20))
def test_opening_and_lines_make_the_closing_balance(
    events: list[dict[str, Any]], length: int, ago: int
) -> None:
    folded = fold(events, TODAY, source="test")
    assert not folded.problems
    (account,) = folded.book.accounts()
    credit = unapplied_credit(account).get("GBP", 0)
    through = TODAY - timedelta(days=ago)
    since = through - timedelta(days=length)
    found = activity(account, "GBP", since, through, TODAY, credit)
    assert found.opening + sum(line.amount for line in found.lines) == found.closing
    assert found.closing + found.after == found.balance
    owed = sum(one.balance for one in account.invoices if one.status == "open")
    assert found.balance == owed - credit
    # Everything happened within a year: the balance before it is nothing.
    whole = activity(account, "GBP", TODAY - timedelta(days=365), TODAY, TODAY, credit)
    assert whole.opening == 0
    before = activity(
        account, "GBP", TODAY - timedelta(days=365), since - timedelta(days=1), TODAY, credit
    )
    assert before.closing == found.opening


@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_turns_follow_each_other_without_a_gap(today: date, months: int) -> None:
    rule = Statement(id="s", day_of_month=DayOfMonth(31), every=Duration(months, "m"))
    calendar = BusinessCalendar()
    slot = latest_slot(rule, today, calendar)
    assert slot.since < slot.on <= today < slot.following
    assert latest_slot(rule, slot.following, calendar).since == slot.on
    assert latest_slot(rule, slot.following - timedelta(days=1), calendar) == slot
