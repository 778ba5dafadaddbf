"""How fast a page of 1,000 QuickBooks invoices becomes the book, against the vendor's library.

    python -m benchmarks.parse [--invoices 1000] [--rounds 7]

Both read the same bytes in the same run: ours to the end, exact money, dates and quarantine
included; python-quickbooks as far as its own objects (`json.loads` and `from_json`), amounts as
floats and dates as text. CPU time, best of the rounds; `ratio` is how many times faster ours is.
The page is made up and always the same: three item lines, a subtotal, tax, addresses and linked
payments on each invoice.
"""

import argparse
import gc
import json
import resource
from collections.abc import Callable
from datetime import date, timedelta
from time import process_time
from typing import Any

FIRST = date(2026, 1, 5)


def an_invoice(number: int) -> dict[str, Any]:
    """One invoice as QuickBooks serves it."""
    on = FIRST + timedelta(days=number % 240)
    lines = [
        {
            "Id": str(place),
            "LineNum": place,
            "Description": f"Delivery {number} position {place}, crates and pallets",
            "Amount": round(12.35 * place + number % 90, 2),
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {
                "ItemRef": {"value": str(10 + place), "name": f"Article {place}"},
                "ItemAccountRef": {"value": "79", "name": "Sales of product income"},
                "UnitPrice": round(12.35 * place + number % 90, 2),
                "Qty": 1,
                "TaxCodeRef": {"value": "TAX"},
            },
        }
        for place in (1, 2, 3)
    ]
    subtotal = round(sum(float(line["Amount"]) for line in lines), 2)
    tax = round(subtotal * 0.08, 2)
    total = round(subtotal + tax, 2)
    at = f"{on.isoformat()}T09:{number % 60:02d}:17-07:00"
    street = {"Line1": f"{number} High Street", "City": "Middlefield", "PostalCode": "94303"}
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": str(1000 + number),
        "SyncToken": "1",
        "MetaData": {"CreateTime": at, "LastUpdatedTime": at},
        "CustomField": [{"DefinitionId": "1", "Name": "Crew #", "Type": "StringType"}],
        "DocNumber": str(5000 + number),
        "TxnDate": on.isoformat(),
        "DueDate": (on + timedelta(days=30)).isoformat(),
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "LinkedTxn": [{"TxnId": str(9000 + number), "TxnType": "Payment"}] * (1 + number % 2),
        "Line": [
            *lines,
            {"Amount": subtotal, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
        ],
        "TxnTaxDetail": {
            "TxnTaxCodeRef": {"value": "2"},
            "TotalTax": tax,
            "TaxLine": [
                {
                    "Amount": tax,
                    "DetailType": "TaxLineDetail",
                    "TaxLineDetail": {
                        "TaxRateRef": {"value": "3"},
                        "PercentBased": True,
                        "TaxPercent": 8,
                        "NetAmountTaxable": subtotal,
                    },
                }
            ],
        },
        "CustomerRef": {"value": str(number % 120), "name": f"Customer {number % 120}"},
        "CustomerMemo": {"value": "Thank you for your business and have a great day!"},
        "BillAddr": {"Id": "95", **street},
        "ShipAddr": {"Id": "25", **street},
        "SalesTermRef": {"value": "3", "name": "Net 30"},
        "TotalAmt": total,
        "Balance": total if number % 3 else round(total / 2, 2),
        "ApplyTaxAfterDiscount": False,
        "PrintStatus": "NeedToPrint",
        "EmailStatus": ("EmailSent", "NotSet", "NeedToSend")[number % 3],
        "BillEmail": {"Address": f"ap{number % 120}@customer.example"},
        "AllowOnlineACHPayment": False,
        "AllowOnlineCreditCardPayment": False,
    }


def a_page(invoices: int) -> bytes:
    """The answer to one query."""
    body = {
        "QueryResponse": {
            "Invoice": [an_invoice(number) for number in range(invoices)],
            "startPosition": 1,
            "maxResults": invoices,
        },
        "time": "2026-11-22T06:00:00.000-07:00",
    }
    return json.dumps(body).encode()


def ours(page: bytes) -> int:
    """Bytes to the book."""
    from connectors.quickbooks import parse, wire
    from connectors.quickbooks.answers import read_records, rows

    good, bad = read_records(
        "invoices",
        rows(page, "Invoice").records,
        wire.WireInvoice,
        parse.invoice,
        parse.Names(currency="USD"),
    )
    assert not bad
    return len(good)


def theirs(page: bytes) -> int:
    """Bytes to the library's objects, as its own `query` makes them."""
    from quickbooks.objects.invoice import Invoice

    body = json.loads(page)
    return len([Invoice.from_json(row) for row in body["QueryResponse"]["Invoice"]])


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
        "python-quickbooks": best(theirs, page, given.rounds),
    }
    for reader, took in seconds.items():
        line = {
            "benchmark": "parse_quickbooks",
            "reader": reader,
            "n": given.invoices,
            "bytes": len(page),
            "seconds": round(took, 5),
            "invoices_per_s": round(given.invoices / took),
            "ratio": round(seconds["python-quickbooks"] / took, 2),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()
