"""From the bytes of QuickBooks Online to the receivables book. Pure.

    QuickBooks                          ours
    Invoice.DocNumber                   Invoice.number (Id where it has none)
    Invoice.TotalAmt, Balance           total, balance, in minor units of CurrencyRef
    Invoice.EmailStatus, DeliveryInfo   sent: EmailSent True; NeedToSend or a delivery error
                                        False; NotSet, absent or unknown None
    Invoice.EInvoiceStatus              is_viewed, is_disputed; tells `sent` where the mail's own
                                        state does not
    Invoice.Deposit                     deposit; Balance is without it already
    Invoice.ScheduledPaymentId          pays_by_itself (AutoPayEligible only says that it could)
    Invoice.PrivateNote `arb1 inv=..`   fee_of, is_fee
    Invoice.CustomField                 po; dates, where the text reads as one
    Invoice.Line "Late fee", or an      fee_lines; is_fee where there is nothing else
      item posting to its account
    Invoice.Line ItemRef, ClassRef,     items, tracking ("Class: Retail", "Location: Leeds")
      Invoice.ClassRef, DepartmentRef
    Customer.ParentRef, BillWithParent  parent, only where the parent is billed
    Customer.CustomerTypeRef            a tag
    Customer.BillAddr                   address; its Country: country, where certain
    Estimate.TxnStatus                  status: Pending open, Closed invoiced, Rejected declined
    Payment.Line.LinkedTxn (Invoice)    Payment.allocations
    CreditMemo                          CreditNote; RemainingCredit is `remaining`

A record that lacks what the book needs raises, and is quarantined by `answers`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

import msgspec

from connectors.quickbooks import wire
from connectors.quickbooks.addresses import address_of
from connectors.quickbooks.countries import country_code
from connectors.quickbooks.custom_fields import date_fields, purchase_order
from connectors.quickbooks.lines import items_of, tracking_of
from rules.model.credit import CreditNote
from rules.model.customer import Contact, Customer
from rules.model.estimate import Estimate, EstimateStatus
from rules.model.fee_part import ALL_INVOICES, parts_told
from rules.model.ids import CreditNoteId, CustomerId, EstimateId, InvoiceId, PaymentId
from rules.model.invoice import Invoice
from rules.model.money import AmountError, Minor, parse_minor, round_minor
from rules.model.payment import Allocation, Payment

_FEE_NUMBER: Final = re.compile(r"LF-[A-Z2-7]{16}")
_FEE_TAG: Final = re.compile(r"\barb1 inv=(\S+)")
_LATE_FEE: Final = re.compile(r"\blate[ -]?fees?\b")
_SENT: Final = {"EmailSent": True, "NeedToSend": False}
# A portal that delivered, showed or disputed an invoice has delivered it.
_DELIVERED: Final = {
    **dict.fromkeys(("Sent", "Viewed", "Delivered", "Accepted", "Disputed", "Paid"), True),
    **dict.fromkeys(("Delivery Error", "Error", "Sent With ICN Error"), False),
}
_DISPUTED: Final = frozenset({"Disputed", "Rejected"})
_ESTIMATES: Final[dict[str, EstimateStatus]] = {
    "Pending": "open",
    "Accepted": "accepted",
    "Closed": "invoiced",
    "Rejected": "declined",
}


class RecordError(ValueError):
    """A record that lacks what an entry in the book cannot do without."""


class CurrencyUnknownError(RecordError):
    """A record in the company's home currency, which is not known yet."""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What references in records point at."""

    currency: str
    """The company's home currency: records without CurrencyRef are in it. Empty: not known."""
    customer_types: Mapping[str, str] = {}
    terms_days: Mapping[str, int] = {}
    fee_items: frozenset[str] = frozenset()
    """Items that post to the account of QuickBooks' own late fees."""


def invoice(raw: wire.WireInvoice, names: Names) -> Invoice:
    """Raises RecordError or AmountError."""
    currency = _currency(raw.currency_ref, names)
    note = raw.private_note or ""
    number = raw.doc_number or ""
    tag = _FEE_TAG.search(note) if "arb1" in note else None
    is_ours = tag is not None or (
        number.startswith("LF-") and _FEE_NUMBER.fullmatch(number) is not None
    )
    fee_lines, are_all_fees = (0, False) if is_ours else native_fees(raw.line, currency, names)
    if raw.status == "Deleted":
        return _deleted(raw, names)
    balance = _required(raw.balance, "Balance", currency)
    total = _required(raw.total_amt, "TotalAmt", currency)
    tax = raw.txn_tax_detail.total_tax if raw.txn_tax_detail else None
    return Invoice(
        id=InvoiceId(raw.id),
        number=number or raw.id,
        customer=_customer(raw.customer_ref),
        currency=currency,
        issued_on=_day(raw.txn_date, "TxnDate"),
        due_on=_day(raw.due_date, "DueDate") if raw.due_date else None,
        total=total,
        tax=_rounded(tax, currency) if tax else 0,
        balance=balance,
        status=_status(balance, total, note),
        sent=_sent(raw),
        is_undelivered=_is_undelivered(raw),
        fee_of=InvoiceId(tag.group(1)) if tag and tag.group(1) != ALL_INVOICES else None,
        is_fee=is_ours or are_all_fees,
        reference=note if tag else "",
        fee_parts=parts_told([line.description or "" for line in raw.line or ()]) if tag else (),
        fee_lines=fee_lines,
        po=purchase_order(raw.custom_field),
        dates=date_fields(raw.custom_field, names.currency),
        items=items_of(raw),
        tracking=tracking_of(raw),
        email=(raw.bill_email.address or "").strip() if raw.bill_email else "",
        is_viewed=raw.e_invoice_status == "Viewed",
        is_disputed=raw.e_invoice_status in _DISPUTED,
        deposit=_rounded(raw.deposit, currency) if raw.deposit else 0,
        pays_by_itself=bool(raw.scheduled_payment_id),
        online_url=raw.invoice_link or "",
        is_payable_online=_is_payable_online(raw),
    )


def _is_payable_online(raw: wire.WireInvoice) -> bool | None:
    """QuickBooks makes a link only where a way to pay online is allowed."""
    if raw.by_card is None and raw.by_bank is None:
        return None
    return bool(raw.by_card or raw.by_bank)


def customer(raw: wire.WireCustomer, names: Names) -> Customer:
    """A child's parent counts as payer only where it is billed for the child."""
    name = raw.display_name or raw.company_name
    if not name:
        raise RecordError("it has no DisplayName")
    kind = raw.customer_type_ref
    tag = (kind.name or names.customer_types.get(kind.value or "", "")) if kind else ""
    parent = raw.parent_ref.value if raw.parent_ref and raw.bill_with_parent else None
    term = raw.sales_term_ref.value if raw.sales_term_ref else None
    email = (raw.primary_email_addr.address or "").strip() if raw.primary_email_addr else ""
    person = " ".join(part for part in (raw.given_name, raw.family_name) if part)
    return Customer(
        id=CustomerId(raw.id),
        name=name,
        currency=_currency(raw.currency_ref, names),
        email=email,
        # Without a role: the address is the main one already, only the name is new.
        contacts=(Contact(name=person, email=email, roles=()),) if person and email else (),
        country=country_code(raw.bill_addr.country) if raw.bill_addr else "",
        address=address_of(raw.bill_addr, name) if raw.bill_addr else (),
        phone=(raw.primary_phone.free_form_number or "") if raw.primary_phone else "",
        terms_days=names.terms_days.get(term) if term else None,
        tags=(tag,) if tag else (),
        parent=CustomerId(parent) if parent else None,
        is_active=raw.active is not False,
    )


def payment(raw: wire.WirePayment, names: Names) -> Payment:
    """Cash and the credits used with it.

    QuickBooks applies a credit memo by a payment of zero that names both. `amount` is what
    reached invoices plus UnappliedAmt, so that nothing unapplied is invented or lost.
    """
    currency = _currency(raw.currency_ref, names)
    allocations = tuple(
        Allocation(linked, parse_minor(line.amount, currency))
        for line in raw.line or ()
        if line.amount and (linked := _linked_invoice(line))
    )
    allocated = sum(part.amount for part in allocations)
    if raw.unapplied_amt is not None:
        amount = allocated + parse_minor(raw.unapplied_amt, currency)
    else:
        amount = max(allocated, _required(raw.total_amt, "TotalAmt", currency))
    on = _day(raw.txn_date, "TxnDate")
    return Payment(
        id=PaymentId(raw.id),
        customer=_customer(raw.customer_ref),
        currency=currency,
        on=on,
        known_on=_known(raw.meta_data, on),
        amount=amount,
        allocations=allocations,
        reference=" ".join(filter(None, (raw.payment_ref_num, raw.private_note))),
    )


def credit(raw: wire.WireCreditMemo, names: Names) -> CreditNote:
    """Raises RecordError or AmountError."""
    currency = _currency(raw.currency_ref, names)
    remaining = raw.remaining_credit if raw.remaining_credit is not None else raw.balance
    on = _day(raw.txn_date, "TxnDate")
    return CreditNote(
        id=CreditNoteId(raw.id),
        number=raw.doc_number or raw.id,
        customer=_customer(raw.customer_ref),
        currency=currency,
        on=on,
        known_on=_known(raw.meta_data, on),
        total=_required(raw.total_amt, "TotalAmt", currency),
        remaining=parse_minor(remaining, currency) if remaining is not None else 0,
    )


def estimate(raw: wire.WireEstimate, names: Names) -> Estimate:
    """QuickBooks knows no deposit on an estimate. Raises RecordError or AmountError."""
    currency = _currency(raw.currency_ref, names)
    total = _required(raw.total_amt, "TotalAmt", currency)
    return Estimate(
        id=EstimateId(raw.id),
        number=raw.doc_number or raw.id,
        customer=_customer(raw.customer_ref),
        currency=currency,
        on=_day(raw.txn_date, "TxnDate"),
        expires_on=_day(raw.expiration_date, "ExpirationDate") if raw.expiration_date else None,
        total=total,
        status=_estimate_status(raw, total),
    )


def _estimate_status(raw: wire.WireEstimate, total: Minor) -> EstimateStatus:
    if total == 0 and (raw.private_note or "").startswith("Voided"):
        return "void"
    if any(linked.txn_type == "Invoice" for linked in raw.linked_txn or ()):
        return "invoiced"
    return _ESTIMATES.get(raw.txn_status or "", "open")


def day(text: str | None) -> date | None:
    """A date of the vendor's, which may carry a zone; None where there is none."""
    return date.fromisoformat(text[:10]) if text else None


def is_tagged(note: str | None, tag: str) -> bool:
    """Whether a private note holds this very tag of ours, voided or not."""
    return bool(note) and bool(tag) and f" {tag} " in f" {note} ".replace("\n", " ")


def _linked_invoice(line: wire.PaymentLine) -> InvoiceId | None:
    for linked in line.linked_txn or ():
        if linked.txn_type == "Invoice" and linked.txn_id:
            return InvoiceId(linked.txn_id)
    return None


def _currency(reference: wire.Reference | None, names: Names) -> str:
    currency = (reference.value if reference else None) or names.currency
    if not currency:
        raise CurrencyUnknownError("it does not say its currency")
    return currency


def _customer(reference: wire.Reference | None) -> CustomerId:
    if reference is None or not reference.value:
        raise RecordError("it has no CustomerRef")
    return CustomerId(reference.value)


def _required(amount: Decimal | None, name: str, currency: str) -> Minor:
    if amount is None:
        raise RecordError(f"it has no {name}")
    return parse_minor(amount, currency)


def _day(text: str | None, name: str) -> date:
    if not text:
        raise RecordError(f"it has no {name}")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise RecordError(f"{name} {text!r} is not a date") from None


def _known(meta: wire.MetaData | None, on: date) -> date | None:
    """The day it was entered: the company's own, as the timestamp carries its zone."""
    text = meta.create_time if meta else None
    if not text:
        return None
    try:
        entered = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return entered if entered > on else None


def _rounded(amount: Decimal, currency: str) -> Minor:
    """A tax may be stated finer than the currency; it is information, not a claim."""
    try:
        return parse_minor(amount, currency)
    except AmountError:
        return round_minor(Fraction(amount), currency)


def _status(
    balance: Minor, total: Minor, note: str
) -> Literal["open", "paid", "void", "deleted", "draft"]:
    if balance == 0 and total == 0 and note.startswith("Voided"):
        return "void"
    return "open" if balance > 0 else "paid"


def _sent(raw: wire.WireInvoice) -> bool | None:
    if _is_undelivered(raw):
        return False
    delivered = _DELIVERED.get(raw.e_invoice_status) if raw.e_invoice_status else None
    return _SENT.get(raw.email_status or "") if delivered is None else delivered


def _is_undelivered(raw: wire.WireInvoice) -> bool:
    return bool(raw.delivery_info and raw.delivery_info.delivery_error_type)


def native_fees(
    lines: Sequence[wire.InvoiceLine] | None, currency: str, names: Names
) -> tuple[Minor, bool]:
    """Sum of the ledger's own late-fee lines, and whether the document holds nothing else."""
    fees = others = 0
    items = names.fee_items
    for line in lines or ():
        detail = line.sales_item_line_detail
        if detail is None:
            continue
        item, account = detail.item_ref, detail.item_account_ref
        named = f"{line.description}|{item and item.name}|{account and account.name}".lower()
        # Every line of every page comes by here: the cheap question first.
        if ("late" in named and _LATE_FEE.search(named)) or (
            items and item is not None and item.value in items
        ):
            fees += _raw_minor(line.amount, currency)
        else:
            others += 1
    return fees, fees > 0 and others == 0


def _raw_minor(raw: msgspec.Raw, currency: str) -> Minor:
    if not bytes(raw):
        return 0
    amount = msgspec.json.decode(raw, type=Decimal | None, strict=False)
    return parse_minor(amount, currency) if amount is not None else 0


def _deleted(raw: wire.WireInvoice, names: Names) -> Invoice:
    """A deleted row of change data capture holds an id and little more."""
    return Invoice(
        id=InvoiceId(raw.id),
        number=raw.doc_number or raw.id,
        customer=CustomerId((raw.customer_ref.value if raw.customer_ref else None) or ""),
        currency=names.currency,
        issued_on=day(raw.txn_date) or date.min,
        due_on=None,
        total=0,
        balance=0,
        status="deleted",
    )
