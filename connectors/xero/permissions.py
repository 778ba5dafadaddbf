"""Permissions of a Xero connection: what each is for, and which endpoint takes which. Pure."""

from typing import Final

INVOICES: Final = "accounting.invoices"
PAYMENTS: Final = "accounting.payments.read"
CONTACTS: Final = "accounting.contacts"
SETTINGS: Final = "accounting.settings.read"
ATTACHMENTS: Final = "accounting.attachments"
OFFLINE: Final = "offline_access"

# The granular permissions: the older broad ones are refused for applications made since
# March 2026, and these are the least that reading and writing back needs.
SCOPES: Final = (INVOICES, PAYMENTS, CONTACTS, SETTINGS, ATTACHMENTS)

PURPOSES: Final = {
    INVOICES: "invoices and credit notes cannot be read, fees and notes not written",
    PAYMENTS: "payments cannot be read, and no run comes to its end without them",
    CONTACTS: "customers cannot be read, and none can be put on credit hold",
    SETTINGS: "company, lock dates, accounts and tax types cannot be checked",
    ATTACHMENTS: "letters cannot be attached to invoices",
    OFFLINE: "the connection ends after half an hour and cannot be renewed",
}

NEEDED: Final = frozenset({INVOICES, PAYMENTS, CONTACTS, SETTINGS, OFFLINE})
"""Without any of these no run comes to its end."""

# Overpayments and prepayments: Xero's contract still names the old broad permission, which both
# of these took the place of.
_MONEY: Final = f"{PAYMENTS} (or {INVOICES})"
_TAKES: Final = {
    "attachments": ATTACHMENTS,
    "invoices": INVOICES,
    "creditnotes": INVOICES,
    "quotes": INVOICES,
    "payments": PAYMENTS,
    "overpayments": _MONEY,
    "prepayments": _MONEY,
    "contacts": CONTACTS,
    "contactgroups": CONTACTS,
    "organisation": SETTINGS,
    "accounts": SETTINGS,
    "taxrates": SETTINGS,
    "invoicereminders": SETTINGS,
}


def permission_for(path: str) -> str:
    """The permission that a path takes, the last part that tells counting: history goes with its
    document, attachments go by themselves. Empty for a path of no permission of its own."""
    parts = (part.casefold() for part in reversed(path.split("/")))
    return next((_TAKES[part] for part in parts if part in _TAKES), "")
