"""How ar-bridge works by itself: how often, when, and what it tells of itself."""

import ipaddress
import re
from datetime import time, timedelta
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from ar_bridge.settings.section import Section
from ar_bridge.settings.values import NEVER, WebAddress

_SPAN: Final = re.compile(r"(?P<count>[1-9][0-9]{0,3})(?P<unit>[smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_HOUR: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _span(text: str) -> str:
    if text != NEVER and not _SPAN.fullmatch(text):
        raise ValueError('not a span of time: write "30s", "15m", "6h", "1d" or "never"')
    return text


def _hour(text: str) -> str:
    if text != NEVER and not _HOUR.fullmatch(text):
        raise ValueError('not a time of day: write "07:00" or "never"')
    return text


Span: TypeAlias = Annotated[str, AfterValidator(_span)]
"""Seconds ("30s"), minutes ("15m"), hours ("6h"), days ("1d"), or "never"."""

TimeOfDay: TypeAlias = Annotated[str, AfterValidator(_hour)]
"""Local time of a book ("07:00"), or "never"."""


def span_of(text: str) -> timedelta | None:
    """A Span as a span of time; None for never."""
    found = _SPAN.fullmatch(text)
    return timedelta(seconds=int(found["count"]) * _SECONDS[found["unit"]]) if found else None


def time_of(text: str) -> time | None:
    """A TimeOfDay; None for never."""
    return None if text == NEVER else time.fromisoformat(text)


class DaemonSettings(Section):
    """`ar-bridge daemon`: the timetable, and what it answers over HTTP."""

    tick: Span = Field(
        default="30s",
        description="How often the timetable is looked at: 5s to 60s.",
    )
    sync_every: Span = Field(
        default="30m",
        description="How often each book is read; webhooks make it sooner, and before each write "
        "its targets are read again. At least 1m.",
    )
    plan_at: TimeOfDay = Field(
        default="06:30",
        description="When the plan of the day is made, in each book's own time; what is approved "
        "by rule goes out in the policy's send window.",
    )
    inbound_every: Span = Field(
        default="10m",
        description="How often the mailbox of replies and bounces is looked at, where one is set "
        "up in [inbound].",
    )
    tokens_every: Span = Field(
        default="6h",
        description="How often it is seen to that connections do not end for want of use.",
    )
    backup_at: TimeOfDay = Field(
        default="02:45",
        description="When a backup is made each day (UTC), under `backups` in the home directory "
        "(`ar-bridge db backup`).",
    )
    backups_kept: int = Field(default=7, ge=1, le=1000, description="How many of them are kept.")
    at_once: int = Field(
        default=1, ge=1, le=16, description="How many books are worked on at the same time."
    )
    stop_within: Span = Field(
        default="60s",
        description="How long a write in hand may take after SIGTERM before it is cut off; what "
        "was cut off is looked for at the next start.",
    )
    stuck_after: Span = Field(
        default="2h",
        description="How long one job may take before it is ended and told of on /healthz.",
    )
    address: str = Field(
        default="127.0.0.1",
        description="Where /healthz, /metrics and /webhooks are answered: by default to this "
        "machine only.",
    )
    port: int = Field(
        default=8478, ge=0, le=65535, description="Port of these; 0 answers nothing at all."
    )
    heartbeat_url: WebAddress | None = Field(
        default=None,
        description="Address that is asked (GET) as long as all is well, so that somebody "
        "notices when it ends: https, or http on this machine.",
        examples=["https://heartbeat.company.example/ar-bridge"],
    )
    heartbeat_every: Span = Field(default="5m", description="How often it is asked.")
    log: Literal["json", "text", "file"] = Field(
        default="text",
        description="What is said on standard error besides the log file: json lines, text, or "
        "nothing (file).",
    )

    def contradictions(self) -> list[tuple[str, str]]:
        found = []
        for key, least, most in (
            ("tick", 5, 60),
            ("stop_within", 1, 600),
            ("stuck_after", 60, 86_400),
            ("heartbeat_every", 30, 86_400),
        ):
            span = span_of(getattr(self, key))
            if span is None or not least <= span.total_seconds() <= most:
                found.append((key, f"must be between {least} and {most} seconds"))
        for key in ("sync_every", "inbound_every", "tokens_every"):
            span = span_of(getattr(self, key))
            if span is not None and span < timedelta(minutes=1):
                found.append((key, 'not more often than every minute: "1m"'))
        try:
            ipaddress.ip_address(self.address)
        except ValueError:
            if self.address != "localhost":
                found.append(("address", 'not an IP address, such as "127.0.0.1"'))
        return found

    def span(self, key: str) -> timedelta:
        """A Span that is never `never`."""
        found = span_of(getattr(self, key))
        assert found is not None
        return found
