"""How a book is let in: its tokens, what they permit, and the clock that they depend on."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import msgspec

from ar_bridge.health.book import ExaminedBook
from ar_bridge.permissions import permission_findings
from ar_bridge.token_alarm import connection_findings
from connectors.address import is_loopback
from connectors.port import Finding
from connectors.table import consent_of
from connectors.transport import open_client

CLOCK_MAY_DIFFER: Final = timedelta(seconds=60)


def of_connection(examined: ExaminedBook) -> Iterator[Finding]:
    """Are there tokens, and how long do they last?"""
    if consent_of(examined.book.ledger) is None or examined.connected is None:
        return
    _, tokens = examined.connected
    name = examined.book.name
    if tokens is None:
        yield Finding(
            level="error",
            subject=examined.subject("connection"),
            text="the book is not connected",
            remedy=f"ar-bridge connect {name}",
        )
        return
    for finding in connection_findings(tokens, examined.clock.now(), book=name):
        yield Finding(
            level=finding.level,
            subject=examined.subject("connection"),
            text=finding.text,
            remedy=finding.remedy,
        )


def of_scopes(examined: ExaminedBook) -> Iterator[Finding]:
    """Was everything granted that we ask for? Where not: what will not work."""
    consent = consent_of(examined.book.ledger)
    if consent is None or examined.connected is None:
        return
    app, tokens = examined.connected
    if tokens is None:
        return
    for finding in permission_findings(consent, app, tokens, book=examined.book.name):
        yield msgspec.structs.replace(finding, subject=examined.subject(finding.subject))


def of_clock(examined: ExaminedBook) -> Iterator[Finding]:
    """Does our clock agree with the vendor's?"""
    if consent_of(examined.book.ledger) is None or examined.connected is None:
        return
    app, _ = examined.connected
    if is_loopback(app.token_url):
        return  # one machine, one clock
    with open_client(app.token_url) as client:
        try:
            before = examined.clock.now()
            answer = client.head(app.token_url)
        except httpx.HTTPError:
            return  # unreachable: the ledger's own check says so
        after = examined.clock.now()
    yield from clock_findings(
        answer.headers.get("Date", ""), before, after, subject=examined.subject("clock")
    )


def clock_findings(date: str, before: datetime, after: datetime, *, subject: str) -> list[Finding]:
    """`date`: the header of an answer that was asked for at `before` and here at `after`."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return []
    # The header has whole seconds and was written at some moment in between.
    late = max(before - theirs - timedelta(seconds=1), theirs - after, timedelta(0))
    if late <= CLOCK_MAY_DIFFER:
        return [Finding(level="ok", subject=subject, text="agrees with the vendor's")]
    way = "ahead of" if before > theirs else "behind"
    return [
        Finding(
            level="warning",
            subject=subject,
            text=f"this machine is {late.total_seconds():.0f} s {way} the vendor: tokens are "
            "renewed at the wrong time, and a repeated write may no longer be recognised",
            remedy="set the clock by NTP (timedatectl set-ntp true)",
        )
    ]
