"""Minimums per charge, interest settled first, returned payments, disputes won, due dates."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import BusinessCalendar
from rules.fees.allocation import split
from rules.fees.assess import Assessment, assess
from rules.fees.base import NoAmountError
from rules.fees.schedule import late_from, latest_posting, next_posting
from rules.fees.timeline import Debt, debt_of
from rules.model.commitment import Dispute
from rules.model.ids import CustomerId, InvoiceId, PaymentId
from rules.model.invoice import Invoice
from rules.model.payment import Allocation, Payment
from rules.policy.fee import Fee
from rules.policy.fee_tables import Cap
from rules.policy.values import MoneyTable
from tests.rules.test_fee_properties import DAYS, DUE, amount_of, debts, fees, posted

DAY = timedelta(days=1)
SATURDAY = date(2026, 1, 31)


def interest(**more: object) -> Fee:
    return Fee.model_validate(
        {"id": "fee", "type": "interest", "annual_rate": "12", "legal_basis": "contract", **more}
    )


def comes_to(fee: Fee, debt: Debt, on: date, *before: tuple[int, date]) -> Assessment:
    return assess(
        fee, debt, on, [posted(*one) for one in before], from_day=None, base_currency="GBP"
    )


def exact(found: Assessment) -> Fraction:
    return found.accrual.exact + sum((Fraction(one.amount) for one in found.steps), Fraction(0))


# minimum per invoice, per charge ----------------------------------------------------------


def test_each_charge_is_raised_to_the_minimum_and_what_it_was_raised_by_stays_owed() -> None:
    fee = interest(minimum_charge="5", minimum_per="charge")
    debt = Debt(currency="GBP", due_on=DUE, original=10_000)  # 0.03 a day
    first = comes_to(fee, debt, DUE + DAY * 30)
    assert (first.accrued, first.to_post) == (500, 500)
    again = comes_to(fee, debt, DUE + DAY * 30, (500, DUE + DAY * 30))
    assert (again.accrued, again.to_post) == (500, 0)
    second = comes_to(fee, debt, DUE + DAY * 60, (500, DUE + DAY * 30))
    assert (second.accrued, second.to_post) == (1000, 500)
    per_invoice = interest(minimum_charge="5")
    third = comes_to(per_invoice, debt, DUE + DAY * 60, (500, DUE + DAY * 30))
    assert (third.accrued, third.to_post) == (500, 0)


def test_a_charge_above_the_minimum_is_not_raised() -> None:
    fee = interest(minimum_charge="5", minimum_per="charge")
    debt = Debt(currency="GBP", due_on=DUE, original=1_000_000)
    found = comes_to(fee, debt, DUE + DAY * 60, (9863, DUE + DAY * 30))
    assert found.to_post == 9863


def test_a_minimum_charge_of_a_time_that_turned_out_to_be_paid_is_too_much() -> None:
    fee = interest(minimum_charge="5", minimum_per="charge")
    paid = Debt(currency="GBP", due_on=DUE, original=10_000, changes=((DUE + DAY, -10_000),))
    assert comes_to(fee, paid, DUE + DAY * 30, (500, DUE + DAY * 30)).to_post == -500


@settings(deadline=None, max_examples=60)
@given(fees(), debts(), st.lists(DAYS, min_size=1, max_size=5), st.booleans())
def test_minimums_never_charge_twice_and_add_up(
    fee: Fee, debt: Debt, days: list[date], per_charge: bool
) -> None:
    fee = fee.model_copy(
        update={
            "minimum_charge": amount_of("3"),
            "minimum_per": "charge" if per_charge else "invoice",
        }
    )
    history: list[tuple[int, date]] = []
    digits = {"GBP": 2, "JPY": 0, "KWD": 3}[debt.currency]
    least = 3 * 10**digits
    for day in sorted(set(days)):
        found = comes_to(fee, debt, day, *history)
        assert exact(found) == Fraction(found.to_post, 10**digits)
        assert found.to_post >= 0
        if per_charge and found.to_post and found.capped_by is None:
            assert found.to_post >= least
        if found.to_post:
            history.append((found.to_post, day))
        assert comes_to(fee, debt, day, *history).to_post == 0


# interest settled first -------------------------------------------------------------------


def test_a_payment_settles_the_interest_first() -> None:
    assert split(100, 30) == (30, 70)
    assert split(20, 30) == (20, 0)
    assert split(20, -5) == (0, 20)
    debt = Debt(currency="GBP", due_on=DUE, original=100_000)
    paid_on = DUE + DAY * 100  # 32.88 by then
    paid = Debt(currency="GBP", due_on=DUE, original=100_000, changes=((paid_on + DAY, -50_000),))
    fee = interest(allocation="interest_first")
    assert comes_to(fee, debt, paid_on).accrued == 3288
    bases = [row.base for row in comes_to(fee, paid, paid_on + DAY * 30).accrual.rows]
    assert bases == [100_000, 53_288]
    plain = [row.base for row in comes_to(interest(), paid, paid_on + DAY * 30).accrual.rows]
    assert plain == [100_000, 50_000]


def test_interest_that_was_paid_on_its_own_document_takes_nothing_of_a_payment() -> None:
    paid_on = DUE + DAY * 100
    paid = Debt(
        currency="GBP",
        due_on=DUE,
        original=100_000,
        changes=((paid_on + DAY, -50_000),),
        interest_settled=((paid_on, 3_000),),
    )
    found = comes_to(interest(allocation="interest_first"), paid, paid_on + DAY * 30)
    assert [row.base for row in found.accrual.rows] == [100_000, 50_288]


def test_nothing_accrues_on_an_invoice_that_the_ledger_calls_paid() -> None:
    paid_on = DUE + DAY * 100
    paid = Debt(currency="GBP", due_on=DUE, original=100_000, changes=((paid_on + DAY, -100_000),))
    fee = interest(allocation="interest_first")
    assert comes_to(fee, paid, paid_on + DAY * 300).accrued == 3288


def test_a_payment_that_comes_back_takes_back_what_it_settled() -> None:
    paid_on = DUE + DAY * 100
    debt = Debt(
        currency="GBP",
        due_on=DUE,
        original=100_000,
        changes=((paid_on + DAY, -50_000), (paid_on + DAY * 11, 50_000)),
    )
    found = comes_to(interest(allocation="interest_first"), debt, paid_on + DAY * 30)
    assert [row.base for row in found.accrual.rows] == [100_000, 53_288, 100_000]


@settings(deadline=None, max_examples=60)
@given(fees(), debts(), DAYS, DAYS)
def test_interest_first_never_comes_to_less_and_never_falls(
    fee: Fee, debt: Debt, a: date, b: date
) -> None:
    other = fee.model_copy(update={"allocation": "interest_first", "cap": None})
    plain = fee.model_copy(update={"cap": None})
    earlier, later = sorted((a, b))
    first, second = comes_to(other, debt, earlier), comes_to(other, debt, later)
    assert first.accrued <= second.accrued
    if fee.type == "interest" and fee.compounding == "none":
        assert second.accrued >= comes_to(plain, debt, later).accrued
    at_once = second.accrued
    in_parts = comes_to(other, debt, later, (first.accrued, earlier)).to_post
    assert first.accrued + in_parts == at_once


# payments that come back, disputes that we won ----------------------------------------------

INVOICE = Invoice(
    id=InvoiceId("I"),
    number="I",
    customer=CustomerId("C"),
    currency="GBP",
    issued_on=DUE - DAY * 30,
    due_on=DUE,
    total=36_500,
    balance=36_500,
)


@pytest.mark.parametrize(("reversal", "days"), [("gap", 30), ("void", 40)])
def test_the_days_of_a_payment_that_came_back(reversal: str, days: int) -> None:
    payment = Payment(
        id=PaymentId("P"),
        customer=CustomerId("C"),
        currency="GBP",
        on=DUE + DAY * 10,
        amount=36_500,
        allocations=(Allocation(InvoiceId("I"), 36_500),),
        reversed_on=DUE + DAY * 20,
    )
    debt = debt_of(INVOICE, [payment], [], [], reversal="void" if reversal == "void" else "gap")
    assert debt is not None
    assert comes_to(interest(), debt, DUE + DAY * 40).accrued == days * 12


@pytest.mark.parametrize(
    ("won_by", "lifts", "days"),
    [("us", True, 40), ("us", False, 29), ("customer", True, 29), ("", True, 29)],
)
def test_the_days_of_a_dispute(won_by: str, lifts: bool, days: int) -> None:
    dispute = Dispute(
        id="d",
        customer=CustomerId("C"),
        invoices=(InvoiceId("I"),),
        on=DUE + DAY * 10,
        ended_on=DUE + DAY * 20,
        won_by=won_by,
    )
    debt = debt_of(INVOICE, [], [], [dispute], lifts_pause=lifts)
    assert debt is not None
    assert comes_to(interest(), debt, DUE + DAY * 40).accrued == days * 12


# due dates on closed days --------------------------------------------------------------------


def test_a_due_date_on_a_weekend_moves_on_for_the_fee() -> None:
    calendar = BusinessCalendar()
    stays, moves = interest(grace="3d"), interest(grace="3d", due_roll="following")
    monday = date(2026, 2, 2)
    assert late_from(stays, SATURDAY, calendar) == SATURDAY
    assert late_from(moves, SATURDAY, calendar) == monday
    assert latest_posting(stays, SATURDAY, date(2026, 2, 4), calendar) is not None
    assert latest_posting(moves, SATURDAY, date(2026, 2, 5), calendar) is None
    assert next_posting(moves, SATURDAY, SATURDAY, calendar) == date(2026, 2, 6)


def test_a_cap_without_an_amount_in_the_currency_charges_nothing() -> None:
    fee = interest().model_copy(
        update={"cap": Cap(per_invoice=MoneyTable(by_currency=(("EUR", Decimal(50)),)))}
    )
    with pytest.raises(NoAmountError):
        comes_to(fee, Debt(currency="GBP", due_on=DUE, original=100), DUE + DAY)


@settings(deadline=None, max_examples=60)
@given(fees(), debts(), DAYS, st.integers(0, 30_000), st.integers(0, 30_000))
def test_what_others_left_of_a_shared_cap_is_never_exceeded(
    fee: Fee, debt: Debt, day: date, left: int, before: int
) -> None:
    found = assess(
        fee,
        debt,
        day,
        [posted(before, DUE)],
        from_day=None,
        base_currency="GBP",
        shared=(("cap_group.per_invoice", left),),
    )
    digits = {"GBP": 2, "JPY": 0, "KWD": 3}[debt.currency]
    assert found.accrued <= max(left, before)
    assert exact(found) == Fraction(found.to_post, 10**digits)
    alone = comes_to(fee, debt, day, (before, DUE))
    assert found.to_post == min(alone.to_post, max(left - before, 0))


@settings(deadline=None, max_examples=60)
@given(
    fees(),
    debts(),
    st.lists(DAYS, min_size=1, max_size=4),
    st.sampled_from(
        (
            Cap(per_invoice=amount_of("9")),
            Cap(percent_of_original=Decimal("1.5")),
            Cap(annual_percent=Decimal(5)),
            Cap(days=25),
        )
    ),
)
def test_lifetime_caps_are_never_exceeded(fee: Fee, debt: Debt, days: list[date], cap: Cap) -> None:
    fee = fee.model_copy(update={"cap": cap, "minimum_charge": amount_of("3")})
    digits = {"GBP": 2, "JPY": 0, "KWD": 3}[debt.currency]
    history: list[tuple[int, date]] = []
    for day in sorted(days):
        found = comes_to(fee, debt, day, *history)
        history.append((found.to_post, day))
        charged = sum(amount for amount, _ in history)
        late = (day - DUE).days
        if cap.per_invoice is not None:
            assert charged <= 9 * 10**digits
        if cap.percent_of_original is not None:
            assert charged * 1000 <= debt.original * 15
        if cap.annual_percent is not None:
            assert charged * 36500 <= debt.original * 5 * late
        if cap.days is not None:
            assert all(row.to <= DUE + DAY * 25 for row in found.accrual.rows if row.to)
