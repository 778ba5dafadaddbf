"""How fast a page of 1,000 Xero invoices becomes the book, against the vendor's library.

    python -m benchmarks.parse_xero [--invoices 1000] [--rounds 7]

Both read the same bytes in the same run: ours to the end, exact money, accounting days and
quarantine included (lines are skipped: the book has no use for them); xero-python to its own
models by its own path. CPU time, best of the rounds; `ratio` is how many times faster ours is.
The page is made up and always the same: three lines on each invoice, a payment on every fourth.
"""

import argparse
import gc
import json
import resource
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from time import process_time
from typing import Any

FIRST = date(2026, 1, 5)


def an_id(kind: int, number: int) -> str:
    return f"{kind:08d}-0000-4000-8000-{number:012d}"


def ms_date(day: date) -> str:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return f"/Date({int(at.timestamp())}000+0000)/"


def dated(name: str, day: date) -> dict[str, str]:
    return {f"{name}String": f"{day.isoformat()}T00:00:00", name: ms_date(day)}


def a_payment(number: int, on: date) -> dict[str, Any]:
    return {
        "PaymentID": an_id(3, number),
        "Date": ms_date(on + timedelta(days=20)),
        "Amount": 10.5,
        "Reference": "",
        "CurrencyRate": 1.0,
        "HasAccount": False,
        "HasValidationErrors": False,
    }


def an_invoice(number: int) -> dict[str, Any]:
    """One invoice as Xero serves it in a page."""
    on = FIRST + timedelta(days=number % 240)
    lines = [
        {
            "ItemCode": f"ART-{place}",
            "Description": f"Delivery {number} position {place}, crates and pallets",
            "UnitAmount": round(12.35 * place + number % 90, 2),
            "TaxType": "OUTPUT2",
            "TaxAmount": round((12.35 * place + number % 90) * 0.2, 2),
            "LineAmount": round(12.35 * place + number % 90, 2),
            "AccountCode": "200",
            "Item": {"ItemID": an_id(7, place), "Name": f"Article {place}", "Code": f"ART-{place}"},
            "Tracking": [],
            "Quantity": 1.0,
            "LineItemID": an_id(place + 10, number),
        }
        for place in (1, 2, 3)
    ]
    subtotal = round(sum(float(line["LineAmount"]) for line in lines), 2)
    tax = round(subtotal * 0.2, 2)
    total = round(subtotal + tax, 2)
    paid = 10.5 if number % 4 == 0 else 0.0
    return {
        "Type": "ACCREC",
        "InvoiceID": an_id(1, number),
        "InvoiceNumber": f"INV-{number:04d}",
        "Reference": f"PO {number}",
        "Payments": [a_payment(number, on)] if paid else [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": round(total - paid, 2),
        "AmountPaid": paid,
        "AmountCredited": 0.0,
        "CurrencyRate": 1.0,
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "SentToContact": number % 3 == 0,
        "Contact": {
            "ContactID": an_id(2, number % 120),
            "Name": f"Customer {number % 120}",
            "Addresses": [],
            "Phones": [],
            "ContactGroups": [],
            "ContactPersons": [],
            "HasValidationErrors": False,
        },
        **dated("Date", on),
        **dated("DueDate", on + timedelta(days=30)),
        "BrandingThemeID": an_id(4, 1),
        "Status": "AUTHORISED",
        "LineAmountTypes": "Exclusive",
        "LineItems": lines,
        "SubTotal": subtotal,
        "TotalTax": tax,
        "Total": total,
        "UpdatedDateUTC": f"/Date({1767000000000 + number * 977}+0000)/",
        "CurrencyCode": "GBP",
    }


def a_page(invoices: int) -> bytes:
    """One answer of GET /Invoices."""
    pagination = {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": invoices}
    rows = [an_invoice(number) for number in range(invoices)]
    return json.dumps({"pagination": pagination, "Invoices": rows}).encode()


def ours(page: bytes) -> int:
    """Bytes to the book."""
    from connectors.xero import parse
    from connectors.xero.rows import Context
    from connectors.xero.rows import rows as rows_of

    context = Context(base_currency="GBP")
    rows = rows_of(page, "Invoices", "InvoiceID", parse.invoice, context)
    assert not rows.quarantined
    return len(rows.records)


def theirs(page: bytes) -> int:
    """Bytes to the library's models, as its own client makes them."""
    from xero_python.accounting import models
    from xero_python.api_client import ModelFinder, deserialize

    body = json.loads(page, parse_float=Decimal)
    return len(deserialize("Invoices", body, ModelFinder(models)).invoices)


def best(work: Callable[[bytes], int], page: bytes, rounds: int) -> float:
    """Shortest CPU time in seconds, after one round to warm up."""
    work(page)
    times = []
    for _ in range(rounds):
        gc.collect()
        began = process_time()
        work(page)
        times.append(process_time() - began)
    return min(times)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--invoices", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    page = a_page(given.invoices)
    seconds = {
        "ar-bridge": best(ours, page, given.rounds),
        "xero-python": best(theirs, page, given.rounds),
    }
    for reader, took in seconds.items():
        line = {
            "benchmark": "parse_xero",
            "reader": reader,
            "n": given.invoices,
            "bytes": len(page),
            "seconds": round(took, 5),
            "invoices_per_s": round(given.invoices / took),
            "ratio": round(seconds["xero-python"] / took, 2),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()
