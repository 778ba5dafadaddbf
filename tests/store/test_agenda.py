"""A plan that looks at what changed and what is due says what one that looks at everything says."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from ar_bridge.clock import VirtualClock
from ar_bridge.context import BookContext
from ar_bridge.home import Home
from ar_bridge.planner import PlanResult, make_plan
from ar_bridge.settings import BookSettings, MailSettings, Settings
from ar_bridge.store import actions as action_store
from ar_bridge.store import agenda, books, commitments, mirror
from ar_bridge.store.bodies import body_of
from ar_bridge.store.engine import open_store
from ar_bridge.store.tables import actions, skips
from ar_bridge.store.tables import commitments as commitment_table
from ar_bridge.wiring import desk
from rules.model import Book
from rules.model.events import EventLog
from rules.policy.schema import Policy
from tests.rules.lives import FIRST, lives
from tests.rules.random_policies import policies
from tests.store.ledger import MemoryLedger
from tests.store.records import a_book

DAYS: Final = 24
MORNING, EVENING = time(9, 30, tzinfo=UTC), time(20, 0, tzinfo=UTC)


class Copy:
    """One copy of the book, in a database of its own."""

    def __init__(self, folder: Path, policy: Policy, *, is_whole: bool, stack: ExitStack) -> None:
        self.clock = VirtualClock(datetime.combine(FIRST, MORNING))
        self.store = open_store(f"sqlite:///{folder / 'copy.db'}")
        stack.callback(self.store.close)
        self.is_whole = is_whole
        self._home, self._policy = Home(folder), policy
        self._file = folder / "none.jsonl"
        self._file.write_text('{"t":"company","id":"acme","base_currency":"GBP"}\n')
        with self.store.write() as conn:
            self.book_id = a_book(conn).id

    def desk(self) -> BookContext:
        made = Settings.model_construct(book={}, mail=MailSettings())
        given = BookSettings.model_validate(
            {"name": "acme", "ledger": "bookfile", "file": self._file,
             "policy": "standard", "mode": "approve"}
        )  # fmt: skip
        with self.store.read() as conn:
            row = books.get(conn, self.book_id)
        ledger: Any = MemoryLedger(self.clock)
        return desk(made, given, self._home, self.clock, self.store, row, self._policy, ledger)

    def read(self, book: Book, at: datetime) -> None:
        """What the books say on the day, as a sync leaves it."""
        with self.store.write() as conn:
            for name in mirror.ENTITIES:
                found = getattr(book, name)
                records = list(found.values()) if name == "customers" else list(found)
                mirror.upsert(conn, self.book_id, name, records, seen_on=at.date())
            for told in book.commitments:
                self._tell(conn, told)
            books.record_sync(conn, self.book_id, cursor=None, synced_at=at)

    def _tell(self, conn: Connection, told: Any) -> None:
        known = {one.id: one for one in commitments.listed(conn, self.book_id)}
        if told.id not in known:
            commitments.add(conn, self.book_id, told)
        elif known[told.id] != told:
            conn.execute(
                commitment_table.update()
                .where(commitment_table.c.id == told.id)
                .values(body=body_of(told), customer=told.customer)
            )

    def plan(self, at: datetime) -> PlanResult:
        self.clock.advance(at - self.clock.now())
        if self.is_whole:
            with self.store.write() as conn:
                agenda.forget_planning(conn, self.book_id)
        return make_plan(self.desk())

    def end(self, key: str, state: str) -> None:
        """What became of a planned action."""
        with self.store.write() as conn:
            rows = action_store.actions_in(conn, self.book_id, ("planned",), keys=[key])
            ids = [row.id for row in rows]
            if state == "done":
                action_store.set_state(conn, ids, "approved", now=self.clock.now())
            action_store.set_state(conn, ids, state, now=self.clock.now(), reason="so it was")

    def stored(self) -> tuple[list[Any], list[Any]]:
        """Actions, and standing grounds to wait."""
        with self.store.read() as conn:
            acts = conn.execute(
                select(
                    actions.c.key, actions.c.revision, actions.c.state, actions.c.send_on,
                    actions.c.facts_digest,
                ).order_by(actions.c.key, actions.c.revision)
            ).all()  # fmt: skip
            waits = conn.execute(
                select(skips.c.subject, skips.c.code, skips.c.next_on).order_by(skips.c.subject)
            ).all()
        return [tuple(row) for row in acts], [tuple(row) for row in waits]


def shown(plan: PlanResult) -> tuple[list[Any], list[Any]]:
    """What the plan shows, in an order of its own."""
    view = plan.view
    acts = sorted((dict(one) for one in view["actions"]), key=lambda one: str(one["key"]))
    for one in acts:
        one.pop("send_at")
    waits = sorted(
        [
            (one["customer"], one["invoice"] or "", one["stage"] or "", one["fee"] or "",
             one["code"], one["next_on"], one["review_on"])
            for one in view["skips"]
        ],
        key=str,
    )  # fmt: skip
    return acts, waits


@contextmanager
def two_copies(policy: Policy) -> Iterator[tuple[Copy, Copy]]:
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(TemporaryDirectory())) for _ in range(2)]
        yield (
            Copy(folders[0], policy, is_whole=False, stack=stack),
            Copy(folders[1], policy, is_whole=True, stack=stack),
        )


@given(lives(), policies(), st.data())
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
def test_looking_at_some_is_like_looking_at_all(
    events: list[dict[str, Any]], policy: Policy, data: st.DataObject
) -> None:
    log = EventLog(events)
    first = FIRST + timedelta(days=data.draw(st.integers(0, 40), label="first day"))
    with two_copies(policy) as copies:
        for after in range(DAYS):
            day = first + timedelta(days=after)
            if data.draw(st.integers(0, 4), label="no run") == 0:
                continue
            book = log.as_of(day).book
            moments = [datetime.combine(day, MORNING)]
            if data.draw(st.integers(0, 3), label="again in the evening") == 0:
                moments.append(datetime.combine(day, EVENING))
            for at in moments:
                for copy in copies:
                    copy.read(book, at)
                some, whole = [copy.plan(at) for copy in copies]
                assert shown(some)[0] == shown(whole)[0], day
                assert shown(some)[1] == shown(whole)[1], day
                assert copies[0].stored() == copies[1].stored(), day
                for action in some.view["actions"]:
                    became = data.draw(st.sampled_from(["done", "done", "planned", "rejected"]))
                    keys = [action["key"], *(one["key"] for one in action["companions"])]
                    for key in keys if became != "planned" else []:
                        for copy in copies:
                            copy.end(key, became)
