"""Late fees of whole accounts, over random lives of an account and random days of downtime."""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.account_day import AccountDay
from rules.actions.action import EffectContext
from rules.actions.effects import PostCharge
from rules.actions.fee_waiver import WaiveLateFee
from rules.actions.late_fee import ChargeLateFee
from rules.decide import decide
from rules.decision import Act
from rules.fees.assess import assess
from rules.frame import Frame
from rules.model.book import Book
from rules.model.company import Company
from rules.model.customer import Customer
from rules.model.fee_part import parts_told
from rules.model.history import FeePosted, Waiver
from rules.model.ids import CustomerId, InvoiceId, PaymentId
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.model.payment import Allocation, Payment
from rules.model.taken_back import after_taking_back
from rules.policy.load import load_policy
from rules.policy.schema import Policy
from rules.replay import fees_of

START = date(2026, 3, 2)
COMPANY = Company(id="acme", base_currency="GBP")
C1 = CustomerId("C1")

POLICY = """
schema = 1
name = "account"
legal_basis = "contract:terms"
{head}
[contact]
per_customer_per_day = 9
per_customer_per_week = 60
min_gap = "0d"

[calendar]
send_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[[fee]]
id = "late"
scope = "customer"
{fee}
"""
INTEREST = 'type = "interest"\nannual_rate = 18\npost = {{ every = "month", on = {on} }}'
FEES = (
    INTEREST.format(on=28),
    INTEREST.format(on=5) + '\ngrace = "5d"\ncap = { percent_of_original = 3 }',
    'type = "interest"\nannual_rate = 12\npost = { every = "10d" }\nminimum_to_post = "2"',
    'type = "percent"\npercent = "1.5"\nper = "month"\nmonth_count = "started"',
    'type = "compensation"\n'
    'bands = [{ from = "0", amount = "40" }, { from = "1000", amount = "70" }]',
)


def policy_of(fee: str) -> Policy:
    return load_policy(POLICY.format(head="", fee=fee))


class Paid(msgspec.Struct, frozen=True):
    invoice: int
    on: date
    known: date
    share: int


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Invoice], list[Paid], list[date]]:
    """Invoices, payments (some of them entered late), and the days on which we are awake."""
    invoices = [
        Invoice(
            id=InvoiceId(f"I{n}"),
            number=f"I{n}",
            customer=C1,
            currency="GBP",
            issued_on=START - timedelta(days=40),
            due_on=START + timedelta(days=draw(st.integers(-20, 30))),
            total=(total := draw(st.integers(1_000, 500_000))),
            balance=total,
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    payments = []
    for n in range(len(invoices)):
        if draw(st.booleans()):
            on = START + timedelta(days=draw(st.integers(0, 90)))
            known = on + timedelta(days=draw(st.sampled_from([0, 0, 3, 40])))
            payments.append(Paid(n, on, known, draw(st.sampled_from([1, 2]))))
    awake = [
        START + timedelta(days=day) for day in range(120) if draw(st.integers(0, 3)) or day == 119
    ]
    return invoices, payments, awake


def as_known(
    invoices: Sequence[Invoice],
    payments: Sequence[Paid],
    day: date,
    fees: list[FeePosted],
    waivers: list[Waiver],
) -> Book:
    known = [one for one in payments if one.known <= day]
    paid = {invoices[one.invoice].id: invoices[one.invoice].total // one.share for one in known}
    posted, waived = after_taking_back(fees, waivers)
    documents = {fee.document: fee for fee in posted}
    taken = {name: 0 for name in documents}
    for one in waivers:
        taken[one.document] += one.amount
    return Book(
        company=COMPANY,
        as_of=day,
        customers={C1: Customer(id=C1, name="North", entity_type="company")},
        invoices=[
            msgspec.structs.replace(
                one,
                balance=(left := one.total - paid.get(one.id, 0)),
                status="open" if left else "paid",
            )
            for one in invoices
        ]
        + [
            Invoice(
                id=InvoiceId(f"D-{name}"),
                number=name,
                customer=C1,
                currency="GBP",
                issued_on=fee.on,
                due_on=fee.on,
                total=(total := sum(one.amount for one in posted if one.document == name)),
                balance=total - taken[name],
                status="open" if total > taken[name] else "void",
                is_fee=True,
            )
            for name, fee in documents.items()
        ],
        payments=[
            Payment(
                id=PaymentId(f"P{one.invoice}"),
                customer=C1,
                currency="GBP",
                on=one.on,
                amount=paid[invoices[one.invoice].id],
                allocations=(Allocation(invoices[one.invoice].id, paid[invoices[one.invoice].id]),),
            )
            for one in known
        ],
        fees=posted,
        waivers=waived,
    )


def owed(book: Book, policy: Policy, invoice: Invoice, through: date) -> Minor:
    """What the fee comes to on an invoice, as if nothing had been posted of it."""
    frame = Frame(book, policy, through)
    (account,) = book.accounts()
    (known,) = [one for one in account.invoices if one.id == invoice.id]
    debt = AccountDay(frame, account).debt(known)
    assert debt is not None
    fee = policy.fee[0]
    return assess(fee, debt, through, (), from_day=None, base_currency="GBP").accrued


@settings(max_examples=25, deadline=None)
@given(lives(), st.sampled_from(FEES))
def test_parts_make_the_document_and_nothing_is_charged_twice(
    life: tuple[list[Invoice], list[Paid], list[date]], fee: str
) -> None:
    invoices, payments, awake = life
    policy = policy_of(fee)
    fees: list[FeePosted] = []
    waivers: list[Waiver] = []
    for day in awake:
        book = as_known(invoices, payments, day, fees, waivers)
        acts = [one for one in decide(book, policy, day) if isinstance(one, Act)]
        for act in acts:
            if isinstance(act.action, ChargeLateFee):
                is_whole(act.action)
                fees += fees_of(act.action, day, "acme")
            elif isinstance(act.action, WaiveLateFee):
                assert act.mode == "approve" and act.action.is_correction
                waivers.append(
                    Waiver(
                        on=day,
                        document=act.action.document,
                        amount=act.action.waived,
                        kind="correction",
                        invoice=act.action.invoice,
                    )
                )
        book = as_known(invoices, payments, day, fees, waivers)
        again = decide(book, policy, day)
        assert not [
            one for one in again if isinstance(one, Act) and one.action.kind != "fee_notice"
        ]
        for invoice in invoices:
            charged = sum(
                one.amount - one.corrected for one in book.fees if one.invoice == invoice.id
            )
            assert charged <= owed(book, policy, invoice, day)
    assert len({one.document for one in fees}) == len({one.account_key for one in fees})


def is_whole(charge: ChargeLateFee) -> None:
    """Parts, lines, rows and steps: all of them come to the amount."""
    assert charge.charge == sum(part.amount for part in charge.parts) > 0
    context = EffectContext(company_id="acme", today=START, numbers={})
    (effect,) = charge.effects(context)
    assert isinstance(effect, PostCharge)
    assert [line.amount for line in effect.lines] == [part.amount for part in charge.parts]
    told = parts_told([line.description for line in effect.lines])
    assert [(one.invoice, one.amount) for one in told] == [
        (part.invoice, part.amount) for part in charge.parts
    ]


@settings(max_examples=15, deadline=None)
@given(lives())
def test_what_is_waived_is_never_charged_again(
    life: tuple[list[Invoice], list[Paid], list[date]],
) -> None:
    invoices, _, awake = life
    policy = policy_of(FEES[0])
    fees: list[FeePosted] = []
    waivers: list[Waiver] = []
    for day in awake:
        book = as_known(invoices, (), day, fees, waivers)
        for one in decide(book, policy, day):
            if isinstance(one, Act) and isinstance(one.action, ChargeLateFee):
                fees += fees_of(one.action, day, "acme")
                waivers.append(
                    Waiver(on=day, document=one.action.number("acme"), amount=one.action.charge)
                )
        for invoice in invoices:
            gross = sum(one.amount for one in fees if one.invoice == invoice.id)
            assert gross <= owed(book, policy, invoice, day)
