"""Requests that take a late fee back, as values. Pure: nothing is sent here."""

import base64
import hashlib
from datetime import date

import msgspec

from connectors.errors import RefusedError
from connectors.port import Prepared
from connectors.xero.reads import FEE_TAG
from connectors.xero.requests import REFERENCE_LIMIT, post, put
from rules.actions.effects import PostCredit, ReverseCharge
from rules.model.money import Minor, format_minor


def credit_number(effect: ReverseCharge) -> str:
    """Number of the credit note that takes a fee back: `LC-` and 16 base32 characters."""
    digest = hashlib.sha256(f"{effect.document_id}|{effect.key}".encode()).digest()
    return "LC-" + base64.b32encode(digest).decode()[:16]


def credit_tag(effect: ReverseCharge) -> str:
    """Machine tag of that credit note, in its Reference."""
    return f"{FEE_TAG} credit={effect.document_id} of={effect.number} key={effect.key}"


def void(effect: ReverseCharge, *, is_draft: bool = False) -> Prepared:
    """Take a fee document back by its status: a draft is deleted, any other voided."""
    status = "DELETED" if is_draft else "VOIDED"
    return post(
        "reverse_charge",
        effect.key,
        f"Invoices/{effect.document_id}",
        {"Invoices": [{"InvoiceID": effect.document_id, "Status": status}]},
    )


def credit(
    effect: ReverseCharge, amount: Minor, *, on: date, account: str, tax: str, is_taxed: bool
) -> Prepared:
    """A credit note for a fee: `amount` is what the customer need not pay, tax included.

    Raises RefusedError where the machine tag does not fit.
    """
    tag = credit_tag(effect)
    if len(tag) > REFERENCE_LIMIT:
        raise RefusedError(
            f"the machine tag of the credit note has {len(tag)} characters and Xero's Reference "
            f"takes {REFERENCE_LIMIT}: use a shorter fee id"
        )
    line = {
        "Description": effect.reason or f"Late fee {effect.number} taken back",
        "Quantity": 1,
        "UnitAmount": msgspec.Raw(format_minor(amount, effect.currency).encode()),
        "AccountCode": account,
        "TaxType": tax,
    }
    note = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": credit_number(effect),
        "Reference": tag,
        "Contact": {"ContactID": effect.customer},
        "Date": on.isoformat(),
        "LineAmountTypes": "Inclusive" if is_taxed else "NoTax",
        "CurrencyCode": effect.currency,
        "Status": "AUTHORISED",
        "LineItems": [line],
    }
    return put(
        "reverse_charge",
        effect.key,
        "CreditNotes",
        {"CreditNotes": [note]},
        params=(("summarizeErrors", "false"),),
    )


class Credited(msgspec.Struct, frozen=True, kw_only=True):
    """What a stored credit note says about itself."""

    number: str
    tag: str
    document_id: str
    on: str
    currency: str


def credited(prepared: Prepared) -> Credited:
    note = msgspec.json.decode(prepared.body)["CreditNotes"][0]
    tag = note["Reference"]
    return Credited(
        number=note["CreditNoteNumber"],
        tag=tag,
        document_id=_named(tag),
        on=note["Date"],
        currency=note["CurrencyCode"],
    )


def _named(tag: str) -> str:
    """The document that a credit note is for, from its machine tag."""
    for part in tag.split():
        name, _, value = part.partition("=")
        if name in ("credit", "inv"):
            return value
    return ""


def invoice_credit(
    effect: PostCredit, *, on: date, account: str, tax: str, is_taxed: bool
) -> Prepared:
    """A credit note on an invoice, its tax within the amount.

    Raises RefusedError where the machine tag does not fit.
    """
    if len(effect.tag) > REFERENCE_LIMIT:
        raise RefusedError(
            f"the machine tag of the credit note has {len(effect.tag)} characters and Xero's "
            f"Reference takes {REFERENCE_LIMIT}: use a shorter id in the policy"
        )
    line = {
        "Description": effect.description,
        "Quantity": 1,
        "UnitAmount": msgspec.Raw(format_minor(effect.amount, effect.currency).encode()),
        "AccountCode": account,
        "TaxType": tax if is_taxed else "NONE",
    }
    note = {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": effect.number,
        "Reference": effect.tag,
        "Contact": {"ContactID": effect.customer},
        "Date": on.isoformat(),
        "LineAmountTypes": "Inclusive" if is_taxed else "NoTax",
        "CurrencyCode": effect.currency,
        "Status": "AUTHORISED",
        "LineItems": [line],
    }
    return put(
        "post_credit",
        effect.key,
        "CreditNotes",
        {"CreditNotes": [note]},
        params=(("summarizeErrors", "false"),),
    )


def allocation(credit_id: str, document_id: str, amount: Minor, currency: str, on: str) -> Prepared:
    """Settle a part of a fee document with a credit note."""
    part = {
        "Amount": msgspec.Raw(format_minor(amount, currency).encode()),
        "Date": on,
        "Invoice": {"InvoiceID": document_id},
    }
    return put(
        "reverse_charge",
        "",
        f"CreditNotes/{credit_id}/Allocations",
        {"Allocations": [part]},
        params=(("summarizeErrors", "false"),),
    )
