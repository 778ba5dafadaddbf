"""Whom a person's word is about: a customer, or some invoices of one customer."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ar_bridge.errors import UsageError
from ar_bridge.words import the_customer, the_invoice
from rules.model import Customer, Invoice, InvoiceId


def subject_of(
    conn: Connection, book_id: int, customer: str | None, invoices: Sequence[str]
) -> tuple[Customer, tuple[Invoice, ...]]:
    """The customer and the invoices named; no invoices: the whole account.

    Raises UsageError where nothing is named or the invoices belong to several customers.
    """
    found = [the_invoice(conn, book_id, name) for name in invoices]
    if customer is not None:
        owner = the_customer(conn, book_id, customer)
    elif found:
        owner = the_customer(conn, book_id, found[0].customer)
    else:
        raise UsageError("Who is it about?", remedy="say --customer NAME or --invoice NUMBER")
    strangers = [invoice.number for invoice in found if invoice.customer != owner.id]
    if strangers:
        raise UsageError(
            f"{', '.join(strangers)} is not an invoice of {owner.name}.",
            remedy="one command a customer",
        )
    return owner, tuple(found)


def ids(invoices: Sequence[Invoice]) -> tuple[InvoiceId, ...]:
    """The ledger's ids."""
    return tuple(invoice.id for invoice in invoices)
