"""Looking at every source of incoming mail, mail by mail.

Each mail is recorded in one transaction with the note that it was read: whatever crashes, the
next look begins behind the last that was recorded, and a mail that is met again changes nothing.
One mail that cannot be read, or a mailbox that cannot be reached, stops none of the others.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import BinaryIO

import msgspec
import structlog
from sqlalchemy import Connection

from ar_bridge.errors import ArBridgeError, SetupError
from ar_bridge.facts_file import CustomerFacts, load_facts
from ar_bridge.home import Home
from ar_bridge.inbound.imap import ImapSource, imap_server
from ar_bridge.inbound.matching import addresses_of
from ar_bridge.inbound.reading import Reading, read_mail
from ar_bridge.inbound.recording import Recorded, record, settle_losses
from ar_bridge.inbound.sources import FolderSource, HandedOver, Incoming, Source
from ar_bridge.settings import Settings
from ar_bridge.store import books, inbound
from ar_bridge.store.engine import Store, open_store
from ar_bridge.wiring import connected_row, database_url
from connectors.port import Clock
from rules.calendar import local_date


class InboundReport(msgspec.Struct, kw_only=True):
    """What a look came to."""

    read: int = 0
    """New mails."""
    kinds: dict[str, int] = {}
    returned: int = 0
    """Messages of ours that count as not sent now."""
    problems: list[str] = []
    """Sources that could not be read, mails that could not be recorded."""
    sources_failed: int = 0
    """How many of the problems are about a whole source."""
    recorded: list[Recorded] = []


def poll_inbound(settings: Settings, home: Home, clock: Clock) -> InboundReport:
    """Look at the sources of the settings. Raises nothing for a mailbox that cannot be read: the
    report says so. Without any source nothing is done."""
    if not settings.inbound.is_set_up:
        return InboundReport()
    store = open_store(database_url(settings, home))
    try:
        return look_at(store, settings, clock, sources_of(settings))
    finally:
        store.close()


def take_in(settings: Settings, home: Home, clock: Clock, stream: BinaryIO) -> InboundReport:
    """One mail that is handed over."""
    store = open_store(database_url(settings, home))
    source = HandedOver(stream, most_bytes=settings.inbound.most_bytes)
    try:
        return look_at(store, settings, clock, [source])
    finally:
        store.close()


def sources_of(settings: Settings) -> list[Source]:
    """The mailbox and the folder that are set up."""
    asked = settings.inbound
    found: list[Source] = []
    if asked.host:
        found.append(ImapSource(imap_server(asked)))
    if asked.path is not None:
        found.append(
            FolderSource(asked.path, most_bytes=asked.most_bytes, days_back=asked.days_back)
        )
    return found


def look_at(
    store: Store, settings: Settings, clock: Clock, sources: Sequence[Source]
) -> InboundReport:
    """Read what is new in these sources."""
    report = InboundReport()
    reader = _Reader(store, settings, clock)
    with ExitStack() as stack:
        for source in sources:
            stack.callback(source.close)
            try:
                _look(reader, source, report)
            except (ArBridgeError, OSError) as trouble:
                report.sources_failed += 1
                report.problems.append(str(trouble.args[0] if trouble.args else trouble))
    with store.read() as conn:
        waiting = inbound.waiting_losses(conn)
    if waiting:
        with store.write() as conn:
            report.returned += settle_losses(conn, waiting, now=clock.now())
    return report


def _look(reader: "_Reader", source: Source, report: InboundReport) -> None:
    with reader.store.read() as conn:
        place = inbound.place_of(conn, source.name)
        known = inbound.marks_read(conn, source.name) if source.has_names else set()
    for mail in source.look(place, known, reader.clock.now()):
        found = reader.take(source.name, mail)
        if found.is_new:
            report.read += 1
            report.kinds[found.kind] = report.kinds.get(found.kind, 0) + 1
            report.recorded.append(found)
            if found.problem and found.kind == "unreadable":
                report.problems.append(f"{source.name} {mail.mark}: {found.problem}".strip())
        source.done(mail, is_ours=found.is_ours)


class _Reader:
    """Reads and records; what it needs of the books is looked up once."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._settings = settings
        self._senders: dict[str, list[tuple[int, str]]] | None = None
        with store.read() as conn:
            self._zones = {row.id: row.company.timezone for row in books.all_books(conn)}

    def take(self, source: str, mail: Incoming) -> Recorded:
        """Record one mail and how far the source is read with it, or neither."""
        reading = read_mail(mail.content, local_date(mail.received, "UTC"))
        try:
            return self._recorded(source, mail, reading)
        except Exception as trouble:
            # Whatever went wrong with this mail, the next ones are read.
            structlog.get_logger("ar_bridge.inbound").error(
                "mail not recorded", source=source, mark=mail.mark, exc_info=trouble
            )
            problem = f"it could not be recorded: {type(trouble).__name__}"
            return self._recorded(
                source,
                mail,
                Reading(kind="unreadable", identity=reading.identity, problem=problem),
            )

    def _recorded(self, source: str, mail: Incoming, reading: Reading) -> Recorded:
        with self.store.write() as conn:
            found = record(
                conn,
                reading,
                source=source,
                mark=mail.mark,
                received=mail.received,
                now=self.clock.now(),
                senders=self._known_senders,
                zones=self._zones,
            )
            if mail.place is not None:
                inbound.set_place(conn, source, mail.place)
        return found

    def _known_senders(self, conn: Connection) -> dict[str, list[tuple[int, str]]]:
        if self._senders is None:
            self._senders = addresses_of(conn, self._books())
        return self._senders

    def _books(self) -> list[tuple[int, CustomerFacts]]:
        found: list[tuple[int, CustomerFacts]] = []
        for book in self._settings.book.values():
            try:
                row = connected_row(self.store, book)
                found.append((row.id, load_facts(book.customers)))
            except SetupError:
                continue  # not connected, or facts that cannot be read: said elsewhere
        return found
