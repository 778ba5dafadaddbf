"""Who writes: the identity that every message shows."""

import msgspec


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """The supplier as the customer knows it. Comes from the book's settings."""

    name: str
    """The company's own name; never that of another firm."""
    reply_to: str
    """A mailbox that a person reads."""
    postal_address: tuple[str, ...] = ()
    """One entry per line."""
    phone: str = ""
    registration: str = ""
    """Company registration or tax number, where the law wants it on letters."""
    bank_details: tuple[str, ...] = ()
    """How to pay by transfer, one entry per line. Shown as they are on the invoices."""
    terms: str = ""
    """How the terms that fees rest on are called, such as "our terms of January 2026, clause 7"."""
    fee_tax_note: str = ""
    """One sentence about tax on late fees, such as "No VAT is added to late fees"."""
    signed_by: str = ""
    """The person who signs; empty: the accounts team."""
