"""What a person meant by a name: an invoice of a book."""

from ar_bridge.errors import UsageError
from rules.model import Book, Invoice


def invoice_of(book: Book, name: str) -> Invoice:
    """The invoice of that id or number. Raises UsageError, listing candidates."""
    wanted = name.casefold()
    for invoice in book.invoices:
        if invoice.id == name:
            return invoice
    found = [invoice for invoice in book.invoices if invoice.number.casefold() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{name} is ambiguous.",
            problems=[f"{i.id}: {i.number}, {i.issued_on}, customer {i.customer}" for i in found],
            remedy="use the id",
        )
    from difflib import get_close_matches

    near = get_close_matches(name, [invoice.number for invoice in book.invoices], n=3)
    raise UsageError(
        f"There is no invoice {name}.",
        remedy=f"did you mean {', '.join(near)}?" if near else "use its number or its id",
    )
