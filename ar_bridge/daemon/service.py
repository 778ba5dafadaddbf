"""The process: one lock, signals, the timetable's clock, HTTP, and the service manager."""

import os
import queue
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from ar_bridge.connected import database_url, stored_book, zone_of
from ar_bridge.daemon.core import Core
from ar_bridge.daemon.hands import WorkerProcesses
from ar_bridge.daemon.health import Health
from ar_bridge.daemon.heartbeat import Heartbeat
from ar_bridge.daemon.lean import give_back
from ar_bridge.daemon.lock import InstanceLock, PlaceTakenError
from ar_bridge.daemon.metrics import Metrics
from ar_bridge.daemon.notify import Notifier
from ar_bridge.daemon.opening import Opening
from ar_bridge.daemon.orders import Brought
from ar_bridge.daemon.troubles import is_foreseen
from ar_bridge.errors import ArBridgeError, SetupError
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings, Settings, load_settings
from ar_bridge.settings.load import settings_text
from ar_bridge.store.engine import Store
from connectors.port import Clock

ENDING: Final = (signal.SIGTERM, signal.SIGINT)

_log = structlog.get_logger("ar_bridge.daemon")


def find_book(store: Store, book: BookSettings) -> tuple[int, str]:
    """Row id and time zone of a configured book. Raises SetupError where it is not connected."""
    row = stored_book(store, book)
    return row.id, zone_of(row, book)


class Service:
    """The daemon as a process."""

    def __init__(
        self,
        home: Home,
        config: Path,
        clock: Clock,
        *,
        only: Collection[str] = (),
        is_debug: bool = False,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`only`: names of the books to work on; empty: all that are configured."""
        self._home = home
        self._config = config
        self._clock = clock
        self._only = [name.casefold() for name in only]
        self._is_debug = is_debug
        self._say = say
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._is_ending = False
        self._notifier = Notifier()
        self._heartbeat = Heartbeat(clock)
        self._scheduler: Any = None
        self._hands: WorkerProcesses | None = None
        self._said = ""
        """Why the timetable cannot be looked at: said once."""
        self._lost_to: PlaceTakenError | None = None
        """Another daemon has taken our place."""

    def run(self) -> int:
        """Until SIGTERM or SIGINT; 0 then. Raises SetupError where it cannot begin, and where
        another daemon took its place while the database was away."""
        settings, brought = self._read()
        self._require_books(settings)
        with ExitStack() as stack:
            self._listen_to_signals(stack)
            opened = self._opening(settings).opened(stack, is_end=ENDING.__contains__)
            if opened is None:
                return 0
            lock, store = opened
            core = self._core(store, settings, brought)
            health = Health(core, self._home.root, process=os.getpid())
            metrics = Metrics(health)
            core.on_settled = metrics.settled
            where = self._serve(stack, settings, store, health, metrics)
            core.begin()
            self._tick(core, lock, health, metrics)
            self._start_timetable(stack, core, lock, health, metrics)
            names = ", ".join(known.name for known in core.known.values() if known.name)
            self._say(f"Working on {names or 'nothing yet'}. {where}")
            _log.info("daemon began", books=names, process=os.getpid())
            self._notifier.say("READY=1", f"STATUS=works on {names or 'nothing yet'}")
            give_back()
            self._until_told(core, health)
            self._notifier.say("STOPPING=1", "STATUS=finishes what is in hand")
            self._end(core)
        if self._lost_to is not None:
            raise self._lost_to
        _log.info("daemon ended")
        return 0

    # beginning ----------------------------------------------------------------------------------

    def _read(self) -> tuple[Settings, Brought]:
        text = settings_text(self._config)
        settings = load_settings(self._config, secrets=self._home.secrets, text=text)
        return settings, Brought(
            home=str(self._home.root),
            config=str(self._config),
            text=text,
            is_debug=self._is_debug,
        )

    def _require_books(self, settings: Settings) -> None:
        names = {book.name.casefold(): book.name for book in settings.book.values()}
        if not names:
            raise SetupError(
                f"No book is configured in {self._config}.", remedy="add a [[book]] section to it"
            )
        unknown = [name for name in self._only if name not in names]
        if unknown:
            raise SetupError(
                f'There is no book "{unknown[0]}".',
                remedy=f"the books in {self._config} are: {', '.join(names.values())}",
            )

    def _opening(self, settings: Settings) -> Opening:
        @contextmanager
        def serve(look: Callable[[], tuple[int, dict[str, Any]]]) -> Iterator[None]:
            from ar_bridge.web.app import health_app
            from ar_bridge.web.serving import listening, serving

            daemon = settings.daemon
            if not daemon.port:
                yield
                return
            on = listening(daemon.address, daemon.port, keys=("address", "port"))
            with serving(health_app(look), on):
                yield

        return Opening(
            database_url(settings, self._home),
            self._clock,
            serve=serve,
            say=self._say,
            alive=lambda: self._notifier.say(
                "READY=1", "STATUS=waits for the database", "WATCHDOG=1"
            ),
            told=lambda seconds: self._signals.get(timeout=seconds),
            seconds=settings.daemon.span("tick").total_seconds(),
        )

    def _core(self, store: Store, settings: Settings, brought: Brought) -> Core:
        self._hands = WorkerProcesses(brought, self._soon)
        return Core(
            store=store,
            clock=self._clock,
            settings=settings,
            hands=self._hands,
            find=find_book,
            only=self._only,
        )

    def _listen_to_signals(self, stack: ExitStack) -> None:
        def told(number: int, _: object) -> None:
            if number in ENDING and self._is_ending:
                # The second time: at once. What is cut off is looked for at the next start.
                if self._hands is not None:
                    self._hands.kill()
                os._exit(1)
            if number in ENDING:
                self._is_ending = True
            # The one queue that may be written to from a signal.
            self._signals.put(number)

        for number in (*ENDING, signal.SIGHUP):
            before = signal.signal(number, told)
            stack.callback(signal.signal, number, before)

    def _serve(
        self, stack: ExitStack, settings: Settings, store: Store, health: Health, metrics: Metrics
    ) -> str:
        if not settings.daemon.port:
            return "Nothing is answered over HTTP (port = 0)."
        from ar_bridge.web.app import web_app
        from ar_bridge.web.serving import listening, serving

        app = web_app(
            store,
            self._clock,
            webhook_keys=settings.webhooks.keys,
            health=health.look,
            metrics=metrics.text,
        )
        on = listening(settings.daemon.address, settings.daemon.port, keys=("address", "port"))
        address = stack.enter_context(serving(app, on))
        return f"{address}/healthz tells how it goes."

    def _start_timetable(
        self, stack: ExitStack, core: Core, lock: InstanceLock, health: Health, metrics: Metrics
    ) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        arguments = (core, lock, health, metrics)
        seconds = core.settings.daemon.span("tick").total_seconds()
        scheduler.add_job(self._tick, "interval", arguments, seconds=seconds, id="tick")
        scheduler.start()
        stack.callback(lambda: scheduler.running and scheduler.shutdown(wait=True))
        self._scheduler = scheduler
        self._arguments = arguments

    def _soon(self) -> None:
        """A job has ended: the next one need not wait for the next look."""
        scheduler = self._scheduler
        if scheduler is not None and not self._is_ending:
            scheduler.add_job(self._tick, None, self._arguments, id="soon", replace_existing=True)

    # going on -----------------------------------------------------------------------------------

    def _tick(self, core: Core, lock: InstanceLock, health: Health, metrics: Metrics) -> None:
        """One look. Only one that went well keeps the service manager from starting us anew."""
        try:
            lock.check()
            core.tick()
        except PlaceTakenError as error:
            self._lost_to = error
            self._signals.put(signal.SIGTERM)
            return
        except Exception as error:
            # The database may be held or full: the next look may go better.
            metrics.ticks.labels("failed").inc()
            if not is_foreseen(error):
                _log.error("the timetable could not be looked at", exc_info=error)
            elif self._said != str(error):
                self._said = str(error)
                _log.error("the timetable cannot be looked at", reason=self._said)
            return
        if self._said:
            self._said = ""
            _log.info("the timetable is looked at again")
        metrics.ticks.labels("done").inc()
        self._notifier.say("WATCHDOG=1")
        settings = core.settings.daemon
        if settings.heartbeat_url and self._heartbeat.is_due(settings.span("heartbeat_every")):
            status, _ = health.look()
            if status == 200:
                self._heartbeat.beat(settings.heartbeat_url)

    def _until_told(self, core: Core, health: Health) -> None:
        while True:
            number = self._signals.get()
            if number in ENDING:
                return
            self._reload(core, health)

    def _reload(self, core: Core, health: Health) -> None:
        """Read the settings anew. Where they are wrong, the old ones stay in force."""
        self._notifier.say("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1e6)}")
        try:
            settings, brought = self._read()
            self._require_books(settings)
            if database_url(settings, self._home) != database_url(core.settings, self._home):
                raise SetupError(
                    "[store] url is another one now", remedy="start the daemon anew for that"
                )
        except ArBridgeError as error:
            count = len(error.problems) or 1
            health.remarks["configuration"] = (
                f"the settings on disk were refused ({count} "
                f"{'mistake' if count == 1 else 'mistakes'}): the old ones are in force"
            )
            _log.error("settings refused, the old ones stay in force", reason=str(error))
        else:
            health.remarks.pop("configuration", None)
            before = core.settings.daemon
            core.take_settings(settings)
            assert self._hands is not None
            self._hands.renew(brought)
            after = settings.daemon
            if self._scheduler is not None and after.tick != before.tick:
                self._scheduler.reschedule_job(
                    "tick", trigger="interval", seconds=after.span("tick").total_seconds()
                )
            if (after.address, after.port) != (before.address, before.port):
                health.remarks["configuration"] = "another address takes effect at the next start"
            _log.info("settings read anew")
            self._soon()
        self._notifier.say("READY=1")

    def _end(self, core: Core) -> None:
        within = core.settings.daemon.span("stop_within")
        # The service manager waits as long as we say that it may take.
        micros = int((within + timedelta(seconds=15)).total_seconds() * 1e6)
        self._notifier.say(f"EXTEND_TIMEOUT_USEC={micros}")
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
        assert self._hands is not None
        self._hands.stop(within.total_seconds())
        core.collect()
