"""A person's order to hand invoices over, to take them back, and what was paid meanwhile."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.hand_off.csv_text import csv_bytes
from ar_bridge.hand_off.dossier import movements
from ar_bridge.store import commitments
from ar_bridge.telling import tell, tell_ended
from ar_bridge.words import the_customer, the_invoice
from rules.account_day import AccountDay
from rules.aging import is_fee_document, is_open
from rules.frame import Frame
from rules.guards.base import Hold
from rules.hand_off import NEVER_OVERRIDDEN, all_unmet, precondition, too_small
from rules.model import Account, Customer, Invoice, Placement, format_minor
from rules.reasons import sentence

MOST_LISTED: Final = 20


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Invoices that may be handed over, and what a person set aside for that."""

    payer: Customer
    invoices: tuple[Invoice, ...]
    overridden: tuple[str, ...]
    """Preconditions that did not hold and were set aside."""
    told: tuple[str, ...]
    """What they say, for the screen."""


class PaidSince(msgspec.Struct, frozen=True, kw_only=True):
    """Money or credit that came for an invoice while it was placed."""

    placement: Placement
    customer: Customer
    invoice: Invoice
    on: date
    kind: str
    id: str
    amount: int


def ready(
    conn: Connection,
    desk: BookContext,
    name: str,
    invoices: Sequence[str],
    overrides: Collection[str],
) -> Ready:
    """The invoices of a customer that are handed over: those named, else all that are overdue.

    Raises UsageError with every precondition that does not hold and was not set aside.
    """
    owner = the_customer(conn, desk.book_id, name)
    today = desk.today()
    book = desk.load(conn, today, {owner.id}, ())
    payer = book.payer_of(owner.id)
    account = next((one for one in book.accounts() if one.payer.id == payer), None)
    if account is None:
        raise UsageError(f"{owner.name} has no account.", remedy="ar-bridge sync reads it")
    day = AccountDay(Frame(book, desk.policy, today), account)
    chosen = _chosen(conn, desk, day, owner, invoices)
    found: list[tuple[str, Hold]] = [
        (invoice.number, held) for invoice in chosen for held in all_unmet(day, invoice)
    ]
    currencies = sorted({invoice.currency for invoice in chosen})
    for currency in currencies:
        small = too_small(day, [one for one in chosen if one.currency == currency])
        if small is not None:
            found.append((currency, small))
    wanted = {precondition(one) for one in overrides}
    in_the_way = [
        (held, precondition(held.code))
        for _, held in found
        if held.code in NEVER_OVERRIDDEN or precondition(held.code) not in wanted
    ]
    if in_the_way:
        names = sorted({name for held, name in in_the_way if held.code not in NEVER_OVERRIDDEN})
        options = " ".join(f"--override {name}" for name in names)
        fixed = any(held.code in NEVER_OVERRIDDEN for held, _ in in_the_way)
        remedy = f"a person may set aside with a reason: {options}" if names else ""
        if fixed:
            remedy = "; ".join(
                part for part in ("leave those out with --invoice NUMBER", remedy) if part
            )
        raise UsageError(
            f"{account.payer.name} is not ready to be handed over.",
            problems=_sentences([held for held, _ in in_the_way]),
            remedy=remedy,
        )
    unknown = wanted - {precondition(held.code) for _, held in found}
    if unknown:
        raise UsageError(
            f"Nothing of that kind stands in the way: {', '.join(sorted(unknown))}.",
            remedy="leave out --override",
        )
    return Ready(
        payer=account.payer,
        invoices=tuple(chosen),
        overridden=tuple(sorted(wanted)),
        told=tuple(_sentences([held for _, held in found])),
    )


def _sentences(found: Sequence[Hold]) -> list[str]:
    said = [
        f"{sentence(reason)} ({precondition(held.code)})"
        for held in found
        for reason in held.reasons
    ]
    return list(dict.fromkeys(said))[:MOST_LISTED]


def _chosen(
    conn: Connection,
    desk: BookContext,
    day: AccountDay,
    owner: Customer,
    names: Sequence[str],
) -> list[Invoice]:
    account = day.account
    if names:
        wanted = {the_invoice(conn, desk.book_id, name).id for name in names}
        chosen = [one for one in account.invoices if one.id in wanted]
        strangers = len(wanted) - len(chosen)
        if strangers:
            raise UsageError(
                f"{strangers} of these are not invoices of {owner.name}.",
                remedy="one command a customer",
            )
    else:
        chosen = [
            one
            for one in account.invoices
            if is_open(one)
            and not is_fee_document(one)
            and one.due_on is not None
            and one.due_on < day.today
            and one.id not in day.placed
        ]
    if not chosen:
        raise UsageError(
            f"Nothing of {owner.name} is overdue and not handed over yet.",
            remedy="ar-bridge explain says what stands",
        )
    early = [one.number for one in chosen if one.due_on is None or one.due_on >= day.today]
    if early:
        raise UsageError(
            f"{', '.join(early)} is not overdue.", remedy="only overdue invoices are handed over"
        )
    return chosen


def hand_over(
    conn: Connection, desk: BookContext, one: Ready, *, actor: str, reason: str
) -> tuple[Placement, str]:
    """Record the placement and order its note, in the caller's transaction; returns what becomes
    of the note too."""
    today = desk.today()
    rules = desk.policy.hand_off
    placement = Placement(
        id=commitments.new_id(conn, desk.book_id, "placement", one.payer.id, today),
        customer=one.payer.id,
        invoices=tuple(invoice.id for invoice in one.invoices),
        on=today,
        reason=reason,
        actor=actor,
        to=rules.to,
        name=rules.agency.name,
        overridden=one.overridden,
    )
    return placement, tell(conn, desk, placement, actor=actor)


def placements(
    conn: Connection, desk: BookContext, name: str | None = None, *, with_ended: bool = False
) -> list[Placement]:
    """Placements that stand, of one customer or of all; with those that were recalled if asked."""
    customers: set[str] | None = None
    if name is not None:
        owner = the_customer(conn, desk.book_id, name)
        book = desk.load(conn, desk.today(), {owner.id}, ())
        customers = {owner.id, book.payer_of(owner.id)}
    found = commitments.listed(
        conn,
        desk.book_id,
        customers=customers,
        standing_on=None if with_ended else desk.today(),
    )
    return [one for one in found if isinstance(one, Placement)]


def recall(
    conn: Connection,
    desk: BookContext,
    name: str,
    invoices: Sequence[str],
    *,
    actor: str,
    reason: str,
) -> tuple[list[Placement], str]:
    """Take placements back: reminders and fees may go on. Raises UsageError."""
    standing = placements(conn, desk, name)
    if invoices:
        wanted = {the_invoice(conn, desk.book_id, number).id for number in invoices}
        standing = [one for one in standing if wanted & set(one.invoices)]
        others = {i for one in standing for i in one.invoices} - wanted
        if others:
            raise UsageError(
                "What was handed over together is taken back together.",
                problems=[f"also in it: {', '.join(sorted(others))}"],
                remedy="leave out --invoice, or name them all",
            )
    if not standing:
        raise UsageError(
            f"Nothing of {name} is with an agency or a lawyer.",
            remedy="ar-bridge explain INVOICE says what stands",
        )
    return standing, tell_ended(conn, desk, standing, kind="recall", actor=actor, reason=reason)


def paid_since(conn: Connection, desk: BookContext, name: str | None = None) -> list[PaidSince]:
    """What came in for placed invoices after they were placed, for the agency to know: payments,
    payments returned, credits; in order of their day."""
    found: list[PaidSince] = []
    for placement in placements(conn, desk, name, with_ended=True):
        book = desk.load(conn, desk.today(), {placement.customer}, ())
        payer = book.payer_of(placement.customer)
        for account in book.accounts():
            if account.payer.id == payer:
                found += _since(account, placement)
    return sorted(found, key=lambda one: (one.on, one.placement.id, one.invoice.number, one.id))


def _since(account: Account, placement: Placement) -> list[PaidSince]:
    return [
        PaidSince(
            placement=placement,
            customer=account.payer,
            invoice=invoice,
            on=one.on,
            kind=one.kind,
            id=one.id,
            amount=one.amount,
        )
        for invoice in account.invoices
        if placement.binds(invoice.id)
        for one in movements(account, invoice.id)
        if max(one.on, one.known_on or one.on) > placement.on
        and (placement.ended_on is None or one.on < placement.ended_on)
    ]


PAYMENT_COLUMNS: Final = (
    "client_no",
    "account_no",
    "debtor_name",
    "invoice_no",
    "date",
    "what",
    "reference",
    "currency",
    "amount",
    "principal_left",
    "placed_on",
)


def payments_csv(found: Sequence[PaidSince], client_no: str) -> bytes:
    """The file for the agency: a row for each payment, return and credit."""
    return csv_bytes(
        PAYMENT_COLUMNS,
        (
            (
                client_no,
                one.customer.id,
                one.customer.name,
                one.invoice.number,
                one.on,
                one.kind,
                one.id,
                one.invoice.currency,
                format_minor(one.amount, one.invoice.currency),
                format_minor(
                    one.invoice.balance if one.invoice.status == "open" else 0,
                    one.invoice.currency,
                ),
                one.placement.on,
            )
            for one in found
        ),
    )
