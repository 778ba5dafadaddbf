"""What we did, read back from the actions: the part of the book that ends repetition.

Planned actions are no history: they may still be withdrawn. Approved ones are, because they
will happen, and those whose outcome is unknown are, because they may have happened.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, Exists, and_, case, or_, select

from ar_bridge.store import task_results
from ar_bridge.store.bodies import Bodies, instant
from ar_bridge.store.parts import by_scanning, rows_of
from ar_bridge.store.tables import action_items, actions, invoices
from rules.model import CustomerId, FeeId, FeePosted, InvoiceId, ItemKey, Served, Waiver
from rules.model.history import COUNTED_KINDS, ServedState

_STATES: Final[dict[str, ServedState]] = {
    "approved": "approved",
    "leased": "approved",
    "unknown": "unknown",
    "parked": "unknown",
    "done": "done",
}

_IS_OF_ACCOUNT: Final = and_(action_items.c.invoice.is_(None), action_items.c.stage.is_not(None))


class _Charge(msgspec.Struct):
    """The part of a stored ChargeLateFee that history needs; its derivation is skipped."""

    invoice: InvoiceId
    fee_id: FeeId
    through: date
    charge: int
    parts: tuple["_Part", ...] = ()


class _Part(msgspec.Struct):
    key: ItemKey
    invoice: InvoiceId
    amount: int
    is_minimum: bool = False


class _TakenBack(msgspec.Struct):
    """The part of a stored WaiveLateFee that history needs."""

    document: str
    waived: int
    invoice: InvoiceId
    reason: str = ""
    is_ordered: bool = False
    is_reverted: bool = False
    is_correction: bool = False


_Row: TypeAlias = Any
"""A row about a fee: id, kind, key, state, customer, number, currency, day, body."""


class _Covering(msgspec.Struct):
    """The part of a stored action about a whole account that history needs."""

    covers: tuple[InvoiceId, ...] = ()


_day = lru_cache(maxsize=2_048)(date.fromisoformat)
_moment = lru_cache(maxsize=2_048)(instant)

_coverings: Bodies[_Covering] = Bodies(_Covering)
_charges: Bodies[_Charge] = Bodies(_Charge)
_taken_back: Bodies[_TakenBack] = Bodies(_TakenBack)


def _in_states(customers: Collection[str] | None) -> ColumnElement[bool]:
    """Of a few customers all actions are read: there are fewer of them than in these states."""
    state = actions.c.state if customers is None else by_scanning(actions.c.state)
    return state.in_(_STATES)


def served_items(
    conn: Connection,
    book_id: int,
    *,
    since: date,
    customers: Collection[str] | None = None,
    without: Collection[int] = (),
) -> list[Served]:
    """Every item of every action that was approved, may have been done, or was done.

    Older than `since` only what concerns an invoice that is still open, or a whole account.
    """
    still_open = (
        select(invoices.c.id)
        .where(
            invoices.c.book_id == book_id,
            invoices.c.id == action_items.c.invoice,
            invoices.c.status == "open",
        )
        .exists()
    )
    query = (
        select(
            action_items.c.key,
            action_items.c.kind,
            action_items.c.invoice,
            action_items.c.stage,
            actions.c.id,
            actions.c.key.label("message"),
            actions.c.state,
            actions.c.customer,
            actions.c.channel,
            actions.c.send_on,
            actions.c.ended_at,
            case((_IS_OF_ACCOUNT, actions.c.body)).label("body"),
        )
        .join(actions, actions.c.id == action_items.c.action_id)
        .where(
            actions.c.book_id == book_id,
            _in_states(customers),
            or_(
                actions.c.send_on >= since.isoformat(),
                action_items.c.invoice.is_(None),
                still_open,
            ),
        )
        .order_by(actions.c.send_on, actions.c.id, action_items.c.key)
    )
    rows = rows_of(conn, query, actions.c.customer, customers)
    # By position, and each text of a day read once: of a large book this is the longest list.
    items = [
        Served(
            on=_day(send_on),
            kind=kind,
            customer=customer,
            invoice=invoice,
            stage=stage,
            channel=channel,
            key=key,
            # Items of one letter are posted together, whatever its kind.
            message=message if kind in COUNTED_KINDS or channel == "letter" else "",
            state=_STATES[state],
            sent_at=_moment(ended_at) if state == "done" else None,
            covers=_coverings.read(body).covers if body else (),
        )
        for (
            key,
            kind,
            invoice,
            stage,
            row_id,
            message,
            state,
            customer,
            channel,
            send_on,
            ended_at,
            body,
        ) in rows
        if row_id not in without
    ]
    return items + _spoken(conn, book_id, since, customers)


def _spoken(
    conn: Connection, book_id: int, since: date, customers: Collection[str] | None
) -> list[Served]:
    """Calls in which somebody was spoken to: contacts like any other."""
    return [
        Served(
            on=on,
            kind="call",
            customer=CustomerId(customer),
            channel="call",
            key=ItemKey(f"call_made/{key}/{number}"),
            message=f"call_made/{key}/{number}",
        )
        for key, customer, on, number in task_results.spoken(
            conn, book_id, since=since, customers=customers
        )
    ]


def fees_posted(
    conn: Connection,
    book_id: int,
    *,
    customers: Collection[str] | None = None,
    without: Collection[int] = (),
) -> tuple[list[FeePosted], list[Waiver]]:
    """Late fees of ours that were posted, will be, or may have been; of a document about a whole
    account the part of each invoice. And what was taken back of them (`fees_taken_back`): both
    are read with one query."""
    fees: list[FeePosted] = []
    waivers: list[_Row] = []
    for row in _about_fees(conn, book_id, ("late_fee", "fee_waiver"), customers, without):
        _, kind, key, state, customer, number, currency, send_on, body = row
        if kind == "fee_waiver":
            waivers.append(row)
            continue
        charge = _charges.read(body)
        whole = FeePosted(
            on=_day(send_on),
            invoice=charge.invoice,
            customer=customer,
            fee=charge.fee_id,
            amount=charge.charge,
            currency=currency,
            through=charge.through,
            key=key,
            document=number,
            state=_STATES[state],
        )
        if not charge.parts:
            fees.append(whole)
            continue
        fees += [
            msgspec.structs.replace(
                whole,
                invoice=part.invoice,
                amount=part.amount,
                key=part.key,
                account_key=whole.key,
                is_minimum=part.is_minimum,
            )
            for part in charge.parts
        ]
    return fees, _waivers(waivers)


def fees_taken_back(conn: Connection, book_id: int) -> list[Waiver]:
    """Corrections that were carried out, and waivers that the rules proposed and a person
    approved. What a person waives by their own word is recorded when they say it
    (`store.waivers`).

    A correction that is still under way frees nothing to be charged again: it may yet fail.
    """
    return _waivers(_about_fees(conn, book_id, ("fee_waiver",), None, ()))


def _about_fees(
    conn: Connection,
    book_id: int,
    kinds: Sequence[str],
    customers: Collection[str] | None,
    without: Collection[int],
) -> list[_Row]:
    query = (
        select(
            actions.c.id,
            actions.c.kind,
            actions.c.key,
            actions.c.state,
            actions.c.customer,
            actions.c.number,
            actions.c.currency,
            actions.c.send_on,
            actions.c.body,
        )
        .where(
            actions.c.book_id == book_id,
            actions.c.kind.in_(kinds),
            _in_states(customers),
        )
        .order_by(actions.c.send_on, actions.c.id)
    )
    rows = rows_of(conn, query, actions.c.customer, customers)
    return [row for row in rows if row[0] not in without]


def _waivers(rows: Iterable[_Row]) -> list[Waiver]:
    found = [
        (state, _day(send_on), _taken_back.read(body))
        for _, _, _, state, _, _, _, send_on, body in rows
    ]
    return [
        Waiver(
            on=on,
            document=one.document,
            amount=one.waived,
            reason=one.reason,
            kind="correction" if one.is_correction else "waiver",
            # Undone is a document as a whole, whoever bears parts of it.
            invoice=None if one.is_reverted else one.invoice,
        )
        for state, on, one in found
        if (state == "done" if one.is_correction else one.is_reverted or not one.is_ordered)
    ]


def charged_invoices(book_id: int) -> Exists:
    """A condition on invoices: we charged a fee for it, or are about to."""
    return (
        select(action_items.c.invoice)
        .where(
            action_items.c.book_id == book_id,
            action_items.c.invoice == invoices.c.id,
            action_items.c.kind == "late_fee",
            action_items.c.state.in_(_STATES),
        )
        .exists()
    )


def customers_on_ladder(
    conn: Connection,
    book_id: int,
    since: date,
    stages: Collection[str],
    *,
    customers: Collection[str] | None = None,
) -> frozenset[str]:
    """Payers who were served one of these stages of whole accounts since a day."""
    if not stages:
        return frozenset()
    query = (
        select(actions.c.customer)
        .join(action_items, actions.c.id == action_items.c.action_id)
        .where(
            actions.c.book_id == book_id,
            _in_states(customers),
            actions.c.send_on >= since.isoformat(),
            action_items.c.invoice.is_(None),
            action_items.c.stage.in_(sorted(stages)),
        )
        .distinct()
    )
    return frozenset(row.customer for row in rows_of(conn, query, actions.c.customer, customers))
