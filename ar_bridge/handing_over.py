"""Messages: each is handed to its channel once, with what is filled in at sending."""

from zoneinfo import ZoneInfo

import msgspec

from ar_bridge.channels.errors import (
    ChannelRefusedError,
    ChannelTransientError,
    ChannelUnknownError,
)
from ar_bridge.context import BookContext
from ar_bridge.enclosing import enclosed
from ar_bridge.intents import intend, save, save_done
from ar_bridge.outcome import FIND_APART, Outcome, StopError, backoff
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.outbox import EffectRow
from connectors.port import Receipt
from rules.actions.effects import SendMessage
from rules.calendar import local_date

MOST_COPIES = 3
"""So often a mail is sent at most, where nobody knows whether it arrived."""


def hand_over(
    desk: BookContext, row: ActionRow, effect: EffectRow, message: SendMessage, token: int
) -> EffectRow:
    """Give a message to its channel, once. Raises StopError, LeaseLostError.

    What may have been handed over before waits for a person; a mail goes once more the same day
    where the settings say so, with the same Message-ID, by which a second copy is recognised.
    """
    now = desk.clock.now()
    channel = desk.channels.get(channel_for(row.mode, message.channel))
    if channel is None:
        text = f"no {message.channel} channel is set up"
        if message.is_optional:
            return save(desk, effect, token, state="refused", error=text)
        raise StopError(Outcome.LATER, text, try_after=now + backoff(row.failures))
    begun = effect.first_sent_at if effect.state == "sending" else None
    is_again = effect.state == "sending" and not channel.is_repeatable
    if is_again and not _may_go_again(desk, effect, message):
        # Handed to the mail server before a crash, or not: nobody can tell.
        text = "it may have been handed to the mail server before an interruption"
        save(desk, effect, token, state="unknown", error=text)
        raise StopError(Outcome.UNKNOWN, text)
    before = ""
    if desk.handed is not None and not (is_again or channel.is_repeatable):
        before = desk.handed.when(message.message_id)
    if before:
        text = (
            f"it was handed to the mail server on {before[:16].replace('T', ' ')} UTC, of which "
            "these records know nothing: they are older, or were lost"
        )
        save(desk, effect, token, state="unknown", attempts=1, error=text)
        raise StopError(Outcome.UNKNOWN, text)
    # The same day as before the interruption: what is done over again is the same thing.
    late = enclosed(desk, row, message, begun or now)
    slots = late.slots
    if message.channel == "letter":
        # It bears the date of the company's own day.
        local = slots.date.astimezone(ZoneInfo(desk.company.timezone))
        slots = msgspec.structs.replace(slots, date=local)
    effect = intend(desk, row, effect, token, begun or now, is_again=is_again)
    if not channel.is_repeatable and desk.handed is not None:
        desk.handed.note(message.message_id, now)
    try:
        sent = channel.send(message, slots)
    except ChannelTransientError as problem:
        if not is_again:  # nothing was handed over this time: that says nothing of the time before
            if desk.handed is not None:
                desk.handed.take_back(message.message_id, now)
            save(desk, effect, token, state="pending", error=str(problem))
        wait = backoff(row.failures)
        raise StopError(Outcome.LATER, str(problem), try_after=now + wait, fault="own") from problem
    except ChannelRefusedError as problem:
        if is_again:
            text = f"sent again, it was refused: {problem}"
            save(desk, effect, token, state="unknown", error=text)
            raise StopError(Outcome.UNKNOWN, text) from problem
        if desk.handed is not None:
            desk.handed.take_back(message.message_id, now)
        refused = save(desk, effect, token, state="refused", error=str(problem))
        if message.is_optional:
            return refused
        raise StopError(Outcome.REFUSED, str(problem)) from problem
    except ChannelUnknownError as problem:
        if _may_go_again(desk, effect, message):
            save(desk, effect, token, error=str(problem))
            text = f"{problem}; it goes once more"
            raise StopError(Outcome.LATER, text, try_after=now + FIND_APART) from problem
        save(desk, effect, token, state="unknown", error=str(problem))
        raise StopError(Outcome.UNKNOWN, str(problem)) from problem
    receipt = Receipt(id=sent.message_id, number=sent.response, at=sent.at)
    left_out = f"left out: {'; '.join(late.left_out)}" if late.left_out else None
    return save_done(desk, row, effect, token, receipt=receipt, error=left_out)


def _may_go_again(desk: BookContext, effect: EffectRow, message: SendMessage) -> bool:
    """Whether a mail that may have been handed over is sent once more: where that is wanted, and
    on the day for which it was written."""
    if desk.on_unknown != "resend" or message.channel != "email" or effect.first_sent_at is None:
        return False
    day = local_date(effect.first_sent_at, desk.company.timezone)
    return day == desk.today() and effect.attempts < MOST_COPIES


def channel_of(row: ActionRow) -> str:
    """Which channel takes the action's message."""
    return channel_for(row.mode, row.channel)


def channel_for(mode: str, channel: str) -> str:
    """The channel itself; a draft becomes a file, and a letter is one already."""
    return "eml" if mode == "draft" and channel != "letter" else channel
