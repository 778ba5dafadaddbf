"""Mail that came in: what was read, whose it is, and what it makes of our history."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, RowMapping, func, select

from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import (
    actions,
    bad_addresses,
    briefs,
    effects,
    inbound_mails,
    inbound_places,
)
from rules.actions.effects import SendMessage

OPEN: Final = "open"
HANDLED: Final = "handled"
NOTED: Final = "noted"
"""It asks nobody for anything."""

HELD: Final = ("reply", "complaint")
"""Kinds that hold what would be said, until a person dealt with them."""
LOST: Final = ("bounce", "soft_bounce")
"""Kinds after which a message counts as not received."""
AT_ONCE: Final = ("complaint", "moved", "wrote", "half_bounce")
"""Kinds that are a task on the day on which they are read."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a mailbox was read."""

    uid_validity: int
    last_uid: int
    at: datetime


class SentMail(msgspec.Struct, frozen=True, kw_only=True):
    """A message of ours that an answer names."""

    book_id: int
    action_id: int
    key: str
    kind: str
    state: str
    customer: str
    position: int
    message: SendMessage
    sent_on: date
    is_also_elsewhere: bool
    """Whether the same message reached the customer by another channel too."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a mail; emptied when it is erased."""

    v: int = 1
    sender: str = ""
    subject: str = ""
    text: str = ""
    recipients: tuple[str, ...] = ()
    status: str = ""
    said: str = ""
    urgent: str = ""
    back_on: date | None = None
    answers: str = ""
    """Message-ID of ours that it answers."""
    key: str = ""
    """Key of the action that sent that."""
    attachments: tuple[str, ...] = ()
    problem: str = ""
    is_sure: bool = False
    """Whether it names a message of ours; else only its sender tells whose it is."""


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """One mail that was read."""

    id: int
    kind: str
    book_id: int | None
    customer: str | None
    action_id: int | None
    on: date
    read_at: datetime
    state: str
    source: str
    kept: Kept


_message = msgspec.json.Decoder(SendMessage)
kept_body = msgspec.json.Decoder(Kept)
_encode = msgspec.json.Encoder().encode


# where mail lies ------------------------------------------------------------------------------


def place_of(conn: Connection, source: str) -> Place | None:
    """How far a mailbox was read; None where it never was."""
    query = select(inbound_places).where(inbound_places.c.source == source)
    row = conn.execute(query).first()
    if row is None:
        return None
    return Place(
        uid_validity=row.uid_validity,
        last_uid=row.last_uid,
        at=datetime.fromisoformat(row.at),
    )


def set_place(conn: Connection, source: str, place: Place) -> None:
    """Remember how far a mailbox was read."""
    conn.execute(inbound_places.delete().where(inbound_places.c.source == source))
    conn.execute(
        inbound_places.insert().values(
            source=source,
            uid_validity=place.uid_validity,
            last_uid=place.last_uid,
            at=instant_text(place.at),
        )
    )


def marks_read(conn: Connection, source: str) -> set[str]:
    """Names of files of a folder that were read."""
    query = select(inbound_mails.c.mark).where(inbound_mails.c.source == source)
    return set(conn.execute(query).scalars())


def is_known(conn: Connection, identity: str) -> bool:
    """Whether this very mail was read before, from wherever."""
    query = select(inbound_mails.c.id).where(inbound_mails.c.identity == identity)
    return conn.execute(query).first() is not None


# reading and keeping --------------------------------------------------------------------------


def add(
    conn: Connection,
    *,
    identity: str,
    source: str,
    mark: str,
    kind: str,
    book_id: int | None,
    customer: str | None,
    action_id: int | None,
    on: date,
    at: datetime,
    state: str,
    kept: Kept,
) -> int:
    """Keep a mail; returns its number. Raises IntegrityError where it was kept before."""
    inserted = conn.execute(
        inbound_mails.insert().values(
            identity=identity,
            source=source,
            mark=mark,
            kind=kind,
            book_id=book_id,
            customer=customer,
            action_id=action_id,
            on=on.isoformat(),
            read_at=instant_text(at),
            state=state,
            body=_encode(kept).decode(),
        )
    ).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def mails(
    conn: Connection,
    book_id: int,
    *,
    states: Collection[str] | None = None,
    since: date | None = None,
    limit: int | None = None,
) -> list[MailRow]:
    """Mails of a book, the newest first."""
    query = (
        select(inbound_mails)
        .where(inbound_mails.c.book_id == book_id)
        .order_by(inbound_mails.c.id.desc())
    )
    if states is not None:
        query = query.where(inbound_mails.c.state.in_(states))
    if since is not None:
        query = query.where(inbound_mails.c.on >= since.isoformat())
    if limit is not None:
        query = query.limit(limit)
    return [_mail_row(row) for row in conn.execute(query).mappings()]


def mail_by_id(conn: Connection, mail_id: int) -> MailRow | None:
    """One mail; None for an unknown number."""
    query = select(inbound_mails).where(inbound_mails.c.id == mail_id)
    row = conn.execute(query).mappings().first()
    return _mail_row(row) if row is not None else None


def set_state(conn: Connection, mail_id: int, state: str, *, kind: str | None = None) -> None:
    """A mail was dealt with, or is something else than it seemed."""
    values = {"state": state} | ({"kind": kind} if kind is not None else {})
    conn.execute(inbound_mails.update().where(inbound_mails.c.id == mail_id).values(**values))


def forget(conn: Connection, mail_id: int) -> None:
    """Erase what a mail said; that it came stays."""
    conn.execute(
        inbound_mails.update()
        .where(inbound_mails.c.id == mail_id)
        .values(body=_encode(Kept()).decode())
    )


def counts_since(conn: Connection, since: datetime) -> dict[str, int]:
    """Kind to number of mails that were read after an instant."""
    rows = conn.execute(
        select(inbound_mails.c.kind, func.count().label("how_many"))
        .where(inbound_mails.c.read_at > instant_text(since))
        .group_by(inbound_mails.c.kind)
    )
    return {row.kind: row.how_many for row in rows}


# what it answers ------------------------------------------------------------------------------


def sent_mail(conn: Connection, message_id: str) -> SentMail | None:
    """The message of ours with that Message-ID, its newest sending; None for none of ours."""
    query = (
        select(
            effects.c.action_id,
            effects.c.position,
            effects.c.body,
            effects.c.first_sent_at,
            actions.c.book_id,
            actions.c.key,
            actions.c.kind,
            actions.c.state,
            actions.c.customer,
            actions.c.send_on,
        )
        .join(actions, actions.c.id == effects.c.action_id)
        .where(effects.c.message_id == message_id, effects.c.first_sent_at.is_not(None))
        .order_by(effects.c.action_id.desc())
        .limit(1)
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    others = conn.execute(
        select(effects.c.position).where(
            effects.c.action_id == row.action_id,
            effects.c.name == "send_message",
            effects.c.state == "done",
            effects.c.position != row.position,
        )
    ).first()
    return SentMail(
        book_id=row.book_id,
        action_id=row.action_id,
        key=row.key,
        kind=row.kind,
        state=row.state,
        customer=row.customer,
        position=row.position,
        message=_message.decode(row.body),
        sent_on=date.fromisoformat(row.send_on),
        is_also_elsewhere=others is not None,
    )


def sent_in_vain(conn: Connection, book_id: int, keys: Collection[str]) -> dict[str, int]:
    """How often the message of each of these actions went out and came back."""
    found: dict[str, int] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), 500):
        rows = conn.execute(
            select(actions.c.key, func.count().label("how_many"))
            .join(effects, (effects.c.action_id == actions.c.id) & (effects.c.position == 0))
            .where(
                actions.c.book_id == book_id,
                actions.c.key.in_(wanted[start : start + 500]),
                actions.c.state == "refused",
                effects.c.name == "send_message",
                effects.c.state == "done",
            )
            .group_by(actions.c.key)
        )
        found.update((row.key, row.how_many) for row in rows)
    return found


def brief_named(conn: Connection, message_id: str) -> int | None:
    """Id of the book whose brief has that Message-ID."""
    query = select(briefs.c.book_id).where(briefs.c.message_id == message_id)
    found = conn.execute(query).scalar()
    return int(found) if found is not None else None


def lost_by_address(conn: Connection, action_id: int) -> dict[str, MailRow]:
    """Recipients of a message from which it came back, each with the report; "" is the key of a
    report that names none."""
    query = select(inbound_mails).where(
        inbound_mails.c.action_id == action_id, inbound_mails.c.kind.in_((*LOST, "half_bounce"))
    )
    found: dict[str, MailRow] = {}
    for row in conn.execute(query).mappings():
        mail = _mail_row(row)
        for address in mail.kept.recipients or ("",):
            found[address] = mail
    return found


def waiting_losses(conn: Connection) -> list[int]:
    """Actions that are done and of which some message came back."""
    query = (
        select(actions.c.id)
        .join(inbound_mails, inbound_mails.c.action_id == actions.c.id)
        .where(
            inbound_mails.c.kind.in_(LOST),
            inbound_mails.c.state == OPEN,
            actions.c.state == "done",
        )
        .distinct()
    )
    return list(conn.execute(query).scalars())


# addresses ------------------------------------------------------------------------------------


def mark_bad(conn: Connection, book_id: int, address: str, on: date, said: str) -> None:
    """Nothing is sent to an address any more from which mail came back for good."""
    clear_bad(conn, book_id, address)
    conn.execute(
        bad_addresses.insert().values(
            book_id=book_id, address=address.lower(), since=on.isoformat(), said=said
        )
    )


def clear_bad(conn: Connection, book_id: int, address: str) -> bool:
    """The address is good after all; whether it was marked."""
    gone = conn.execute(
        bad_addresses.delete().where(
            bad_addresses.c.book_id == book_id, bad_addresses.c.address == address.lower()
        )
    )
    return gone.rowcount > 0


def bad(conn: Connection, book_id: int) -> dict[str, str]:
    """Addresses from which mail came back for good, each with what was said and since when."""
    rows = conn.execute(select(bad_addresses).where(bad_addresses.c.book_id == book_id))
    return {
        row.address: f"mail to {row.address} came back on {row.since}"
        + (f": {row.said}" if row.said else "")
        for row in rows
    }


def soft_since(conn: Connection, book_id: int, address: str, since: date) -> int:
    """How often messages to an address did not arrive for the time being."""
    query = select(inbound_mails.c.body).where(
        inbound_mails.c.book_id == book_id,
        inbound_mails.c.kind == "soft_bounce",
        inbound_mails.c.on >= since.isoformat(),
    )
    return sum(
        address in kept_body.decode(body).recipients for body in conn.execute(query).scalars()
    )


def _mail_row(row: RowMapping) -> MailRow:
    return MailRow(
        id=row["id"],
        kind=row["kind"],
        book_id=row["book_id"],
        customer=row["customer"],
        action_id=row["action_id"],
        on=date.fromisoformat(row["on"]),
        read_at=datetime.fromisoformat(row["read_at"]),
        state=row["state"],
        source=row["source"],
        kept=kept_body.decode(row["body"]),
    )
