"""Notes of ours that were found in the ledger although our records knew nothing of them, and
the places where they were looked for: each of those once."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, or_, select

from ar_bridge.store.bodies import Bodies, body_of
from ar_bridge.store.tables import actions, books, effects, looked_at, marks
from connectors.port import Mark
from rules.actions.effects import Effect, PostNote, SetHold

COMPANY: Final = "company"
"""The place of everything that is found in bulk, looked at when a book is first read."""

TRUSTED: Final = "trusted"
"""Not a place: a person trusts what was found, and what is still to be found."""

FEES: Final = "fees"
"""Not a place either: fees that were found are remembered by their numbers from here on."""

_INVOICE: Final = "invoice/"
_FEE: Final = "fee/"

_marks: Bodies[Mark] = Bodies(Mark)
_effect = msgspec.json.Decoder(Effect)


def fee_place(number: str) -> str:
    """A fee of ours that was found in the ledger, by its number."""
    return f"{_FEE}{number}"


def place_of(invoice: str) -> str:
    """The notes on one invoice as a place."""
    return f"{_INVOICE}{invoice}"


def places(conn: Connection, book_id: int) -> set[str]:
    """Where was looked already."""
    return set(
        conn.execute(select(looked_at.c.place).where(looked_at.c.book_id == book_id)).scalars()
    )


def first_looked_at(conn: Connection, book_id: int) -> datetime | None:
    """When the company was looked at; None where that is still to be done."""
    found = conn.execute(
        select(looked_at.c.at).where(looked_at.c.book_id == book_id, looked_at.c.place == COMPANY)
    ).scalar()
    return datetime.fromisoformat(found) if found is not None else None


def remember(conn: Connection, book_id: int, where: Iterable[str], *, at: datetime) -> None:
    """These places were looked at."""
    known = places(conn, book_id)
    rows = [
        {"book_id": book_id, "place": place, "at": at.isoformat()}
        for place in dict.fromkeys(where)
        if place not in known
    ]
    if rows:
        conn.execute(looked_at.insert(), rows)


def forget(conn: Connection, book_id: int) -> None:
    """Everything is to be looked at again, though what was found stays. Fees that are known to
    be in the ledger, and a person's trust, are no places."""
    conn.execute(
        looked_at.delete().where(
            looked_at.c.book_id == book_id,
            or_(looked_at.c.place == COMPANY, looked_at.c.place.startswith(_INVOICE)),
        )
    )


def trusted_at(conn: Connection, book_id: int) -> datetime | None:
    """When a person trusted what was found; None where nobody did."""
    found = conn.execute(
        select(looked_at.c.at).where(looked_at.c.book_id == book_id, looked_at.c.place == TRUSTED)
    ).scalar()
    return datetime.fromisoformat(found) if found is not None else None


def trust(conn: Connection, book_id: int, *, at: datetime) -> None:
    """A person trusts what was found until now."""
    conn.execute(
        looked_at.delete().where(looked_at.c.book_id == book_id, looked_at.c.place == TRUSTED)
    )
    remember(conn, book_id, [TRUSTED], at=at)


def unknown_fees(conn: Connection, book_id: int, numbers: Iterable[str]) -> list[str]:
    """Documents under our numbers that neither our records nor an earlier search know: fees that
    were charged after these records were written, or by another copy of them."""
    wanted = sorted(set(numbers))
    known: set[str] = set()
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        begun = (
            select(actions.c.number)
            .join(effects, effects.c.action_id == actions.c.id)
            .where(
                actions.c.book_id == book_id,
                actions.c.number.in_(some),
                effects.c.name == "post_charge",
                effects.c.state != "pending",
            )
        )
        known.update(conn.execute(begun).scalars())
        seen = select(looked_at.c.place).where(
            looked_at.c.book_id == book_id, looked_at.c.place.in_([fee_place(n) for n in some])
        )
        known.update(place.removeprefix(_FEE) for place in conn.execute(seen).scalars())
    return [number for number in wanted if number not in known]


def add(conn: Connection, book_id: int, found: Iterable[tuple[str, Mark]]) -> list[Mark]:
    """Keep notes under their marks; returns those that are new.

    A note that an action in our records wrote is no find.
    """
    by_mark = dict(found)
    if not by_mark:
        return []
    known = set(conn.execute(select(marks.c.mark).where(marks.c.book_id == book_id)).scalars())
    known |= _written(conn, book_id)
    new = {mark: note for mark, note in by_mark.items() if mark not in known}
    if new:
        conn.execute(
            marks.insert(),
            [
                {
                    "book_id": book_id,
                    "mark": mark,
                    "on": note.on.isoformat(),
                    "customer": note.customer,
                    "body": body_of(note),
                }
                for mark, note in new.items()
            ],
        )
    return list(new.values())


def listed(
    conn: Connection, book_id: int, *, customers: Collection[str] | None = None
) -> list[tuple[str, Mark]]:
    """(mark, note) of everything found, oldest first; of some customers and of those notes of
    which the ledger does not say whose they are."""
    query = (
        select(marks.c.mark, marks.c.body, marks.c.customer)
        .where(marks.c.book_id == book_id)
        .order_by(marks.c.on, marks.c.mark)
    )
    return [
        (row.mark, _marks.read(row.body))
        for row in conn.execute(query)
        if customers is None or row.customer is None or row.customer in customers
    ]


def began(conn: Connection, book_id: int, on: date) -> None:
    """Our work on the book began no later than that day, whatever day it was connected again:
    fees and first-sync rules count from it."""
    conn.execute(
        books.update()
        .where(books.c.id == book_id, books.c.connected_on > on.isoformat())
        .values(connected_on=on.isoformat())
    )


def _written(conn: Connection, book_id: int) -> set[str]:
    """Marks of the notes and holds that our own actions write."""
    rows = conn.execute(
        select(effects.c.body)
        .join(actions, actions.c.id == effects.c.action_id)
        .where(actions.c.book_id == book_id, effects.c.name.in_(("post_note", "set_hold")))
    )
    written = (_effect.decode(row.body) for row in rows)
    return {effect.mark for effect in written if isinstance(effect, PostNote | SetHold)}


def forget_places(conn: Connection, book_id: int) -> None:
    """Have marks of ours looked for everywhere again."""
    conn.execute(looked_at.delete().where(looked_at.c.book_id == book_id))
