"""Two ways of doing it that are wrong, and widespread. The laboratory has to say so.

Both plan and approve as ours does, keep the same records and talk to the same ledger; only the
order of sending and marking differs, and that nothing is looked for.
"""

import os
from collections.abc import Iterator
from itertools import count

import msgspec

from ar_bridge.channels.errors import ChannelError
from ar_bridge.context import BookContext
from ar_bridge.leased import finished, take
from ar_bridge.messages.late import LateSlots
from ar_bridge.planner import make_plan
from ar_bridge.reconciling import sync_book
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from ar_bridge.store.tables import effects as effects_table
from connectors.errors import ConnectorError
from connectors.port import Receipt
from rules.actions.effects import SendMessage
from tests.crashlab.protocols import approve_all

_numbers = count()


def send_then_mark(desk: BookContext) -> None:
    """Send, then note that it was sent: whoever dies in between sends it again."""
    for row, effect in _due(desk):
        _mark(desk, effect, _sent(desk, row, effect))


def mark_then_send(desk: BookContext) -> None:
    """Note that it was sent, then send: whoever dies in between never sends it."""
    for row, effect in _due(desk):
        _mark(desk, effect, None)
        _mark(desk, effect, _sent(desk, row, effect))


def _due(desk: BookContext) -> Iterator[tuple[ActionRow, EffectRow]]:
    """Each effect that is not marked; an action of which all are marked is closed."""
    sync_book(desk)
    make_plan(desk)
    approve_all(desk)
    with desk.store.read() as conn:
        rows = action_store.actions_in(conn, desk.book_id, ("approved",))
    for row in rows:
        with desk.store.read() as conn:
            pending = [one for one in outbox.effects_of(conn, row.id) if one.state == "pending"]
        for effect in pending:
            yield row, effect
        with desk.store.write() as conn:
            hand = take(conn, desk, row)
            assert hand is not None
            finished(conn, desk, hand)


def _sent(desk: BookContext, row: ActionRow, effect: EffectRow) -> Receipt | None:
    wanted = effect.effect
    try:
        if isinstance(wanted, SendMessage):
            is_draft = row.mode == "draft" and wanted.channel != "letter"
            channel = desk.channels["eml" if is_draft else wanted.channel]
            sent = channel.send(wanted, LateSlots(date=desk.clock.now()))
            return Receipt(id=sent.message_id, at=sent.at)
        # A new key each time, as from a generator of random ones.
        key = f"{os.getpid()}-{next(_numbers)}"
        return desk.connector.write(desk.connector.prepare(wanted, row.send_on), key)
    except (ChannelError, ConnectorError):
        return None


def _mark(desk: BookContext, effect: EffectRow, receipt: Receipt | None) -> None:
    told = msgspec.json.encode(receipt).decode() if receipt is not None else None
    with desk.store.write() as conn:
        conn.execute(
            effects_table.update()
            .where(
                effects_table.c.action_id == effect.action_id,
                effects_table.c.position == effect.position,
            )
            .values(state="done", receipt=told)
        )
