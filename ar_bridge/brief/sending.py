"""Mailing the brief: once for each book and local day, whatever crashes.

Its words are stored before they are sent. A brief that was handed over, or begun and cut off, is
never sent again: the next one goes back to the last that surely went out, so that nothing is
left untold, and says so.
"""

import hashlib
from datetime import date, timedelta
from email.utils import parseaddr
from typing import Final, Literal, TypeAlias

import msgspec

from ar_bridge import audit
from ar_bridge.brief.making import make_brief
from ar_bridge.brief.model import Brief
from ar_bridge.brief.writing import Written, write_brief
from ar_bridge.channels.errors import (
    ChannelRefusedError,
    ChannelTransientError,
    ChannelUnknownError,
)
from ar_bridge.context import BookContext
from ar_bridge.messages.late import LateSlots
from ar_bridge.store import briefs
from rules.actions.effects import SendMessage
from rules.actions.keys import message_id
from rules.model import CustomerId

CUT_OFF: Final = timedelta(minutes=10)
"""A sending that has not ended by then never will: it takes seconds."""

OWNER: Final = "owner"

PREFIX: Final = "brief/"

Outcome: TypeAlias = Literal[
    "sent", "already", "quiet", "nobody", "no_mail", "later", "under_way", "unknown", "refused"
]
"""already: today's went out or was settled before; nobody: no address; later: the mail server
takes nothing now, call again; under_way: another process is at it; unknown: it may have gone."""


class BriefSent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of today's brief."""

    outcome: Outcome
    to: tuple[str, ...] = ()
    said: str = ""


def recipients(desk: BookContext) -> tuple[str, ...]:
    """Who gets the brief: those of the settings, else the owners that the policy names."""
    if desk.brief.to:
        return tuple(parseaddr(str(one))[1] for one in desk.brief.to)
    return tuple(one.email for one in desk.policy.person if OWNER in one.roles and one.email)


def written(desk: BookContext, brief: Brief) -> Written:
    """The brief in the words of this book's templates."""
    return write_brief(
        brief,
        desk.company,
        language=desk.brief.language,
        directories=desk.templates.directories,
    )


def send_brief(desk: BookContext) -> BriefSent:
    """Mail today's brief, unless that was done. Raises nothing for a mail server's trouble: the
    outcome says it, and calling again tries again where nothing was handed over."""
    to = recipients(desk)
    if not to:
        return BriefSent(outcome="nobody")
    channel = desk.channels.get("email")
    if channel is None:
        return BriefSent(outcome="no_mail", to=to)
    taken = _taken(desk, to)
    if isinstance(taken, BriefSent):
        return taken
    try:
        receipt = channel.send(taken, LateSlots(date=desk.clock.now()))
    except ChannelUnknownError as trouble:
        return _settled(desk, taken, briefs.UNKNOWN, "unknown", trouble.message)
    except ChannelRefusedError as trouble:
        return _settled(desk, taken, briefs.REFUSED, "refused", trouble.message)
    except ChannelTransientError as trouble:
        return _settled(desk, taken, briefs.LATER, "later", trouble.message)
    return _settled(desk, taken, briefs.SENT, "sent", receipt.response)


def _taken(desk: BookContext, to: tuple[str, ...]) -> SendMessage | BriefSent:
    """Today's brief, stored as being sent by us; or why we do not send it."""
    today, now = desk.today(), desk.clock.now()
    with desk.store.read() as conn:
        known = briefs.of_day(conn, desk.book_id, today)
        brief = make_brief(conn, desk) if known is None else None
    message = _message(desk, brief, to) if brief is not None else None
    with desk.store.write() as conn:
        row = briefs.of_day(conn, desk.book_id, today)
        if row is None:
            if brief is None or message is None:
                return BriefSent(outcome="under_way", to=to)
            quiet = brief.is_quiet and desk.brief.only_when_something
            briefs.add(
                conn,
                desk.book_id,
                on=today,
                state=briefs.QUIET if quiet else briefs.SENDING,
                message=message,
                payments=brief.payments_told,
                at=now,
            )
            return BriefSent(outcome="quiet", to=to) if quiet else message
        if row.state == briefs.LATER:
            briefs.settle(conn, desk.book_id, today, briefs.SENDING, at=now)
            return row.message
        if row.state == briefs.SENDING:
            if now - (row.ended_at or row.made_at) < CUT_OFF:
                return BriefSent(outcome="under_way", to=row.message.to)
            said = "sending it was cut off"
            briefs.settle(conn, desk.book_id, today, briefs.UNKNOWN, at=now, said=said)
            return BriefSent(outcome="unknown", to=row.message.to, said=said)
        return BriefSent(outcome="already", to=row.message.to, said=row.said)


def _message(desk: BookContext, brief: Brief, to: tuple[str, ...]) -> SendMessage:
    words = written(desk, brief)
    key = f"{PREFIX}{brief.on.isoformat()}"
    return SendMessage(
        key=key,
        customer=CustomerId(""),
        to=to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        message_id=message_id(f"{desk.company.id}|{key}", desk.message_domain),
    )


def _settled(
    desk: BookContext, message: SendMessage, state: str, outcome: Outcome, said: str
) -> BriefSent:
    with desk.store.write() as conn:
        now = desk.clock.now()
        on = date.fromisoformat(message.key.removeprefix(PREFIX))
        briefs.settle(conn, desk.book_id, on, state, at=now, said=said)
        if state == briefs.SENT:
            audit.append(
                conn,
                book_id=desk.book_id,
                at=now,
                actor=desk.worker,
                event="BriefSent",
                subject=message.key,
                payload={
                    "to": list(message.to),
                    "message_id": message.message_id,
                    "text": hashlib.sha256(message.text.encode()).hexdigest(),
                },
            )
    return BriefSent(outcome=outcome, to=message.to, said=said)
