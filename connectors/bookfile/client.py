"""A book on disk as an accounting system: to try, to rehearse and to preview without an account.

The file is never changed. What is written lies in the sidecar beside it and is read back with
the book, so that a late fee posted yesterday is a document of the book today.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connectors.bookfile.events import Event
from connectors.bookfile.reading import read_events
from connectors.bookfile.written import Sidecar, Written
from connectors.errors import RefusedError, UnsupportedError
from connectors.port import (
    Capabilities,
    Clock,
    CompanyCheck,
    Cursor,
    CustomerReading,
    Finding,
    MoneyReading,
    Page,
    Prepared,
    Quarantined,
    Reading,
    Receipt,
    Record,
    Told,
    told_id,
)
from rules.actions.effects import EFFECT_NAMES, LedgerEffect, PostCharge, PostNote
from rules.model.company import Company
from rules.model.credit import CreditNote
from rules.model.events import EventLog, EventProblem, Folded
from rules.model.ids import CustomerId, InvoiceId
from rules.model.money import format_minor, parse_minor
from rules.model.payment import Payment

PAGE: Final = 1000

_CAPABILITIES: Final = Capabilities(
    ledger="bookfile",
    effects=frozenset({"post_note", "post_charge"}),
    note_limit=4000,
    one_note_for_many_invoices=True,
    can_find_notes_in_bulk=True,
    read_batch=PAGE,
)

_ENTITY: Final = {
    "customer": "customers",
    "invoice": "invoices",
    "payment": "payments",
    "credit_note": "credits",
    "estimate": "estimates",
}


class BookFileConnector:
    """Implements `connectors.port.Connector` over one book file.

    "Today" is the clock's date in the company's zone: what the file says of later days is not
    known yet. Raises BookFileError where the file cannot be read.
    """

    def __init__(self, path: Path, clock: Clock, *, company_id: str = "") -> None:
        self._path = path
        self._clock = clock
        self._company_id = company_id
        self._sidecar = Sidecar(path)
        self._stamp: tuple[int, int, int, int] | None = None
        self._log = EventLog([], source=path.name)
        self._unreadable: tuple[EventProblem, ...] = ()
        self._folded: tuple[date, Folded] | None = None

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def book(self) -> Folded:
        """The whole book as it is known now, commitments and history included."""
        log = self._events()
        today = self._today(log.company)
        if self._folded is None or self._folded[0] != today:
            self._folded = (today, log.as_of(today))
        return self._folded[1]

    def told(self, on: date) -> Told:
        """Promises, disputes, stops and earlier actions that the file holds."""
        known = self._events().as_of(on).book
        return Told(
            commitments=known.commitments,
            served=known.served,
            fees=known.fees,
            waivers=known.waivers,
        )

    # reading ----------------------------------------------------------------------------------

    def check(self) -> CompanyCheck:
        """The company, and one finding for each row that cannot be used."""
        log = self._events()
        findings = [
            Finding(
                level="warning",
                subject=f"{problem.source}:{problem.line}",
                text=problem.message,
                remedy=problem.hint,
            )
            for problem in (*self._unreadable, *log.problems)
        ]
        try:
            ZoneInfo(log.company.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            findings.append(
                Finding(
                    level="error",
                    subject="timezone",
                    text=f"{log.company.timezone!r} is not a time zone",
                    remedy='write an IANA name such as "Europe/London" on the company',
                )
            )
        return CompanyCheck(company=self._company(log.company), findings=findings)

    def pull(self, cursor: Cursor | None = None, *, resume: str = "") -> Iterator[Page]:
        """Every record of the book. A file is read whole: the cursor only says when."""
        at = self._clock.now()
        book = self.book().book
        bad = self._quarantined()
        rows: tuple[tuple[str, Sequence[Record]], ...] = (
            ("customers", list(book.customers.values())),
            ("invoices", list(book.invoices)),
            ("payments", list(book.payments)),
            ("credits", list(book.credits)),
            ("estimates", list(book.estimates)),
        )
        pages: list[Page] = []
        for entity, records in rows:
            for start in range(0, max(len(records), 1), PAGE):
                pages.append(
                    Page(
                        entity=entity,
                        records=records[start : start + PAGE],
                        quarantined=bad.get(entity, ()) if start == 0 else (),
                        total=len(records),
                    )
                )
        pages[-1] = msgspec.structs.replace(pages[-1], cursor=Cursor(at=at))
        yield from pages

    def read(self, invoices: Sequence[InvoiceId]) -> Reading:
        known = {invoice.id: invoice for invoice in self.book().book.invoices}
        wanted = list(dict.fromkeys(invoices))
        return Reading(
            invoices=[known[each] for each in wanted if each in known],
            missing=[each for each in wanted if each not in known],
        )

    def read_customers(self, customers: Sequence[CustomerId]) -> CustomerReading:
        known = self.book().book.customers
        wanted = list(dict.fromkeys(customers))
        return CustomerReading(
            customers=[known[each] for each in wanted if each in known],
            missing=[each for each in wanted if each not in known],
        )

    def read_credits(
        self, customers: Sequence[CustomerId], since: datetime
    ) -> Sequence[Payment | CreditNote]:
        book, asked, first = self.book().book, set(customers), since.date()
        found: list[Payment | CreditNote] = []
        records: list[Payment | CreditNote] = [*book.payments, *book.credits]
        for record in records:
            if record.customer not in asked:
                continue
            changed = max(record.on, record.known_on or record.on)
            if isinstance(record, Payment) and record.reversed_on is not None:
                changed = max(changed, record.reversed_on)
            if changed >= first:
                found.append(record)
        return found

    def read_money(self, customers: Sequence[CustomerId], since: datetime) -> MoneyReading:
        """The same, with every line about a payment or a credit that cannot be read."""
        bad = self._quarantined()
        return MoneyReading(
            records=self.read_credits(customers, since),
            quarantined=[*bad.get("payments", ()), *bad.get("credits", ())],
        )

    # writing ----------------------------------------------------------------------------------

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        name = EFFECT_NAMES[type(effect)]
        if isinstance(effect, PostNote):
            event = self._note(effect, today)
        elif isinstance(effect, PostCharge):
            event = self._charge(effect)
        else:
            raise UnsupportedError(name, f"a book file has no way to {name.replace('_', ' ')}")
        return Prepared(
            effect=name,
            effect_key=effect.key,
            method="APPEND",
            path=self._sidecar.path.name,
            content_type="application/jsonl",
            body=msgspec.json.encode(event),
        )

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Append to the sidecar; the same vendor key gives the same receipt and writes once.
        Raises RefusedError where a fee number is taken."""
        event: Event = msgspec.json.decode(prepared.body)
        for record in self._sidecar.records():
            if record.vendor_key == vendor_key:
                return _receipt(record)
            if event["t"] == "invoice" and record.event.get("number") == event["number"]:
                raise RefusedError(f"a document {event['number']} exists already", code="duplicate")
        record = Written(
            vendor_key=vendor_key,
            effect_key=prepared.effect_key,
            at=self._clock.now(),
            event=event,
        )
        self._sidecar.append(record)
        return _receipt(record)

    def find(self, effect: LedgerEffect) -> Receipt | None:
        for record in self._sidecar.records():
            event = record.event
            is_it = (
                event.get("mark") == effect.mark
                if isinstance(effect, PostNote)
                else isinstance(effect, PostCharge) and event.get("number") == effect.number
            )
            if is_it:
                return msgspec.structs.replace(_receipt(record), was_found=True)
        return None

    def close(self) -> None:
        """Nothing is kept open."""

    # ------------------------------------------------------------------------------------------

    def _note(self, effect: PostNote, today: date) -> Event:
        known = {invoice.id for invoice in self.book().book.invoices}
        absent = [each for each in effect.invoices if each not in known]
        if absent:
            raise RefusedError(f"invoice {', '.join(absent)} is not in {self._path.name}")
        if len(effect.text) > _CAPABILITIES.note_limit:
            raise RefusedError(f"the note is longer than {_CAPABILITIES.note_limit} characters")
        return {
            "t": "note",
            "id": effect.mark,
            "date": today.isoformat(),
            "customer": effect.customer,
            "invoices": list(effect.invoices),
            "mark": effect.mark,
            "text": effect.text,
        }

    def _charge(self, effect: PostCharge) -> Event:
        book = self.book().book
        if all(invoice.id != effect.invoice for invoice in book.invoices):
            raise RefusedError(f"invoice {effect.invoice} is not in {self._path.name}")
        locked = book.company.locked_through
        if locked is not None and effect.issued_on <= locked:
            raise RefusedError(f"the books are closed through {locked.isoformat()}")
        return {
            "t": "invoice",
            "id": effect.number,
            "number": effect.number,
            "date": effect.issued_on.isoformat(),
            "due": effect.due_on.isoformat(),
            "customer": effect.customer,
            "currency": effect.currency,
            "total": format_minor(effect.amount, effect.currency),
            "fee_of": "" if effect.lines else effect.invoice,
            "is_fee": True,
            "lines": [line.description for line in effect.lines],
            "reference": effect.tag,
            "tags": ["late-fee"],
        }

    def _events(self) -> EventLog:
        """The log, read again only when one of the two files has changed."""
        stamp = (*_stamp_of(self._path), *_stamp_of(self._sidecar.path))
        if stamp != self._stamp:
            read = read_events(self._path)
            ours = [
                record.event for record in self._sidecar.records() if record.event["t"] != "note"
            ]
            self._log = EventLog([*read.events, *ours], source=self._path.name)
            self._unreadable = read.problems
            self._folded = None
            self._stamp = stamp
        return self._log

    def _company(self, company: Company) -> Company:
        return msgspec.structs.replace(
            company, id=self._company_id or company.id, ledger="bookfile"
        )

    def _today(self, company: Company) -> date:
        try:
            zone = ZoneInfo(company.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo("UTC")
        return self._clock.now().astimezone(zone).date()

    def _quarantined(self) -> dict[str, list[Quarantined]]:
        """Problems as quarantined records; a line that is no record at all counts as invoice."""
        found: dict[str, list[Quarantined]] = {}
        for problem in (*self._unreadable, *self._log.problems):
            entity = _ENTITY.get(problem.message.split(" ", 1)[0], "invoices")
            found.setdefault(entity, []).append(
                Quarantined(
                    entity=entity,
                    id=f"line {problem.line}",
                    reason=problem.message + (f" ({problem.hint})" if problem.hint else ""),
                    customer=told_id(problem.customer),
                )
            )
        return found


def _stamp_of(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _receipt(record: Written) -> Receipt:
    event = record.event
    is_charge = event["t"] == "invoice"
    return Receipt(
        id=event["id"],
        number=event.get("number", ""),
        amount=parse_minor(event["total"], event["currency"]) if is_charge else None,
        at=record.at,
        request_id=record.vendor_key,
    )
