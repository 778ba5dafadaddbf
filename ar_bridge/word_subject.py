"""Whom a person's word is about: a customer, or some invoices of one customer."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ar_bridge.errors import UsageError
from ar_bridge.store import mirror
from ar_bridge.words import the_customer, the_invoice
from rules.model import Customer, Invoice, InvoiceId


def subject_of(
    conn: Connection,
    book_id: int,
    customer: str | None,
    invoices: Sequence[str],
    names: Sequence[str] = (),
    *,
    of_customers: bool = False,
) -> tuple[Customer, tuple[Invoice, ...]]:
    """The customer and the invoices named; no invoices: the whole account. `names` may be either:
    invoices, or one customer; with `of_customers` the customer where it may be both.

    Raises UsageError where nothing is named, a name is unknown or may be several, or the invoices
    belong to several customers.
    """
    numbers = list(invoices)
    for name in names:
        if _is_customer(conn, book_id, name, of_customers):
            if customer is not None and customer != name:
                raise UsageError(
                    f"{customer} and {name} are two customers.", remedy="one command a customer"
                )
            customer = name
        else:
            numbers.append(name)
    found = [the_invoice(conn, book_id, name) for name in dict.fromkeys(numbers)]
    if customer is not None:
        owner = the_customer(conn, book_id, customer)
    elif found:
        owner = the_customer(conn, book_id, found[0].customer)
    else:
        raise UsageError("Who is it about?", remedy="name an invoice or a customer")
    strangers = [invoice.number for invoice in found if invoice.customer != owner.id]
    if strangers:
        raise UsageError(
            f"{', '.join(strangers)} is not an invoice of {owner.name}.",
            remedy="one command a customer",
        )
    return owner, tuple(found)


def _is_customer(conn: Connection, book_id: int, name: str, of_customers: bool) -> bool:
    """Whether a bare name means a customer. Raises UsageError where it may be an invoice too, or
    is nothing that we know."""
    invoices = mirror.invoices_named(conn, book_id, name)
    customers = mirror.customers_named(conn, book_id, name)
    if invoices and customers and not of_customers:
        raise UsageError(
            f"{name} may be an invoice or a customer.",
            problems=[
                *(f"invoice {one.number} of {one.issued_on}" for one in invoices),
                *(f"customer {one.name}" for one in customers),
            ],
            remedy="say --invoice or --customer",
        )
    if not invoices and not customers:
        raise UsageError(
            f"There is no invoice and no customer {name} in our records.",
            remedy="use a number, an id or a whole name; ar-bridge sync reads new ones",
        )
    return bool(customers)


def ids(invoices: Sequence[Invoice]) -> tuple[InvoiceId, ...]:
    """The ledger's ids."""
    return tuple(invoice.id for invoice in invoices)
