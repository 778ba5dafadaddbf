"""The quick look at posted fees never says that what is charged too much is owed."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.account_day import AccountDay
from rules.accruing import assessed
from rules.charges import posted_on
from rules.frame import Frame
from rules.model.book import Book
from rules.model.company import Company
from rules.model.credit import CreditNote
from rules.model.customer import Customer
from rules.model.history import FeePosted
from rules.model.ids import CreditNoteId, CustomerId, FeeId, InvoiceId, ItemKey, PaymentId
from rules.model.invoice import Invoice
from rules.model.payment import Allocation, Payment
from rules.policy.load import load_policy
from rules.surely_owed import surely_owed

DUE = date(2026, 3, 31)
TODAY = date(2026, 6, 30)
INVOICE, CUSTOMER = InvoiceId("I"), CustomerId("C")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Book, str]:
    total = draw(st.integers(1_000, 500_000))
    paid = draw(st.integers(0, total // 2))
    credited = draw(st.integers(0, total // 3))
    on = DUE + timedelta(days=draw(st.integers(-20, 80)))
    is_back = draw(st.booleans()) and draw(st.booleans())
    payment = Payment(
        id=PaymentId("P"),
        customer=CUSTOMER,
        currency="GBP",
        on=on,
        amount=max(paid, 1),
        allocations=(Allocation(INVOICE, max(paid, 1)),),
        reversed_on=on + timedelta(days=9) if is_back else None,
    )
    credit = CreditNote(
        id=CreditNoteId("N"),
        customer=CUSTOMER,
        currency="GBP",
        on=on,
        total=max(credited, 1),
        allocations=(Allocation(INVOICE, max(credited, 1)),),
    )
    settled = (payment.amount if not is_back else 0) + credit.total
    amount = draw(st.integers(1, total // 10))
    book = Book(
        company=Company(id="acme", base_currency="GBP"),
        as_of=TODAY,
        customers={CUSTOMER: Customer(id=CUSTOMER, name="C")},
        invoices=[
            Invoice(
                id=INVOICE,
                number="I",
                customer=CUSTOMER,
                currency="GBP",
                issued_on=date(2026, 3, 1),
                due_on=DUE,
                total=total,
                balance=total - settled,
            )
        ],
        payments=[payment],
        credits=[credit],
        fees=[
            FeePosted(
                on=TODAY,
                invoice=INVOICE,
                customer=CUSTOMER,
                fee=FeeId("f"),
                amount=amount,
                currency="GBP",
                through=TODAY,
                key=ItemKey("late_fee/I/f/2026-06"),
                document="LF-1",
            )
        ],
    )
    rate = draw(st.sampled_from([Decimal("0.5"), Decimal(8), Decimal("12.75"), Decimal(30)]))
    more = draw(
        st.sampled_from(
            (
                "",
                'grace = "40d"',
                'grace = "40d"\ngrace_mode = "from_grace_end"',
                "from = 2026-05-15",
                'cap = { per_invoice = "20" }',
                "cap = { percent_of_original = 2 }",
                "cap = { days = 10 }",
                'day_count = "30/360"',
                'base = "original"',
                'rounding = "down"',
            )
        )
    )
    return book, f'[[fee]]\nid = "f"\ntype = "interest"\nannual_rate = "{rate}"\n{more}\n'


@settings(deadline=None, max_examples=300)
@given(cases())
def test_what_is_surely_owed_is_owed(case: tuple[Book, str]) -> None:
    book, text = case
    frame = Frame(book, load_policy(text), TODAY)
    (account,) = book.accounts()
    day, (rule,) = AccountDay(frame, account), frame.fees
    invoice = account.invoices[0]
    posted = posted_on(day, invoice, rule)
    if surely_owed(day, rule, invoice, posted):
        _, found = assessed(day, rule, invoice, TODAY, posted)
        assert found.to_post >= 0
