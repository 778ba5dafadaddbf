"""What holds over months, for any policy, any book and any outage."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rules.actions.fee_waiver import WaiveLateFee
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.aging import is_fee_document
from rules.calendar import BusinessCalendar
from rules.decision import Act, Skip
from rules.model.history import COUNTED_KINDS
from rules.model.ids import CustomerId
from rules.policy.schema import Policy
from rules.reasons import OF_ACTS, REASONS
from rules.replay import fees_of
from tests.rules.lives import DAYS, FIRST, OUTAGES, Lived, live, lives
from tests.rules.random_policies import policies

SEARCH = settings(
    max_examples=settings.default.max_examples // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
CONNECTED = st.sampled_from([None, date(2025, 1, 1), FIRST])


@SEARCH
@given(lives(), policies(), OUTAGES, CONNECTED)
def test_no_overdue_invoice_is_ever_forgotten(
    events: list[dict[str, Any]], policy: Policy, down: frozenset[int], connected_on: date | None
) -> None:
    for lived in live(events, policy, down=down, connected_on=connected_on):
        answered = {
            invoice
            for found in lived.decided
            if isinstance(found, Act)
            for invoice in found.action.about
        }
        for found in lived.decided:
            if not isinstance(found, Skip):
                continue
            assert found.code != "rule_error", found.reasons
            assert found.reasons, found
            assert found.code in REASONS and found.code not in OF_ACTS, found
            if found.next_on is not None:
                assert found.next_on > lived.day, found
            if found.next_on is not None or found.review_on is not None:
                answered.add(found.invoice)
        for invoice in lived.book.invoices:
            if invoice.status != "open" or invoice.due_on is None or is_fee_document(invoice):
                continue
            if invoice.due_on < lived.day and invoice.balance > 0:
                assert invoice.id in answered, (lived.day, invoice)


@SEARCH
@given(lives(), policies(), OUTAGES, CONNECTED)
def test_nobody_hears_more_than_the_contact_budget(
    events: list[dict[str, Any]], policy: Policy, down: frozenset[int], connected_on: date | None
) -> None:
    heard = _contacts(live(events, policy, down=down, connected_on=connected_on), policy)
    rules, calendar = policy.contact, BusinessCalendar()
    for days in heard.values():
        for _, together in Counter(days).items():
            assert together <= rules.per_customer_per_day
        for day in days:
            week = [on for on in days if day <= on < day + timedelta(days=7)]
            assert len(week) <= rules.per_customer_per_week
        for earlier, later in pairwise(sorted(set(days))):
            assert calendar.shift(earlier, rules.min_gap) <= later


def _contacts(lived: Any, policy: Policy) -> dict[CustomerId, list[date]]:
    """Days of counted messages by who they count for; each message is counted once."""
    heard: dict[CustomerId, list[date]] = defaultdict(list)
    for one in lived:
        for act in one.done:
            action = act.action
            if not isinstance(action, SendReminder) or action.kind not in COUNTED_KINDS:
                continue
            heard[_unit(one, action, policy)].append(one.day)
    return heard


def _unit(lived: Lived, action: SendReminder, policy: Policy) -> CustomerId:
    if policy.contact.unit == "payer":
        return action.customer
    customer_of = {invoice.id: invoice.customer for invoice in lived.book.invoices}
    named = {customer_of[item.invoice] for item in action.items if item.invoice in customer_of}
    assert len(named) <= 1, "one message speaks to one customer"
    return named.pop() if named else action.customer


@SEARCH
@given(lives(), policies(), OUTAGES, CONNECTED)
def test_nothing_is_ever_done_twice(
    events: list[dict[str, Any]], policy: Policy, down: frozenset[int], connected_on: date | None
) -> None:
    done: Counter[str] = Counter()
    for lived in live(events, policy, down=down, connected_on=connected_on):
        for act in lived.done:
            done.update({act.action.key, *(item.key for item in act.action.items)})
    assert [key for key, times in done.items() if times > 1] == []


@SEARCH
@given(lives(), policies(), OUTAGES)
def test_an_outage_changes_dates_but_not_what_is_charged(
    events: list[dict[str, Any]], policy: Policy, down: frozenset[int]
) -> None:
    """Both lives end with weeks in which everything runs and nothing new happens."""
    quiet = [event for event in events if event["t"] not in ("stop", "dispute", "pause")]
    end = FIRST + timedelta(days=DAYS)
    all_paid = [*quiet, *_settled(quiet, end)]
    with_outage = _charged(live(all_paid, policy, down=down, days=DAYS + 40))
    without = _charged(live(all_paid, policy, days=DAYS + 40))
    assert with_outage == without


def _settled(events: list[dict[str, Any]], on: date) -> list[dict[str, Any]]:
    """Payments of everything that is still open, all on one day."""
    made: list[dict[str, Any]] = []
    returned = {event["payment"] for event in events if event["t"] == "payment_reversed"}
    paid: Counter[str] = Counter()
    for event in events:
        if event["t"] == "payment" and event["id"] not in returned:
            paid.update({part["invoice"]: _minor(part["amount"]) for part in event["alloc"]})
    for event in events:
        if event["t"] != "invoice" or (left := _minor(event["total"]) - paid[event["id"]]) <= 0:
            continue
        amount = f"{left // 100}.{left % 100:02}"
        made.append(
            {
                "t": "payment",
                "id": f"last-{event['id']}",
                "date": on.isoformat(),
                "customer": event["customer"],
                "currency": event["currency"],
                "amount": amount,
                "alloc": [{"invoice": event["id"], "amount": amount}],
            }
        )
    return made


def _minor(major: str) -> int:
    return int(major.replace(".", ""))


def _charged(lived: Any) -> dict[tuple[str, str], int]:
    """Sum of each fee on each invoice."""
    sums: Counter[tuple[str, str]] = Counter()
    for one in lived:
        for act in one.done:
            if isinstance(act.action, ChargeLateFee):
                for fee in fees_of(act.action, one.day, "acme"):
                    sums[fee.invoice, fee.fee] += fee.amount
            if isinstance(act.action, WaiveLateFee):
                about = next(f for f in one.book.fees if f.document == act.action.document)
                sums[about.invoice, about.fee] -= act.action.waived
    return {of: total for of, total in sums.items() if total}
