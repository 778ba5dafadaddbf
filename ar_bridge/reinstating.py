"""Undoing a waiver: what was let off may be charged again.

Nothing of the old document comes back: the ledger took it back for good. The amount no longer
counts as posted, so that the next occasion of the fee charges what is owed, as a document of its
own that a message announces. A note on the invoice keeps the person's word.
"""

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.orders import Ordered, order
from ar_bridge.store import mirror, waivers
from ar_bridge.store.history import fees_taken_back
from ar_bridge.waiving import fees_named, ledger_document
from rules.actions.action import Item
from rules.actions.fee_waiver import ReinstateLateFee
from rules.model import FeePosted, ItemKey, Minor, Waiver, format_minor


class Reinstating(msgspec.Struct, frozen=True, kw_only=True):
    """One fee document and what may be charged again of it."""

    fee: FeePosted
    amount: Minor
    is_part: bool = False
    """Of a document about a whole account only the part of one invoice."""

    def __str__(self) -> str:
        money = f"{self.fee.currency} {format_minor(self.amount, self.fee.currency)}"
        return f"{self.fee.document}, {self.fee.fee}: {money} may be charged again"


def to_reinstate(
    conn: Connection,
    desk: BookContext,
    name: str,
    *,
    fee: str | None = None,
    amount: Minor | None = None,
) -> Reinstating:
    """What of a fee document, or of the fee of an invoice, may be charged again.

    What was waived here, or taken back by hand in the ledger. Raises UsageError where that is
    nothing, or less than `amount`, or where several documents are meant.
    """
    found = [
        (one, most)
        for one in fees_named(conn, desk, name, fee)
        if (most := _let_off(conn, desk, one)) > 0
    ]
    if not found:
        raise UsageError(
            f"Nothing of {name} was waived: there is nothing to reinstate.",
            remedy="ar-bridge explain tells what stands",
        )
    if len(found) > 1:
        raise UsageError(
            f"Several fees of {name} were waived: which one is meant?",
            problems=[f"{one.document}, {one.fee}" for one, _ in found],
            remedy="name the fee document",
        )
    ((one, most),) = found
    if amount is not None and not 0 < amount <= most:
        raise UsageError(
            f"Between 0.01 and {format_minor(most, one.currency)} of {one.document} can be "
            "reinstated.",
            remedy="leave --amount out for all of it",
        )
    (whole,) = fees_named(conn, desk, one.document, None)
    return Reinstating(
        fee=one,
        amount=most if amount is None else amount,
        is_part=one.amount < whole.amount,
    )


def _let_off(conn: Connection, desk: BookContext, fee: FeePosted) -> Minor:
    """Waived and not reinstated before; all of a document that was voided by hand."""
    (whole,) = fees_named(conn, desk, fee.document, None)
    is_part = fee.amount < whole.amount
    waived = 0
    for one in (*waivers.listed(conn, desk.book_id), *fees_taken_back(conn, desk.book_id)):
        is_theirs = one.invoice is None or one.invoice == fee.invoice or not is_part
        if one.document == fee.document and one.kind != "correction" and is_theirs:
            waived += one.amount if one.kind == "waiver" else -one.amount
    if not waived and ledger_document(conn, desk, fee)[3] in ("void", "deleted"):
        return fee.amount - fee.corrected
    return min(waived, fee.amount - fee.corrected)


def reinstate(
    conn: Connection, desk: BookContext, one: Reinstating, *, actor: str, reason: str
) -> Ordered:
    """Record it, and order the note, in the caller's transaction. Raises UsageError where the
    book observes."""
    fee = one.fee
    told = Waiver(
        on=desk.today(),
        document=fee.document,
        amount=one.amount,
        reason=reason,
        kind="reinstatement",
        invoice=fee.invoice if one.is_part else None,
    )
    waivers.add(conn, desk.book_id, told)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor=actor,
        event="WaiverReinstated",
        subject=fee.document,
        payload={**msgspec.to_builtins(told), "currency": fee.currency},
    )
    mirror.decide_again(conn, desk.book_id, [fee.customer])
    key = ItemKey(f"reinstated/{fee.document}/{fee.invoice}/{fee.corrected}")
    action = ReinstateLateFee(
        key=key,
        customer=fee.customer,
        currency=fee.currency,
        items=(Item(key=key, kind="note", invoice=fee.invoice, fee=fee.fee),),
        is_ordered=True,
        invoice=fee.invoice,
        document=fee.document,
        reinstated=one.amount,
        reason=reason,
    )
    return order(conn, desk, [action], actor=actor, reason=reason)
