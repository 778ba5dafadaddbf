"""Reading single records again, just before somebody is written to."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from connectors.errors import RefusedError
from connectors.port import CustomerReading, EstimateReading, MoneyReading, Quarantined, Reading
from connectors.quickbooks.answers import rows
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.names import Vocabulary
from connectors.quickbooks.pulling import Pull, changed_since
from connectors.quickbooks.requests import one_of, select
from connectors.quickbooks.sources import (
    CREDITS,
    CUSTOMERS,
    ESTIMATES,
    INVOICES,
    OF_ANY_STATE,
    PAYMENTS,
)
from rules.model.credit import CreditNote
from rules.model.customer import Customer
from rules.model.estimate import Estimate
from rules.model.ids import CustomerId, EstimateId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.payment import Payment

READ_BATCH: Final = 100

_T = TypeVar("_T")


class Rereading:
    """One call for every hundred; asked for and not answered means deleted."""

    def __init__(self, api: MountedQuickBooks, vocabulary: Vocabulary) -> None:
        self._api = api
        self._vocabulary = vocabulary

    def invoices(self, asked: Sequence[InvoiceId]) -> Reading:
        """Whatever their status."""
        good: list[Invoice] = []
        bad: list[Quarantined] = []
        if asked:
            self._vocabulary.learn_fee_items()
        for batch in _batches(list(dict.fromkeys(asked)), READ_BATCH):
            page = rows(self._api.select(select("Invoice", f"Id in {one_of(batch)}")), "Invoice")
            read, odd = self._vocabulary.read(INVOICES, page.records)
            good += [each for each in read if isinstance(each, Invoice)]
            bad += odd
        known = {invoice.id for invoice in good} | {row.id for row in bad}
        return Reading(
            invoices=good,
            missing=[id for id in dict.fromkeys(asked) if id not in known],
            quarantined=bad,
        )

    def customers(self, asked: Sequence[CustomerId]) -> CustomerReading:
        """Active or not."""
        good: list[Customer] = []
        bad: list[Quarantined] = []
        for batch in _batches(list(dict.fromkeys(asked)), READ_BATCH):
            condition = f"Id in {one_of(batch)}"
            try:
                answer = self._api.select(select("Customer", f"{condition} and {OF_ANY_STATE}"))
            except RefusedError:
                answer = self._api.select(select("Customer", condition))
            records = rows(answer, "Customer").records
            read, odd = self._vocabulary.read(CUSTOMERS, records)
            good += [each for each in read if isinstance(each, Customer)]
            bad += odd
        known = {customer.id for customer in good} | {row.id for row in bad}
        return CustomerReading(
            customers=good,
            missing=[id for id in dict.fromkeys(asked) if id not in known],
            quarantined=bad,
        )

    def estimates(self, asked: Sequence[EstimateId]) -> EstimateReading:
        """Whatever their status."""
        good: list[Estimate] = []
        bad: list[Quarantined] = []
        for batch in _batches(list(dict.fromkeys(asked)), READ_BATCH):
            page = rows(self._api.select(select("Estimate", f"Id in {one_of(batch)}")), "Estimate")
            read, odd = self._vocabulary.read(ESTIMATES, page.records)
            good += [each for each in read if isinstance(each, Estimate)]
            bad += odd
        known = {estimate.id for estimate in good} | {row.id for row in bad}
        return EstimateReading(
            estimates=good,
            missing=[id for id in dict.fromkeys(asked) if id not in known],
            quarantined=bad,
        )

    def money(
        self, customers: Sequence[CustomerId], since: datetime, now: datetime
    ) -> MoneyReading:
        """Payments and credit memos of these customers that changed since."""
        found: list[Payment | CreditNote] = []
        bad: list[Quarantined] = []
        for batch in _batches(list(dict.fromkeys(customers)), READ_BATCH):
            where = f"CustomerRef in {one_of(batch)} and {changed_since(since)}"
            walk = Pull(self._api, self._vocabulary, now)
            for source in (PAYMENTS, CREDITS):
                for page in walk.of(source, where):
                    found += [r for r in page.records if isinstance(r, Payment | CreditNote)]
                    bad += page.quarantined
        return MoneyReading(records=found, quarantined=bad)


def _batches(ids: list[_T], size: int) -> Iterator[list[_T]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
