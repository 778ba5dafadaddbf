"""The lock, the service manager's socket, the heartbeat, policies in force, health."""

import errno
import http.server
import os
import queue
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ar_bridge.clock import SystemClock, VirtualClock
from ar_bridge.daemon.adoption import adopted
from ar_bridge.daemon.health import Health
from ar_bridge.daemon.heartbeat import Heartbeat
from ar_bridge.daemon.lock import PlaceTakenError, only_one
from ar_bridge.daemon.metrics import Metrics
from ar_bridge.daemon.notify import Notifier
from ar_bridge.daemon.opening import Opening
from ar_bridge.daemon.orders import Order, Settled
from ar_bridge.daemon.stopping import Stop, StoppableClock, Stopped
from ar_bridge.daemon.timetable import rest_after
from ar_bridge.daemon.troubles import SENTENCES, is_foreseen, trouble_of
from ar_bridge.errors import DatabaseAwayError, DatabaseError, SetupError
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings
from ar_bridge.store.advisory import DAEMON
from ar_bridge.store.engine import open_store
from ar_bridge.wiring import policy_of
from connectors.errors import AuthorizationError, RateLimitedError, RefusedError, TransientError
from tests.daemon.timetables import Desk
from tests.store.opening import databases

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)

POLICY = """\
schema = 1
name = "{name}"

[[stage]]
id = "first"
name = "First"
at = "due + {days}d"
do = ["remind"]
template = "overdue_1"
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_second_daemon_is_told_who_was_first(
    request: pytest.FixtureRequest, backend: str, tmp_path: Path, stack: ExitStack
) -> None:
    url = stack.enter_context(databases(request, backend, tmp_path)())
    with only_one(url) as lock:
        lock.check()
        told = f"process {os.getpid()} on {socket.gethostname()}"
        with pytest.raises(SetupError, match=told), only_one(url):
            raise AssertionError("two at once")
    with only_one(url):
        """The first one is gone."""


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ar-bridge.sqlite3'}"
    program = (
        "import os, signal\nfrom ar_bridge.daemon.lock import only_one\n"
        f"with only_one({url!r}):\n    print('held', flush=True)\n    signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SetupError, match=f"process {holder.pid}"), only_one(url):
            raise AssertionError("two at once")
        holder.kill()
        holder.wait()
    with only_one(url):
        """It holds nothing any more."""


def test_the_service_manager_is_told_and_its_absence_harms_nobody(tmp_path: Path) -> None:
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(place)
        notifier = Notifier({"NOTIFY_SOCKET": place})
        notifier.say("READY=1", "STATUS=two\nlines")
        assert manager.recv(500) == b"READY=1\nSTATUS=two lines"
    notifier.say("WATCHDOG=1")
    Notifier({}).say("WATCHDOG=1")


class _Listener(http.server.BaseHTTPRequestHandler):
    asked: list[str]
    status = 200

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def test_the_heartbeat_is_asked_now_and_then_and_its_failure_harms_nobody() -> None:
    asked: list[str] = []
    handler = type("Handler", (_Listener,), {"asked": asked})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    clock = VirtualClock(START)
    heart = Heartbeat(clock)
    every = timedelta(minutes=5)
    try:
        assert heart.is_due(every)
        heart.beat(f"http://127.0.0.1:{server.server_port}/beat")
        heart.join()
        assert asked == ["/beat"] and not heart.is_due(every)
        clock.advance(every)
        assert heart.is_due(every)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    heart.beat(f"http://127.0.0.1:{server.server_port}/beat")
    heart.join()
    assert asked == ["/beat"]


def test_a_changed_policy_is_taken_up_with_the_next_plan_and_only_when_it_is_clean(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    home.create()
    file = tmp_path / "own.toml"
    file.write_text(POLICY.format(name="one", days=3))
    book = BookSettings.model_validate({"name": "elm", "ledger": "xero", "policy": str(file)})
    today = date(2026, 6, 1)

    def in_force(*, renew: bool) -> tuple[str, str]:
        found = adopted(book, home, today, renew=renew)
        return Path(str(found.book.policy)).read_text().split('"')[1], found.problem

    assert in_force(renew=True) == ("one", "")
    file.write_text(POLICY.format(name="two", days=4))
    assert in_force(renew=False) == ("one", "")
    assert in_force(renew=True) == ("two", "")
    file.write_text(POLICY.format(name="three", days="soon"))
    name, problem = in_force(renew=True)
    assert name == "two" and "mistake" in problem
    file.unlink()
    assert in_force(renew=True)[0] == "two"
    file.write_text(POLICY.format(name="four", days=5))
    assert in_force(renew=True) == ("four", "")


def test_versions_of_a_policy_are_taken_up_together(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    older, newer, file = (tmp_path / f"{name}.toml" for name in ("older", "newer", "terms"))
    older.write_text(POLICY.format(name="one", days=3))
    newer.write_text(POLICY.format(name="two", days=4))
    file.write_text(
        'policies = [{ from = 2026-01-01, file = "older.toml" }, '
        f'{{ from = 2026-07-01, file = "{newer}" }}, '
        '{ from = 2026-09-01, file = "gentle" }]'
    )
    book = BookSettings.model_validate({"name": "elm", "ledger": "xero", "policy": str(file)})

    def in_force(day: date, *, renew: bool) -> tuple[str, str]:
        found = adopted(book, home, day, renew=renew)
        assert found.book.policy != book.policy
        return policy_of(found.book, day).name, found.problem

    june, july, autumn = date(2026, 6, 1), date(2026, 7, 1), date(2026, 9, 1)
    assert in_force(june, renew=True) == ("one", "")
    older.write_text(POLICY.format(name="three", days=5))
    newer.write_text(POLICY.format(name="four", days="soon"))
    # One that is wrong holds all of them back.
    name, problem = in_force(june, renew=True)
    assert name == "one" and "mistake" in problem
    assert in_force(july, renew=False)[0] == "two"
    newer.unlink()
    assert in_force(july, renew=True)[0] == "two"
    newer.write_text(POLICY.format(name="four", days=6))
    assert in_force(june, renew=True) == ("three", "")
    assert in_force(july, renew=False)[0] == "four"
    assert in_force(autumn, renew=False)[0] == policy_of(book, autumn).name
    # The file becomes a policy itself: no version of before is left.
    file.write_text(POLICY.format(name="five", days=3))
    assert in_force(july, renew=True) == ("five", "")


def test_a_policy_that_was_never_clean_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    file = tmp_path / "own.toml"
    file.write_text(POLICY.format(name="one", days="soon"))
    book = BookSettings.model_validate({"name": "elm", "ledger": "xero", "policy": str(file)})
    with pytest.raises(SetupError):
        adopted(book, home, date(2026, 6, 1), renew=False)


def test_nobody_sleeps_through_the_end_of_the_process() -> None:
    stop = Stop()
    clock = StoppableClock(stop, SystemClock())
    clock.sleep(0.001)
    stop.check()
    threading.Timer(0.05, stop.tell).start()
    with pytest.raises(RateLimitedError):
        clock.sleep(600)
    with pytest.raises(Stopped):
        stop.check()


def test_trouble_is_told_without_what_the_vendor_said() -> None:
    words = "Customer North Ltd owes 1200"
    errors: list[tuple[Exception, str, bool]] = [
        (TransientError(words), "unreachable", True),
        (RateLimitedError(words, until=START), "limited", True),
        (AuthorizationError(words), "authorization", True),
        (RefusedError(words), "refused", False),
        (ValueError(words), "unexpected", False),
    ]
    for error, code, is_ledger in errors:
        trouble = trouble_of(error)
        assert (trouble.code, trouble.is_ledger) == (code, is_ledger)
        assert trouble.reason == SENTENCES[code] and words not in trouble.reason
    assert trouble_of(RateLimitedError(until=START)).rests_until == START
    assert trouble_of(DatabaseError("the disk is full")).code == "database"
    assert trouble_of(SetupError("no such file")).code == "setup"


def looked(desk: Desk, root: Path) -> tuple[int, dict[str, Any], Health]:
    health = Health(desk.core, root, process=1)
    status, body = health.look()
    return status, body, health


def test_health_says_what_fails_and_since_when(tmp_path: Path, stack: ExitStack) -> None:
    desk = Desk(tmp_path, stack, START, books={"elm": "UTC", "oak": ""})
    desk.core.tick()
    status, body, health = looked(desk, tmp_path)
    assert (status, body["status"]) == (200, "degraded")
    assert body["books"]["oak"]["reasons"][0]["code"] == "not_connected"
    assert body["books"]["elm"]["status"] == "ok"
    desk.hands.answer = lambda order: Settled(
        run=order.run, outcome="failed", code="unreachable", reason="away", is_ledger=True
    )
    desk.tick_until(START + timedelta(hours=1))
    status, body = health.look()
    assert (status, body["status"]) == (503, "failing")
    reason = body["books"]["elm"]["reasons"][0]
    assert reason["text"] == "away" and reason["since"] and reason["level"] == "failing"


def test_health_says_when_nobody_looks_at_the_timetable(tmp_path: Path, stack: ExitStack) -> None:
    desk = Desk(tmp_path, stack, START)
    desk.core.tick()
    _, _, health = looked(desk, tmp_path)
    desk.clock.advance(timedelta(minutes=30))
    status, body = health.look()
    assert status == 503
    assert [reason["code"] for reason in body["reasons"]] == ["timetable"]


def test_health_says_when_the_ledger_was_not_read_for_too_long(
    tmp_path: Path, stack: ExitStack
) -> None:
    desk = Desk(tmp_path, stack, START, sync_every="never", plan_at="never")
    desk.core.tick()
    _, _, health = looked(desk, tmp_path)
    desk.tick_until(START + timedelta(hours=27), every=timedelta(hours=1))
    desk.core.tick()
    status, body = health.look()
    assert status == 503
    assert [reason["code"] for reason in body["books"]["elm"]["reasons"]] == ["stale"]


def test_numbers_have_labels_from_closed_lists_only(tmp_path: Path, stack: ExitStack) -> None:
    desk = Desk(tmp_path, stack, START)
    _, _, health = looked(desk, tmp_path)
    metrics = Metrics(health)
    desk.core.on_settled = metrics.settled
    counts = {
        "actions": {"late_fee|done": 2, "any|refused": 1},
        "effects": {"post_charge|written": 2},
        "calls": {"read": 7, "write": 2},
        "records": {"invoices|read": 40},
    }
    desk.hands.answer = lambda order: Settled(
        run=order.run, outcome="done", counts=counts, seconds=1.5
    )
    desk.core.tick()
    desk.core.tick()
    text = metrics.text().decode()
    assert 'ar_bridge_runs_total{book="elm",job="finish",outcome="done"} 1.0' in text
    assert 'ar_bridge_actions_total{book="elm",kind="late_fee",outcome="done"} 2.0' in text
    assert 'ar_bridge_effects_total{book="elm",effect="post_charge",outcome="written"} 2.0' in text
    assert 'ar_bridge_vendor_calls_total{book="elm",sort="read"} 7.0' in text
    assert 'ar_bridge_run_seconds_count{book="elm",job="finish"} 1.0' in text
    assert "ar_bridge_healthy 1.0" in text


def test_an_order_and_what_became_of_it_travel_as_json() -> None:
    import msgspec

    order = Order(run=7, book_id=1, book="elm", job="sync", slot="2026-06-01")
    assert msgspec.json.decode(msgspec.json.encode(order), type=Order) == order
    settled = Settled(run=7, outcome="problems", code="mail", reason="away", rests_until=START)
    assert msgspec.json.decode(msgspec.json.encode(settled), type=Settled) == settled


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "disk"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "home"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "home"),
        (DatabaseAwayError("the server is away"), "database"),
    ],
)
def test_trouble_of_this_machine_is_foreseen_and_looked_at_again_soon(
    error: Exception, code: str
) -> None:
    assert trouble_of(error).code == code and is_foreseen(error)
    assert rest_after(9, code) <= timedelta(minutes=4) < rest_after(9, "unreachable")


def test_a_reason_says_what_to_do_about_it() -> None:
    told = trouble_of(SetupError("The key is open.", remedy="chmod 600 key"))
    assert told.reason == "The key is open: chmod 600 key"


def test_one_trouble_of_many_jobs_is_one_reason(tmp_path: Path, stack: ExitStack) -> None:
    desk = Desk(tmp_path, stack, START)
    desk.hands.answer = lambda order: Settled(
        run=order.run, outcome="failed", code="setup", reason="there is no key"
    )
    for _ in range(12):
        desk.core.tick()
    _, body, health = looked(desk, tmp_path)
    (reason,) = body["books"]["elm"]["reasons"]
    assert reason["text"] == "there is no key" and reason["since"]
    assert {"plan", "sync", "connection"} <= set(reason["job"].split(", "))
    desk.tick_until(START + timedelta(hours=1))
    assert health.look()[0] == 503
    desk.hands.answer = lambda order: Settled(run=order.run, outcome="done")
    desk.core.take_settings(desk.core.settings)
    for _ in range(12):
        desk.core.tick()
    assert health.look()[1]["status"] == "ok"


class _Times:
    """Signals that come at the tries that are named, and what is done between the tries."""

    def __init__(self, *steps: Callable[[], int | None]) -> None:
        self.steps = list(steps)

    def __call__(self, seconds: float) -> int:
        number = self.steps.pop(0)()
        if number is None:
            raise queue.Empty
        return number


def waited(
    url: str, stack: ExitStack, *steps: Callable[[], int | None]
) -> tuple[Any, list[str], list[bool]]:
    """How the opening ends, what it said, and whether /healthz was answered meanwhile."""
    said: list[str] = []
    served: list[bool] = []

    @contextmanager
    def serve(look: Callable[[], tuple[int, dict[str, Any]]]) -> Iterator[None]:
        served.append(True)
        yield
        status, body = look()
        assert (status, body["reasons"][0]["code"]) == (503, "database")
        served.append(False)

    opening = Opening(
        url,
        VirtualClock(START),
        serve=serve,
        say=said.append,
        alive=lambda: None,
        told=_Times(*steps),
        seconds=5.0,
    )
    return opening.opened(stack, is_end=lambda number: number == 15), said, served


def test_a_database_server_that_is_not_there_yet_is_waited_for(stack: ExitStack) -> None:
    url = "postgresql+psycopg://nobody:hush@127.0.0.1:9/none?connect_timeout=2"
    opened, said, served = waited(url, stack, lambda: None, lambda: 1, lambda: 15)
    assert opened is None
    assert len(said) == 1 and "waited for" in said[0] and "hush" not in said[0]
    assert served == [True, False]


def test_a_database_that_is_held_is_worked_on_as_soon_as_it_is_free(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ar_bridge.store.engine.BUSY_TIMEOUT_MS", 50)
    file = tmp_path / "ar-bridge.sqlite3"
    open_store(f"sqlite:///{file}").close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def let_go() -> None:
        other.execute("ROLLBACK")
        other.close()

    opened, said, served = waited(f"sqlite:///{file}", stack, lambda: None, let_go)
    assert opened is not None
    assert "held by another process" in said[0] and served == [True, False]


def test_what_no_waiting_mends_ends_it_at_once(tmp_path: Path, stack: ExitStack) -> None:
    (tmp_path / "letter").write_bytes(b"this is a letter" * 1000)
    with pytest.raises(DatabaseError, match="not a database"):
        waited(f"sqlite:///{tmp_path / 'letter'}", stack)
    # The lock was given back.
    with only_one(f"sqlite:///{tmp_path / 'letter'}"):
        """Nobody has it."""


def test_a_server_that_was_restarted_has_the_place_taken_anew(
    request: pytest.FixtureRequest, tmp_path: Path, stack: ExitStack
) -> None:
    url = stack.enter_context(databases(request, "postgresql", tmp_path)())
    store = open_store(url)
    stack.callback(store.close)

    def cut_off() -> None:
        # As a restart of the server does to those who hold a connection.
        with store.read() as conn:
            conn.execute(
                text(
                    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l "
                    "WHERE l.locktype = 'advisory' AND l.objid = :number AND l.database = "
                    "(SELECT oid FROM pg_database WHERE datname = current_database())"
                ),
                {"number": DAEMON},
            )

    with only_one(url) as lock:
        cut_off()
        with pytest.raises(DatabaseError):
            lock.check()
        lock.check()
        with pytest.raises(PlaceTakenError), only_one(url):
            raise AssertionError("two at once")
        cut_off()
        with pytest.raises(DatabaseError):
            lock.check()
        with only_one(url), pytest.raises(PlaceTakenError):
            lock.check()
