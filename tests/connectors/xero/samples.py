"""Records as Xero sends them, to be bent by the tests that read them."""

import json
from datetime import date
from typing import Any

from connectors.xero.rows import Context
from rules.actions.effects import PostCharge, PostNote, ReverseCharge, SetHold
from rules.model.ids import CustomerId, InvoiceId

CONTACT = "a3675fc4-f8dd-4f03-ba5b-f1870566bcd7"
INVOICE = "046d8a6d-1ae1-4b4d-9340-5601bdf41b87"
OTHER = "d4956132-ed94-4dd7-9eaa-aa22dfdf06f2"

CONTEXT = Context(base_currency="NZD")


def invoice(**changes: Any) -> dict[str, Any]:
    """An open invoice of 46.00 due 2018-12-30."""
    return {
        "Type": "ACCREC",
        "InvoiceID": INVOICE,
        "InvoiceNumber": "INV-0002",
        "Reference": "Order 7",
        "Payments": [],
        "AmountDue": 40.1,
        "AmountPaid": 5.9,
        "SentToContact": True,
        "Contact": {"ContactID": CONTACT, "Name": "Barney", "Addresses": []},
        "DateString": "2018-10-20T00:00:00",
        "Date": "/Date(1539993600000+0000)/",
        "DueDateString": "2018-12-30T00:00:00",
        "DueDate": "/Date(1546128000000+0000)/",
        "Status": "AUTHORISED",
        "LineAmountTypes": "Exclusive",
        "LineItems": [],
        "SubTotal": 40.0,
        "TotalTax": 6.0,
        "Total": 46.0,
        "UpdatedDateUTC": "/Date(1541176592690+0000)/",
        "CurrencyCode": "NZD",
    } | changes


def contact(**changes: Any) -> dict[str, Any]:
    return {
        "ContactID": CONTACT,
        "ContactStatus": "ACTIVE",
        "Name": "Barney Rubble",
        "EmailAddress": "barney@rubble.example",
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "DefaultCurrency": "NZD",
        "IsCustomer": True,
        "ContactPersons": [],
    } | changes


def payment(**changes: Any) -> dict[str, Any]:
    return {
        "PaymentID": "99ea7f6b-c513-4066-bc27-b7c65dcd76c2",
        "Date": "/Date(1543449600000+0000)/",
        "Amount": 5.9,
        "PaymentType": "ACCRECPAYMENT",
        "Status": "AUTHORISED",
        "UpdatedDateUTC": "/Date(1543535999000+0000)/",
        "Invoice": {
            "Type": "ACCREC",
            "InvoiceID": INVOICE,
            "Contact": {"ContactID": CONTACT},
            "CurrencyCode": "NZD",
        },
    } | changes


def raw(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


def page(collection: str, *rows: dict[str, Any], **envelope: Any) -> bytes:
    return raw({collection: list(rows), **envelope})


def note(*invoices: str, text: str = "[arb:ABCDEFGHIJKL] reminder sent") -> PostNote:
    return PostNote(
        key="msg/C/1#1:post_note",
        customer=CustomerId(CONTACT),
        mark="[arb:ABCDEFGHIJKL]",
        text=text,
        invoices=tuple(InvoiceId(i) for i in invoices),
    )


def charge(**changes: Any) -> PostCharge:
    fields: dict[str, Any] = {
        "key": "late_fee/x/interest/2026-07#0:post_charge",
        "customer": CustomerId(CONTACT),
        "number": "LF-ABCDEFGHIJKLMNOP",
        "currency": "NZD",
        "amount": 4010,
        "issued_on": date(2026, 7, 1),
        "due_on": date(2026, 7, 15),
        "invoice": InvoiceId(INVOICE),
        "invoice_number": "INV-0002",
        "description": "Late payment interest on INV-0002",
        "tag": f"arb1 inv={INVOICE} fee=interest through=2026-07-01 key=late_fee/x/interest/1",
        "account": "270",
        "tax": "NONE",
    }
    return PostCharge(**{**fields, **changes})


def hold(is_on: bool = True) -> SetHold:
    return SetHold(key="h#0:set_hold", customer=CustomerId(CONTACT), is_on=is_on, mark="m")


def reversal(**changes: Any) -> ReverseCharge:
    """The fee of `charge`, which Xero has as the document OTHER, taken back."""
    fields: dict[str, Any] = {
        "key": "fee_waiver/x/interest/2026-07#0:reverse_charge",
        "customer": CustomerId(CONTACT),
        "number": "LF-ABCDEFGHIJKLMNOP",
        "document_id": OTHER,
        "currency": "NZD",
        "reason": "paid in time after all",
    }
    return ReverseCharge(**{**fields, **changes})
