"""What holds for every book: nothing twice, nobody wronged, nobody flooded, order is no matter."""

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.decide import decide
from rules.decision import Act, Skip
from rules.model.book import Book
from rules.model.commitment import Dispute, Stop
from rules.model.company import Company
from rules.model.customer import Customer
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import format_minor
from rules.reasons import REASONS, sentence
from tests.rules.books import START, acts, books, full_policy, with_history

POLICY = full_policy()
SEARCH = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SEARCH
@given(books())
def test_deciding_again_does_nothing(book: Book) -> None:
    first = decide(book, POLICY, START)
    again = decide(with_history(book, acts(first), START), POLICY, START)
    assert acts(again) == []


@SEARCH
@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(book: Book, chance: object) -> None:
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
    assert decide(other, POLICY, START) == decide(book, POLICY, START)


@SEARCH
@given(books())
def test_nobody_is_wronged(book: Book) -> None:
    invoices = {invoice.id: invoice for invoice in book.invoices}
    disputed = {i for told in book.commitments if isinstance(told, Dispute) for i in told.invoices}
    stopped = {told.customer for told in book.commitments if isinstance(told, Stop)}
    for act in acts(decide(book, POLICY, START)):
        if not act.action.is_customer_facing:
            continue
        for item in act.action.items:
            assert item.invoice is not None
            invoice = invoices[item.invoice]
            assert invoice.id not in disputed
            assert invoice.customer not in stopped
            assert book.payer_of(invoice.customer) not in stopped
            assert invoice.sent is not False
            if item.kind == "reminder":
                assert invoice.status == "open"
            if item.kind == "late_fee":
                assert invoice.due_on is not None and invoice.due_on < START


@SEARCH
@given(books())
def test_every_open_invoice_has_an_answer_with_a_reason(book: Book) -> None:
    decided = decide(book, POLICY, START)
    answered = {
        item.invoice for found in decided if isinstance(found, Act) for item in found.action.items
    } | {found.invoice for found in decided if isinstance(found, Skip)}
    for invoice in book.invoices:
        if invoice.status == "open":
            assert invoice.id in answered
    for found in decided:
        assert found.reasons
        for reason in found.reasons:
            assert reason.code in REASONS
            assert "?" not in sentence(reason).replace("??", "?"), sentence(reason)
        if isinstance(found, Skip):
            assert found.code != "rule_error", found.reasons
            assert found.next_on is None or found.next_on > START
            assert (
                found.next_on is not None
                or found.review_on is not None
                or (found.code in ("already_on_hold", "not_due"))
            )


@SEARCH
@given(books())
def test_a_month_of_running_keeps_within_the_budget(book: Book) -> None:
    rules = POLICY.contact
    contacts: dict[str, set[object]] = {}
    done: Counter[str] = Counter()
    day = START
    for _ in range(45):
        decided = acts(decide(msgspec.structs.replace(book, as_of=day), POLICY, day))
        for act in decided:
            done[act.action.key] += 1
            done.update(item.key for item in act.action.items if item.key != act.action.key)
            if isinstance(act.action, SendReminder):
                days = contacts.setdefault(act.action.customer, set())
                assert day not in days, "a second message on one day"
                days.add(day)
                assert day.weekday() < 5
            if isinstance(act.action, ChargeLateFee):
                announcing = [a for a in decided if a.action.key == act.action.notice]
                assert len(announcing) == 1
        book = with_history(book, decided, day)
        day += timedelta(days=1)
    assert all(count == 1 for count in done.values()), "an item was done twice"
    for days in contacts.values():
        ordered = sorted(days)
        for earlier, later in pairwise(ordered):
            assert (later - earlier).days >= rules.min_gap.count


@SEARCH
@given(books())
def test_derivations_sum_exactly(book: Book) -> None:
    for act in acts(decide(book, POLICY, START)):
        if isinstance(act.action, ChargeLateFee):
            rows = sum((Fraction(row.exact) for row in act.action.derivation.rows), Fraction(0))
            steps = sum((Fraction(s.amount) for s in act.action.derivation.steps), Fraction(0))
            amount = format_minor(act.action.charge, act.action.currency)
            assert rows + steps == Fraction(amount)
            assert act.action.charge > 0


def test_a_rule_that_raises_hides_nobody_else() -> None:
    def invoice(number: str, due_on: object) -> Invoice:
        return Invoice(
            id=InvoiceId(number),
            number=number,
            customer=CustomerId(number),
            currency="GBP",
            issued_on=date(2026, 1, 1),
            due_on=due_on,
            total=1000,
            balance=1000,
        )

    book = Book(
        company=Company(id="acme", base_currency="GBP"),
        as_of=START,
        customers={CustomerId(n): Customer(id=CustomerId(n), name=n) for n in ("bad", "good")},
        invoices=[invoice("bad", "not a date"), invoice("good", date(2026, 2, 20))],
    )
    decided = decide(book, POLICY, START)
    errors = [found for found in decided if isinstance(found, Skip) and found.code == "rule_error"]
    assert [found.customer for found in errors] == ["bad"]
    assert [
        found.action.customer for found in acts(decided) if found.action.kind == "reminder"
    ] == ["good"]
