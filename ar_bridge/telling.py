"""A person's word, recorded here and told in the ledger: a tagged note outlives our own records.

Both in one transaction; the note itself is written by the next `apply` or `run`.
"""

from collections.abc import Sequence
from datetime import date

import msgspec
from sqlalchemy import Connection

from ar_bridge import words
from ar_bridge.context import BookContext
from ar_bridge.orders import OBSERVED, is_observed, order
from ar_bridge.store import mirror
from rules.actions.action import Item
from rules.actions.notes import Ended, NoteFacts, PartSaid
from rules.actions.words import RecordWord
from rules.model import (
    Commitment,
    CreditExpected,
    Dispute,
    Instalments,
    ItemKey,
    Pause,
    Placement,
    Promise,
    Stop,
    Withheld,
    format_minor,
)
from rules.model.commitment import kind_of

_DATED = (Pause, Withheld, CreditExpected)

LATER = "a note goes into the ledger with the next apply"


def tell(
    conn: Connection, desk: BookContext, commitment: Commitment, *, actor: str, currency: str = ""
) -> str:
    """Record what somebody said and order its note; returns what becomes of the note.

    `currency` is that of the amounts, where the commitment does not say.
    """
    words.record(conn, desk.book_id, commitment, at=desk.clock.now(), actor=actor)
    if is_observed(desk, commitment.customer):
        return OBSERVED.format(book=desk.name)
    facts = facts_of(commitment, currency)
    word = RecordWord(
        key=ItemKey(f"word/{commitment.id}"),
        customer=commitment.customer,
        currency=facts.currency,
        items=(_item(ItemKey(f"word/{commitment.id}")),),
        is_ordered=True,
        text=_signed(sentence(commitment, facts.currency), commitment.reason, actor),
        facts=facts,
        invoices=commitment.invoices,
        expected_on=_expected(conn, desk, commitment),
    )
    order(conn, desk, [word], actor=actor, reason=commitment.reason)
    return LATER


def tell_ended(
    conn: Connection,
    desk: BookContext,
    ended: Sequence[Commitment],
    *,
    kind: str,
    actor: str,
    reason: str,
    won_by: str = "",
) -> str:
    """End commitments of one customer and order one note about it; returns what becomes of it.

    `kind` is that of the note: dispute_end, resume or recall.
    """
    today = desk.today()
    for one in ended:
        words.end(
            conn,
            desk.book_id,
            one.id,
            on=today,
            at=desk.clock.now(),
            actor=actor,
            reason=reason,
            won_by=won_by,
        )
    customer = ended[0].customer
    if is_observed(desk, customer):
        return OBSERVED.format(book=desk.name)
    whole_account = any(not one.invoices for one in ended)
    invoices = () if whole_account else tuple(dict.fromkeys(i for e in ended for i in e.invoices))
    what = ", ".join(f"{kind_of(one)} of {one.on.isoformat()}" for one in ended)
    text = f"{today.isoformat()} ended: {what}" + (f", won by {won_by}" if won_by else "")
    items = tuple(_item(ItemKey(f"word/{one.id}/end")) for one in ended)
    word = RecordWord(
        key=items[0].key,
        customer=customer,
        items=items,
        is_ordered=True,
        text=_signed(text, reason, actor),
        facts=NoteFacts(
            kind=kind,
            on=today,
            won_by=won_by,
            ends=tuple(Ended(kind_of(one), one.on, ordinal_of(one)) for one in ended),
        ),
        invoices=invoices,
    )
    order(conn, desk, [word], actor=actor, reason=reason)
    return LATER


def ordinal_of(commitment: Commitment) -> int:
    """2 for the second of that kind, customer and day: `store.commitments.new_id` counts so."""
    first = f"{kind_of(commitment)}/{commitment.customer}/{commitment.on.isoformat()}/"
    rest = commitment.id.removeprefix(first)
    return int(rest) if rest != commitment.id and rest.isdecimal() else 1


def facts_of(commitment: Commitment, currency: str = "") -> NoteFacts:
    """What the machine part of its note says."""
    amount = getattr(commitment, "amount", None)
    facts = NoteFacts(
        kind=kind_of(commitment),
        on=commitment.on,
        ordinal=ordinal_of(commitment),
        due_on=commitment.due_on if isinstance(commitment, Promise) else None,
        until=commitment.until if isinstance(commitment, _DATED) else None,
        because=_ground(commitment),
        amount=amount,
        currency="" if amount is None else getattr(commitment, "currency", "") or currency,
        owner=commitment.owner,
        review_on=commitment.review_on,
        consented=isinstance(commitment, Promise) and commitment.consented,
    )
    if not isinstance(commitment, Instalments):
        return facts
    return msgspec.structs.replace(
        facts,
        parts=tuple(PartSaid(part.due_on, part.amount) for part in commitment.parts),
        until=max((part.due_on for part in commitment.parts), default=None),
        amount=sum(part.amount for part in commitment.parts),
        currency=commitment.currency or currency,
    )


def _ground(commitment: Commitment) -> str:
    if isinstance(commitment, Placement):
        return commitment.to
    return commitment.because if isinstance(commitment, Stop) else ""


def sentence(commitment: Commitment, currency: str) -> str:
    """What was said, for colleagues who read the note in the ledger."""
    day = commitment.on.isoformat()
    match commitment:
        case Promise():
            return (
                f"{day} promised to pay{_sum(commitment.amount, currency)} by {commitment.due_on}"
            )
        case Dispute():
            return f"{day} disputed{_sum(commitment.amount, currency)}"
        case Pause():
            return f"{day} paused until {commitment.until}"
        case Stop():
            return f"{day} everything stopped: {commitment.because}"
        case Withheld():
            return f"{day}{_sum(commitment.amount, currency)} withheld until {commitment.until}"
        case Placement():
            return f"{day} handed over to {commitment.name or commitment.to}"
        case CreditExpected():
            return f"{day} credit{_sum(commitment.amount, currency)} expected by {commitment.until}"
        case Instalments():
            return f"{day} {len(commitment.parts)} instalments agreed"


def _sum(amount: int | None, currency: str) -> str:
    if amount is None or not currency:
        return ""
    return f" {currency} {format_minor(amount, currency)}"


def _signed(text: str, reason: str, actor: str) -> str:
    return f"{text}; {reason} ({actor})" if reason else f"{text} ({actor})"


def _item(key: ItemKey) -> Item:
    return Item(key=key, kind="note")


def _expected(conn: Connection, desk: BookContext, commitment: Commitment) -> date | None:
    """The promised day, where the ledger can keep it: on one invoice of which nothing is paid."""
    if not isinstance(commitment, Promise) or len(commitment.invoices) != 1:
        return None
    if "set_expected_date" not in desk.connector.capabilities.effects:
        return None
    found = mirror.invoices_by_id(conn, desk.book_id, commitment.invoices)
    untouched = [one for one in found if one.status == "open" and one.balance == one.total]
    return commitment.due_on if untouched else None
