"""The entities that a book is read from: how each is called there and here."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from connectors.port import Record
from connectors.quickbooks import parse, wire

Reader: TypeAlias = Callable[[Any, parse.Names], Record]

OF_ANY_STATE: Final = "Active in (true, false)"
"""Inactive entries of a list too: a customer who is not served any more may still owe."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One entity."""

    entity: str
    page: str
    shape: type
    reader: Reader


CUSTOMERS: Final = Source(
    entity="Customer", page="customers", shape=wire.WireCustomer, reader=parse.customer
)
INVOICES: Final = Source(
    entity="Invoice", page="invoices", shape=wire.WireInvoice, reader=parse.invoice
)
PAYMENTS: Final = Source(
    entity="Payment", page="payments", shape=wire.WirePayment, reader=parse.payment
)
CREDITS: Final = Source(
    entity="CreditMemo", page="credits", shape=wire.WireCreditMemo, reader=parse.credit
)
ESTIMATES: Final = Source(
    entity="Estimate", page="estimates", shape=wire.WireEstimate, reader=parse.estimate
)

SOURCES: Final = (CUSTOMERS, INVOICES, PAYMENTS, CREDITS, ESTIMATES)
