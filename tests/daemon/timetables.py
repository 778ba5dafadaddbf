"""A timetable without processes: jobs are answered at once, time moves when it is told to."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from ar_bridge.clock import VirtualClock
from ar_bridge.daemon.core import Core
from ar_bridge.daemon.orders import Order, Settled
from ar_bridge.errors import SetupError
from ar_bridge.settings import BookSettings, Settings
from ar_bridge.store.engine import Store, open_store
from connectors.port import Clock
from tests.stories.stage import empty_database

Answer = Callable[[Order], Settled]


class AnsweringHands:
    """Does every job at once, as `answer` says."""

    def __init__(self, clock: Clock, answer: Answer | None = None) -> None:
        self._clock = clock
        self.answer: Answer = answer or (lambda order: Settled(run=order.run, outcome="done"))
        self.orders: list[tuple[datetime, Order]] = []
        self.rests = 0
        self.is_slow = False
        """Jobs are taken and do not end by themselves."""
        self.cut: list[int] = []
        self._done: list[Settled] = []

    def begin(self, order: Order) -> None:
        self.orders.append((self._clock.now(), order))
        if not self.is_slow:
            self._done.append(self.answer(order))

    def end(self, settled: Settled) -> None:
        self._done.append(settled)

    def take(self) -> list[Settled]:
        done, self._done = self._done, []
        return done

    def cut_off(self, run: int) -> None:
        self.cut.append(run)

    def rest(self) -> None:
        self.rests += 1

    def stop(self, within: float) -> None:
        """Nothing runs."""

    def of(self, job: str, book: str = "elm") -> list[datetime]:
        """When a job of a book was begun."""
        return [at for at, order in self.orders if (order.job, order.book) == (job, book)]


class SetClock(VirtualClock):
    """A clock that somebody may also set back."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._set = timedelta()

    def now(self) -> datetime:
        return super().now() + self._set

    def set_back(self, by: timedelta) -> None:
        self._set -= by

    def set_forward(self, by: timedelta) -> None:
        self._set += by


def _opened(root: Path) -> Store:
    """A database that need not outlive the power: its tables are copied, nothing is awaited."""
    file = root / "daemon.sqlite3"
    file.write_bytes(empty_database())
    store = open_store(f"sqlite:///{file}")
    store.close()
    event.listen(
        store._engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF")
    )
    return store


class Desk:
    """The timetable of some books in one database."""

    def __init__(
        self,
        root: Path,
        stack: ExitStack,
        start: datetime,
        *,
        books: dict[str, str] | None = None,
        url: str = "",
        **daemon: Any,
    ) -> None:
        """`books`: names and time zones; `daemon`: keys of [daemon]."""
        self.books = {"elm": "Europe/London"} if books is None else books
        self.clock = SetClock(start.astimezone(UTC))
        self.store = _opened(root) if not url else open_store(url)
        stack.callback(self.store.close)
        self.hands = AnsweringHands(self.clock)
        self.settings = self.with_keys(**daemon)
        self.core = self.new_core()

    def with_keys(self, **daemon: Any) -> Settings:
        """Settings with these books and these keys of [daemon]."""
        books = {
            name: BookSettings.model_validate(
                {"name": name, "ledger": "xero", "policy": "standard"}
            )
            for name in self.books
        }
        return Settings.model_validate({"book": books, "daemon": {"sync_every": "15m", **daemon}})

    def new_core(self, **more: Any) -> Core:
        """A process that has just started on this database."""
        core = Core(
            store=self.store,
            clock=self.clock,
            settings=self.settings,
            hands=self.hands,
            find=self._find,
            **more,
        )
        core.begin()
        return core

    def _find(self, store: Store, book: BookSettings) -> tuple[int, str]:
        zone = self.books[book.name]
        if not zone:
            raise SetupError(f"book {book.name} is not connected yet")
        return list(self.books).index(book.name) + 1, zone

    def tick_until(self, end: datetime, *, every: timedelta = timedelta(minutes=1)) -> None:
        """Look at the timetable again and again."""
        while self.clock.now() < end:
            self.core.tick()
            self.clock.advance(every)

    def local_days(self, job: str, zone: str, book: str = "elm") -> list[date]:
        """The local dates on which a job was begun."""
        from zoneinfo import ZoneInfo

        return [at.astimezone(ZoneInfo(zone)).date() for at in self.hands.of(job, book)]
