"""When a connection ends by itself, and the alarm before it."""

from datetime import datetime, timedelta
from typing import Final

import structlog

from connectors.oauth2 import Tokens, TokenVault
from connectors.port import Clock, Finding

FIRST_ALARM: Final = timedelta(days=14)
LAST_ALARM: Final = timedelta(days=3)
CUT_OFF: Final = timedelta(minutes=5)
"""A renewal that has not ended by then was cut off: it takes seconds."""


def connection_findings(tokens: Tokens, now: datetime, *, book: str) -> list[Finding]:
    """How long the connection lasts, and what to do where that is not long.

    A connection that ends when it rests unused is kept by any `sync`; one that ends whatever
    happens needs a person.
    """
    found: list[Finding] = []
    since = tokens.refreshing_since
    if since is not None and now - since > CUT_OFF:
        found.append(
            Finding(
                level="warning",
                subject="connection",
                text=f"a renewal was cut off at {since:%Y-%m-%d %H:%M} UTC: the vendor honours "
                "the token that we have for a short time only",
                remedy=f"ar-bridge sync --book {book}",
            )
        )
    if not tokens.refresh_token:
        found.append(
            Finding(
                level="ok",
                subject="connection",
                text="renews itself with the client id and secret of the app",
            )
        )
        return found
    ends = [
        (at, is_hard)
        for at, is_hard in ((tokens.hard_expires_at, True), (tokens.refresh_expires_at, False))
        if at is not None
    ]
    if not ends:
        found.append(
            Finding(level="ok", subject="connection", text="lasts; the vendor names no end")
        )
    else:
        found.append(_finding(*min(ends), now=now, book=book))
    return found


def alarms(tokens: Tokens, now: datetime, *, book: str) -> list[Finding]:
    """Only what a person has to hear of."""
    return [one for one in connection_findings(tokens, now, book=book) if one.level != "ok"]


def warn_before_the_end(vault: TokenVault, clock: Clock, *, book: str) -> None:
    """Leave a warning in the log, at every run, while a connection is about to end."""
    tokens = vault.load()
    if tokens is None:
        return
    for one in alarms(tokens, clock.now(), book=book):
        structlog.get_logger("ar_bridge.connection").warning(
            one.text, book=book, level_of_alarm=one.level, remedy=one.remedy
        )


def _finding(at: datetime, is_hard: bool, *, now: datetime, book: str) -> Finding:
    left = at - now
    day = f"{at:%Y-%m-%d}"
    why = "whatever happens" if is_hard else "unless it is used before"
    if left <= timedelta(0):
        text = f"ended on {day}"
    else:
        text = f"ends on {day}, in {left.days} day{'' if left.days == 1 else 's'}, {why}"
    if left > FIRST_ALARM:
        return Finding(level="ok", subject="connection", text=text)
    return Finding(
        level="error" if left <= LAST_ALARM else "warning",
        subject="connection",
        text=text,
        remedy=f"ar-bridge connect {book}"
        if is_hard or left <= timedelta(0)
        else f"ar-bridge sync --book {book}: every use prolongs it",
    )
