"""Reads of Xero as values: operations of xero-python and their arguments. Pure.

Lists come by the thousand, filtered and ordered only by what Xero has indexed: for an
organisation with very many invoices it refuses everything else.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec

from connectors.xero.dates import instant_text
from rules.actions.effects import PostNote
from rules.model.ids import CustomerId, EstimateId, InvoiceId

PAGE_SIZE: Final = 1000
READ_BATCH: Final = 50
"""Ids that one query names: 50 UUIDs with encoded commas stay below a 2,048 byte query."""
FEE_TAG: Final = "arb1"
"""What the Reference of every late fee of ours begins with."""


class Read(msgspec.Struct, frozen=True):
    """One read: an operation of the accounting API and its arguments."""

    operation: str
    arguments: dict[str, Any] = {}


def organisation() -> Read:
    return Read("get_organisations")


def actions() -> Read:
    """What the connection is allowed to do."""
    return Read("get_organisation_actions")


def reminder_settings() -> Read:
    return Read("get_invoice_reminders")


def accounts() -> Read:
    return Read("get_accounts")


def tax_rates() -> Read:
    return Read("get_tax_rates")


def contact_groups() -> Read:
    return Read("get_contact_groups")


def contact_group(group_id: str) -> Read:
    """One group with its contacts: the list of groups leaves them out."""
    return Read("get_contact_group", {"contact_group_id": group_id})


def contacts(page: int, since: datetime | None = None) -> Read:
    """Archived contacts too: their open invoices are still owed."""
    return _paged("get_contacts", page, since, order="ContactID ASC", include_archived="true")


def invoices(page: int, since: datetime | None = None) -> Read:
    """Open sales invoices; with `since` every changed one whatever its status, because an
    invoice that was paid or voided shows up in no other way."""
    sales = {"where": 'Type=="ACCREC"', "order": "InvoiceID ASC"}
    if since is None:
        return _paged("get_invoices", page, None, **sales, statuses=["AUTHORISED"])
    return _paged("get_invoices", page, since, **sales)


def closed_fees(page: int, since: datetime | None = None) -> Read:
    """Late fees of ours that are no open invoices: drafts, paid, void and deleted ones. Found by
    their machine tag, so that a lost database learns of every fee in one call."""
    return _paged(
        "get_invoices",
        page,
        since,
        where='Type=="ACCREC"',
        order="InvoiceID ASC",
        statuses=["DRAFT", "SUBMITTED", "PAID", "VOIDED", "DELETED"],
        search_term=FEE_TAG,
    )


def payments(page: int, since: datetime | None = None) -> Read:
    """Payments that stand; with `since` the deleted ones too."""
    where = {} if since is not None else {"where": 'Status=="AUTHORISED"'}
    return _paged("get_payments", page, since, order="PaymentID ASC", **where)


def credit_notes(page: int, since: datetime | None = None) -> Read:
    return _paged(
        "get_credit_notes", page, since, where='Type=="ACCRECCREDIT"', order="CreditNoteID ASC"
    )


def overpayments(page: int, since: datetime | None = None) -> Read:
    return _paged("get_overpayments", page, since, order="OverpaymentID ASC")


def prepayments(page: int, since: datetime | None = None) -> Read:
    return _paged("get_prepayments", page, since, order="PrepaymentID ASC")


def quotes(page: int, since: datetime | None = None) -> Read:
    """Quotes, of which Xero gives a hundred a page whatever is asked for."""
    arguments: dict[str, Any] = {"order": "UpdatedDateUTC DESC", "page": page}
    if since is not None:
        arguments["if_modified_since"] = instant_text(since)
    return Read("get_quotes", arguments)


def quote(id: EstimateId) -> Read:
    return Read("get_quote", {"quote_id": id})


def contacts_by_id(ids: Sequence[CustomerId]) -> Read:
    """At most READ_BATCH contacts, archived ones too, with what they were merged into."""
    return Read(
        "get_contacts",
        {"i_ds": list(ids), "include_archived": "true", "page": 1, "page_size": READ_BATCH},
    )


def invoice_history(id: InvoiceId) -> Read:
    return Read("get_invoice_history", {"invoice_id": id})


def contact_history(id: CustomerId) -> Read:
    return Read("get_contact_history", {"contact_id": id})


def online_invoice(id: InvoiceId) -> Read:
    """Where the customer sees the invoice."""
    return Read("get_online_invoice", {"invoice_id": id})


def approved_invoices(first: date, after: date) -> Read:
    """Sales invoices of a span of days that count against a small plan; only their number
    matters, so the page is short."""
    return Read(
        "get_invoices",
        {
            "where": f'Type=="ACCREC" AND Date>={_day(first)} AND Date<{_day(after)}',
            "statuses": ["AUTHORISED", "PAID"],
            "page": 1,
            "page_size": 100,
        },
    )


def invoices_by_id(ids: Sequence[InvoiceId]) -> Read:
    """At most READ_BATCH invoices, whatever their status."""
    return Read("get_invoices", {"i_ds": list(ids), "page": 1, "page_size": READ_BATCH})


def invoices_by_number(*numbers: str) -> Read:
    """At most READ_BATCH numbers; an invoice that is void keeps its number."""
    return Read(
        "get_invoices", {"invoice_numbers": list(numbers), "page": 1, "page_size": READ_BATCH}
    )


def invoice_by_id(id: InvoiceId | str) -> Read:
    """One invoice with its lines, whatever its status."""
    return Read("get_invoice", {"invoice_id": id, "unitdp": 4})


def credit_note_by_number(number: str) -> Read:
    where = f'CreditNoteNumber=="{number}"'
    return Read("get_credit_notes", {"where": where, "page": 1, "page_size": READ_BATCH})


def attachments(id: InvoiceId) -> Read:
    """What is attached to an invoice: names, not contents."""
    return Read("get_invoice_attachments", {"invoice_id": id})


def history(effect: PostNote) -> Read:
    """The notes of the record that this note is, or would be, on."""
    if is_about_one(effect):
        return Read("get_invoice_history", {"invoice_id": effect.invoices[0]})
    return Read("get_contact_history", {"contact_id": effect.customer})


def is_about_one(effect: PostNote) -> bool:
    """Whether a note stands on an invoice, not on the customer."""
    return len(effect.invoices) == 1


def _day(day: date) -> str:
    return f"DateTime({day.year},{day.month:02},{day.day:02})"


def _paged(operation: str, page: int, since: datetime | None, **arguments: Any) -> Read:
    arguments.update(page=page, page_size=PAGE_SIZE)
    if since is not None:
        arguments["if_modified_since"] = instant_text(since)
    return Read(operation, arguments)
