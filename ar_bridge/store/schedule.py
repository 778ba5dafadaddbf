"""The timetable as stored: when each job of each book is due, and each run of it once.

A run has a key of its own, (book, job, slot): the slot is the local date of what happens once a
day and the instant at which anything else was due. Who inserts it first does the work; a run that
failed, was stopped or whose process has died may be taken up again under the same key.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from ar_bridge.store.bodies import instant, instant_text
from ar_bridge.store.tables import actions, job_runs, schedule

MACHINE: Final = 0
"""Stands for the book of what no book owns."""

AGAIN: Final = ("failed", "stopped")
"""Outcomes after which the same slot may be run again."""

APART: Final = timedelta(minutes=3)
"""However often a webhook calls, a book is read no more often than this."""

IMPOSSIBLE: Final = timedelta(hours=36)
"""A run that began later than this from now was recorded by a clock that was wrong."""


class ScheduleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One job of one book."""

    book_id: int
    job: str
    next_at: datetime
    failures: int
    code: str
    reason: str
    failed_at: datetime | None
    done_at: datetime | None
    note: dict[str, Any]


def due(
    conn: Connection, now: datetime, *, outbox_jobs: Collection[str]
) -> list[tuple[int, str, str]]:
    """(book, job, instant it was due) of everything whose time has come: the one question of an
    idle tick.

    A job of `outbox_jobs` is due only where an approved action may be done now.
    """
    moment = instant_text(now)
    waiting = exists().where(
        actions.c.book_id == schedule.c.book_id,
        actions.c.send_at <= moment,
        or_(
            actions.c.state == "approved",
            and_(actions.c.state == "leased", actions.c.lease_until <= moment),
        ),
        or_(actions.c.try_after.is_(None), actions.c.try_after <= moment),
    )
    query = (
        select(schedule.c.book_id, schedule.c.job, schedule.c.next_at)
        .where(schedule.c.next_at <= moment)
        .where(or_(schedule.c.job.not_in(outbox_jobs), waiting))
    )
    return [(row.book_id, row.job, row.next_at) for row in conn.execute(query)]


def rows(conn: Connection, book_id: int | None = None) -> list[ScheduleRow]:
    """The timetable of one book, or all of it."""
    query = select(schedule).order_by(schedule.c.book_id, schedule.c.job)
    if book_id is not None:
        query = query.where(schedule.c.book_id == book_id)
    return [
        ScheduleRow(
            book_id=row["book_id"],
            job=row["job"],
            next_at=datetime.fromisoformat(row["next_at"]),
            failures=row["failures"],
            code=row["code"],
            reason=row["reason"],
            failed_at=instant(row["failed_at"]),
            done_at=instant(row["done_at"]),
            note=msgspec.json.decode(row["note"]) if row["note"] else {},
        )
        for row in conn.execute(query).mappings()
    ]


def put(conn: Connection, book_id: int, job: str, next_at: datetime, **columns: Any) -> None:
    """Say when a job is due next, and whatever else is known of it."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    values = {"next_at": instant_text(next_at), **columns}
    conn.execute(
        insert(schedule)
        .values(book_id=book_id, job=job, **values)
        .on_conflict_do_update(index_elements=["book_id", "job"], set_=values)
    )


def forget(conn: Connection, entries: Collection[tuple[int, str]]) -> None:
    """Take jobs of books out of the timetable."""
    for book_id, job in entries:
        conn.execute(schedule.delete().where(schedule.c.book_id == book_id, schedule.c.job == job))


def hasten(conn: Connection, book_ids: Collection[int], job: str, at: datetime) -> None:
    """A job is due at `at`, unless it is sooner, rests after a failure, or was done within the
    last APART: it is due that long after it then."""
    for row in conn.execute(
        select(schedule.c.book_id, schedule.c.done_at, schedule.c.next_at).where(
            schedule.c.book_id.in_(book_ids), schedule.c.job == job, schedule.c.failures == 0
        )
    ).all():
        done = instant(row.done_at)
        soonest = max(at, done + APART) if done is not None and done <= at else at
        if row.next_at > instant_text(soonest):
            put(conn, row.book_id, job, soonest)


def rest(conn: Connection, book_id: int, jobs: Collection[str], until: datetime) -> None:
    """None of these jobs is tried before `until`."""
    conn.execute(
        schedule.update()
        .where(
            schedule.c.book_id == book_id,
            schedule.c.job.in_(jobs),
            schedule.c.next_at < instant_text(until),
        )
        .values(next_at=instant_text(until))
    )


def wake(conn: Connection, book_id: int, jobs: Collection[str], now: datetime) -> None:
    """What rested because of a failure may be tried at once."""
    conn.execute(
        schedule.update()
        .where(
            schedule.c.book_id == book_id,
            schedule.c.job.in_(jobs),
            schedule.c.failures > 0,
            schedule.c.next_at > instant_text(now),
        )
        .values(next_at=instant_text(now))
    )


def wake_mended(
    conn: Connection, codes: Collection[str], now: datetime, *, book_id: int | None = None
) -> None:
    """What rested because of one of these troubles may be tried at once, in one book or in all."""
    resting = schedule.update().where(
        schedule.c.code.in_(codes),
        schedule.c.failures > 0,
        schedule.c.next_at > instant_text(now),
    )
    if book_id is not None:
        resting = resting.where(schedule.c.book_id == book_id)
    conn.execute(resting.values(next_at=instant_text(now)))


def claim(
    conn: Connection,
    book_id: int,
    job: str,
    slot: str,
    *,
    now: datetime,
    owner: str,
    is_gone: Callable[[str], bool],
) -> int | None:
    """Take a slot: the id of its run; None where it was run, or is being run by another process.

    Raises nothing where two take it at once: one of them gets None.
    """
    found = conn.execute(
        select(job_runs).where(
            job_runs.c.book_id == book_id, job_runs.c.job == job, job_runs.c.slot == slot
        )
    ).first()
    fresh = {
        "started_at": instant_text(now),
        "ended_at": None,
        "outcome": None,
        "owner": owner,
    }
    if found is None:
        try:
            with conn.begin_nested():
                inserted = conn.execute(
                    job_runs.insert().values(book_id=book_id, job=job, slot=slot, **fresh)
                ).inserted_primary_key
        except IntegrityError:
            return None
        assert inserted is not None
        return int(inserted[0])
    was_cut_off = found.outcome is None and (found.owner == owner or is_gone(found.owner))
    if found.outcome in AGAIN or was_cut_off:
        conn.execute(job_runs.update().where(job_runs.c.id == found.id).values(**fresh))
        return int(found.id)
    return None


def is_done(conn: Connection, book_id: int, job: str, slot: str) -> bool:
    """Whether this slot was run to its end."""
    query = select(job_runs.c.outcome).where(
        job_runs.c.book_id == book_id, job_runs.c.job == job, job_runs.c.slot == slot
    )
    outcome = conn.execute(query).scalar()
    return outcome is not None and outcome not in AGAIN


def end(conn: Connection, run_id: int, *, at: datetime, outcome: str) -> None:
    """A run has ended."""
    conn.execute(
        job_runs.update()
        .where(job_runs.c.id == run_id)
        .values(ended_at=instant_text(at), outcome=outcome)
    )


def forget_runs(conn: Connection, *, before: datetime) -> int:
    """Drop old runs; how many."""
    return conn.execute(
        job_runs.delete().where(job_runs.c.started_at < instant_text(before))
    ).rowcount


def forget_future(conn: Connection, now: datetime) -> int:
    """Drop runs from days that have not come: the clock was wrong when they were noted down."""
    return conn.execute(
        job_runs.delete().where(job_runs.c.started_at > instant_text(now + IMPOSSIBLE))
    ).rowcount
