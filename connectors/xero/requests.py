"""Writes to Xero as values. Pure: nothing is sent here.

A write is a `Prepared` with the exact bytes of its body: only the fields that we mean, none of
Xero's read-only ones. In Xero PUT creates and POST may overwrite, so everything that we create
is PUT.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import quote

import msgspec

from connectors.errors import RefusedError
from connectors.port import Prepared
from connectors.xero.reads import is_about_one
from rules.actions.effects import (
    AttachFile,
    PostCharge,
    PostNote,
    SendLedgerInvoice,
    SetExpectedDate,
    SetHold,
)
from rules.model.ids import CustomerId
from rules.model.money import format_minor

NOTE_LIMIT: Final = 250
REFERENCE_LIMIT: Final = 255
CALLS: Final = {
    "post_credit": 3,  # the invoice, a credit note of ours that is there, the credit note
    "reverse_charge": 3,  # the document, a credit note of ours that is there, the write
    "set_hold": 2,  # the contact groups, the group
    "set_expected_date": 2,  # the invoice, the date
}
"""Calls that writing an effect takes where it is more than one."""
RECHECK_CALLS: Final = 5
"""The organisation, payments, credit notes, prepayments and overpayments."""
GROUP: Final = "{group}"
"""Stands in a stored path for the id of the hold group, which is looked up when it is sent."""

_NO_TAX: Final = frozenset({"NONE", "NOTAX"})
_AS_KEPT: Final = (("unitdp", "4"),)
"""Without it a change rounds the prices of lines that it does not even name to two digits."""
_NOT_IN_FILE_NAMES: Final = frozenset('<>:"/\\|?*[]')


def note(effect: PostNote) -> Prepared:
    """A history record on the invoice, or on the contact where it is about several or none."""
    path = (
        f"Invoices/{effect.invoices[0]}/History"
        if is_about_one(effect)
        else f"Contacts/{effect.customer}/History"
    )
    body = {"HistoryRecords": [{"Details": effect.text[:NOTE_LIMIT]}]}
    return put("post_note", effect.key, path, body)


def charge(effect: PostCharge, locked_through: date | None) -> Prepared:
    """A late fee as a sales invoice of its own, dated after the lock date, with one line for
    each invoice that bears it.

    The amount is what the customer pays: without tax for the tax type NONE, else tax included.
    Raises RefusedError, with every problem, where Xero could not take it.
    """
    problems = []
    if not effect.account:
        problems.append("no account for late fees is set (fee_account of the book)")
    if not effect.tax:
        problems.append("no tax type for late fees is set (fee_tax of the book; NONE for no tax)")
    if len(effect.tag) > REFERENCE_LIMIT:
        problems.append(
            f"the machine tag has {len(effect.tag)} characters and Xero's Reference takes "
            f"{REFERENCE_LIMIT}: use a shorter fee id"
        )
    if problems:
        raise RefusedError(problems=problems)
    is_taxed = effect.tax.upper() not in _NO_TAX
    shift = timedelta(0)
    if locked_through is not None and effect.issued_on <= locked_through:
        shift = locked_through + timedelta(days=1) - effect.issued_on
    parts = [(line.amount, line.description) for line in effect.lines]
    lines = [
        {
            "Description": text,
            "Quantity": 1,
            # The digits themselves: a float would not keep them.
            "UnitAmount": msgspec.Raw(format_minor(amount, effect.currency).encode()),
            "AccountCode": effect.account,
            "TaxType": effect.tax if is_taxed else "NONE",
        }
        for amount, text in parts or [(effect.amount, effect.description)]
    ]
    invoice = {
        "Type": "ACCREC",
        "InvoiceNumber": effect.number,
        "Reference": effect.tag,
        "Contact": {"ContactID": effect.customer},
        "Date": (effect.issued_on + shift).isoformat(),
        "DueDate": (effect.due_on + shift).isoformat(),
        "LineAmountTypes": "Inclusive" if is_taxed else "NoTax",
        "CurrencyCode": effect.currency,
        "Status": "DRAFT" if effect.is_draft else "AUTHORISED",
        "LineItems": lines,
    }
    return put(
        "post_charge",
        effect.key,
        "Invoices",
        {"Invoices": [invoice]},
        params=(("summarizeErrors", "false"),),
    )


def expected_date(effect: SetExpectedDate) -> Prepared:
    """The day alone: lines that a change names are made anew, so none is named."""
    changed = {"InvoiceID": effect.invoice, "ExpectedPaymentDate": effect.on.isoformat()}
    path = f"Invoices/{effect.invoice}"
    return post("set_expected_date", effect.key, path, {"Invoices": [changed]})


def file_name(filename: str) -> str:
    """The name under which Xero keeps a file: some characters are not allowed there."""
    kept = (c if c.isprintable() and c not in _NOT_IN_FILE_NAMES else "_" for c in filename)
    return "".join(kept).strip()


def attachment(effect: AttachFile) -> Prepared:
    """A file for colleagues: not on the online invoice that the customer sees.

    Raises RefusedError for a file without name or content.
    """
    name = file_name(effect.filename)
    if not name.strip("_.") or not effect.content:
        raise RefusedError(f"the file {effect.filename!r} has no name or no content")
    return Prepared(
        effect="attach_file",
        effect_key=effect.key,
        method="PUT",
        path=f"Invoices/{effect.invoice}/Attachments/{quote(name, safe='')}",
        params=(("IncludeOnline", "false"),),
        content_type="application/octet-stream",
        body=effect.content,
    )


def mail(effect: SendLedgerInvoice) -> Prepared:
    """Xero mails the invoice to the contact; it takes no address, subject or text.

    Raises RefusedError where an address is asked for.
    """
    if effect.to:
        raise RefusedError(
            f"Xero mails an invoice to its contact only, not to {effect.to}: "
            "change the contact in Xero, or attach the invoice to a mail of your own"
        )
    return Prepared(
        effect="send_ledger_invoice",
        effect_key=effect.key,
        method="POST",
        path=f"Invoices/{effect.invoice}/Email",
        body=b"{}",
    )


def hold(effect: SetHold) -> Prepared:
    """Into the hold group, or out of it: Xero has no other mark that its users see."""
    path = f"ContactGroups/{GROUP}/Contacts"
    if effect.is_on:
        return put("set_hold", effect.key, path, {"Contacts": [{"ContactID": effect.customer}]})
    return Prepared(
        effect="set_hold",
        effect_key=effect.key,
        method="DELETE",
        path=f"{path}/{effect.customer}",
    )


def new_group(name: str) -> Prepared:
    return put("set_hold", "", "ContactGroups", {"ContactGroups": [{"Name": name}]})


def held_customer(prepared: Prepared) -> CustomerId:
    """The customer that a stored hold request is about."""
    if prepared.method == "DELETE":
        return CustomerId(prepared.path.rpartition("/")[2])
    body = msgspec.json.decode(prepared.body)
    return CustomerId(body["Contacts"][0]["ContactID"])


def charged(prepared: Prepared) -> tuple[str, str]:
    """Number and Reference of a stored fee request."""
    invoice = msgspec.json.decode(prepared.body)["Invoices"][0]
    return invoice["InvoiceNumber"], invoice["Reference"]


def put(
    effect: str,
    effect_key: str,
    path: str,
    body: dict[str, Any],
    params: Sequence[tuple[str, str]] = (),
) -> Prepared:
    """Something new."""
    return Prepared(
        effect=effect,
        effect_key=effect_key,
        method="PUT",
        path=path,
        params=tuple(params),
        body=msgspec.json.encode(body),
    )


def post(effect: str, effect_key: str, path: str, body: dict[str, Any]) -> Prepared:
    """A change of a record that is there."""
    return Prepared(
        effect=effect,
        effect_key=effect_key,
        method="POST",
        path=path,
        params=_AS_KEPT,
        body=msgspec.json.encode(body),
    )
