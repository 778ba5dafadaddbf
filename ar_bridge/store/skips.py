"""What was not done and why, as of the last decision. `since` is the day the ground began.

Grounds to wait are rows here. `not_due` is no ground: when its account is looked at again stands
in `store.agenda`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from ar_bridge.store import mirror
from ar_bridge.store.bodies import Bodies, body_of
from ar_bridge.store.parts import rows_of
from ar_bridge.store.tables import skips
from rules.decision import Skip

_skips: Bodies[Skip] = Bodies(Skip)

_Row = TypeVar("_Row")


class SkipRow(msgspec.Struct, frozen=True, kw_only=True):
    """One standing ground to wait."""

    subject: str
    skip: Skip
    since: date


def subject_of(skip: Skip) -> str:
    """What a skip is about: invoice, stage and fee; `@customer` where it has no invoice."""
    about = skip.invoice if skip.invoice is not None else f"@{skip.customer}"
    return f"{about}|{skip.stage or ''}|{skip.fee or ''}"


def record(
    conn: Connection,
    book_id: int,
    skipped: Iterable[Skip],
    today: date,
    *,
    customers: Collection[str] | None = None,
    tenant: str = "default",
) -> None:
    """Make the stored skips equal to these. Rows change only where code or next day changed.

    `customers` are the accounts that were decided (None: all); skips of others stay. Of two
    skips about the same thing the first counts.
    """
    wanted: dict[str, Skip] = {}
    for skip in skipped:
        if skip.code != "not_due":
            wanted.setdefault(subject_of(skip), skip)
    stored = {
        row.subject: row
        for row in rows_of(
            conn,
            select(skips.c.subject, skips.c.code, skips.c.next_on, skips.c.since).where(
                skips.c.book_id == book_id
            ),
            skips.c.customer,
            customers,
        )
    }
    fresh: list[tuple[str, str]] = []
    changed: list[tuple[str, str]] = []
    for subject, skip in wanted.items():
        known = stored.get(subject)
        if known is None:
            fresh.append((subject, today.isoformat()))
        elif (known.code, known.next_on) != (skip.code, _text(skip.next_on)):
            since = known.since if known.code == skip.code else today.isoformat()
            changed.append((subject, since))
    gone = sorted(stored.keys() - wanted.keys())
    about = (skips.c.book_id == book_id, skips.c.subject == bindparam("about"))
    # A large book has a hundred thousand of them: their rows are made a few at a time.
    for some in _chunks(gone):
        conn.execute(skips.delete().where(*about), [{"about": subject} for subject in some])
    for part in _chunks(changed):
        rows = [
            {"about": subject, "since": since, **_columns(wanted[subject])}
            for subject, since in part
        ]
        conn.execute(skips.update().where(*about), rows)
    for part in _chunks(fresh):
        rows = [
            {
                "tenant_id": tenant,
                "book_id": book_id,
                "subject": subject,
                "since": since,
                **_columns(wanted[subject]),
            }
            for subject, since in part
        ]
        conn.execute(skips.insert(), rows)


def listed(
    conn: Connection,
    book_id: int,
    *,
    customer: str | None = None,
    invoice: str | None = None,
    code: str | None = None,
) -> list[SkipRow]:
    """Standing skips, those that wait longest first."""
    query = select(skips).where(skips.c.book_id == book_id).order_by(skips.c.since, skips.c.subject)
    for column, value in (
        (skips.c.customer, customer),
        (skips.c.invoice, invoice),
        (skips.c.code, code),
    ):
        if value is not None:
            query = query.where(column == value)
    return [
        SkipRow(
            subject=row.subject,
            skip=_skips.read(row.body),
            since=date.fromisoformat(row.since),
        )
        for row in conn.execute(query)
    ]


def counts(conn: Connection, book_id: int) -> dict[str, int]:
    """Code to number of standing grounds to wait."""
    rows = conn.execute(
        select(skips.c.code, func.count()).where(skips.c.book_id == book_id).group_by(skips.c.code)
    )
    return {code: count for code, count in rows}


def _columns(skip: Skip) -> dict[str, Any]:
    return {
        "customer": skip.customer,
        "invoice": skip.invoice,
        "code": skip.code,
        "next_on": _text(skip.next_on),
        "review_on": _text(skip.review_on),
        "body": body_of(skip),
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _chunks(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    for start in range(0, len(rows), mirror.CHUNK):
        yield rows[start : start + mirror.CHUNK]
