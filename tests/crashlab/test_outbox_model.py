"""The outbox against a model: whatever people, workers, vendors and clocks do and in whatever
order, each thing happens at most once, what is done is proved, and nothing approved is lost."""

import socket
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ar_bridge import approvals, audit, audit_gaps
from ar_bridge.business_facts import digest_of
from ar_bridge.clock import VirtualClock
from ar_bridge.context import BookContext
from ar_bridge.dispatcher import apply
from ar_bridge.leased import EVENTS, is_settled
from ar_bridge.settling import OPEN_ENDED, settle
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, outbox, tables
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.engine import open_store
from ar_bridge.store.outbox import EffectRow
from ar_bridge.store.plans import insert_plan
from ar_bridge.store.tables import ACTION_STATES, LIVE_STATES
from rules.actions.action import Action, Item, RenderedMessage
from rules.actions.effects import SendMessage
from rules.actions.internal import PlaceCreditHold, WriteNote
from rules.actions.messages import SendReminder
from rules.model import CustomerId, InvoiceId, ItemKey
from rules.policy.load import load_policy
from tests.crashlab.model import FAULTS, FakeLedger, FakeMail
from tests.store.records import COMPANY, NOW, TODAY
from tests.stories.crashes import Crash, OnRope, Rope, StoreOnRope, When, Where
from tests.stories.stage import empty_database

PERSON = "pat"
DEAD = f"{socket.gethostname()}/4999999/1"
"""A process of this machine that has ended."""
KINDS = ("note", "hold", "message")
ENDS = st.tuples(
    st.sampled_from(("ledger", "commit", "mail")),
    st.integers(1, 5),
    st.sampled_from(("before", "after")),
)


class Outbox(RuleBasedStateMachine):
    """Eight customers, of each of whom three kinds of things may be planned."""

    @initialize()
    def found(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "records.sqlite3"
        file.write_bytes(empty_database())
        self.store = open_store(f"sqlite:///{file}")
        self.clock = VirtualClock(NOW)
        self.ledger, self.mail = FakeLedger(self.clock), FakeMail(self.clock)
        self.halted = ""
        self.told: dict[str, int] = {}
        with self.store.write() as conn:
            self.book = books.register(conn, COMPANY, name="acme", connected_on=date(2026, 10, 1))
            insert_plan(
                conn,
                id="plan",
                book_id=self.book.id,
                on=TODAY.isoformat(),
                book_as_of=NOW.isoformat(),
                policy_name="model",
                policy_hash="0" * 64,
                made_at=NOW.isoformat(),
                body="{}",
                digest="0" * 64,
            )
            for kind in KINDS:
                self.insert(conn, kind, "A", "as planned")
        self.desk = self.a_worker()
        self.approve(0)

    def a_worker(self) -> BookContext:
        unused: Any = None
        return BookContext(
            store=self.store,
            clock=self.clock,
            book_id=self.book.id,
            name="acme",
            company=COMPANY,
            policy=load_policy("schema = 1", source="model", presets={}),
            policy_hash="0" * 64,
            mode="approve",
            connector=cast(Any, self.ledger),
            channels={"email": self.mail},
            load=unused,
            render=unused,
            send_at=unused,
            mode_of=lambda customer: None,
            stopped=lambda: self.halted,
        )

    # what people do -------------------------------------------------------------------------------

    @rule(
        customers=st.sets(st.sampled_from("ABCDEFGH"), min_size=1, max_size=3),
        kind=st.sampled_from(KINDS),
        approved=st.booleans(),
    )
    def plan(self, customers: set[str], kind: str, approved: bool) -> None:
        """Plan it for these, where nobody is at it and it was not done."""
        with self.store.write() as conn:
            for customer in sorted(customers):
                if not action_store.taken_items(conn, self.book.id, {f"{kind}/{customer}"}):
                    self.insert(conn, kind, customer, "as planned")
        if approved:
            self.approve(0)

    @rule(of=st.integers(0, 99))
    def approve(self, of: int) -> None:
        if rows := self.rows("planned"):
            chosen = rows[of % len(rows) :]
            with self.store.write() as conn:
                approvals.approve(conn, self.desk, chosen, actor=PERSON, reason="yes", numbers={})

    @rule(of=st.integers(0, 99))
    def reject(self, of: int) -> None:
        rows = [row for row in self.rows("planned", "approved") if not self.has_begun(row)]
        if rows:
            with self.store.write() as conn:
                chosen = [rows[of % len(rows)]]
                approvals.reject(conn, self.desk, chosen, actor=PERSON, reason="no")

    @rule(of=st.integers(0, 99))
    def edit(self, of: int) -> None:
        """Other words, as a new revision that waits for approval again."""
        rows = [row for row in self.rows("planned", "approved") if not self.has_begun(row)]
        if rows:
            row = rows[of % len(rows)]
            kind, customer = row.key.split("/")
            with self.store.write() as conn:
                approvals.withdraw(
                    conn,
                    self.desk,
                    [row],
                    state="superseded",
                    actor=PERSON,
                    reason="other words",
                    now=self.clock.now(),
                )
                self.insert(conn, kind, customer, "in other words")

    @rule()
    def look_and_settle(self) -> None:
        """A person looks for everything that is told as unknown, and says what is true."""
        for row in self.rows(*OPEN_ENDED):
            doubtful = [one for one in self.effects(row) if one.state in ("unknown", "sending")]
            happened = all(self.is_there(one) for one in doubtful)
            with self.store.write() as conn:
                settle(conn, self.desk, row, happened=happened, actor=PERSON, reason="looked")
        self.told.clear()

    @rule(halted=st.booleans())
    def stop_or_start(self, halted: bool) -> None:
        self.halted = "stopped by a person" if halted else ""

    # what workers, vendors and clocks do ----------------------------------------------------------

    @rule(fault=st.sampled_from(FAULTS), of_mail=st.booleans())
    def work(self, fault: str, of_mail: bool) -> None:
        """A run, in which the next send may go wrong."""
        (self.mail if of_mail else self.ledger).fault = fault
        before = self.sent()
        apply(self.desk)
        assert not self.halted or self.sent() == before

    @rule(
        end=ENDS,
        customer=st.sampled_from("ABCDEFGH"),
        kind=st.sampled_from(KINDS),
        later=st.sampled_from((0, 4, 11)),
    )
    def die_at_work(
        self, end: tuple[Where, int, When], customer: str, kind: str, later: int
    ) -> None:
        """A run with something to do, which ends before or after the nth of its commits or sends;
        some minutes later another worker comes."""
        self.plan({customer}, kind, approved=True)
        # No run sends as often as it commits.
        rope = Rope(end[0], end[1] if end[0] == "commit" else 1, end[2])
        doomed = replace(
            self.desk,
            store=cast(Any, StoreOnRope(self.store, rope)),
            connector=cast(Any, OnRope(self.ledger, ("write",), rope, "ledger")),
            channels={"email": cast(Any, OnRope(self.mail, ("send",), rope, "mail"))},
        )
        with suppress(Crash):
            apply(doomed)
        if rope.is_broken:
            event(f"died at a {end[0]}")
            with self.store.write() as conn:
                leased = tables.actions.c.state == "leased"
                conn.execute(tables.actions.update().where(leased).values(lease_owner=DEAD))
            self.clock.advance(timedelta(minutes=later))
            self.desk = self.a_worker()
            apply(self.desk)

    @rule(
        when=st.sampled_from(("after", "before")),
        customer=st.sampled_from("ABCDEFGH"),
        kind=st.sampled_from(("note", "hold")),
    )
    def stand_still_at_work(self, when: str, customer: str, kind: str) -> None:
        """A run stands still past its lease, another worker takes over, and it goes on."""
        self.plan({customer}, kind, approved=True)

        def meanwhile() -> None:
            event(f"stood still {when} a write")
            self.clock.advance(timedelta(minutes=11))
            apply(self.a_worker())

        self.ledger.stalls[when] = meanwhile
        apply(self.desk)
        self.ledger.stalls.clear()

    @rule(minutes=st.sampled_from((0.5, 2, 4, 11, 60)))
    def time_passes(self, minutes: float) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    # what must hold -------------------------------------------------------------------------------

    @invariant()
    def nothing_is_there_twice(self) -> None:
        there = self.ledger.holds + self.mail.holds
        assert [key for key, times in there.items() if times > 1] == []

    @invariant()
    def an_item_is_in_one_live_action(self) -> None:
        assert max(Counter(row.key for row in self.rows(*LIVE_STATES)).values(), default=1) == 1

    @invariant()
    def what_is_unknown_is_not_sent_again(self) -> None:
        for effects in self.outbox(*ACTION_STATES):
            for one in effects:
                if one.state == "unknown":
                    event(f"{one.name} is unknown")
                    sends = self.sent()[one.key]
                    assert self.told.setdefault(one.key, sends) == sends

    @invariant()
    def what_is_done_is_there_and_proved(self) -> None:
        for effects in self.outbox("done"):
            for one in effects:
                assert is_settled(one)
                assert one.state != "done" or self.is_there(one), one
                is_by_word = (one.error or "").startswith(PERSON)
                assert one.state != "done" or one.receipt or is_by_word, one

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        try:
            self.comes_to_its_end()
        finally:
            self.store.close()
            self.folder.cleanup()

    def comes_to_its_end(self) -> None:
        """In the end everything that is approved and that nobody took back is done."""
        self.halted = self.ledger.fault = self.mail.fault = ""
        wanted = {row.key for row in self.rows("approved", "leased")}
        for _ in range(14):
            self.clock.advance(timedelta(minutes=15))
            apply(self.desk)
            self.look_and_settle()
            if not self.rows("approved", "leased", *OPEN_ENDED):
                break
        assert not self.rows("approved", "leased", *OPEN_ENDED)
        self.nothing_is_there_twice()
        self.what_is_done_is_there_and_proved()
        ended = {row.key: row.state for row in self.rows(*ACTION_STATES)}
        # A person who looks and finds nothing withdraws what had not begun.
        assert {ended[key] for key in wanted} <= {"done", "withdrawn"}
        with self.store.read() as conn:
            assert audit.verify(conn) == []
            told = Counter(
                (entry.subject, entry.payload["revision"])
                for entry in audit.history(conn, events=sorted({*EVENTS.values(), "ActionDone"}))
                if entry.payload is not None
            )
            assert [one for one, times in told.items() if times > 1] == []
            found = audit_gaps.gaps(conn, self.book.id)
        # The one plan of this model was not made by a planner, and has no entry.
        assert [gap for gap in found if gap.kind != "plan" and "superseded" not in gap.text] == []

    # the records ----------------------------------------------------------------------------------

    def rows(self, *states: str) -> list[ActionRow]:
        with self.store.read() as conn:
            return action_store.actions_in(conn, self.book.id, states)

    def outbox(self, *states: str) -> list[list[EffectRow]]:
        """The effects of each action in these states."""
        with self.store.read() as conn:
            rows = action_store.actions_in(conn, self.book.id, states)
            return list(outbox.effects_by_action(conn, [row.id for row in rows]).values())

    def effects(self, row: ActionRow) -> list[EffectRow]:
        with self.store.read() as conn:
            return outbox.effects_of(conn, row.id)

    def has_begun(self, row: ActionRow) -> bool:
        with self.store.read() as conn:
            return action_store.has_started(conn, row.id)

    def is_there(self, effect: EffectRow) -> bool:
        of = self.mail if isinstance(effect.effect, SendMessage) else self.ledger
        return of.holds[effect.key] > 0

    def sent(self) -> Counter[str]:
        return self.ledger.sends + self.mail.sends

    def insert(self, conn: Any, kind: str, customer: str, words: str) -> None:
        action, message = made(kind, customer, words)
        known = action_store.latest_revisions(conn, self.book.id, {str(action.key)})
        before = known.get(action.key)
        action_store.insert_actions(
            conn,
            [
                {
                    "book_id": self.book.id,
                    "plan_id": "plan",
                    "key": action.key,
                    "revision": before.revision + 1 if before else 1,
                    "kind": action.kind,
                    "state": "planned",
                    "mode": "approve",
                    "customer": customer,
                    "currency": "GBP",
                    "channel": message.channel if message else "",
                    "send_on": TODAY.isoformat(),
                    "send_at": NOW.isoformat(),
                    "body": msgspec.json.encode(action).decode(),
                    "reasons": "[]",
                    "message": msgspec.json.encode(message).decode() if message else None,
                    "facts": "{}",
                    "facts_digest": digest_of({}),
                    "policy_hash": "0" * 64,
                    "items": action.items,
                }
            ],
        )


def made(kind: str, customer: str, words: str) -> tuple[Action, RenderedMessage | None]:
    """An action of a kind; as an order, so that no rule decides it again."""
    key, about = ItemKey(f"{kind}/{customer}"), InvoiceId(f"I-{customer}")
    common: dict[str, Any] = {
        "key": key,
        "customer": CustomerId(customer),
        "currency": "GBP",
        "items": (Item(key=key, kind=kind, invoice=about),),
        "is_ordered": True,
    }
    if kind == "note":
        return WriteNote(invoice=about, text=words, **common), None
    if kind == "hold":
        return PlaceCreditHold(text=words, **common), None
    message = RenderedMessage(to=("ap@c.example",), subject=words, text=words)
    return SendReminder(template="first", qualified=(about,), total=100, **common), message


CHEAP = settings(max_examples=8, stateful_step_count=10)
IN_SOAK = settings(max_examples=300, stateful_step_count=30)

TestOutbox = Outbox.TestCase
TestOutbox.settings = CHEAP


@pytest.mark.soak
def test_the_outbox_at_length() -> None:
    run_state_machine_as_test(Outbox, settings=IN_SOAK)
