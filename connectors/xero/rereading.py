"""Reading named records again, just before something is done about them."""

from collections.abc import Sequence
from datetime import datetime

from connectors.errors import NotPermittedError, RefusedError
from connectors.port import CustomerReading, EstimateReading, MoneyReading, Quarantined, Reading
from connectors.xero import reads
from connectors.xero.changes import STALEST
from connectors.xero.lists import CONTACTS, INVOICES, MONEY, OVERLAP, QUOTES, Lists
from connectors.xero.paging import walk
from rules.model.credit import CreditNote
from rules.model.customer import Customer
from rules.model.estimate import Estimate
from rules.model.ids import CustomerId, EstimateId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.payment import Payment


def invoices_again(lists: Lists, wanted: Sequence[InvoiceId]) -> Reading:
    """Invoices of any status, READ_BATCH a call."""
    wanted = list(dict.fromkeys(wanted))
    asked = set(wanted)
    found: list[Invoice] = []
    quarantined: list[Quarantined] = []
    for start in range(0, len(wanted), reads.READ_BATCH):
        some = wanted[start : start + reads.READ_BATCH]
        answer = lists.get(reads.invoices_by_id(some), "invoices by id")
        rows = lists.rows(INVOICES, answer)
        found += [row for row in rows.records if isinstance(row, Invoice) and row.id in asked]
        quarantined += rows.quarantined
    seen = {row.id for row in found} | {bad.id for bad in quarantined}
    return Reading(
        invoices=found,
        missing=[each for each in wanted if each not in seen],
        quarantined=quarantined,
    )


def customers_again(lists: Lists, wanted: Sequence[CustomerId]) -> CustomerReading:
    """Contacts, archived and merged ones too, READ_BATCH a call."""
    wanted = list(dict.fromkeys(wanted))
    asked = set(wanted)
    found: list[Customer] = []
    quarantined: list[Quarantined] = []
    for start in range(0, len(wanted), reads.READ_BATCH):
        some = wanted[start : start + reads.READ_BATCH]
        answer = lists.get(reads.contacts_by_id(some), "contacts by id")
        rows = lists.rows(CONTACTS, answer)
        found += [row for row in rows.records if isinstance(row, Customer) and row.id in asked]
        quarantined += rows.quarantined
    seen = {row.id for row in found} | {bad.id for bad in quarantined}
    return CustomerReading(
        customers=found,
        missing=[each for each in wanted if each not in seen],
        quarantined=quarantined,
    )


def estimates_again(lists: Lists, wanted: Sequence[EstimateId]) -> EstimateReading:
    """Quotes of any status, one a call: Xero lists none by id."""
    found: list[Estimate] = []
    quarantined: list[Quarantined] = []
    missing: list[EstimateId] = []
    for one in dict.fromkeys(wanted):
        try:
            rows = lists.rows(QUOTES, lists.get(reads.quote(one), "a quote by id"))
        except (NotPermittedError, RefusedError):
            # Gone, or nobody may look any more: nothing is asked for on the strength of it.
            missing.append(one)
            continue
        records = [row for row in rows.records if isinstance(row, Estimate) and row.id == one]
        found += records
        quarantined += rows.quarantined
        if not records and not rows.quarantined:
            missing.append(one)
    return EstimateReading(estimates=found, missing=missing, quarantined=quarantined)


def money_again(lists: Lists, customers: Sequence[CustomerId], since: datetime) -> MoneyReading:
    """Everything that settles, or may settle, what these customers owe, and that changed.

    `since` is the time of the last reading, in which not every kind had its turn: so this looks
    back further, by the time for which a kind may have gone unread.
    """
    wanted = set(customers)
    found: list[Payment | CreditNote] = []
    quarantined: list[Quarantined] = []
    for listing in MONEY:
        for step in walk(
            lambda page, listing=listing: (
                lists.page(  # type: ignore[misc]
                    listing, page, since - STALEST - OVERLAP
                ).rows
            )
        ):
            found += [
                record
                for record in step.rows.records
                if isinstance(record, Payment | CreditNote) and record.customer in wanted
            ]
            quarantined += [
                bad for bad in step.rows.quarantined if not bad.customer or bad.customer in wanted
            ]
    return MoneyReading(records=found, quarantined=quarantined)
