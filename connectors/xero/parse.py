"""Xero's answers as values of the receivables book. Pure: bytes in, values out.

The words, theirs -> ours:

    Contact                      Customer           MergedToContactID -> parent
      EmailAddress, ContactPersons[IncludeInEmails] -> contacts with the role billing
      ContactGroups              tags               the hold group also -> is_on_hold
      PaymentTerms.Sales         terms_days (DAYSAFTERBILLDATE only: others are no day count)
    Invoice (ACCREC)             Invoice            ACCPAY is a bill and is dropped
      AmountDue, Total, TotalTax balance, total, tax
      AUTHORISED / PAID / VOIDED / DELETED / DRAFT, SUBMITTED
                                 open / paid / void / deleted / draft
      SentToContact              sent: true -> True; false -> None, because Xero sets it only
                                 when Xero itself sent the mail
      ExpectedPaymentDate        expected_on
      InvoiceNumber `LF-`, Reference `arb1 `        is_fee, fee_of
    Payment (ACCRECPAYMENT)      Payment            one invoice each; DELETED -> reversed_on
      AROVERPAYMENTPAYMENT, ARCREDITPAYMENT, ...    refunds: dropped, RemainingCredit has them
    CreditNote (ACCRECCREDIT), Overpayment, Prepayment (RECEIVE-, AR-)   CreditNote by `kind`
      RemainingCredit            remaining          VOIDED, DELETED -> worth nothing
    Organisation                 Company            later of the two lock dates -> locked_through
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from connectors.port import Quarantined, Record
from connectors.xero import wire
from connectors.xero.dates import DateError, parse_day
from connectors.xero.requests import FEE_TAG
from connectors.xero.timezones import iana_zone
from rules.model.company import Company
from rules.model.credit import CreditKind, CreditNote
from rules.model.customer import Contact, Customer
from rules.model.ids import CreditNoteId, CustomerId, InvoiceId, PaymentId
from rules.model.invoice import Invoice, InvoiceStatus
from rules.model.money import AmountError, Minor, parse_minor
from rules.model.payment import Allocation, Payment

FEE_NUMBER_PREFIX: Final = "LF-"
FEE_TAG_PREFIX: Final = f"{FEE_TAG} "

_STATUS: Final[dict[str, InvoiceStatus]] = {
    "AUTHORISED": "open",
    "PAID": "paid",
    "VOIDED": "void",
    "DELETED": "deleted",
    "DRAFT": "draft",
    "SUBMITTED": "draft",
}
_WORTHLESS: Final = frozenset({"VOIDED", "DELETED"})
_NOT_YET: Final = frozenset({"DRAFT", "SUBMITTED"})
_CREDIT_TYPES: Final[dict[str, CreditKind]] = {
    "ACCRECCREDIT": "credit_note",
    "RECEIVE-OVERPAYMENT": "overpayment",
    "AROVERPAYMENT": "overpayment",
    "RECEIVE-PREPAYMENT": "prepayment",
    "ARPREPAYMENT": "prepayment",
}

_T = TypeVar("_T")


class RowError(ValueError):
    """One record that cannot become a value of the book, with the reason."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a row needs to know that is not in it."""

    base_currency: str = ""
    hold_group: str = "Credit hold"
    owners: Mapping[str, tuple[CustomerId, str]] = {}
    """Invoice id to its customer and currency, for payments that do not repeat them."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """One page, read."""

    records: Sequence[Record] = ()
    quarantined: Sequence[Quarantined] = ()
    seen: int = 0
    """Rows in the answer, dropped and quarantined ones included."""
    first_id: str = ""
    page_count: int | None = None
    item_count: int | None = None


RowReader = Callable[[bytes | msgspec.Raw, Context], Record | None]


def rows(
    content: bytes, collection: str, id_field: str, read_row: RowReader, context: Context
) -> Rows:
    """Read one page, each row by itself: a bad one is quarantined and the others are kept.

    Raises msgspec.DecodeError where the answer as a whole is no JSON of the expected shape.
    """
    raw_rows, pagination = elements(content, collection)
    records: list[Record] = []
    quarantined: list[Quarantined] = []
    for raw in raw_rows:
        try:
            record = read_row(raw, context)
        except (RowError, AmountError, DateError, msgspec.MsgspecError) as error:
            quarantined.append(
                Quarantined(entity=collection, id=_id_of(raw, id_field), reason=str(error))
            )
            continue
        if record is not None:
            records.append(record)
    return Rows(
        records=records,
        quarantined=quarantined,
        seen=len(raw_rows),
        first_id=_id_of(raw_rows[0], id_field) if raw_rows else "",
        page_count=pagination.page_count,
        item_count=pagination.item_count,
    )


def elements(content: bytes, collection: str) -> tuple[list[msgspec.Raw], wire.Pagination]:
    """The undecoded rows of an answer and where the answer stands among its pages."""
    envelope = _ENVELOPE.decode(content)
    raw_rows = envelope.get(collection)
    raw_pagination = envelope.get("pagination")
    return (
        _RAW_LIST.decode(raw_rows) or [] if raw_rows is not None else [],
        (_PAGINATION.decode(raw_pagination) or wire.Pagination())
        if raw_pagination is not None
        else wire.Pagination(),
    )


def listed(content: bytes, collection: str, shape: type[_T]) -> list[_T]:
    """The readable rows of a small list, such as accounts or contact groups."""
    decoder = msgspec.json.Decoder(shape, strict=False)
    found = []
    for raw in elements(content, collection)[0]:
        try:
            found.append(decoder.decode(raw))
        except msgspec.MsgspecError:
            continue  # a row that is not understood is a row that is not there
    return found


def invoice(raw: bytes | msgspec.Raw, context: Context) -> Invoice | None:
    """One sales invoice; None for a bill. Raises RowError, AmountError or DateError."""
    row = _INVOICE.decode(raw)
    if row.type is not None and row.type != "ACCREC":
        return None
    if row.status not in _STATUS:
        raise RowError(f"Status {row.status!r} is not one that we know")
    currency = row.currency_code or context.base_currency
    issued_on = parse_day(row.date)
    if issued_on is None:
        raise RowError("it has no Date")
    number = row.invoice_number or ""
    reference = row.reference or ""
    is_ours = reference.startswith(FEE_TAG_PREFIX)
    return Invoice(
        id=InvoiceId(_needed(row.id, "InvoiceID")),
        number=number,
        customer=_customer(row.contact),
        currency=currency,
        issued_on=issued_on,
        due_on=parse_day(row.due_date),
        total=_minor(row.total, currency, "Total"),
        tax=_minor(row.total_tax or _ZERO, currency, "TotalTax"),
        balance=_minor(row.amount_due, currency, "AmountDue"),
        status=_STATUS[row.status],
        sent=True if row.sent_to_contact else None,
        fee_of=_source_invoice(reference) if is_ours else None,
        is_fee=is_ours or number.startswith(FEE_NUMBER_PREFIX),
        reference=reference,
        expected_on=parse_day(row.expected_payment_date),
    )


def fee(raw: bytes | msgspec.Raw, context: Context) -> Invoice | None:
    """One late fee document of ours; None for any other invoice, readable or not."""
    if f'"{FEE_TAG_PREFIX}'.encode() not in bytes(raw):
        return None
    found = invoice(raw, context)
    return found if found is not None and found.is_fee else None


def customer(raw: bytes | msgspec.Raw, context: Context) -> Customer:
    """One contact."""
    row = _CONTACT.decode(raw)
    name = row.name or ""
    email = (row.email_address or "").strip()
    groups = tuple(
        group.name for group in row.contact_groups or () if group.name and group.status != "DELETED"
    )
    terms = row.payment_terms.sales if row.payment_terms is not None else None
    has_day_count = terms is not None and terms.type == "DAYSAFTERBILLDATE"
    return Customer(
        id=CustomerId(_needed(row.id, "ContactID")),
        name=name,
        currency=row.default_currency or "",
        email=email,
        phone=_phone(row.phones or ()),
        contacts=_people(name, email, row.contact_persons or ()),
        terms_days=terms.day if terms is not None and has_day_count else None,
        country=_country(row.addresses or ()),
        tags=groups,
        parent=CustomerId(row.merged_to) if row.merged_to else None,
        is_active=row.contact_status in (None, "", "ACTIVE"),
        is_on_hold=context.hold_group in groups,
    )


def payment(raw: bytes | msgspec.Raw, context: Context) -> Payment | None:
    """One payment of one sales invoice; None for bills' payments and for refunds."""
    row = _PAYMENT.decode(raw)
    target = row.invoice or wire.InvoiceRef()
    is_sale = row.payment_type == "ACCRECPAYMENT" if row.payment_type else target.type == "ACCREC"
    if not is_sale:
        return None
    invoice_id = InvoiceId(_needed(target.id, "Invoice.InvoiceID"))
    owner, known_currency = context.owners.get(invoice_id, (None, ""))
    currency = target.currency_code or known_currency or context.base_currency
    paid_on = parse_day(row.date)
    if paid_on is None:
        raise RowError("it has no Date")
    amount = _minor(row.amount, currency, "Amount")
    is_deleted = row.status == "DELETED"
    return Payment(
        id=PaymentId(_needed(row.id, "PaymentID")),
        customer=_customer(target.contact) if owner is None else owner,
        currency=currency,
        on=paid_on,
        amount=amount,
        allocations=(Allocation(invoice_id, amount, paid_on),),
        reversed_on=(parse_day(row.updated) or paid_on) if is_deleted else None,
        reversal_reason="deleted in Xero" if is_deleted else "",
    )


def credit(raw: bytes | msgspec.Raw, context: Context) -> CreditNote | None:
    """One credit note, overpayment or prepayment of a customer; None for drafts and for
    those of suppliers."""
    row = _CREDIT.decode(raw)
    kind = _CREDIT_TYPES.get(row.type or "")
    if kind is None or row.status in _NOT_YET:
        return None
    currency = row.currency_code or context.base_currency
    on = parse_day(row.date)
    if on is None:
        raise RowError("it has no Date")
    is_worthless = row.status in _WORTHLESS
    given = row.credit_note_id or row.overpayment_id or row.prepayment_id
    return CreditNote(
        id=CreditNoteId(_needed(given, "id")),
        number=row.credit_note_number or "",
        customer=_customer(row.contact),
        currency=currency,
        on=on,
        total=0 if is_worthless else _minor(row.total, currency, "Total"),
        allocations=()
        if is_worthless
        else tuple(
            Allocation(
                InvoiceId(part.invoice.id),
                _minor(part.amount, currency, "Allocation.Amount"),
                parse_day(part.date),
            )
            for part in row.allocations or ()
            if part.invoice is not None and part.invoice.id and not part.is_deleted
        ),
        remaining=0
        if is_worthless
        else _minor(row.remaining_credit or _ZERO, currency, "RemainingCredit"),
        kind=kind,
    )


def organisation(content: bytes) -> wire.XeroOrganisation:
    """The organisation as Xero states it. Raises RowError where the answer has none."""
    found = listed(content, "Organisations", wire.XeroOrganisation)
    if not found:
        raise RowError("the answer names no organisation")
    return found[0]


def company(org: wire.XeroOrganisation, tenant_id: str) -> Company:
    """The company of the book. A time zone that we do not know becomes UTC."""
    return Company(
        id=tenant_id or org.id or "",
        ledger="xero",
        name=org.name or "",
        base_currency=org.base_currency or "",
        timezone=iana_zone(org.timezone or "") or "UTC",
        country=org.country_code or "",
        locked_through=lock_date(org),
    )


def lock_date(org: wire.XeroOrganisation) -> date | None:
    """The later of the two lock dates: documents on or before it are refused."""
    days = [parse_day(org.period_lock_date), parse_day(org.end_of_year_lock_date)]
    return max((day for day in days if day is not None), default=None)


_ZERO: Final = Decimal(0)
_ENVELOPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
_PAGINATION: Final = msgspec.json.Decoder(wire.Pagination | None, strict=False)
_LOOSE: Final = msgspec.json.Decoder(dict[str, Any])
_INVOICE: Final = msgspec.json.Decoder(wire.XeroInvoice, strict=False)
_CONTACT: Final = msgspec.json.Decoder(wire.XeroContact, strict=False)
_PAYMENT: Final = msgspec.json.Decoder(wire.XeroPayment, strict=False)
_CREDIT: Final = msgspec.json.Decoder(wire.XeroCredit, strict=False)


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise RowError(f"it has no {name}")
    return value


def _customer(contact: wire.ContactRef | None) -> CustomerId:
    return CustomerId(_needed(contact.id if contact is not None else None, "Contact.ContactID"))


def _minor(amount: Decimal | None, currency: str, name: str) -> Minor:
    if amount is None:
        raise RowError(f"it has no {name}")
    if not currency:
        raise RowError("it has no CurrencyCode")
    return parse_minor(amount, currency)


def _source_invoice(reference: str) -> InvoiceId | None:
    for word in reference.split():
        if word.startswith("inv="):
            return InvoiceId(word.removeprefix("inv="))
    return None


def _people(name: str, email: str, persons: Sequence[wire.ContactPerson]) -> tuple[Contact, ...]:
    found = {email.lower(): Contact(name=name, email=email)} if email else {}
    for person in persons:
        address = (person.email_address or "").strip()
        if address and person.include_in_emails:
            full_name = f"{person.first_name or ''} {person.last_name or ''}".strip()
            found.setdefault(address.lower(), Contact(name=full_name, email=address))
    return tuple(found.values())


def _phone(phones: Sequence[wire.Phone]) -> str:
    for wanted in ("DEFAULT", "DDI", "MOBILE", "OFFICE"):
        for phone in phones:
            if phone.phone_type == wanted and phone.phone_number:
                parts = (phone.phone_country_code, phone.phone_area_code, phone.phone_number)
                return " ".join(part for part in parts if part)
    return ""


def _country(addresses: Sequence[wire.Address]) -> str:
    """Xero's Country is free text; only a two-letter code is taken."""
    for address in addresses:
        text = (address.country or "").strip()
        if len(text) == 2 and text.isalpha():
            return text.upper()
    return ""


def _id_of(raw: bytes | msgspec.Raw, id_field: str) -> str:
    try:
        return str(_LOOSE.decode(raw).get(id_field) or "")
    except msgspec.MsgspecError:
        return ""
