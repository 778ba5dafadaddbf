"""What undoes each kind of thing that was done, and what has to be said of it.

A late fee is let off, a credit hold released, a task closed; beside a note a correction is
written; what only a person can undo becomes a task. What left the house is told of to whoever
got it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

import msgspec
from sqlalchemy import Connection

from ar_bridge.apologising import Told
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, commitments, mirror, task_results
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from ar_bridge.waiving import to_waive, waiver_of
from rules.actions.action import Action, Item
from rules.actions.apology import CloseTask, SendApology, Wrong
from rules.actions.effects import PostCredit, PostNote, SendLedgerInvoice, SendMessage, SetHold
from rules.actions.fee_waiver import ReinstateLateFee, WaiveLateFee
from rules.actions.hand_off import HandOff
from rules.actions.internal import OpenTask, PlaceCreditHold, ReleaseCreditHold
from rules.actions.late_fee import ChargeLateFee
from rules.actions.notes import NoteFacts
from rules.actions.notice import MailNotice
from rules.actions.words import RecordWord
from rules.credit_state import UNDONE
from rules.model import CustomerId, InvoiceId, ItemKey, Placement

CORRECTION = "correction"
"""Kind of a note that says of another one that it no longer holds."""

NOT_KNOWN: Final = (
    "our records of it were lost: whether the customer was told of it is not known, and no apology "
    "is written"
)

Verdict: TypeAlias = Literal["undone", "apologised", "left"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one thing that was done."""

    key: str
    """Of the action."""
    verdict: Verdict
    """Undone, only apologised for, or left as it is."""
    text: str


class Found(msgspec.Struct, kw_only=True):
    """What was gathered so far: lines to show, actions to propose, customers to write to."""

    lines: list[Line] = []
    actions: list[Action] = []
    told: list[Told] = []

    def say(self, row: ActionRow, verdict: Verdict, text: str) -> None:
        """Add a line about one action."""
        self.lines.append(Line(key=row.key, verdict=verdict, text=text))


def compensations(
    conn: Connection,
    desk: BookContext,
    found: Found,
    row: ActionRow,
    done: Sequence[EffectRow],
    reason: str,
) -> Iterator[Action]:
    """What undoes an action, by the effects of it that are done; what it comes to, and what cannot
    be undone, is said in `found`."""
    action = row.action
    if isinstance(action, WaiveLateFee | ReinstateLateFee):
        other = "reinstate" if isinstance(action, WaiveLateFee) else "waive"
        found.say(row, "left", f"ar-bridge {other} {action.document} undoes it")
        return
    if isinstance(action, RecordWord) and action.facts.kind != CORRECTION:
        found.say(row, "left", "a word that was taken down: ar-bridge holds says how it ends")
        return
    is_correction = isinstance(action, RecordWord) and action.facts.kind == CORRECTION
    if is_correction or isinstance(action, CloseTask | SendApology | MailNotice):
        found.say(row, "left", "it cannot be undone, and needs not be")
        return
    if isinstance(action, ChargeLateFee):
        yield from _fee(conn, desk, found, row, reason)
        return
    for effect in done:
        what = effect.effect
        if isinstance(what, SetHold):
            yield from _hold(conn, desk, found, row, reason)
        elif isinstance(what, PostNote) and not isinstance(action, PlaceCreditHold):
            yield _correction(desk, row, what, reason)
            found.say(row, "undone", "a note says beside its note that it no longer holds")
        elif isinstance(what, PostCredit):
            yield _by_hand(desk, row, f"take credit note {what.number} back in the ledger", reason)
            found.say(row, "undone", f"a task asks for credit note {what.number} to be taken back")
        elif isinstance(what, SendMessage | SendLedgerInvoice):
            found.told.append(_sent(conn, desk, row, what))
        elif not isinstance(what, PostNote):
            found.say(row, "left", f"{effect.name} cannot be undone from here: look in the ledger")
    if isinstance(action, HandOff):
        yield from _hand_off(conn, desk, found, row, reason)
    elif isinstance(action, OpenTask):
        yield from _task(conn, desk, found, row, reason)


def _fee(
    conn: Connection, desk: BookContext, found: Found, row: ActionRow, reason: str
) -> Iterator[Action]:
    charge = row.action
    assert isinstance(charge, ChargeLateFee)
    try:
        chosen = to_waive(conn, desk, row.number)
    except UsageError as error:
        for problem in error.problems or [str(error)]:
            found.say(row, "left", problem)
        return
    for one in chosen:
        waiver = waiver_of(conn, desk, one, reason, False)
        if one.again is None:
            waiver = msgspec.structs.replace(waiver, is_reverted=True)
        yield waiver
        found.say(row, "undone", one.told("let off"))
        wrong = Wrong(
            kind="fee",
            on=row.send_on,
            what=row.number,
            amount=one.amount,
            numbers=_numbers(conn, desk, action_invoices(charge)),
        )
        if _was_announced(conn, desk, charge):
            text = f"the customer was told of {row.number}"
            found.told.append(Told(row=row, wrong=wrong, text=text))


def of_document(
    conn: Connection, desk: BookContext, found: Found, document: str, reason: str
) -> Iterator[Action]:
    """What undoes a fee of which only the ledger tells, since our own records were lost. Whether
    its customer was told of it nobody knows any more."""
    try:
        chosen = to_waive(conn, desk, document)
    except UsageError as error:
        for problem in error.problems or [str(error)]:
            found.lines.append(Line(key=document, verdict="left", text=problem))
        return
    for one in chosen:
        waiver = waiver_of(conn, desk, one, reason, False)
        if one.again is None:
            waiver = msgspec.structs.replace(waiver, is_reverted=True)
        yield waiver
        found.lines += (
            Line(key=document, verdict="undone", text=one.told("let off")),
            Line(key=document, verdict="left", text=NOT_KNOWN),
        )


def _was_announced(conn: Connection, desk: BookContext, charge: ChargeLateFee) -> bool:
    """Whether a message about the fee went out, or may have."""
    if not charge.notice:
        return True  # of a person's order nobody knows who was told
    known = action_store.latest_revisions(conn, desk.book_id, {str(charge.notice)})
    notice = known.get(str(charge.notice))
    return notice is not None and notice.state in ("done", "unknown", "parked")


def _hold(
    conn: Connection, desk: BookContext, found: Found, row: ActionRow, reason: str
) -> Iterator[Action]:
    action = row.action
    if not isinstance(action, PlaceCreditHold) or not action.is_on:
        found.say(row, "left", "the rules place the hold again where its ground stands")
        return
    later = [
        one
        for one in action_store.actions_in(conn, desk.book_id, ("done",), kind="credit_release")
        if one.customer == row.customer and one.id > row.id
    ]
    customer = mirror.customers_by_id(conn, desk.book_id, [row.customer]).get(row.customer)
    is_told = desk.connector.capabilities.shows_holds and _is_read(conn, desk, row)
    if later or (is_told and customer is not None and not customer.is_on_hold):
        found.say(row, "left", "the hold was released since")
        return
    key = ItemKey(f"{UNDONE}{row.key}")
    yield ReleaseCreditHold(
        key=key,
        customer=action.customer,
        currency=action.currency,
        items=(Item(key=key, kind=ReleaseCreditHold.kind),),
        covers=action.about,
        is_ordered=True,
        text=f"placed by mistake on {row.send_on}: {reason}",
    )
    found.say(
        row,
        "undone",
        "the hold is released; where its ground stands, a [credit] rule places it again once the "
        "account changes, or in a while: correct the ground too",
    )
    wrong = Wrong(kind="hold", on=row.send_on)
    found.told.append(Told(row=row, wrong=wrong, text="deliveries on credit were stopped"))


def _is_read(conn: Connection, desk: BookContext, row: ActionRow) -> bool:
    """Whether the ledger was read since the action was done."""
    synced = books.get(conn, desk.book_id).synced_at
    return synced is not None and row.ended_at is not None and synced > row.ended_at


def _correction(desk: BookContext, row: ActionRow, note: PostNote, reason: str) -> RecordWord:
    key = ItemKey(f"{CORRECTION}/{note.mark.strip('[]')}")
    today = desk.today()
    return RecordWord(
        key=key,
        customer=note.customer,
        currency=row.currency,
        items=(Item(key=key, kind=RecordWord.kind),),
        is_ordered=True,
        text=f"{today.isoformat()} correction: the note of {row.send_on} ({note.mark.strip('[]')}) "
        f"was a mistake: {reason}",
        facts=NoteFacts(kind=CORRECTION, on=today),
        invoices=note.invoices,
    )


def _sent(
    conn: Connection, desk: BookContext, row: ActionRow, what: SendMessage | SendLedgerInvoice
) -> Told:
    numbers = _numbers(conn, desk, action_invoices(row.action))
    if isinstance(what, SendLedgerInvoice):
        wrong = Wrong(
            kind="invoice",
            on=row.send_on,
            what=", ".join(_numbers(conn, desk, [what.invoice])),
            numbers=numbers,
        )
        return Told(row=row, wrong=wrong, text="the invoice that was mailed cannot be called back")
    sent = "letter" if what.channel == "letter" else "message"
    wrong = Wrong(kind="message", on=row.send_on, what=what.subject, numbers=numbers)
    return Told(row=row, wrong=wrong, text=f"the {sent} {what.subject!r} cannot be called back")


def _hand_off(
    conn: Connection, desk: BookContext, found: Found, row: ActionRow, reason: str
) -> Iterator[Action]:
    action = row.action
    assert isinstance(action, HandOff)
    about = set(action.invoices)
    standing = [
        one
        for one in commitments.listed(
            conn, desk.book_id, customers=[row.customer], standing_on=desk.today()
        )
        if isinstance(one, Placement) and about & set(one.invoices)
    ]
    if not standing:
        found.say(row, "left", "it was recalled since")
        return
    whom = action.whom or action.to
    yield _by_hand(
        desk,
        row,
        f"ask {whom} to stop and to send the papers back, then: ar-bridge handoff recall",
        reason,
        owner=action.owner,
    )
    found.say(row, "undone", f"a task asks for it to be recalled from {whom}")
    numbers = _numbers(conn, desk, action.invoices)
    wrong = Wrong(kind="hand_off", on=row.send_on, what=action.whom, numbers=numbers)
    text = f"the invoices were given to {whom}"
    found.told.append(Told(row=row, wrong=wrong, text=text))


def _by_hand(
    desk: BookContext, row: ActionRow, text: str, reason: str, *, owner: str = ""
) -> OpenTask:
    """What only a person can undo, as a task."""
    digest = hashlib.sha256(f"{row.key}|{text}".encode()).hexdigest()[:8]
    key = ItemKey(f"undo/{row.id}-{row.revision}/{digest}")
    about = action_invoices(row.action)
    return OpenTask(
        key=key,
        customer=CustomerId(row.customer),
        currency=row.currency,
        items=(Item(key=key, kind=OpenTask.kind),),
        covers=tuple(about),
        is_ordered=True,
        text=f"{text[0].upper()}{text[1:]}. Done by mistake on {row.send_on}: {reason}",
        due_on=desk.today(),
        owner=owner,
    )


def _task(
    conn: Connection, desk: BookContext, found: Found, row: ActionRow, reason: str
) -> Iterator[Action]:
    results = task_results.listed(conn, desk.book_id, action_ids={row.id}).get(row.id, ())
    ended = next((one for one in results if one.result in task_results.ENDS), None)
    if ended is not None:
        found.say(row, "left", f"it was finished on {ended.on} by {ended.actor}")
        return
    key = ItemKey(f"closing/{row.key}")
    yield CloseTask(
        key=key,
        customer=CustomerId(row.customer),
        items=(Item(key=key, kind=CloseTask.kind),),
        is_ordered=True,
        task=ItemKey(row.key),
        text=f"opened by mistake: {reason}",
    )
    found.say(row, "undone", "it is taken off the worklist")


def action_invoices(action: Action) -> Sequence[InvoiceId]:
    """The invoices that it was about, whatever its kind."""
    qualified: Sequence[InvoiceId] = getattr(action, "qualified", ())
    return tuple(dict.fromkeys((*action.about, *qualified)))


def _numbers(conn: Connection, desk: BookContext, ids: Iterable[InvoiceId]) -> tuple[str, ...]:
    wanted = list(dict.fromkeys(ids))
    known = {one.id: one.number for one in mirror.invoices_by_id(conn, desk.book_id, wanted)}
    return tuple(known.get(one, str(one)) for one in wanted)
