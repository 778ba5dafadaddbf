"""What each kind of event of a book file says: one function per kind.

Each reads one row into a value of the model, or raises BadEvent with the remedy.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, cast, get_args

from rules.model.book import Rate
from rules.model.company import Company
from rules.model.credit import CreditKind, CreditNote
from rules.model.customer import Contact, Customer, EntityType
from rules.model.estimate import Estimate, EstimateStatus
from rules.model.event_reading import BadEvent, Reference, Row
from rules.model.fee_part import parts_told
from rules.model.history import FeePosted, Served, ServedState, TakenBack, Waiver
from rules.model.ids import (
    CreditNoteId,
    CustomerId,
    EstimateId,
    FeeId,
    InvoiceId,
    ItemKey,
    PaymentId,
    StageId,
)
from rules.model.invoice import Invoice
from rules.model.payment import Payment


def company_of(row: Row) -> Company:
    """The company whose book it is."""
    return Company(
        id=row.needed("id"),
        ledger=row.text("ledger", "bookfile"),
        name=row.text("name"),
        base_currency=row.needed("base_currency"),
        timezone=row.text("timezone", "UTC"),
        country=row.text("country"),
        connected_on=row.day("connected_on"),
        locked_through=row.day("locked_through"),
        native_late_fees=_known(row, "native_late_fees"),
        native_reminders=_known(row, "native_reminders"),
    )


def _known(row: Row, name: str) -> bool | None:
    value = row.fields.get(name)
    return value if isinstance(value, bool) else None


def customer_of(row: Row, company: Company) -> Customer:
    """A customer, as known from the event's date on."""
    currency = row.text("currency", company.base_currency)
    terms = row.text("terms_days")
    if terms and not terms.isdigit():
        raise BadEvent(f"terms_days {terms!r} is not a number of days")
    return Customer(
        id=CustomerId(row.needed("id")),
        name=row.text("name", row.text("id")),
        currency=currency,
        email=row.text("email"),
        phone=row.text("phone"),
        contacts=tuple(
            Contact(
                name=part.text("name"),
                email=part.text("email"),
                phone=part.text("phone"),
                roles=part.texts("roles") or ("billing",),
            )
            for part in row.rows("contacts")
        ),
        terms_days=int(terms) if terms else None,
        country=row.text("country"),
        timezone=row.text("timezone"),
        language=row.text("language"),
        tags=row.texts("tags"),
        entity_type=cast(EntityType, row.chosen("entity_type", "unknown", get_args(EntityType))),
        credit_limit=row.amount("credit_limit", currency),
        parent=CustomerId(row.text("parent")) if row.text("parent") else None,
        is_active=row.fields.get("active", True) is not False,
        is_on_hold=row.fields.get("on_hold", False) is True,
        region=row.text("region"),
        address=row.texts("address"),
    )


def invoice_of(row: Row, refer: Reference) -> Invoice:
    """An invoice as issued: nothing is settled yet."""
    currency = row.text("currency", refer.base_currency)
    total = row.needed_amount("total", currency)
    sent = row.fields.get("sent", True)
    fee_of_invoice = row.text("fee_of")
    status = row.chosen("status", "open", ("open", "draft", "void", "deleted"))
    return Invoice(
        id=InvoiceId(row.needed("id")),
        number=row.text("number", row.needed("id")),
        customer=refer.customer(row),
        currency=currency,
        issued_on=row.needed_day("date"),
        due_on=row.day("due"),
        total=total,
        tax=row.amount("tax", currency) or 0,
        balance=total,
        status=cast(Literal["open", "draft", "void", "deleted"], status),
        sent=sent if isinstance(sent, bool) else None,
        fee_of=InvoiceId(fee_of_invoice) if fee_of_invoice else None,
        is_fee=bool(fee_of_invoice) or row.fields.get("is_fee") is True,
        fee_parts=parts_told(row.texts("lines")),
        fee_lines=row.amount("fee_lines", currency) or 0,
        po=row.text("po"),
        reference=row.text("reference"),
        tags=row.texts("tags"),
        items=row.texts("items"),
        tracking=row.texts("tracking"),
        email=row.text("email"),
        is_disputed=row.fields.get("is_disputed") is True,
        is_undelivered=row.fields.get("is_undelivered") is True,
        pays_by_itself=row.fields.get("pays_by_itself") is True,
        online_url=row.text("online_url"),
        expected_on=row.day("expected_on"),
        dates=row.dates("fields"),
    )


def estimate_of(row: Row, refer: Reference) -> Estimate:
    """An estimate or quote, as it stands from the event's date on."""
    currency = row.text("currency", refer.base_currency)
    status = row.chosen("status", "open", get_args(EstimateStatus))
    return Estimate(
        id=EstimateId(row.needed("id")),
        number=row.text("number"),
        customer=refer.customer(row),
        currency=currency,
        on=row.needed_day("date"),
        expires_on=row.day("expires"),
        total=row.needed_amount("total", currency),
        status=cast(EstimateStatus, status),
        deposit=row.amount("deposit", currency) or 0,
    )


def payment_of(row: Row, refer: Reference) -> Payment:
    """Money received; `alloc` says which invoices it settled."""
    currency = row.text("currency", refer.base_currency)
    amount = row.needed_amount("amount", currency)
    return Payment(
        id=PaymentId(row.needed("id")),
        customer=_paying(row, refer),
        currency=currency,
        on=row.needed_day("date"),
        known_on=row.day("known"),
        amount=amount,
        allocations=row.allocations(currency, amount),
        reference=row.text("reference"),
    )


def _paying(row: Row, refer: Reference) -> CustomerId:
    """The customer, or the one whose invoice was paid: money that came in is never overlooked."""
    if row.text("customer") not in refer.customers:
        for part in row.rows("alloc"):
            if part.text("invoice") in refer.invoices and not row.text("customer"):
                return refer.invoices[part.text("invoice")].customer
    return refer.customer(row)


def credit_note_of(row: Row, refer: Reference) -> CreditNote:
    """A credit note or another credit; `alloc` says which invoices it reduced."""
    currency = row.text("currency", refer.base_currency)
    total = row.needed_amount("total", currency)
    return CreditNote(
        id=CreditNoteId(row.needed("id")),
        number=row.text("number"),
        customer=refer.customer(row),
        currency=currency,
        on=row.needed_day("date"),
        known_on=row.day("known"),
        total=total,
        allocations=row.allocations(currency, total),
        remaining=total,
        kind=cast(CreditKind, row.chosen("kind", "credit_note", get_args(CreditKind))),
        reference=row.text("reference"),
    )


def action_of(row: Row, refer: Reference) -> Served:
    """Something that we did before."""
    customer, invoices = refer.subject(row)
    on = row.needed_day("date")
    kind = row.text("kind", "reminder")
    stage = row.text("stage")
    channel = row.text("channel", "email" if kind in ("reminder", "fee_notice") else "")
    subject = invoices[0] if invoices else customer
    sent_at = row.text("sent_at")
    return Served(
        on=on,
        kind=kind,
        customer=customer,
        invoice=invoices[0] if invoices else None,
        stage=StageId(stage) if stage else None,
        channel=channel,
        key=ItemKey(row.text("key") or f"{kind}/{subject}/{stage}/1"),
        # What went out on one day by one channel counts as one contact.
        message=row.text("message") or f"{customer}|{on.isoformat()}|{channel}",
        state=cast(ServedState, row.chosen("state", "done", get_args(ServedState))),
        sent_at=_instant(sent_at) if sent_at else None,
        covers=tuple(InvoiceId(name) for name in row.texts("covers")),
    )


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadEvent(f"sent_at {text!r} is not a time", "write it as in ISO 8601") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def fee_of(row: Row, refer: Reference) -> FeePosted:
    """A late fee that we charged before."""
    invoice = refer.invoice(row, "invoice")
    on = row.needed_day("date")
    fee = row.needed("fee")
    key = row.text("key") or f"late_fee/{invoice.id}/{fee}/{on.isoformat()}"
    return FeePosted(
        on=on,
        invoice=invoice.id,
        customer=CustomerId(row.text("customer", invoice.customer)),
        fee=FeeId(fee),
        amount=row.needed_amount("amount", invoice.currency),
        currency=invoice.currency,
        through=row.day("through") or on,
        key=ItemKey(key),
        document=row.text("document") or key,
        corrected=row.amount("corrected", invoice.currency) or 0,
        account_key=ItemKey(row.text("account_key")) if row.text("account_key") else None,
    )


def waiver_of(row: Row, fees: Sequence[FeePosted]) -> Waiver:
    """A fee that a person let the customer off, or another kind of taking it back."""
    document = row.needed("document")
    for fee in fees:
        if fee.document == document:
            amount = row.amount("amount", fee.currency)
            return Waiver(
                on=row.needed_day("date"),
                document=document,
                amount=fee.amount if amount is None else amount,
                reason=row.text("reason"),
                kind=cast(TakenBack, row.chosen("kind", "waiver", get_args(TakenBack))),
                invoice=InvoiceId(row.text("invoice")) if row.text("invoice") else None,
            )
    raise BadEvent(f"fee document {document} is not in the book", "add the fee's event")


def rate_of(row: Row) -> Rate:
    """An exchange rate to the base currency."""
    rate = row.needed("to_base")
    try:
        if float(rate) <= 0:
            raise ValueError
    except ValueError:
        raise BadEvent(f"to_base {rate!r} is not a rate", 'write it as "0.58"') from None
    return Rate(row.needed("currency"), row.needed_day("date"), rate)
