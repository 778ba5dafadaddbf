"""A whole reading of the ledger becomes part of the book: all of it at once, or nothing.

An invoice is closed only because the ledger said so about that very invoice. Whatever could not
be read is in quarantine (see `book_loader` for what that means), never taken for paid.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from ar_bridge.pulled import Pull
from ar_bridge.store import mirror, quarantine
from ar_bridge.store.bodies import Bodies
from ar_bridge.store.books import BookRow
from ar_bridge.store.quarantine import NAMELESS
from connectors.port import Quarantined, Record
from rules.model import CreditNote, Customer, Estimate, Invoice, Payment

_invoices: Bodies[Invoice] = Bodies(Invoice)
_payments: Bodies[Payment] = Bodies(Payment)
_credits: Bodies[CreditNote] = Bodies(CreditNote)


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What a reading changed."""

    removed: Mapping[str, int]
    """Entity to records that the ledger no longer has."""
    adopted: Mapping[str, str]
    """Customers whose documents another one took over, and that one."""


def merge(conn: Connection, row: BookRow, pull: Pull, *, at: datetime) -> Merged:
    """Write what was read."""
    seen_on = at.astimezone(ZoneInfo(row.company.timezone)).date()
    touched: set[str] = set()
    moved: dict[str, set[str]] = defaultdict(set)
    for entity, records in pull.records(conn):
        changes = mirror.upsert(
            conn, row.id, entity, records, seen_on=seen_on, tenant=row.tenant_id
        )
        for change in changes:
            if isinstance(change.record, Invoice):
                before = _invoices.read(change.before).customer if change.before else None
                if before is not None and before != change.record.customer:
                    moved[before].add(change.record.customer)
            else:
                touched.add(_customer_of(change.record))
    removed = _take_away(conn, row, pull, touched, seen_on=seen_on)
    adopted = _adopted(conn, row, pull, moved)
    mirror.name_only(conn, row.id, adopted.keys() & pull.gone["customers"], taken_over_by=adopted)
    mirror.set_parents(conn, row.id, adopted)
    _forget_customers(conn, row, pull, removed)
    quarantine.add(conn, row.id, _owned(conn, row, pull), at=at, tenant=row.tenant_id)
    for entity, ids in pull.gone.items():
        quarantine.release(conn, row.id, entity, ids)
    touched.update(moved, *moved.values())
    mirror.decide_again(conn, row.id, touched)
    return Merged(removed=removed, adopted=adopted)


def _owned(conn: Connection, row: BookRow, pull: Pull) -> list[Quarantined]:
    """What cannot be read, with whose it is: money that does not tell is of those whose invoices
    it settles, be these readable or not."""
    bad = list(pull.unreadable.values())
    named = {invoice for one in bad if not one.customer for invoice in one.invoices}
    if not named:
        return bad
    owners = {
        held.id: held.customer
        for held in quarantine.listed(conn, row.id)
        if held.entity == "invoices"
    }
    owners.update((one.id, one.customer) for one in bad if one.entity == "invoices")
    owners.update(mirror.owners(conn, row.id, "invoices", named))
    found: list[Quarantined] = []
    for one in bad:
        if not one.customer:
            customer = next(filter(None, (owners.get(each, "") for each in one.invoices)), "")
            one = msgspec.structs.replace(one, customer=customer)
        found.append(one)
    return found


def add_vanished(conn: Connection, row: BookRow, pull: Pull) -> None:
    """After a full pull: what it did not mention is gone, where the pull would have named it.

    A pull covers open invoices and money that matters to them. So a payment or credit that was
    not mentioned is gone if it had something unapplied or settles an invoice that is open; one
    that only settles closed invoices is merely out of the pull's sight, as is a returned payment.
    A customer is kept while an open invoice or a child names it. An estimate that waits for its
    invoice is listed.
    """
    readers: Mapping[str, Bodies[Payment] | Bodies[CreditNote]] = {
        "payments": _payments,
        "credits": _credits,
    }
    for entity, bodies in readers.items():
        for record_id, body in mirror.bodies(conn, row.id, entity):
            if pull.mentions(entity, record_id):
                continue
            if _would_be_named(bodies.read(body), pull.open_invoices):
                pull.vanish(entity, record_id)
    for record_id, body in mirror.bodies(conn, row.id, "estimates"):
        if not pull.mentions("estimates", record_id) and _estimates.read(body).status == "open":
            pull.vanish("estimates", record_id)
    needed = {one.customer for one in mirror.open_invoices(conn, row.id).values()}
    needed |= pull.named_customers
    for record_id, _ in mirror.bodies(conn, row.id, "customers"):
        if not pull.mentions("customers", record_id) and record_id not in needed:
            pull.vanish("customers", record_id)
    for held in quarantine.listed(conn, row.id):
        # Unreadable invoices that a pull passes over were read again by id.
        is_needed = not held.id.startswith(NAMELESS) and (
            held.entity == "invoices" or (held.entity == "customers" and held.id in needed)
        )
        if not is_needed and not pull.mentions(held.entity, held.id):
            pull.vanish(held.entity, held.id)


_estimates: Bodies[Estimate] = Bodies(Estimate)


def _take_away(
    conn: Connection, row: BookRow, pull: Pull, touched: set[str], *, seen_on: date
) -> dict[str, int]:
    """Documents that are gone; returns how many of each entity. Customers come last, by
    `_forget_customers`."""
    removed: dict[str, int] = {}
    for entity, ids in pull.gone.items():
        owners = mirror.owners(conn, row.id, entity, ids)
        if not owners:
            continue
        removed[entity] = len(owners)
        touched.update(owners.values())
        if entity == "invoices":
            mirror.mark_deleted(conn, row.id, ids, seen_on=seen_on)
        elif entity != "customers":
            mirror.remove(conn, row.id, entity, ids)
    return removed


def _adopted(
    conn: Connection, row: BookRow, pull: Pull, moved: Mapping[str, set[str]]
) -> dict[str, str]:
    """Merged customers: no longer active, and all that was open went to one other customer."""
    if not moved:
        return {}
    owing = {one.customer for one in mirror.open_invoices(conn, row.id).values()}
    known = mirror.customers_by_id(conn, row.id, moved)
    return {
        left: next(iter(taken))
        for left, taken in moved.items()
        if left in known
        and left not in owing
        and len(taken) == 1
        and (left in pull.gone["customers"] or not known[left].is_active)
    }


def _forget_customers(conn: Connection, row: BookRow, pull: Pull, removed: dict[str, int]) -> None:
    """Customers that are gone: those that something still names are kept by name."""
    gone = pull.gone["customers"]
    if not gone:
        return
    needed = {one.customer for one in mirror.open_invoices(conn, row.id).values()}
    needed |= mirror.parents(conn, row.id)
    by_name = {
        known.id
        for known in mirror.customers_by_id(conn, row.id, gone).values()
        if known.id in needed or (known.parent is not None and not known.is_active)
    }
    mirror.name_only(conn, row.id, by_name)
    mirror.remove(conn, row.id, "customers", gone - by_name)


def _would_be_named(money: Payment | CreditNote, open_now: Collection[str]) -> bool:
    if isinstance(money, Payment) and money.reversed_on is not None:
        return False  # what came back is history, and no ledger lists it among the open ones
    unapplied = money.unapplied if isinstance(money, Payment) else money.remaining
    return bool(unapplied) or any(part.invoice in open_now for part in money.allocations)


def _customer_of(record: Record) -> str:
    return record.id if isinstance(record, Customer) else record.customer
