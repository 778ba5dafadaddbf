"""What the ledger itself says of an invoice, in sentences."""

from datetime import date

import msgspec

from rules.explain import explain
from rules.model.book import Book
from rules.model.company import Company
from rules.model.customer import Customer
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.policy.check import check
from rules.policy.load import load_policy

TODAY = date(2026, 10, 30)
TEXT = """
schema = 1
name = "said"
legal_basis = "contract:terms"
{top}

[[stage]]
id = "first-reminder"
name = "First reminder"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"
{fee}
"""
FEE = """
[[fee]]
id = "late"
name = "Late fee"
type = "flat"
amount = "25.00"
cap = { per_invoice = "25" }
"""
INVOICE = Invoice(
    id=InvoiceId("1"),
    number="INV-1",
    customer=CustomerId("C1"),
    currency="GBP",
    issued_on=date(2026, 9, 1),
    due_on=date(2026, 10, 1),
    total=12_000,
    balance=12_000,
)


def said(
    company: Company | None = None,
    *,
    top: str = "",
    fee: str = "",
    is_active: bool = True,
    **facts: object,
) -> str:
    book = Book(
        company=company or Company(id="acme", base_currency="GBP"),
        as_of=TODAY,
        customers={
            CustomerId("C1"): Customer(
                id=CustomerId("C1"), name="North Ltd", email="ap@north.example", is_active=is_active
            )
        },
        invoices=[msgspec.structs.replace(INVOICE, **facts)],
    )
    policy = load_policy(TEXT.format(top=top, fee=fee))
    return "\n".join(explain(book, policy, "INV-1", TODAY).today)


def test_a_dispute_in_the_ledger_has_no_day_of_its_own() -> None:
    assert "Invoice INV-1 is disputed: disputed in the ledger." in said(is_disputed=True)


def test_a_mail_that_came_back_is_not_called_never_sent() -> None:
    told = said(sent=False, is_undelivered=True)
    assert "The mail with invoice INV-1 could not be delivered" in told
    assert "never sent" not in told
    assert "was never sent: the ledger says so" in said(sent=False)


def test_why_no_fee_is_charged_and_what_to_do_about_it() -> None:
    company = Company(id="acme", ledger="quickbooks", base_currency="GBP", native_late_fees=True)
    told = said(company, fee=FEE)
    assert "QuickBooks charges late fees by itself, so Late fee is not charged" in told
    assert 'native_late_fees = "off-confirmed"' in told
    told = said(fee=FEE, fee_lines=1_500)
    assert "Invoice INV-1 carries late fees of 15.00 GBP that are not ours, so Late fee" in told
    told = said(company, fee=FEE, fee_lines=1_500, top='native_late_fees = "off-confirmed"')
    assert "late_fee" not in told and "Today: late fee Late fee over 25.00 GBP" in told


def test_the_policy_check_says_what_the_confirmation_means() -> None:
    def codes(fee: str) -> list[tuple[str, str]]:
        policy = load_policy(TEXT.format(top='native_late_fees = "off-confirmed"', fee=fee))
        return [(f.severity, f.code) for f in check(policy) if f.code == "native_late_fees"]

    assert codes(FEE) == [("info", "native_late_fees")]
    assert codes("") == [("warning", "native_late_fees")]


def test_a_payment_day_noted_in_the_ledger_is_waited_for_like_a_promise() -> None:
    # Friday 30 October; the grace after the day is three working days.
    waits = "Payment is expected on 2026-11-02, as noted in the ledger"
    assert waits in said(expected_on=date(2026, 11, 2))
    assert "it is waited for until 2026-10-30" in said(expected_on=date(2026, 10, 27))
    assert "as noted in the ledger" not in said(expected_on=date(2026, 10, 26))
    assert "as noted in the ledger" not in said(expected_on=date(2027, 10, 30))


def test_an_archived_customer_is_left_to_a_person() -> None:
    refusal = "North Ltd is archived in the ledger although something is open"
    told = said(fee=FEE, is_active=False)
    assert refusal in told and "First reminder is due" not in told
    assert refusal not in said(fee=FEE)
