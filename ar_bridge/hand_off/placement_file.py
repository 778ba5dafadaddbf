"""The placement file: one row an invoice, in the columns that agencies ask for.

Columns after what agencies publish for their import files: account and debtor, guarantor,
invoice, fees and interest split from the principal since the itemization date, dates of the last
payment and transaction, flags, history of promises, who places it. What our records do not hold
(a postal address, a registration number) stays empty, for the agency to ask.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from ar_bridge.hand_off.csv_text import csv_bytes
from ar_bridge.hand_off.dossier import Claim, Dossier
from rules.model import (
    Contact,
    Customer,
    Dispute,
    Instalments,
    Minor,
    Pause,
    Promise,
    Stop,
    format_minor,
)

COLUMNS: Final[tuple[str, ...]] = (
    "client_no",
    "account_no",
    "debtor_name",
    "trading_name",
    "entity_type",
    "registration_no",
    "contact_name",
    "contact_role",
    "contact_phone",
    "contact_email",
    "address_1",
    "address_2",
    "city",
    "region",
    "postcode",
    "country",
    "guarantor_name",
    "guarantor_phone",
    "guarantor_email",
    "guarantor_address",
    "invoice_no",
    "invoice_date",
    "due_date",
    "purchase_order",
    "currency",
    "original_amount",
    "paid",
    "credited",
    "principal",
    "fees",
    "interest",
    "total_claimed",
    "itemization_date",
    "itemization_event",
    "itemization_amount",
    "last_payment_date",
    "last_transaction_date",
    "interest_terms",
    "disputed",
    "dispute_text",
    "insolvent",
    "deceased",
    "attorney",
    "vulnerable",
    "promise_history",
    "last_contact_date",
    "last_contact_channel",
    "contact_restrictions",
    "language",
    "documents",
    "original_creditor",
    "placed_on",
    "placed_by",
    "reason",
)


def placement_csv(dossier: Dossier, documents: dict[str, str]) -> bytes:
    """The file. `documents`: number of an invoice to the paths of its papers in the bundle."""
    rows = (
        _row(dossier, claim, documents.get(claim.invoice.number, "")) for claim in dossier.claims
    )
    return csv_bytes(COLUMNS, rows)


def _row(dossier: Dossier, claim: Claim, documents: str) -> list[str]:
    told = _values(dossier, claim) | {"documents": documents}
    return [told.get(name, "") for name in COLUMNS]


def _values(dossier: Dossier, claim: Claim) -> dict[str, str]:
    debtor, invoice, placed = dossier.debtor, claim.invoice, dossier.placement
    contact, guarantor = person(debtor, "billing", "owner"), person(debtor, "guarantor")
    payments = [one for one in claim.movements if one.kind == "payment"]
    last_on, event, amount = _itemization(claim)
    about = [one for one in dossier.words if not one.invoices or invoice.id in one.invoices]
    disputes = [one for one in about if isinstance(one, Dispute)]
    open_disputes = [one for one in disputes if one.ended_on is None]
    stops = {one.because for one in about if isinstance(one, Stop) and one.ended_on is None}
    contacts = [one for one in dossier.sent if invoice.number in one.invoices]
    branch = claim.customer.name if claim.customer.id != debtor.id else ""

    def money(minor: Minor) -> str:
        return format_minor(minor, invoice.currency)

    return {
        "client_no": dossier.client_no,
        "account_no": debtor.id,
        "debtor_name": debtor.name,
        "trading_name": branch,
        "entity_type": "unknown" if debtor.entity_type_is_guess else debtor.entity_type,
        "contact_name": contact.name,
        "contact_role": contact.roles[0] if contact.roles else "",
        "contact_phone": contact.phone or debtor.phone,
        "contact_email": contact.email or debtor.email,
        "country": debtor.country,
        "region": debtor.region.partition("-")[2],
        "guarantor_name": guarantor.name,
        "guarantor_phone": guarantor.phone,
        "guarantor_email": guarantor.email,
        "invoice_no": invoice.number,
        "invoice_date": invoice.issued_on.isoformat(),
        "due_date": _day(invoice.due_on),
        "purchase_order": invoice.po,
        "currency": invoice.currency,
        "original_amount": money(invoice.total),
        "paid": money(claim.paid),
        "credited": money(claim.credited),
        "principal": money(claim.principal),
        "fees": money(claim.charges),
        "interest": money(claim.interest),
        "total_claimed": money(claim.total),
        "itemization_date": last_on.isoformat(),
        "itemization_event": event,
        "itemization_amount": money(amount),
        "last_payment_date": _day(max((one.on for one in payments), default=None)),
        "last_transaction_date": max(
            [one.on for one in claim.movements] + [invoice.issued_on]
        ).isoformat(),
        "interest_terms": dossier.terms,
        "disputed": "yes" if open_disputes else "no",
        "dispute_text": "; ".join(one.reason for one in disputes if one.reason),
        "insolvent": _flag("insolvency" in stops),
        "deceased": _flag("deceased" in stops),
        "attorney": _flag("lawyer" in stops),
        "vulnerable": _flag("vulnerable" in stops),
        "promise_history": "; ".join(promise_words(dossier, claim)),
        "last_contact_date": contacts[-1].on.isoformat() if contacts else "",
        "last_contact_channel": contacts[-1].channel if contacts else "",
        "contact_restrictions": "; ".join(
            f"no contact until {one.until}" for one in about if isinstance(one, Pause)
        ),
        "language": debtor.language,
        "original_creditor": dossier.company.name or dossier.company.id,
        "placed_on": placed.on.isoformat(),
        "placed_by": placed.actor,
        "reason": placed.reason,
    }


def person(customer: Customer, *roles: str) -> Contact:
    """The first contact with one of the roles; an empty one where nobody has them."""
    for role in roles:
        for contact in customer.contacts:
            if role in contact.roles:
                return contact
    return Contact(roles=())


def promise_words(dossier: Dossier, claim: Claim) -> Iterable[str]:
    """Promises and instalments about an invoice, a sentence each."""
    for one in dossier.words:
        if one.invoices and claim.invoice.id not in one.invoices:
            continue
        if isinstance(one, Promise):
            currency = one.currency or claim.invoice.currency
            amount = f"{currency} {format_minor(one.amount, currency)}" if one.amount else "payment"
            yield f"{one.on}: promised {amount} by {one.due_on}"
        elif isinstance(one, Instalments):
            last = max((part.due_on for part in one.parts), default=one.on)
            yield f"{one.on}: {len(one.parts)} instalments agreed, the last by {last}"


def _itemization(claim: Claim) -> tuple[date, str, Minor]:
    """The day from which fees and interest are split from the principal, and what was owed on
    the invoice then: after the last payment, else on the day of the invoice."""
    payments = [one.on for one in claim.movements if one.kind == "payment"]
    if not payments:
        return claim.invoice.issued_on, "transaction", claim.invoice.total
    on = max(payments)
    settled = sum(one.amount for one in claim.movements if one.on <= on)
    return on, "last payment", claim.invoice.total - settled


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _flag(is_so: bool) -> str:
    return "yes" if is_so else "no"
