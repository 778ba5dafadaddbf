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
      ExpectedPaymentDate        expected_on, and the date field expected_payment
      PlannedPaymentDate         the date field planned_payment
      InvoiceNumber `LF-`, Reference `arb1 `        is_fee, fee_of
      LineItems                  tags and tracking ("Region: North"), items (their codes),
                                 fee_lines and is_fee of others' fees
      RepeatingInvoiceID         the tag `repeating`
    Payment (ACCRECPAYMENT)      Payment            one invoice each; DELETED -> reversed_on
      AROVERPAYMENTPAYMENT, ARCREDITPAYMENT, ...    refunds: dropped, RemainingCredit has them
    CreditNote (ACCRECCREDIT), Overpayment, Prepayment (RECEIVE-, AR-)   CreditNote by `kind`
      RemainingCredit            remaining          VOIDED, DELETED -> worth nothing
    Quote                        Estimate           SENT -> open; DRAFT: dropped; DELETED -> void
    Organisation                 Company            later of the two lock dates -> locked_through
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from connectors.xero import wire
from connectors.xero.addresses import address_of
from connectors.xero.dates import parse_day
from connectors.xero.lines import decoded_text, items_of, told_by_lines
from connectors.xero.reads import FEE_TAG
from connectors.xero.rows import Context, RowError, RowReader, listed, minor, needed, stated
from connectors.xero.timezones import iana_zone
from rules.model.company import Company
from rules.model.credit import CreditKind, CreditNote
from rules.model.customer import Contact, Customer
from rules.model.estimate import Estimate, EstimateStatus
from rules.model.fee_part import ALL_INVOICES, FeePart, parts_told
from rules.model.ids import CreditNoteId, CustomerId, EstimateId, InvoiceId, PaymentId
from rules.model.invoice import Invoice, InvoiceStatus
from rules.model.payment import Allocation, Payment

FEE_NUMBER_PREFIX: Final = "LF-"
FEE_TAG_PREFIX: Final = f"{FEE_TAG} "

_NULL: Final = msgspec.Raw(b"null")
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

_QUOTES: Final[dict[str, EstimateStatus]] = {
    "SENT": "open",
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "INVOICED": "invoiced",
    "DELETED": "void",
}
REPEATING: Final = "repeating"
"""Tag of an invoice that Xero makes by itself from a template."""


def _invoice(row: wire.XeroInvoice, context: Context) -> Invoice | None:
    if row.type is not None and row.type != "ACCREC":
        return None
    status = _STATUS.get(row.status or "")
    if status is None:
        raise RowError(f"Status {row.status!r} is not one that we know")
    currency = row.currency_code or context.base_currency
    issued_on = parse_day(row.date)
    if issued_on is None:
        raise RowError("it has no Date")
    number = row.invoice_number or ""
    reference = row.reference or ""
    is_tagged = reference.startswith(FEE_TAG_PREFIX)
    is_ours = is_tagged or number.startswith(FEE_NUMBER_PREFIX)
    tags, fee_lines, are_all_fees = told_by_lines(
        row.line_items, currency, row.line_amount_types or "", context, is_ours=is_ours
    )
    return Invoice(
        id=InvoiceId(needed(row.id, "InvoiceID")),
        number=number,
        customer=_customer_id(row.contact),
        currency=currency,
        issued_on=issued_on,
        due_on=parse_day(row.due_date),
        total=stated(row.total, currency, "Total"),
        tax=0 if row.total_tax == _NULL else stated(row.total_tax, currency, "TotalTax"),
        balance=stated(row.amount_due, currency, "AmountDue"),
        status=status,
        sent=True if row.sent_to_contact else None,
        fee_of=_source_invoice(reference) if is_tagged else None,
        is_fee=is_ours or are_all_fees,
        fee_parts=_fee_parts(row) if is_tagged else (),
        fee_lines=fee_lines,
        reference=reference,
        tags=(*tags, REPEATING) if row.repeating_id else tags,
        items=items_of(row.line_items) if row.line_items else (),
        tracking=tags,
        expected_on=parse_day(row.expected_payment_date),
        dates=_dates(row),
    )


def _dates(row: wire.XeroInvoice) -> tuple[tuple[str, date], ...]:
    """Xero has no date fields of one's own: these are the two that an invoice has besides."""
    found = (
        ("expected_payment", parse_day(row.expected_payment_date)),
        ("planned_payment", parse_day(row.planned_payment_date)),
    )
    return tuple((name, on) for name, on in found if on is not None)


invoice: Final = RowReader(wire.XeroInvoice, _invoice)
"""One sales invoice; None for a bill."""


class _FeeReader(RowReader[wire.XeroInvoice]):
    """Passes over every invoice that is no fee of ours, readable or not."""

    def __call__(self, raw: bytes | msgspec.Raw, context: Context) -> Invoice | None:
        if f'"{FEE_TAG_PREFIX}'.encode() not in bytes(raw):
            return None
        return _fee(self.decode(raw), context)


def _fee(row: wire.XeroInvoice, context: Context) -> Invoice | None:
    if not (row.reference or "").startswith(FEE_TAG_PREFIX):
        return None
    return _invoice(row, context)


fee: Final = _FeeReader(wire.XeroInvoice, _fee)
"""One late fee document of ours; None for any other invoice."""


def _contact(row: wire.XeroContact, context: Context) -> Customer:
    name = row.name or ""
    email = (row.email_address or "").strip()
    groups = tuple(
        group.name for group in row.contact_groups or () if group.name and group.status != "DELETED"
    )
    terms = row.payment_terms.sales if row.payment_terms is not None else None
    has_day_count = terms is not None and terms.type == "DAYSAFTERBILLDATE"
    return Customer(
        id=CustomerId(needed(row.id, "ContactID")),
        name=name,
        currency=row.default_currency or "",
        email=email,
        phone=_phone(row.phones or ()),
        contacts=_people(name, email, row.contact_persons or ()),
        terms_days=terms.day if terms is not None and has_day_count else None,
        country=_country(row.addresses or ()),
        address=address_of(row.addresses) if row.addresses else (),
        tags=groups,
        parent=CustomerId(row.merged_to) if row.merged_to else None,
        is_active=row.contact_status in (None, "", "ACTIVE"),
        is_on_hold=context.hold_group in groups,
    )


customer: Final = RowReader(wire.XeroContact, _contact)
"""One contact."""


def _payment(row: wire.XeroPayment, context: Context) -> Payment | None:
    target = row.invoice or wire.InvoiceRef()
    is_sale = row.payment_type == "ACCRECPAYMENT" if row.payment_type else target.type == "ACCREC"
    if not is_sale:
        return None
    invoice_id = InvoiceId(needed(target.id, "Invoice.InvoiceID"))
    owner, known_currency = context.owners.get(invoice_id, (None, ""))
    currency = target.currency_code or known_currency or context.base_currency
    paid_on = parse_day(row.date)
    if paid_on is None:
        raise RowError("it has no Date")
    amount = minor(row.amount, currency, "Amount")
    is_deleted = row.status == "DELETED"
    return Payment(
        id=PaymentId(needed(row.id, "PaymentID")),
        customer=_customer_id(target.contact) if owner is None else owner,
        currency=currency,
        on=paid_on,
        amount=amount,
        allocations=(Allocation(invoice_id, amount, paid_on),),
        reversed_on=(parse_day(row.updated) or paid_on) if is_deleted else None,
        reversal_reason="deleted in Xero" if is_deleted else "",
    )


payment: Final = RowReader(wire.XeroPayment, _payment)
"""One payment of one sales invoice; None for bills' payments and for refunds."""


def _credit(row: wire.XeroCredit, context: Context) -> CreditNote | None:
    kind = _CREDIT_TYPES.get(row.type or "")
    if kind is None or row.status in _NOT_YET:
        return None
    currency = row.currency_code or context.base_currency
    on = parse_day(row.date)
    if on is None:
        raise RowError("it has no Date")
    is_worthless = row.status in _WORTHLESS
    return CreditNote(
        id=CreditNoteId(needed(row.id, "id")),
        number=row.credit_note_number or "",
        customer=_customer_id(row.contact),
        currency=currency,
        on=on,
        total=0 if is_worthless else minor(row.total, currency, "Total"),
        allocations=()
        if is_worthless
        else tuple(
            Allocation(
                InvoiceId(part.invoice.id),
                minor(part.amount, currency, "Allocation.Amount"),
                parse_day(part.date),
            )
            for part in row.allocations or ()
            if part.invoice is not None and part.invoice.id and not part.is_deleted
        ),
        remaining=0
        if is_worthless
        else minor(row.remaining_credit or _ZERO, currency, "RemainingCredit"),
        kind=kind,
        # Our own tag names an invoice too, though not for whom the money is.
        reference="" if (row.reference or "").startswith(FEE_TAG) else row.reference or "",
    )


credit: Final = RowReader(wire.XeroCredit, _credit)
"""One credit note, overpayment or prepayment of a customer; None for drafts and for those of
suppliers."""


def _quote(row: wire.XeroQuote, context: Context) -> Estimate | None:
    status = _QUOTES.get(row.status or "")
    if status is None:
        return None  # a draft that the customer has not seen, or something new
    currency = row.currency_code or context.base_currency
    on = parse_day(row.date)
    if on is None:
        raise RowError("it has no Date")
    return Estimate(
        id=EstimateId(needed(row.id, "QuoteID")),
        number=row.quote_number or "",
        customer=_customer_id(row.contact),
        currency=currency,
        on=on,
        expires_on=parse_day(row.expiry_date),
        total=minor(row.total, currency, "Total"),
        status=status,
    )


quote: Final = RowReader(wire.XeroQuote, _quote)
"""One quote; None for a draft."""


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


def _customer_id(contact: wire.ContactRef | None) -> CustomerId:
    return CustomerId(needed(contact.id if contact is not None else None, "Contact.ContactID"))


def _source_invoice(reference: str) -> InvoiceId | None:
    for word in reference.split():
        if word.startswith("inv="):
            named = word.removeprefix("inv=")
            return InvoiceId(named) if named != ALL_INVOICES else None
    return None


def _fee_parts(row: wire.XeroInvoice) -> tuple[FeePart, ...]:
    """What each invoice bears of a late fee of ours about a whole account."""
    return parts_told(decoded_text(line.description) for line in row.line_items or ())


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
