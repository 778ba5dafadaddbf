"""A CSV of open invoices, as QuickBooks or Xero export it, as events of a book file.

A part paid before the export becomes a payment on the day of the invoice: the file does not say
when it came, and the earliest day is the one that wrongs nobody. A credit becomes an unapplied
credit. Nothing is dropped in silence: every row becomes an event or a problem, but for blank
rows, headings and totals.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath

from connectors.bookfile.csv_columns import find_layout, missing
from connectors.bookfile.csv_documents import CREDITS, PAYMENTS, Document, Table
from connectors.bookfile.csv_rows import split_rows
from connectors.bookfile.events import Event, Events
from rules.model.events import EventProblem
from rules.model.money import format_minor


def events_of_csv(text: str, *, source: str, base_currency: str = "") -> Events:
    """Events of an exported table; `base_currency` serves rows that name no currency.

    A table whose columns cannot be told apart gives no events and one problem for each column.
    """
    problems: list[EventProblem] = []

    def report(line: int, message: str, hint: str = "") -> None:
        problems.append(EventProblem(source=source, line=line, message=message, hint=hint))

    lines = split_rows(text)
    layout = find_layout([line.cells for line in lines])
    if layout is None:
        report(
            1,
            "no row of headers was found",
            "one of the first rows should name columns such as Date, Num, Customer, Due date, "
            "Amount, Open balance",
        )
        return Events(events=[], problems=tuple(problems))
    header = lines[layout.header_row]
    absent = missing(layout, header.cells)
    if absent:
        seen = "found: " + ", ".join(repr(cell.strip()) for cell in header.cells if cell.strip())
        for message, hint in absent:
            report(header.number, message, f"{hint}; {seen}" if hint else seen)
        return Events(events=[], problems=tuple(problems))
    table = Table(lines, layout, base_currency, report)
    documents = table.documents()
    events: list[Event] = [_company(source, table.base_currency)]
    customers: dict[str, str] = {}
    for document in sorted(documents, key=lambda each: each.issued):
        if document.customer not in customers:
            customers[document.customer] = _slug(document.customer, customers.values())
            events.append(_customer(document, customers[document.customer]))
    seen_before: dict[str, Document] = {}
    for document in documents:
        id_ = _id(document, customers[document.customer], seen_before)
        earlier = seen_before.setdefault(id_, document)
        if earlier is document:
            events.extend(_events_of(document, id_, customers[document.customer]))
        elif not earlier.is_the_same_invoice_as(document):
            report(
                document.line,
                f"{document.number or id_} is also in line {earlier.line}, with other figures",
                "keep the right one of the two rows",
            )
    return Events(events=events, problems=tuple(sorted(problems, key=lambda each: each.line)))


def _company(source: str, base_currency: str) -> Event:
    name = PurePath(source).stem
    return {
        "t": "company",
        "id": _slug(name, ()),
        "name": name,
        "base_currency": base_currency,
        "_line": 1,
    }


def _customer(document: Document, id_: str) -> Event:
    return {
        "t": "customer",
        "id": id_,
        "date": document.issued.isoformat(),
        "name": document.customer,
        "currency": document.currency,
        "email": document.cells.get("email", ""),
        "_line": document.line,
    }


def _id(document: Document, customer: str, seen: Mapping[str, Document]) -> str:
    """The file holds no ids: the number serves, with the customer's where two share a number."""
    if document.kind in PAYMENTS:
        return f"PAY-{document.number}-{document.line}"
    if document.kind in CREDITS:
        return document.number or f"CREDIT-{document.line}"
    first = seen.get(document.number)
    if first is None or first.customer == document.customer:
        return document.number
    return f"{document.number}/{customer}"


def _events_of(document: Document, id_: str, customer: str) -> Iterator[Event]:
    common: Event = {
        "customer": customer,
        "currency": document.currency,
        "date": document.issued.isoformat(),
        "_line": document.line,
    }
    left = format_minor(document.open, document.currency)
    if document.kind in PAYMENTS:
        if document.open:
            yield {"t": "payment", "id": id_, "amount": left, "alloc": [], **common}
        return
    if document.kind in CREDITS:
        if document.open:
            yield {"t": "credit_note", "id": id_, "number": id_, "total": left, **common}
        return
    yield _invoice(document, id_, common)
    paid = max(0, document.total - document.open)
    if paid:
        part = format_minor(paid, document.currency)
        yield {
            "t": "payment",
            "id": f"PAID-{id_}",
            "amount": part,
            "alloc": [{"invoice": id_, "amount": part}],
            **common,
        }


def _invoice(document: Document, id_: str, common: Event) -> Event:
    cells = document.cells
    event: Event = {
        "t": "invoice",
        "id": id_,
        "number": document.number,
        "due": document.due.isoformat() if document.due else None,
        "total": format_minor(max(document.total, document.open), document.currency),
        "tax": format_minor(document.tax, document.currency),
        "po": cells.get("order", ""),
        "reference": cells.get("reference", ""),
        "email": cells.get("email", ""),
        **common,
    }
    if "sent" in cells:
        # Not marked as sent means that the ledger cannot tell, not that it was not sent.
        event["sent"] = True if cells["sent"].casefold() in ("sent", "yes", "true") else None
    status = cells.get("status", "").casefold()
    if status in ("draft", "awaiting approval", "submitted"):
        event["status"] = "draft"
    elif status in ("void", "voided", "deleted"):
        event["status"] = "deleted" if status == "deleted" else "void"
    return event


def _slug(name: str, taken: Collection[str]) -> str:
    base = re.sub(r"[^\w]+", "-", name.casefold()).strip("-") or "customer"
    found, number = base, 2
    while found in taken:
        found, number = f"{base}-{number}", number + 1
    return found
