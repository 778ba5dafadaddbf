"""Where a customer can see an invoice: its online link, and its print."""

from typing import Final

from connectors.errors import RefusedError, StaleError
from connectors.quickbooks import wire
from connectors.quickbooks.answers import one
from connectors.quickbooks.mount import MountedQuickBooks
from rules.model.ids import InvoiceId

_PDF: Final = b"%PDF"


def online_link(api: MountedQuickBooks, invoice: InvoiceId) -> str:
    """QuickBooks makes a link where the invoice has an address and online payment is allowed.
    Empty where it made none, or the invoice is gone."""
    try:
        answer = api.shown("Invoice", invoice, "invoiceLink")
    except (RefusedError, StaleError):
        return ""
    link = one(answer, "Invoice", wire.WireInvoice).invoice_link or ""
    return link if link.startswith(("https://", "http://")) else ""


def pdf(api: MountedQuickBooks, invoice: InvoiceId) -> bytes:
    """The invoice as QuickBooks prints it; empty where it cannot be had."""
    try:
        content = api.printed("Invoice", invoice).content
    except (RefusedError, StaleError):
        return b""
    return content if content.startswith(_PDF) else b""
