"""Unallocated money against open invoices: what is suggested, and what never is."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.matching import (
    MOST_SOURCES,
    Suggestion,
    _subsets,
    matches,
    names,
    unallocated,
)
from rules.model import (
    Account,
    Allocation,
    CreditNote,
    CreditNoteId,
    Customer,
    CustomerId,
    Invoice,
    InvoiceId,
    Payment,
    PaymentId,
)
from rules.policy.discount import Discount

FIRST = date(2026, 6, 1)
PAYER = Customer(id=CustomerId("C1"), name="North Ltd", currency="GBP")


def invoice(
    number: str, balance: int, day: int = 0, *, currency: str = "GBP", po: str = ""
) -> Invoice:
    return Invoice(
        id=InvoiceId(number),
        number=number,
        customer=PAYER.id,
        currency=currency,
        issued_on=FIRST + timedelta(days=day),
        due_on=FIRST + timedelta(days=30 + day),
        total=balance,
        balance=balance,
        po=po,
    )


def payment(
    amount: int, reference: str = "", *, name: str = "P1", day: int = 40, currency: str = "GBP"
) -> Payment:
    return Payment(
        id=PaymentId(name),
        customer=PAYER.id,
        currency=currency,
        on=FIRST + timedelta(days=day),
        amount=amount,
        reference=reference,
    )


def account(*records: Invoice | Payment | CreditNote) -> Account:
    return Account(
        payer=PAYER,
        members={PAYER.id: PAYER},
        invoices=[one for one in records if isinstance(one, Invoice)],
        payments=[one for one in records if isinstance(one, Payment)],
        credits=[one for one in records if isinstance(one, CreditNote)],
    )


def shares(one: Suggestion) -> dict[str, int]:
    return {str(share.invoice): share.amount for share in one.shares}


BOOK = (
    invoice("INV-0041", 120_000, 0, po="PO-7781"),
    invoice("INV-0042", 80_000, 1),
    invoice("INV-0043", 45_000, 2),
    invoice("INV-0044", 45_000, 3),
)


@pytest.mark.parametrize(
    ("amount", "reference", "grounds", "expected"),
    [
        (80_000, "", ("exact",), {"INV-0042": 80_000}),
        (80_000, "inv 0042", ("number", "exact"), {"INV-0042": 80_000}),
        (50_000, "part of INV0042", ("number",), {"INV-0042": 50_000}),
        (45_000, "INV-0044", ("number", "exact"), {"INV-0044": 45_000}),
        (45_000, "", ("exact",), {"INV-0043": 45_000}),
        (120_000, "our order PO 7781", ("po", "exact"), {"INV-0041": 120_000}),
        (290_000, "", ("all_open",), dict.fromkeys(("INV-0041", "INV-0042"), 0)),
        (200_000, "", ("sum",), {"INV-0041": 120_000, "INV-0042": 80_000}),
        (79_000, "", ("charges",), {"INV-0042": 79_000}),
        (30_000, "", ("oldest",), {"INV-0041": 30_000}),
        (130_000, "", ("oldest",), {"INV-0041": 120_000, "INV-0042": 10_000}),
    ],
)
def test_what_speaks_most_clearly_wins(
    amount: int, reference: str, grounds: tuple[str, ...], expected: dict[str, int]
) -> None:
    (found,) = matches(account(*BOOK, payment(amount, reference)))
    assert found.grounds == grounds
    if grounds == ("all_open",):
        assert found.left == 0 and len(found.shares) == len(BOOK)
    else:
        assert shares(found) == expected


def test_a_discount_that_was_deducted_is_recognised_in_its_time() -> None:
    rule = Discount.model_construct(
        percent=Fraction(2), within=Discount.model_fields["within"].default, base="total"
    )
    book = (invoice("A-100", 100_000), invoice("A-200", 33_300, 1))
    (found,) = matches(account(*book, payment(98_000, day=8)), rule)
    assert (found.grounds, shares(found), found.short) == (
        ("discount",),
        {"A-100": 98_000},
        2_000,
    )
    (late,) = matches(account(*book, payment(98_000, day=60)), rule)
    assert late.grounds == ("charges",)


def test_ambiguous_amounts_are_less_sure() -> None:
    (sure,) = matches(account(*BOOK, payment(80_000)))
    (unsure,) = matches(account(*BOOK, payment(45_000)))
    assert sure.score > unsure.score > 30


def test_two_payments_never_take_the_same_invoice_twice() -> None:
    first, second = matches(
        account(*BOOK, payment(45_000, name="P1"), payment(45_000, name="P2", day=41))
    )
    assert (shares(first), shares(second)) == ({"INV-0043": 45_000}, {"INV-0044": 45_000})


def test_the_one_that_names_its_invoice_gets_it_before_an_older_one_that_only_fits() -> None:
    older, newer = matches(
        account(*BOOK, payment(80_000, name="P1"), payment(80_000, "INV-0042", name="P2", day=41))
    )
    assert shares(newer) == {"INV-0042": 80_000}
    assert "INV-0042" not in shares(older)


def test_nothing_is_suggested_across_currencies_and_deposits_are_no_money() -> None:
    held = CreditNote(
        id=CreditNoteId("D1"),
        customer=PAYER.id,
        currency="GBP",
        on=FIRST,
        total=5_000,
        remaining=5_000,
        kind="deposit",
    )
    (found,) = matches(account(*BOOK, held, payment(80_000, "INV-0042", currency="EUR")))
    assert (found.shares, found.score, found.left) == ((), 0, 80_000)


def test_what_is_applied_already_is_not_spent_again() -> None:
    part = Payment(
        id=PaymentId("P1"),
        customer=PAYER.id,
        currency="GBP",
        on=FIRST,
        amount=100_000,
        allocations=(Allocation(InvoiceId("X"), 20_000),),
    )
    (found,) = matches(account(*BOOK, part))
    assert found.money.amount == 80_000 and shares(found) == {"INV-0042": 80_000}


@pytest.mark.parametrize(
    ("reference", "number", "is_named"),
    [
        ("INV-0042", "INV-0042", True),
        ("inv0042 thanks", "INV-0042", True),
        ("payment 0042", "INV-0042", False),
        ("payment 1042", "INV-1042", True),
        ("ref 001042", "INV-1042", True),
        ("INV-00421", "INV-0042", False),
        ("INV00421", "INV-0042", False),
        ("12 3 456", "123", False),
        ("42", "42", False),
        ("PO", "PO", False),
        ("", "INV-1", False),
        ("2026-1042", "1042", True),
    ],
)
def test_how_references_name_documents(reference: str, number: str, is_named: bool) -> None:
    assert names(reference, number) is is_named


def test_the_search_for_sums_ends_on_amounts_made_to_keep_it_busy() -> None:
    assert _subsets(10**12 + 1, [2 * (n + 10**10) for n in range(60)]) == []
    many = [invoice(f"N-{n}", 2 * (n + 1000), n % 28) for n in range(400)]
    (found,) = matches(account(*many, payment(9_999_999)))
    assert found.left >= 0


amounts = st.integers(1, 400).map(lambda n: n * 50)
references = st.sampled_from(("", "A-101", "A101 A103", "PO 900", "102", "x"))


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    count = draw(st.integers(0, 9))
    invoices = [
        invoice(
            f"A-{100 + n}",
            draw(amounts),
            draw(st.integers(0, 5)),
            currency=draw(st.sampled_from(("GBP", "GBP", "EUR"))),
            po=draw(st.sampled_from(("", "PO 900"))),
        )
        for n in range(count)
    ]
    payments = [
        payment(
            draw(amounts),
            draw(references),
            name=f"P{n}",
            day=draw(st.integers(0, 60)),
            currency=draw(st.sampled_from(("GBP", "GBP", "EUR"))),
        )
        for n in range(draw(st.integers(0, 6)))
    ]
    return account(*invoices, *payments)


@given(accounts())
@settings(max_examples=150)
def test_never_more_than_is_open_whatever_the_order(
    book: Account,
) -> None:
    found = matches(book)
    assert [one.money for one in found] == unallocated(book)
    open_ = {one.id: one for one in book.invoices}
    taken: dict[InvoiceId, int] = {}
    for one in found:
        assert one.left == one.money.amount - sum(share.amount for share in one.shares) >= 0
        assert 0 <= one.score <= 100
        for share in one.shares:
            assert share.amount > 0
            assert open_[share.invoice].currency == one.money.currency
            taken[share.invoice] = taken.get(share.invoice, 0) + share.amount
    assert all(amount <= open_[name].balance for name, amount in taken.items())
    turned = Account(
        payer=book.payer,
        members=book.members,
        invoices=list(reversed(book.invoices)),
        payments=list(reversed(book.payments)),
    )
    assert matches(turned) == found


def test_of_very_many_payments_the_newest_are_looked_at_and_none_is_left_out() -> None:
    many = [payment(100, name=f"P{n:03}", day=n % 50) for n in range(MOST_SOURCES + 20)]
    found = matches(account(*BOOK, *many))
    assert len(found) == len(many)
