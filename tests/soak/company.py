"""A company whose `ar-bridge` runs in processes that are killed."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from ar_bridge.clock import VirtualClock
from ar_bridge.home import Home
from ar_bridge.settings import Settings, load_settings
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.engine import Store, open_store
from ar_bridge.store.outbox import EffectRow
from ar_bridge.store.tables import ACTION_STATES
from ar_bridge.wiring import connected_row, database_url
from rules.actions.effects import AttachFile, PostCharge, PostNote, ReverseCharge, SendMessage
from tests.cli.newcomer import LedgerName, Newcomer
from tests.soak.clock import SharedClock
from tests.soak.processes import KILLED, Nursery, Process
from tests.soak.traps import End, Trap, WatchedMailbox

LEASE = timedelta(minutes=11)
"""After that, what a dead process held is free."""


class Company(Newcomer):
    """A newcomer who starts processes."""

    mailbox: WatchedMailbox

    def __init__(
        self,
        home: Any,
        capture: pytest.CaptureFixture[str],
        ledger: LedgerName,
        nursery: Nursery,
        events: Sequence[dict[str, Any]],
        start: Any,
    ) -> None:
        home.parent.mkdir(parents=True, exist_ok=True)
        time = SharedClock(home.parent / f"{home.name}.clock", start)
        self.trap = Trap()
        mailbox = WatchedMailbox(self.trap)
        mailbox.start()
        super().__init__(home, capture, ledger, mailbox, events=events, clock=time)
        self.clock = cast(VirtualClock, time)
        self.time = time
        self.running.close()
        self.running = self.trap.around(self.sandbox)
        self._nursery = nursery

    def close(self) -> None:
        super().close()
        self.mailbox.stop()

    # processes ----------------------------------------------------------------------------------

    def start(self, *arguments: str, end: End | None = None, **more: Any) -> Process:
        def watch(process: Process) -> None:
            if end is not None:
                self.trap.set(process, end)

        return self._nursery.start(self.home, self.time, arguments, watch=watch, **more)

    def process(self, *arguments: str, end: End | None = None, **more: Any) -> int:
        """The exit code of a process; KILLED where it came to its end."""
        started = self.start(*arguments, end=end, **more)
        code = started.wait()
        self.trap.clear()
        assert "Traceback" not in started.err, started.err
        assert code in (0, 1, KILLED), started.err
        return code

    # what is known --------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)

    def store(self) -> Store:
        return open_store(database_url(self.settings, Home(self.home)), create=False)

    def effects(self) -> list[tuple[ActionRow, list[EffectRow]]]:
        """Every action, in whatever state, with its effects."""
        store = self.store()
        try:
            book = connected_row(store, self.settings.book["elm"])
            with store.read() as conn:
                rows = action_store.actions_in(conn, book.id, tuple(ACTION_STATES))
                return [(row, outbox.effects_of(conn, row.id)) for row in rows]
        finally:
            store.close()

    def is_there(self, effect: EffectRow) -> bool:
        """Whether the ledger or the mail server has it, as a person finds who looks there."""
        wanted, records = effect.effect, self.sandbox.records()
        if isinstance(wanted, SendMessage):
            return wanted.message_id in [mail.message_id for mail in self.mailbox.messages]
        if isinstance(wanted, PostCharge):
            return wanted.number in [fee.number for fee in records.fees]
        if isinstance(wanted, ReverseCharge):
            (fee,) = [fee for fee in records.fees if fee.number == wanted.number]
            return fee.status in ("void", "paid")
        if isinstance(wanted, AttachFile):
            return wanted.filename in self.sandbox.ledger.files.get(wanted.invoice, {})
        assert isinstance(wanted, PostNote), wanted
        return wanted.text in [note.text for note in records.notes]

    def settle_by_looking(self) -> int:
        """A person looks at everything that `status` names, and says what is true; how many."""
        listed = [one["key"] for one in self.done("status", "--json").json["books"][0]["unsettled"]]
        for key in listed:
            (doubtful,) = [
                next(one for one in effects if one.state in ("unknown", "sending", "refused"))
                for row, effects in self.effects()
                if row.key == key and row.state in ("unknown", "parked")
            ]
            found = "--happened" if self.is_there(doubtful) else "--did-not-happen"
            self.done("settle", key, found, "--reason", "looked there")
        return len(listed)

    def carry_on(self) -> None:
        """Processes that nobody kills, and a person who settles what they cannot know, until
        nothing is left to do."""
        for _ in range(6):
            self.time.advance(LEASE)
            self.process("run")
            if not self.settle_by_looking() and not self.waiting():
                return
        raise AssertionError(self.done("status").out)

    def waiting(self) -> list[str]:
        return [row.key for row, _ in self.effects() if row.state in ("approved", "leased")]


def pick(seed: str, below: int) -> int:
    """A number that only the seed decides."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % below
