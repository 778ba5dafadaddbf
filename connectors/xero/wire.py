"""The parts of Xero's records that we read, as tolerant shapes.

Every field may be missing or null, every enumeration is plain text, and fields that are not
named here are skipped, so that a new value or a longer name at Xero never costs a record.
Amounts are decimals taken from the digits of the JSON number.
"""

from decimal import Decimal

import msgspec
from msgspec import field

_NULL = msgspec.Raw(b"null")


class Pagination(msgspec.Struct, frozen=True):
    page_count: int | None = field(name="pageCount", default=None)
    item_count: int | None = field(name="itemCount", default=None)


class XeroMessage(msgspec.Struct, frozen=True, rename="pascal"):
    message: str | None = None


class ContactPerson(msgspec.Struct, frozen=True, rename="pascal"):
    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    include_in_emails: bool | None = None


class SalesTerms(msgspec.Struct, frozen=True, rename="pascal"):
    day: int | None = None
    type: str | None = None


class PaymentTerms(msgspec.Struct, frozen=True, rename="pascal"):
    sales: SalesTerms | None = None


class GroupRef(msgspec.Struct, frozen=True, rename="pascal"):
    id: str | None = field(name="ContactGroupID", default=None)
    name: str | None = None
    status: str | None = None


class Phone(msgspec.Struct, frozen=True, rename="pascal"):
    phone_type: str | None = None
    phone_number: str | None = None
    phone_area_code: str | None = None
    phone_country_code: str | None = None


class Address(msgspec.Struct, frozen=True, rename="pascal"):
    address_type: str | None = None
    attention_to: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    address_line4: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class XeroContact(msgspec.Struct, frozen=True, rename="pascal"):
    id: str | None = field(name="ContactID", default=None)
    merged_to: str | None = field(name="MergedToContactID", default=None)
    contact_status: str | None = None
    name: str | None = None
    email_address: str | None = None
    contact_persons: list[ContactPerson] | None = None
    phones: list[Phone] | None = None
    addresses: list[Address] | None = None
    default_currency: str | None = None
    payment_terms: PaymentTerms | None = None
    contact_groups: list[GroupRef] | None = None


class ContactRef(msgspec.Struct, frozen=True, gc=False):
    id: str | None = field(name="ContactID", default=None)


class XeroInvoice(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    id: str | None = field(name="InvoiceID", default=None)
    type: str | None = None
    status: str | None = None
    invoice_number: str | None = None
    reference: str | None = None
    contact: ContactRef | None = None
    date: str | None = None
    due_date: str | None = None
    expected_payment_date: str | None = None
    planned_payment_date: str | None = None
    currency_code: str | None = None
    sent_to_contact: bool | None = None
    total: msgspec.Raw = _NULL
    total_tax: msgspec.Raw = _NULL
    amount_due: msgspec.Raw = _NULL
    repeating_id: str | None = field(name="RepeatingInvoiceID", default=None)
    line_amount_types: str | None = None
    line_items: list["XeroLine"] | None = None


class XeroLine(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """Undecoded: nearly every invoice is done with a glance at its lines."""

    description: msgspec.Raw = _NULL
    account_code: msgspec.Raw = _NULL
    line_amount: msgspec.Raw = _NULL
    tax_amount: msgspec.Raw = _NULL
    item_code: msgspec.Raw = _NULL
    tracking: list["TrackingRef"] | None = None


class TrackingRef(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    name: str | None = None
    option: str | None = None


class AppliedRef(msgspec.Struct, frozen=True, gc=False):
    """Something that settles an invoice, as the invoice embeds it: that it is there is enough."""


class InvoiceTrace(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """When an invoice changed and what settles it: what a reading of changes goes by."""

    id: str | None = field(name="InvoiceID", default=None)
    type: str | None = None
    status: str | None = None
    updated: str | None = field(name="UpdatedDateUTC", default=None)
    credit_notes: list[AppliedRef] | None = None
    overpayments: list[AppliedRef] | None = None
    prepayments: list[AppliedRef] | None = None


class Trace(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """When a record of any kind changed."""

    updated: str | None = field(name="UpdatedDateUTC", default=None)


class InvoiceRef(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    id: str | None = field(name="InvoiceID", default=None)
    type: str | None = None
    contact: ContactRef | None = None
    currency_code: str | None = None


class XeroPayment(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    id: str | None = field(name="PaymentID", default=None)
    payment_type: str | None = None
    status: str | None = None
    invoice: InvoiceRef | None = None
    date: str | None = None
    amount: Decimal | None = None
    updated: str | None = field(name="UpdatedDateUTC", default=None)


class XeroAllocation(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    invoice: InvoiceRef | None = None
    amount: Decimal | None = None
    date: str | None = None
    is_deleted: bool | None = None


class XeroCredit(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """A credit note, an overpayment or a prepayment: one shape but for the id and number."""

    credit_note_id: str | None = field(name="CreditNoteID", default=None)
    overpayment_id: str | None = field(name="OverpaymentID", default=None)
    prepayment_id: str | None = field(name="PrepaymentID", default=None)
    credit_note_number: str | None = None
    reference: str | None = None
    type: str | None = None
    status: str | None = None
    contact: ContactRef | None = None
    date: str | None = None
    currency_code: str | None = None
    total: Decimal | None = None
    remaining_credit: Decimal | None = None
    allocations: list[XeroAllocation] | None = None

    @property
    def id(self) -> str | None:
        return self.credit_note_id or self.overpayment_id or self.prepayment_id


class XeroQuote(msgspec.Struct, frozen=True, rename="pascal"):
    id: str | None = field(name="QuoteID", default=None)
    quote_number: str | None = None
    status: str | None = None
    contact: ContactRef | None = None
    date: str | None = None
    expiry_date: str | None = None
    currency_code: str | None = None
    total: Decimal | None = None


class XeroOrganisation(msgspec.Struct, frozen=True, rename="pascal"):
    id: str | None = field(name="OrganisationID", default=None)
    name: str | None = None
    base_currency: str | None = None
    country_code: str | None = None
    timezone: str | None = None
    period_lock_date: str | None = None
    end_of_year_lock_date: str | None = None
    is_demo_company: bool | None = None
    plan: str | None = field(name="Class", default=None)


class XeroAccount(msgspec.Struct, frozen=True, rename="pascal"):
    code: str | None = None
    name: str | None = None
    status: str | None = None
    type: str | None = None
    account_class: str | None = field(name="Class", default=None)


class XeroTaxRate(msgspec.Struct, frozen=True, rename="pascal"):
    tax_type: str | None = None
    name: str | None = None
    status: str | None = None
    can_apply_to_revenue: bool | None = None


class XeroGroup(msgspec.Struct, frozen=True, rename="pascal"):
    id: str | None = field(name="ContactGroupID", default=None)
    name: str | None = None
    status: str | None = None
    contacts: list[ContactRef] | None = None


class XeroHistory(msgspec.Struct, frozen=True, rename="pascal"):
    details: str | None = None
    changes: str | None = None
    date: str | None = field(name="DateUTC", default=None)


class XeroOnlineInvoice(msgspec.Struct, frozen=True):
    url: str | None = field(name="OnlineInvoiceUrl", default=None)


class XeroReminders(msgspec.Struct, frozen=True, rename="pascal"):
    enabled: bool | None = None


class XeroAction(msgspec.Struct, frozen=True, rename="pascal"):
    name: str | None = None
    status: str | None = None


class XeroFeeLine(msgspec.Struct, frozen=True, rename="pascal"):
    account_code: str | None = None
    tax_type: str | None = None


class XeroFee(msgspec.Struct, frozen=True, rename="pascal"):
    """A fee document, or an invoice about to be changed, as far as a change depends on it."""

    id: str | None = field(name="InvoiceID", default=None)
    status: str | None = None
    invoice_number: str | None = None
    date: str | None = None
    total: Decimal | None = None
    amount_due: Decimal | None = None
    expected_payment_date: str | None = None
    line_amount_types: str | None = None
    line_items: list[XeroFeeLine] | None = None


class XeroAttachment(msgspec.Struct, frozen=True, rename="pascal"):
    id: str | None = field(name="AttachmentID", default=None)
    file_name: str | None = None


class Written(msgspec.Struct, frozen=True, rename="pascal"):
    """One element of the answer to a write. A status of 200 alone proves nothing."""

    invoice_id: str | None = field(name="InvoiceID", default=None)
    group_id: str | None = field(name="ContactGroupID", default=None)
    credit_note_id: str | None = field(name="CreditNoteID", default=None)
    attachment_id: str | None = field(name="AttachmentID", default=None)
    invoice_number: str | None = None
    reference: str | None = None
    currency_code: str | None = None
    total: Decimal | None = None
    has_errors: bool | None = None
    has_validation_errors: bool | None = None
    status_attribute: str | None = field(name="StatusAttributeString", default=None)
    validation_errors: list[XeroMessage] | None = None
    warnings: list[XeroMessage] | None = None
