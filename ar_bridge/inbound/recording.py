"""What a mail means for the book, written together with the note that it was read.

A reply holds until a person dealt with it. A message that came back for good counts as not
served: its action becomes `refused`, its address rests until somebody corrects it. One that came
back for the time being is due again the next day, and ends by itself. Nothing else is decided
here: words never stop anybody, they are read by a person at once.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.inbound.matching import NOBODY, Senders, Whose, whose
from ar_bridge.inbound.reading import Reading
from ar_bridge.store import actions as action_store
from ar_bridge.store import inbound
from ar_bridge.store.inbound import HANDLED, NOTED, OPEN, Kept
from rules.calendar import local_date

ACTOR: Final = "inbound"
OLDEST: Final = timedelta(days=30)
"""A mail counts from the day on which it came, but from no earlier one than this."""
PATIENCE: Final = timedelta(days=30)
TOO_OFTEN: Final = 3
"""So many messages in that time that did not arrive for the time being are one that never will."""

EVENTS: Final[Mapping[str, str]] = {
    "reply": "ReplyReceived",
    "bounce": "MailBounced",
    "soft_bounce": "MailBounced",
    "half_bounce": "MailBounced",
    "complaint": "ComplaintReceived",
    "wrote": "MailReceived",
    "moved": "MailReceived",
    "auto_reply": "AutoReplyReceived",
}

IGNORED: Final = frozenset({"own", "foreign", "unreadable", "copy"})
"""Kinds of which nothing is kept but that they were read."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one mail."""

    kind: str
    is_new: bool = True
    mail_id: int | None = None
    book_id: int | None = None
    customer: str | None = None
    problem: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is about a customer or a message of ours."""
        return self.book_id is not None


def record(
    conn: Connection,
    reading: Reading,
    *,
    source: str,
    mark: str,
    received: datetime,
    now: datetime,
    senders: Senders,
    zones: Mapping[int, str],
) -> Recorded:
    """Keep a mail, in the caller's transaction; one that was kept before changes nothing.

    `zones` are the time zones of the books: a day is the company's.
    """
    if inbound.is_known(conn, reading.identity):
        return Recorded(kind="copy", is_new=False)
    found = whose(conn, reading, senders) if reading.kind not in IGNORED else NOBODY
    kind = _kind(reading, found)
    if kind in IGNORED:
        found = NOBODY
    on = _day(found, received, now, zones)
    mail_id = inbound.add(
        conn,
        identity=reading.identity,
        source=source[:255],
        mark=mark[:255],
        kind=kind,
        book_id=found.book_id,
        customer=found.customer,
        action_id=found.sent.action_id if found.sent is not None else None,
        on=on,
        at=now,
        state=_state(kind, found),
        kept=_kept(reading, found) if kind not in IGNORED else Kept(problem=reading.problem),
    )
    event = EVENTS.get(kind)
    if event is not None and found.book_id is not None:
        _audit(conn, event, mail_id, reading, found, now)
    if kind == "reply" and found.book_id is not None and reading.sender:
        inbound.clear_bad(conn, found.book_id, reading.sender)
    if found.sent is not None and kind in inbound.LOST:
        settle_losses(conn, [found.sent.action_id], now=now)
    return Recorded(
        kind=kind,
        mail_id=mail_id,
        book_id=found.book_id,
        customer=found.customer,
        problem=reading.problem,
    )


def settle_losses(conn: Connection, action_ids: list[int], *, now: datetime) -> int:
    """Messages of which it is known that they did not arrive count as not sent; returns how many.

    One that is still under way is left: the next look finds it done.
    """
    changed = 0
    for action_id in action_ids:
        row = action_store.action_by_id(conn, action_id)
        if row.state != "done" or row.message is None:
            continue
        changed += _settle(conn, row, now)
    return changed


def _settle(conn: Connection, row: action_store.ActionRow, now: datetime) -> int:
    assert row.message is not None
    lost = inbound.lost_by_address(conn, row.id)
    to = {address.lower() for address in row.message.to}
    reports = {mail.id: mail for mail in lost.values()}
    # A forwarded address comes back under another name: then the report is about all of them.
    is_lost = to <= lost.keys() or "" in lost or (bool(lost) and not to & lost.keys())
    is_hard = False
    for mail in sorted(reports.values(), key=lambda one: one.id):
        hard = mail.kind in ("bounce", "half_bounce")
        for address in sorted({*mail.kept.recipients} & to or to):
            since = mail.on - PATIENCE
            often = inbound.soft_since(conn, row.book_id, address, since) >= TOO_OFTEN
            if hard or often:
                inbound.mark_bad(conn, row.book_id, address, mail.on, mail.kept.said)
            is_hard = is_hard or hard or often
    first = min(reports.values(), key=lambda one: one.id)
    if not is_lost or row.message.also:
        for mail in reports.values():
            if is_hard:
                inbound.set_state(conn, mail.id, OPEN, kind="half_bounce")
            else:
                inbound.set_state(conn, mail.id, NOTED)
        return 0
    said = f": {first.kept.said}" if first.kept.said else ""
    for mail in reports.values():
        if is_hard:
            inbound.set_state(conn, mail.id, OPEN, kind="bounce")
        else:
            inbound.set_state(conn, mail.id, HANDLED)
    named = ", ".join(sorted(to))
    reason = (
        f"the message to {named} came back{said}"
        if is_hard
        else f"the message could not be delivered this time{said}"
    )
    action_store.set_state(conn, [row.id], "refused", now=now, reason=reason)
    audit.append(
        conn,
        book_id=row.book_id,
        at=now,
        actor=ACTOR,
        event="MessageReturned",
        subject=row.key,
        payload={
            "state": "refused",
            "revision": row.revision,
            "reason": reason,
            "for_good": is_hard,
            "mails": sorted(reports),
        },
    )
    return 1


def _kind(reading: Reading, found: Whose) -> str:
    if reading.kind in IGNORED:
        return reading.kind
    if found == NOBODY:
        return "foreign"
    if found.is_sure or found.customer is None:
        return str(reading.kind)
    # Only an address tells whose it is: a person looks, and nothing is held or undone.
    if reading.kind == "bounce":
        return "half_bounce"
    if reading.kind in ("reply", "complaint"):
        return "wrote"
    return str(reading.kind)


def _state(kind: str, found: Whose) -> str:
    if kind in ("delayed", "auto_reply") or kind in IGNORED:
        return NOTED
    if found.customer is None and kind not in inbound.LOST:
        return NOTED
    if kind == "soft_bounce" and not found.is_sure:
        return NOTED
    return OPEN


def _day(found: Whose, received: datetime, now: datetime, zones: Mapping[int, str]) -> date:
    zone = zones.get(found.book_id, "UTC") if found.book_id is not None else "UTC"
    today = local_date(now, zone)
    return min(today, max(local_date(received, zone), today - OLDEST))


def _kept(reading: Reading, found: Whose) -> Kept:
    return Kept(
        sender=reading.sender,
        subject=reading.subject,
        text=reading.text,
        recipients=reading.recipients,
        status=reading.status,
        said=reading.said,
        urgent=reading.urgent,
        back_on=reading.back_on,
        answers=found.sent.message.message_id if found.sent is not None else "",
        key=found.sent.key if found.sent is not None else "",
        attachments=tuple(
            f"{one.name or 'unnamed'} ({one.content_type}, {one.bytes} bytes)"
            for one in reading.attachments
        ),
        problem=f"the address belongs to {', '.join(found.others)} too" if found.others else "",
        is_sure=found.is_sure,
    )


def _audit(
    conn: Connection, event: str, mail_id: int, reading: Reading, found: Whose, now: datetime
) -> None:
    audit.append(
        conn,
        book_id=found.book_id,
        at=now,
        actor=ACTOR,
        event=event,
        subject=found.sent.key if found.sent is not None else f"mail/{mail_id}",
        payload={
            "mail": mail_id,
            "kind": reading.kind,
            "customer": found.customer,
            "from": reading.sender,
            "subject": reading.subject,
            "recipients": list(reading.recipients),
            "status": reading.status,
            "said": reading.said,
            "urgent": reading.urgent,
            "is_sure": found.is_sure,
        },
    )
