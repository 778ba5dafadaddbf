"""The shapes that QuickBooks Online sends, as tolerant structs: only the fields that are read.

Everything may be missing or null, unknown fields are ignored, and enumerations are plain text,
because new values arrive without notice. Dates stay text: some come empty.
"""

from decimal import Decimal

import msgspec


class Wire(msgspec.Struct, rename="pascal", gc=False):
    """Field names in the vendor's capitals."""


class Reference(msgspec.Struct, gc=False):
    value: str | None = None
    name: str | None = None


class EmailAddress(Wire):
    address: str | None = None


class Telephone(Wire):
    free_form_number: str | None = None


class Address(Wire):
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    line5: str | None = None
    city: str | None = None
    country_sub_division_code: str | None = None
    postal_code: str | None = None
    country: str | None = None


class MetaData(Wire):
    create_time: str | None = None
    last_updated_time: str | None = None


class LinkedTxn(Wire):
    txn_id: str | None = None
    txn_type: str | None = None


class SalesItemDetail(Wire):
    item_ref: Reference | None = None
    item_account_ref: Reference | None = None
    class_ref: Reference | None = None


class InvoiceLine(Wire):
    amount: msgspec.Raw = msgspec.Raw()
    """Unread: the amount of a line matters only on a late fee."""

    description: str | None = None
    sales_item_line_detail: SalesItemDetail | None = None


class TaxDetail(Wire):
    total_tax: Decimal | None = None


class DeliveryInfo(Wire):
    delivery_error_type: str | None = None


class CustomField(Wire):
    name: str | None = None
    string_value: str | None = None


class WireInvoice(Wire):
    id: str
    doc_number: str | None = None
    txn_date: str | None = None
    due_date: str | None = None
    balance: Decimal | None = None
    total_amt: Decimal | None = None
    txn_tax_detail: TaxDetail | None = None
    currency_ref: Reference | None = None
    customer_ref: Reference | None = None
    email_status: str | None = None
    delivery_info: DeliveryInfo | None = None
    bill_email: EmailAddress | None = None
    private_note: str | None = None
    e_invoice_status: str | None = None
    deposit: Decimal | None = None
    scheduled_payment_id: str | None = None
    by_card: bool | None = msgspec.field(name="AllowOnlineCreditCardPayment", default=None)
    by_bank: bool | None = msgspec.field(name="AllowOnlineACHPayment", default=None)
    invoice_link: str | None = None
    custom_field: list[CustomField] | None = None
    class_ref: Reference | None = None
    department_ref: Reference | None = None
    line: list[InvoiceLine] | None = None
    status: str | None = msgspec.field(name="status", default=None)


class WireCustomer(Wire):
    id: str
    display_name: str | None = None
    company_name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    active: bool | None = None
    bill_addr: Address | None = None
    primary_email_addr: EmailAddress | None = None
    primary_phone: Telephone | None = None
    currency_ref: Reference | None = None
    customer_type_ref: Reference | None = None
    sales_term_ref: Reference | None = None
    parent_ref: Reference | None = None
    bill_with_parent: bool | None = None


class PaymentLine(Wire):
    amount: Decimal | None = None
    linked_txn: list[LinkedTxn] | None = None


class WirePayment(Wire):
    id: str
    customer_ref: Reference | None = None
    currency_ref: Reference | None = None
    txn_date: str | None = None
    total_amt: Decimal | None = None
    unapplied_amt: Decimal | None = None
    payment_ref_num: str | None = None
    private_note: str | None = None
    line: list[PaymentLine] | None = None
    meta_data: MetaData | None = None


class WireCreditMemo(Wire):
    id: str
    doc_number: str | None = None
    customer_ref: Reference | None = None
    currency_ref: Reference | None = None
    txn_date: str | None = None
    total_amt: Decimal | None = None
    remaining_credit: Decimal | None = None
    balance: Decimal | None = None
    txn_tax_detail: TaxDetail | None = None
    private_note: str | None = None
    meta_data: MetaData | None = None


class WireEstimate(Wire):
    id: str
    doc_number: str | None = None
    txn_date: str | None = None
    expiration_date: str | None = None
    total_amt: Decimal | None = None
    currency_ref: Reference | None = None
    customer_ref: Reference | None = None
    txn_status: str | None = None
    linked_txn: list[LinkedTxn] | None = None
    private_note: str | None = None


class WireStamp(Wire):
    """Any record of an incremental answer: which it is, and whether it is still there."""

    id: str
    status: str | None = msgspec.field(name="status", default=None)
    active: bool | None = None
    meta_data: MetaData | None = None


class FeeLineDetail(Wire):
    item_ref: Reference | None = None
    tax_code_ref: Reference | None = None


class FeeLine(Wire):
    sales_item_line_detail: FeeLineDetail | None = None


class WireFee(Wire):
    """A fee document, as far as taking it back depends on it."""

    id: str
    sync_token: str | None = None
    doc_number: str | None = None
    txn_date: str | None = None
    total_amt: Decimal | None = None
    balance: Decimal | None = None
    txn_tax_detail: TaxDetail | None = None
    private_note: str | None = None
    line: list[FeeLine] | None = None


class WireNamed(Wire):
    """A Term, CustomerType, TaxCode or Account: what a reference points at."""

    id: str
    name: str | None = None
    due_days: int | None = None
    active: bool | None = None


class WireItem(Wire):
    id: str
    name: str | None = None
    fully_qualified_name: str | None = None
    type: str | None = None
    active: bool | None = None
    income_account_ref: Reference | None = None


class TypedReference(msgspec.Struct, gc=False):
    value: str | None = None
    type: str | None = None


class AttachableTarget(Wire):
    entity_ref: TypedReference | None = None


class WireAttachable(Wire):
    id: str
    attachable_ref: list[AttachableTarget] | None = None
    note: str | None = None
    file_name: str | None = None
    meta_data: MetaData | None = None


class WireCompany(Wire):
    company_name: str | None = None
    legal_name: str | None = None
    country: str | None = None
    default_time_zone: str | None = None


class AccountingPrefs(Wire):
    book_close_date: str | None = None


class CurrencyPrefs(Wire):
    multi_currency_enabled: bool | None = None
    home_currency: Reference | None = None


class SalesFormsPrefs(Wire):
    custom_txn_numbers: bool | None = None


class WirePreferences(Wire):
    accounting_info_prefs: AccountingPrefs | None = None
    currency_prefs: CurrencyPrefs | None = None
    sales_forms_prefs: SalesFormsPrefs | None = None
