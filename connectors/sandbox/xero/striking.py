"""Faults in what Xero serves: rows with values that nobody expects."""

from typing import Any, Final

from connectors.sandbox.faults import FaultPlan

Json = dict[str, Any]

INVOICE_FAULTS: Final = (
    "null-due-date",
    "null-string",
    "unknown-enum",
    "missing-keys",
    "malformed-row",
)
LONG_NAME: Final = 300
_MISSING: Final = (
    "DueDate", "DueDateString", "DateString", "Reference", "UpdatedDateUTC", "SentToContact",
    "Payments", "CreditNotes", "Prepayments", "Overpayments", "CurrencyRate", "HasErrors",
    "IsDiscounted", "HasAttachments", "LineAmountTypes", "LineItems", "SubTotal", "FullyPaidOnDate",
)  # fmt: skip


def struck_invoice(shown: Json, faults: FaultPlan) -> Json:
    """An invoice with the faults that are ordered; once struck, a row stays so."""
    if not faults.is_ordered(*INVOICE_FAULTS):
        return shown
    key = shown["InvoiceID"]
    if faults.strikes_row("null-due-date", key):
        shown["DueDate"] = None
        shown.pop("DueDateString", None)
    if faults.strikes_row("null-string", key):
        shown.update(Reference=None, InvoiceNumber=None, LineItems=None)
    if faults.strikes_row("unknown-enum", key):
        shown["Status"] = "AWAITINGSUNRISE"
    if faults.strikes_row("malformed-row", key):
        shown["AmountDue"] = "not a number"
        shown["Date"] = "/Date(soon)/"
    if faults.strikes_row("missing-keys", key):
        for name in _MISSING:
            shown.pop(name, None)
        shown["Contact"] = {"ContactID": shown["Contact"]["ContactID"]}
    return shown


def struck_contact(shown: Json, faults: FaultPlan) -> Json:
    """A contact with a name that is longer than Xero's own limit."""
    if faults.is_ordered("long-name") and faults.strikes_row("long-name", shown["ContactID"]):
        shown["Name"] = str(shown["Name"]).ljust(LONG_NAME, "x")
    return shown
