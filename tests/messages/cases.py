"""A small account, and actions on it, that the message tests share."""

from datetime import date, timedelta

from ar_bridge.messages import Sender
from rules.actions.action import Item
from rules.actions.keys import fee_item, message_key, stage_item
from rules.actions.late_fee import ChargeLateFee, Derivation, DerivationRow, DerivationStep
from rules.actions.messages import SendFeeNotice, SendReminder
from rules.model.book import Account
from rules.model.commitment import Commitment
from rules.model.company import Company
from rules.model.customer import Contact, Customer
from rules.model.history import FeePosted, Served
from rules.model.ids import CustomerId, FeeId, InvoiceId, StageId
from rules.model.invoice import Invoice

ON = date(2026, 10, 27)
COMPANY = Company(id="acme", name="Harbour Lane Supplies Ltd", base_currency="GBP", country="GB")
SENDER = Sender(
    name="Harbour Lane Supplies Ltd",
    reply_to="accounts@harbourlane.example",
    postal_address=("4 Harbour Lane", "Bristol BS1 0AA", "United Kingdom"),
    phone="0117 496 0123",
    registration="Registered in England, no. 00000000",
    bank_details=("Harbour Lane Supplies Ltd", "Sort code 00-00-00, account 00000000"),
    terms="our terms of January 2026, clause 7",
)


def customer(**changes: object) -> Customer:
    facts: dict[str, object] = {
        "id": CustomerId("C1"),
        "name": "North Ltd",
        "email": "ap@north.example",
        "country": "GB",
        "contacts": (
            Contact(name="Priya Shah", email="priya@north.example", roles=("billing",)),
            Contact(name="Tom North", email="tom@north.example", roles=("owner",)),
        ),
    }
    return Customer(**{**facts, **changes})


def invoice(number: str, total: int = 120000, due_ago: int = 26, **changes: object) -> Invoice:
    facts: dict[str, object] = {
        "id": InvoiceId(f"id-{number}"),
        "number": number,
        "customer": CustomerId("C1"),
        "currency": "GBP",
        "issued_on": ON - timedelta(days=due_ago + 30),
        "due_on": ON - timedelta(days=due_ago),
        "total": total,
        "balance": total,
    }
    return Invoice(**{**facts, **changes})


def account(
    *invoices: Invoice,
    payer: Customer | None = None,
    commitments: tuple[Commitment, ...] = (),
    served: tuple[Served, ...] = (),
    fees: tuple[FeePosted, ...] = (),
) -> Account:
    head = payer or customer()
    return Account(
        payer=head,
        members={head.id: head},
        invoices=invoices,
        commitments=commitments,
        served=served,
        fees=fees,
    )


def reminder(
    *invoices: Invoice, template: str = "overdue_1", aside: int = 0, **changes: object
) -> SendReminder:
    stage = StageId("first-reminder")
    keys = [stage_item("reminder", each.id, stage, 1) for each in invoices]
    unapplied = changes.get("unapplied", 0)
    assert isinstance(unapplied, int)
    facts: dict[str, object] = {
        "key": message_key(CustomerId("C1"), keys),
        "customer": CustomerId("C1"),
        "currency": invoices[0].currency,
        "items": tuple(
            Item(key=key, kind="reminder", invoice=each.id, stage=stage)
            for key, each in zip(keys, invoices, strict=True)
        ),
        "stage": stage,
        "template": template,
        "qualified": tuple(each.id for each in invoices),
        "total": sum(each.balance for each in invoices) - unapplied - aside,
        "set_aside": ((invoices[0].id, aside),) if aside else (),
    }
    kind = SendFeeNotice if template == "fee_notice" else SendReminder
    return kind(**{**facts, **changes})


def interest(on_invoice: Invoice, amount: int = 1835, currency: str = "GBP") -> ChargeLateFee:
    fee = FeeId("late-interest")
    key = fee_item(on_invoice.id, fee, "2026-10")
    return ChargeLateFee(
        key=key,
        customer=CustomerId("C1"),
        currency=currency,
        items=(Item(key=key, kind="late_fee", invoice=on_invoice.id, fee=fee),),
        invoice=on_invoice.id,
        fee_id=fee,
        fee_name="Late-payment interest",
        charge=amount,
        through=date(2026, 10, 31),
        description="18% a year on what is open, from the day after the due date",
        derivation=Derivation(
            rows=(
                DerivationRow(
                    kind="segment",
                    from_=date(2026, 10, 1),
                    to=date(2026, 10, 31),
                    days=31,
                    base=on_invoice.balance,
                    annual_rate="18",
                    exact="6696/365",
                ),
            ),
            steps=(DerivationStep(step="rounding", amount="1/365"),),
        ),
        notice=message_key(CustomerId("C1"), [key]),
    )
