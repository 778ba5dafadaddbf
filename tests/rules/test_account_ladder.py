"""The ladder of whole accounts over time: nothing twice in one run, whoever pays when, whatever
days the machine is off."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.actions.messages import SendReminder
from rules.decide import decide
from rules.decision import Act, Skip
from rules.episodes import overdue_since, settlements
from rules.model.book import Book
from rules.model.events import EventLog
from rules.model.ids import InvoiceId
from rules.policy.load import load_policy
from rules.replay import served_by as served
from tests.rules.books import START, acts

POLICY = load_policy(
    """
schema = 1
name = "account"

[[stage]]
id = "first"
at = "due + 2d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "account-weekly"
at = "due + 5d"
do = ["remind", "note"]
template = "overdue_2"
scope = "customer"
repeat = { every = "7d", times = 4 }

[[stage]]
id = "account-firm"
at = "previous + 10d"
do = ["remind", "task"]
template = "overdue_3"
scope = "customer"
requires = ["account-weekly"]

[[stage]]
id = "account-final"
at = "due + 30d"
do = ["remind", "hold_credit"]
template = "final_notice"
scope = "customer"
formal = true
requires = ["account-firm"]
deadline = "10d"

[[stage]]
id = "account-after"
at = "deadline(account-final) + 1d"
do = ["notify"]
scope = "customer"
"""
)
SEARCH = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = 110


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, object]]:
    """A customer, or a payer with a child, whose invoices fall due and are paid at any time."""
    events: list[dict[str, object]] = [
        {"t": "company", "id": "acme", "base_currency": "GBP"},
        {"t": "customer", "id": "C1", "date": "2025-01-01", "entity_type": "company"},
        {
            **{"t": "customer", "id": "C2", "date": "2025-01-01", "entity_type": "company"},
            **{"parent": draw(st.sampled_from(["C1", None]))},
        },
    ]
    for number in range(draw(st.integers(1, 5))):
        due_on = START + timedelta(days=draw(st.integers(-20, 70)))
        customer = draw(st.sampled_from(["C1", "C1", "C2"]))
        currency = draw(st.sampled_from(["GBP", "GBP", "EUR"]))
        name = f"I{number}"
        events.append(
            {
                **{"t": "invoice", "id": name, "date": str(due_on - timedelta(days=30))},
                **{"due": str(due_on), "customer": customer, "currency": currency},
                "total": draw(st.sampled_from(["3.00", "120.00", "5000.00"])),
            }
        )
        events += _afterwards(draw, name, customer, currency, due_on, str(events[-1]["total"]))
    return events


def _afterwards(
    draw: st.DrawFn, name: str, customer: str, currency: str, due_on: date, total: str
) -> list[dict[str, object]]:
    paid_on = due_on + timedelta(days=draw(st.integers(-5, 80)))
    pays = {
        **{"t": "payment", "id": f"P{name}", "date": str(paid_on), "customer": customer},
        **{"currency": currency, "amount": total, "alloc": [{"invoice": name, "amount": total}]},
    }
    told_on = due_on + timedelta(days=draw(st.integers(0, 30)))
    disputes = {
        **{"t": "dispute", "date": str(told_on), "customer": customer, "invoice": name},
        "reason": "quality",
    }
    ends = {
        **{"t": "dispute_end", "date": str(told_on + timedelta(days=20)), "invoice": name},
        **{"customer": customer, "won_by": "us"},
    }
    pauses = {
        **{"t": "pause", "date": str(told_on), "customer": customer, "invoice": name},
        "until": str(told_on + timedelta(days=12)),
    }
    return draw(st.sampled_from([[], [pays], [pays], [disputes], [disputes, ends], [pauses, pays]]))


def _book(log: EventLog, day: date, done: Sequence[Act], days: Sequence[date]) -> Book:
    book = log.as_of(day).book
    history = [one for act, on in zip(done, days, strict=True) for one in served(act.action, on)]
    return msgspec.structs.replace(
        book,
        company=msgspec.structs.replace(book.company, connected_on=date(2025, 1, 1)),
        served=history,
    )


@SEARCH
@given(histories(), st.sets(st.integers(0, DAYS), max_size=60))
def test_no_turn_is_served_twice_in_one_run(
    events: list[dict[str, object]], outages: set[int]
) -> None:
    log = EventLog(events)
    done: list[Act] = []
    days: list[date] = []
    turns: Counter[tuple[object, ...]] = Counter()
    firmest: dict[tuple[object, ...], int] = {}
    order = [stage.id for stage in POLICY.stage]
    for number in range(DAYS):
        day = START + timedelta(days=number)
        if number in outages:
            continue
        book = _book(log, day, done, days)
        today = acts(decide(book, POLICY, day))
        keys = Counter(item.key for act in today for item in act.action.items)
        assert all(count == 1 for count in keys.values())
        earlier = {item.key for act in done for item in act.action.items}
        assert earlier.isdisjoint(keys), "a key was used again"
        done += today
        days += [day] * len(today)
        again = decide(_book(log, day, done, days), POLICY, day)
        assert acts(again) == []
        for act in today:
            if not isinstance(act.action, SendReminder) or not act.action.items:
                continue
            assert len({item.key for item in act.action.items}) == len(act.action.items)
            if act.action.items[0].invoice is not None:
                continue
            open_now = {i.id: i for i in book.invoices if i.status == "open"}
            asked = [open_now[one] for one in act.action.qualified]
            assert all(i.due_on is not None and i.due_on < day for i in asked)
            assert act.action.total == sum(i.balance for i in asked) > 0
            since = overdue_since(
                [
                    i
                    for i in book.invoices
                    if i.currency == act.action.currency
                    and book.payer_of(i.customer) == act.action.customer
                ],
                settlements(
                    next(a for a in book.accounts() if a.payer.id == act.action.customer), day
                ),
                day,
                POLICY.do_not_chase.balance_below,
            )
            run = (act.action.customer, act.action.currency, since)
            rung = order.index(str(act.action.stage))
            assert rung >= firmest.get(run, -1), "a softer stage after a firmer one"
            firmest[run] = rung
            turns[(*run, act.action.stage)] += 1
    for (*_, stage), count in turns.items():
        assert count <= (4 if stage == "account-weekly" else 1)


@SEARCH
@given(histories(), st.integers(0, DAYS), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(
    events: list[dict[str, object]], number: int, chance: object
) -> None:
    day = START + timedelta(days=number)
    book = _book(EventLog(events), day, [], [])

    def shuffled(rows: object) -> list[object]:
        found = list(rows)
        chance.shuffle(found)
        return found

    other = msgspec.structs.replace(
        book,
        customers=dict(shuffled(book.customers.items())),
        invoices=shuffled(book.invoices),
        payments=shuffled(book.payments),
        commitments=shuffled(book.commitments),
    )
    assert decide(other, POLICY, day) == decide(book, POLICY, day)


@SEARCH
@given(histories(), st.sets(st.integers(0, DAYS), max_size=60))
def test_every_overdue_invoice_has_an_answer(
    events: list[dict[str, object]], outages: set[int]
) -> None:
    log = EventLog(events)
    done: list[Act] = []
    days: list[date] = []
    for number in range(0, DAYS, 3):
        day = START + timedelta(days=number)
        if number in outages:
            continue
        book = _book(log, day, done, days)
        decided = decide(book, POLICY, day)
        answered: set[InvoiceId | None] = set()
        for found in decided:
            if isinstance(found, Skip):
                assert found.code != "rule_error", found.reasons
                if found.next_on is not None:
                    assert found.next_on > day
                if found.next_on is not None or found.review_on is not None:
                    answered.add(found.invoice)
            else:
                answered |= {item.invoice for item in found.action.items}
                if isinstance(found.action, SendReminder):
                    answered |= set(found.action.qualified)
        for invoice in book.invoices:
            if invoice.status == "open" and invoice.due_on is not None and invoice.due_on < day:
                assert invoice.id in answered, decided
        done += acts(decided)
        days += [day] * len(acts(decided))


def test_a_run_lasts_while_something_is_late() -> None:
    events: list[dict[str, object]] = [
        {"t": "customer", "id": "C1", "date": "2026-01-01"},
        *(
            {"t": "invoice", "id": f"I{n}", "date": "2026-01-01", "due": due, "customer": "C1",
             "total": "100.00"}
            for n, due in enumerate(("2026-01-31", "2026-02-20", "2026-04-10"))
        ),
        *(
            {"t": "payment", "id": f"P{n}", "date": on, "customer": "C1", "amount": "100.00",
             "alloc": [{"invoice": f"I{n}", "amount": "100.00"}]}
            for n, on in enumerate(("2026-03-01", "2026-04-11", "2026-05-01"))
        ),
    ]  # fmt: skip

    def since(day: date) -> date | None:
        book = EventLog(events).as_of(day).book
        account = next(iter(book.accounts()))
        return overdue_since(book.invoices, settlements(account, day), day)

    assert since(date(2026, 1, 31)) is None
    assert since(date(2026, 3, 15)) == date(2026, 2, 1)
    # Paid on the day on which the next one becomes late: no day without anything late between.
    assert since(date(2026, 4, 20)) == date(2026, 2, 1)
    assert since(date(2026, 5, 2)) is None
