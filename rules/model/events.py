"""Dated events folded into a Book: the file form of a book, and time travel over it.

A book file is JSON Lines, one event a line. A later event with the same `t` and `id` replaces
the earlier one from its date on. As of D means: events whose `known` (default `date`) is on or
before D, and no payment or credit that is dated after D. A record that cannot be used is named
with its line and kept out; all others go on.

    log = EventLog(events, source="book.jsonl")
    log.as_of(date(2026, 10, 20)).book
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

import msgspec

from rules.model.book import Book, Rate
from rules.model.commitment import Commitment
from rules.model.company import Company
from rules.model.credit import CreditNote
from rules.model.customer import Customer
from rules.model.estimate import Estimate
from rules.model.event_commitments import COMMITMENTS, End, dispute_end_of, recall_of, resume_of
from rules.model.event_kinds import (
    action_of,
    company_of,
    credit_note_of,
    customer_of,
    estimate_of,
    fee_of,
    invoice_of,
    payment_of,
    rate_of,
    waiver_of,
)
from rules.model.event_reading import BadEvent, Reference, Row
from rules.model.event_versions import Versions
from rules.model.history import FeePosted, Served, Waiver
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.payment import Allocation, Payment
from rules.model.taken_back import after_taking_back

KINDS: Final = (
    "company",
    "customer",
    "invoice",
    "payment",
    "payment_reversed",
    "credit_note",
    "estimate",
    "void",
    "dispute",
    "dispute_end",
    "promise",
    "instalments",
    "pause",
    "withheld",
    "credit_expected",
    "stop",
    "resume",
    "placement",
    "recall",
    "action",
    "fee",
    "waiver",
    "rate",
)


class EventProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One record that was kept out, or one part of it: where, why, and what to do."""

    source: str
    line: int
    message: str
    hint: str = ""
    customer: str = ""
    """Whose it is, where the record still tells it and was kept out."""

    def __str__(self) -> str:
        tail = f" ({self.hint})" if self.hint else ""
        return f"{self.source}:{self.line}: {self.message}{tail}"


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """A book as of a day, and what could not be used of the file."""

    book: Book
    problems: tuple[EventProblem, ...]


def fold(events: Iterable[Mapping[str, object]], as_of: date, *, source: str = "book") -> Folded:
    """The book as it was known at the end of `as_of`. To fold many days, keep an EventLog."""
    return EventLog(events, source=source).as_of(as_of)


class EventLog:
    """All events of a book, read once; `as_of` gives the book of any day.

    A record may carry its own line number as `_line` (blank lines of the file are not events).
    """

    def __init__(self, events: Iterable[Mapping[str, object]], *, source: str = "book") -> None:
        self.source = source
        self.events = tuple(events)
        self._problems: list[EventProblem] = []
        self._company = Company(id=source, base_currency="USD")
        self._customers: Versions[Customer] = Versions()
        self._invoices: Versions[Invoice] = Versions()
        self._settled: dict[InvoiceId, tuple[Invoice, int, Invoice]] = {}
        """By id: the invoice as read, what settled it when last asked, and how it stood then."""
        self._latest: dict[str, Invoice] = {}
        self._payments: Versions[Payment] = Versions()
        self._credits: Versions[CreditNote] = Versions()
        self._estimates: Versions[Estimate] = Versions()
        self._commitments: Versions[Commitment] = Versions()
        self._reversals: dict[str, tuple[date, date, str]] = {}
        self._voids: dict[InvoiceId, date] = {}
        self._ends: list[tuple[date, End]] = []
        self._served: list[tuple[date, Served]] = []
        self._fees: list[tuple[date, FeePosted]] = []
        self._waivers: list[tuple[date, Waiver]] = []
        self._rates: list[Rate] = []
        self._entered_through: date | None = None
        rows = enumerate(self.events, start=1)
        self._read([Row(event, _line(event, index)) for index, event in rows])

    @property
    def company(self) -> Company:
        """The company of the book."""
        return self._company

    @property
    def problems(self) -> tuple[EventProblem, ...]:
        """What could not be used, in the order of the file."""
        return tuple(sorted(self._problems, key=lambda problem: problem.line))

    # reading ------------------------------------------------------------------------------

    def _read(self, rows: list[Row]) -> None:
        # Order in the file is free: documents are read before what refers to them.
        passes: tuple[tuple[str, ...], ...] = (
            ("company",),
            ("customer",),
            ("invoice",),
            ("payment", "credit_note", "fee"),
            KINDS,
        )
        done: set[int] = set()
        for kinds in passes:
            for index, row in enumerate(rows):
                if index in done or row.fields.get("t") not in kinds:
                    continue
                done.add(index)
                self._try(row)
        for index, row in enumerate(rows):
            if index not in done:
                self._report(
                    row,
                    f"{row.fields.get('t')!r} is no kind of event",
                    f'"t" is one of {", ".join(KINDS)}',
                )
        for key, versions in list(self._customers.by_id.items()):
            for known, line, customer in list(versions):
                if customer.parent is not None and customer.parent not in self._customers.by_id:
                    self._problems.append(
                        EventProblem(
                            source=self.source,
                            line=line,
                            message=f"customer {key}: parent {customer.parent} is not in the book",
                            hint="the customer is read as its own payer",
                        )
                    )
                    self._customers.drop(key, line)
                    self._customers.add(
                        key, known, line, msgspec.structs.replace(customer, parent=None)
                    )

    def _try(self, row: Row) -> None:
        kind = str(row.fields["t"])
        try:
            self._take(kind, row)
        except BadEvent as error:
            name = row.fields.get("id") or row.fields.get("invoice") or ""
            self._report(row, f"{kind} {name}".strip() + f": {error}", error.hint)

    def _report(self, row: Row, message: str, hint: str = "") -> None:
        customer = row.fields.get("id" if row.fields.get("t") == "customer" else "customer")
        self._problems.append(
            EventProblem(
                source=self.source,
                line=row.line,
                message=message,
                hint=hint,
                customer=customer if isinstance(customer, str) else "",
            )
        )

    def _take(self, kind: str, row: Row) -> None:
        refer = Reference(
            base_currency=self._company.base_currency,
            customers=self._customers.by_id.keys(),
            invoices=self._latest,
        )
        known = row.known()
        if kind == "company":
            self._company = company_of(row)
            self._entered_through = row.day("entered_through")
        elif kind == "customer":
            customer = customer_of(row, self._company)
            self._customers.add(customer.id, known, row.line, customer)
        elif kind == "invoice":
            invoice = invoice_of(row, refer)
            self._invoices.add(invoice.id, known, row.line, invoice)
            self._latest[invoice.id] = invoice
        elif kind == "payment":
            payment = payment_of(row, refer)
            parts = self._allocations(row, payment.allocations)
            payment = msgspec.structs.replace(payment, allocations=parts)
            self._payments.add(payment.id, max(known, payment.on), row.line, payment)
        elif kind == "credit_note":
            credit = credit_note_of(row, refer)
            parts = self._allocations(row, credit.allocations)
            credit = msgspec.structs.replace(credit, allocations=parts)
            self._credits.add(credit.id, max(known, credit.on), row.line, credit)
        elif kind == "estimate":
            estimate = estimate_of(row, refer)
            self._estimates.add(estimate.id, known, row.line, estimate)
        elif kind == "payment_reversed":
            payment_id = row.needed("payment")
            if payment_id not in self._payments.by_id:
                raise BadEvent(f"payment {payment_id} is not in the book", "add the payment first")
            on = row.needed_day("date")
            self._reversals[payment_id] = (max(known, on), on, row.text("reason"))
        elif kind == "void":
            self._voids[refer.invoice(row, "invoice").id] = row.needed_day("date")
        elif kind == "dispute_end":
            self._ends.append((known, dispute_end_of(row, refer)))
        elif kind == "resume":
            self._ends.append((known, resume_of(row, refer)))
        elif kind == "recall":
            self._ends.append((known, recall_of(row, refer)))
        elif kind == "action":
            self._served.append((known, action_of(row, refer)))
        elif kind == "fee":
            self._fees.append((known, fee_of(row, refer)))
        elif kind == "waiver":
            self._waivers.append((known, waiver_of(row, [fee for _, fee in self._fees])))
        elif kind == "rate":
            self._rates.append(rate_of(row))
        else:
            commitment = COMMITMENTS[kind](row, refer)
            self._commitments.add(commitment.id, known, row.line, commitment)

    def _allocations(self, row: Row, parts: tuple[Allocation, ...]) -> tuple[Allocation, ...]:
        """Parts for invoices that exist; the rest stays the customer's unapplied credit."""
        kept = tuple(part for part in parts if part.invoice in self._invoices.by_id)
        for part in parts:
            if part.invoice not in self._invoices.by_id:
                self._report(
                    row,
                    f"{row.fields['t']} {row.fields.get('id', '')}: invoice {part.invoice} "
                    "is not in the book",
                    "that part is read as unapplied credit",
                )
        return kept

    # folding ------------------------------------------------------------------------------

    def as_of(self, day: date) -> Folded:
        """The book as it was known at the end of that day."""
        payments = [self._payment_on(found, day) for found in self._payments.on(day).values()]
        credits = [_credit_on(found, day) for found in self._credits.on(day).values()]
        settled: dict[InvoiceId, int] = defaultdict(int)
        for payment in payments:
            if payment.reversed_on is None:
                for part in payment.allocations:
                    settled[part.invoice] += part.amount
        for credit in credits:
            for part in credit.allocations:
                settled[part.invoice] += part.amount
        fees, waivers = after_taking_back(
            [fee for known, fee in self._fees if known <= day],
            [waiver for known, waiver in self._waivers if known <= day],
        )
        customers = {CustomerId(key): customer for key, customer in self._customers.on(day).items()}
        return Folded(
            book=Book(
                company=self._company,
                as_of=day,
                customers=customers,
                invoices=self._invoices_on(settled, day),
                payments=payments,
                credits=credits,
                estimates=list(self._estimates.on(day).values()),
                commitments=self._commitments_on(day),
                served=[served for known, served in self._served if known <= day],
                fees=fees,
                waivers=waivers,
                rates=[rate for rate in self._rates if rate.on <= day],
                entered_through=self._entered_through,
            ),
            problems=self.problems,
        )

    def _invoices_on(self, settled: Mapping[InvoiceId, int], day: date) -> list[Invoice]:
        before, voids = self._settled, self._voids
        found: list[Invoice] = []
        for invoice in self._invoices.on(day).values():
            if invoice.issued_on > day:
                continue
            name = invoice.id
            amount = settled.get(name, 0)
            last = before.get(name)
            if last is not None and last[0] is invoice and last[1] == amount and name not in voids:
                found.append(last[2])
            else:
                found.append(self._invoice_on(invoice, amount, day))
        return found

    def _invoice_on(self, invoice: Invoice, settled: int, day: date) -> Invoice:
        voided = self._voids.get(invoice.id)
        if voided is not None and voided <= day:
            return msgspec.structs.replace(invoice, status="void", balance=0)
        if not settled and invoice.total > 0:
            return invoice
        balance = max(0, invoice.total - settled)
        found = msgspec.structs.replace(
            invoice, balance=balance, status="open" if balance else "paid"
        )
        self._settled[invoice.id] = (invoice, settled, found)
        return found

    def _payment_on(self, payment: Payment, day: date) -> Payment:
        parts = _parts_on(payment.allocations, day)
        if parts is not payment.allocations:
            payment = msgspec.structs.replace(payment, allocations=parts)
        known, on, reason = self._reversals.get(payment.id, (date.max, date.max, ""))
        if known <= day:
            payment = msgspec.structs.replace(payment, reversed_on=on, reversal_reason=reason)
        return payment

    def _commitments_on(self, day: date) -> list[Commitment]:
        standing = dict(self._commitments.on(day))
        for known, end in sorted(self._ends, key=lambda known_end: known_end[0]):
            if known > day:
                continue
            for key, commitment in standing.items():
                if commitment.ended_on is None and end.ends(commitment):
                    standing[key] = end.applied_to(commitment)
        return list(standing.values())


def _line(event: Mapping[str, object], index: int) -> int:
    line = event.get("_line")
    return line if isinstance(line, int) else index


def _parts_on(parts: tuple[Allocation, ...], day: date) -> tuple[Allocation, ...]:
    if all(part.on is None or part.on <= day for part in parts):
        return parts
    return tuple(part for part in parts if part.on is None or part.on <= day)


def _credit_on(credit: CreditNote, day: date) -> CreditNote:
    parts = _parts_on(credit.allocations, day)
    remaining = credit.total - sum(part.amount for part in parts)
    return msgspec.structs.replace(credit, allocations=parts, remaining=remaining)
