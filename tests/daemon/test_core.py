"""What is due is begun, what has ended is noted, and no book stands in another's way."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event

from ar_bridge.daemon.orders import Order, Settled
from ar_bridge.errors import SetupError
from ar_bridge.store import schedule
from ar_bridge.store.tables import job_runs
from tests.daemon.timetables import Desk

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def desk(tmp_path: Path, stack: ExitStack) -> Desk:
    return Desk(tmp_path, stack, START)


def row(desk: Desk, job: str, book_id: int = 1) -> schedule.ScheduleRow:
    with desk.store.read() as conn:
        return next(one for one in schedule.rows(conn, book_id) if one.job == job)


def failing(code: str = "unreachable", *, is_ledger: bool = True) -> Settled:
    return Settled(run=0, outcome="failed", code=code, reason="it says why", is_ledger=is_ledger)


def fails(desk: Desk, book: str, job: str = "", *, is_ledger: bool = True) -> None:
    """From now on jobs of one book fail."""

    def answer(order: Order) -> Settled:
        if order.book == book and job in ("", order.job):
            settled = failing(is_ledger=is_ledger)
            return Settled(
                run=order.run,
                outcome=settled.outcome,
                code=settled.code,
                reason=settled.reason,
                is_ledger=settled.is_ledger,
            )
        return Settled(run=order.run, outcome="done")

    desk.hands.answer = answer


def test_what_was_begun_is_finished_before_anything_else(desk: Desk) -> None:
    for _ in range(4):
        desk.core.tick()
    assert [order.job for _, order in desk.hands.orders if order.book][:2] == ["finish", "plan"]


def test_a_look_with_nothing_to_do_asks_one_question_and_writes_nothing(desk: Desk) -> None:
    for _ in range(10):
        desk.core.tick()
    said: list[str] = []
    event.listen(desk.store._engine, "before_cursor_execute", lambda *a: said.append(a[2]))
    assert desk.core.tick() == 0
    assert [text.split()[0] for text in said] == ["BEGIN", "SELECT"]


def test_the_question_of_a_look_is_answered_from_an_index(desk: Desk) -> None:
    said: list[tuple[str, tuple[object, ...]]] = []
    event.listen(desk.store._engine, "before_cursor_execute", lambda *a: said.append((a[2], a[3])))
    desk.core.tick()
    (query, values) = next(one for one in said if one[0].startswith("SELECT schedule"))
    with desk.store.read() as conn:
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all()
    told = [line[3] for line in plan]
    assert all("SCAN" not in line for line in told), told


def test_one_book_that_fails_stops_no_other_and_rests_longer_each_time(
    tmp_path: Path, stack: ExitStack
) -> None:
    desk = Desk(
        tmp_path, stack, START, books={"elm": "UTC", "oak": "UTC"}, plan_at="never", at_once=2
    )
    fails(desk, "elm")
    desk.tick_until(START + timedelta(hours=6))
    begun = [at for at, order in desk.hands.orders if order.book == "elm" if order.job != "brief"]
    apart = [after - before for before, after in pairwise(begun)]
    assert apart[0] < timedelta(minutes=5) and apart[-1] >= timedelta(hours=1)
    assert len(begun) <= 12
    assert len(desk.hands.of("sync", "oak")) >= 20
    assert row(desk, "finish").reason == "it says why"
    assert not row(desk, "sync", book_id=2).failures


def test_when_the_ledger_is_back_nothing_rests_any_longer(desk: Desk) -> None:
    fails(desk, "elm")
    desk.tick_until(START + timedelta(hours=3))
    assert row(desk, "sync").failures or row(desk, "plan").failures
    desk.hands.answer = lambda order: Settled(run=order.run, outcome="done")
    desk.tick_until(START + timedelta(hours=4, minutes=10))
    with desk.store.read() as conn:
        assert all(not one.failures for one in schedule.rows(conn, 1))


def test_while_the_ledger_is_away_its_other_jobs_rest_too(desk: Desk) -> None:
    fails(desk, "elm", "finish")
    desk.core.tick()
    desk.core.tick()
    until = row(desk, "finish").next_at
    assert until > desk.clock.now()
    assert all(
        row(desk, job).next_at >= until for job in ("plan", "sync", "dispatch", "connection")
    )


def test_a_trouble_that_is_not_the_ledgers_stops_only_its_own_job(desk: Desk) -> None:
    fails(desk, "elm", "connection", is_ledger=False)
    desk.tick_until(START + timedelta(minutes=40))
    assert row(desk, "connection").failures
    assert len(desk.hands.of("sync")) >= 2


def test_a_plan_that_failed_is_tried_again_on_the_same_day(desk: Desk) -> None:
    fails(desk, "elm", "plan")
    desk.tick_until(START + timedelta(minutes=1, seconds=30))
    desk.hands.answer = lambda order: Settled(run=order.run, outcome="done")
    desk.tick_until(START + timedelta(hours=2))
    slots = {order.slot for _, order in desk.hands.orders if order.job == "plan"}
    assert slots == {"2026-06-01"}
    assert row(desk, "plan").done_at is not None
    tried = len(desk.hands.of("plan"))
    desk.tick_until(START + timedelta(hours=10))
    assert len(desk.hands.of("plan")) == tried


def test_two_processes_with_one_timetable_do_each_thing_once(
    tmp_path: Path, stack: ExitStack
) -> None:
    desk = Desk(tmp_path, stack, START, plan_at="09:00", sync_every="never")
    other = desk.new_core()
    while desk.clock.now() < START + timedelta(days=3):
        desk.core.tick()
        other.tick()
        desk.clock.advance(timedelta(minutes=30))
    days = desk.local_days("plan", "UTC")
    assert days == sorted(set(days))


def test_a_process_that_died_leaves_nothing_undone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.hands.is_slow = True
    desk.core.tick()
    _, first = desk.hands.orders[0]
    # Nothing is noted of the run but that it began; another process comes.
    with desk.store.write() as conn:
        conn.execute(job_runs.update().values(owner="elsewhere/1/1"))
    monkeypatch.setattr("ar_bridge.daemon.core.is_gone", lambda process: True)
    desk.hands.orders.clear()
    desk.hands.is_slow = False
    desk.core = desk.new_core()
    desk.tick_until(START + timedelta(minutes=10))
    assert first.job in [order.job for _, order in desk.hands.orders]
    assert len(desk.hands.of("plan")) == 1


def test_a_run_that_was_stopped_goes_on_at_the_next_start(desk: Desk) -> None:
    desk.hands.answer = lambda order: Settled(run=order.run, outcome="stopped")
    desk.core.tick()
    desk.core.collect()
    desk.hands.answer = lambda order: Settled(run=order.run, outcome="done")
    desk.hands.orders.clear()
    desk.core = desk.new_core()
    desk.tick_until(START + timedelta(minutes=5))
    assert desk.hands.of("finish") and len(desk.hands.of("plan")) == 1


def test_what_takes_too_long_is_ended(tmp_path: Path, stack: ExitStack) -> None:
    desk = Desk(tmp_path, stack, START, stuck_after="30m")
    desk.hands.is_slow = True
    desk.core.tick()
    run = desk.hands.orders[0][1].run
    desk.tick_until(START + timedelta(minutes=29))
    assert desk.hands.cut == []
    desk.tick_until(START + timedelta(minutes=33))
    assert run in desk.hands.cut


def test_as_many_books_at_once_as_the_settings_say(tmp_path: Path, stack: ExitStack) -> None:
    books = {name: "UTC" for name in ("elm", "oak", "ash", "fir")}
    desk = Desk(tmp_path, stack, START, books=books, at_once=2)
    desk.hands.is_slow = True
    desk.core.tick()
    desk.core.tick()
    assert len(desk.hands.orders) == 2
    assert len({order.book_id for _, order in desk.hands.orders}) == 2


def test_a_book_that_is_not_connected_yet_joins_when_it_is(
    tmp_path: Path, stack: ExitStack
) -> None:
    desk = Desk(tmp_path, stack, START, books={"elm": "UTC", "oak": ""})
    desk.tick_until(START + timedelta(minutes=5))
    assert list(desk.core.unconnected) == ["oak"]
    desk.books["oak"] = "UTC"
    desk.tick_until(START + timedelta(minutes=20))
    assert desk.hands.of("plan", "oak")


def test_other_settings_hold_from_the_next_look(desk: Desk) -> None:
    desk.tick_until(START + timedelta(minutes=5))
    desk.settings = desk.with_keys(sync_every="1m", plan_at="never")
    desk.core.take_settings(desk.settings)
    before = len(desk.hands.of("sync"))
    desk.tick_until(START + timedelta(minutes=25))
    assert len(desk.hands.of("sync")) >= before + 8
    with desk.store.read() as conn:
        assert "plan" not in {one.job for one in schedule.rows(conn, 1)}


def test_a_webhook_makes_the_next_reading_come_sooner(desk: Desk) -> None:
    desk.tick_until(START + timedelta(minutes=8))
    before = len(desk.hands.of("sync"))
    with desk.store.write() as conn:
        schedule.hasten(conn, [1], "sync", desk.clock.now())
    desk.core.tick()
    assert len(desk.hands.of("sync")) == before + 1


def test_a_webhook_wakes_no_book_that_rests_after_a_failure(desk: Desk) -> None:
    fails(desk, "elm")
    desk.tick_until(START + timedelta(hours=3))
    before = len(desk.hands.orders)
    with desk.store.write() as conn:
        schedule.hasten(conn, [1], "finish", desk.clock.now())
        schedule.hasten(conn, [1], "plan", desk.clock.now())
    desk.core.tick()
    assert len(desk.hands.orders) == before


def test_what_ended_while_the_database_was_held_is_noted_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.core.tick()
    held = SetupError("the database is held by another process")

    def end(*_: object, **__: object) -> None:
        raise held

    with monkeypatch.context() as patch:
        patch.setattr(schedule, "end", end)
        with pytest.raises(SetupError):
            desk.core.tick()
    assert row(desk, "finish").done_at is None
    desk.core.tick()
    assert row(desk, "finish").done_at is not None
