"""The sandbox's accounting system: what a company's ledger holds on a day.

It starts from a book file whose events become visible when the clock passes the day on which
they are known, in the company's time zone. Balances follow from documents and allocations; every
change gives a row a new version and the instant of the change, and deletions are kept.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.sandbox.bookevents import BookFacts, Fact
from connectors.sandbox.ids import VendorIds
from connectors.sandbox.learning import describe
from connectors.sandbox.rows import (
    ROW_TYPES,
    Allocation,
    Author,
    Change,
    CreditRow,
    CustomerRow,
    Deletion,
    EstimateRow,
    FileRow,
    GroupRow,
    InvoiceRow,
    MailRow,
    NoteRow,
    PaymentRow,
    Row,
)
from rules.model.money import Minor


class Ledger:
    """Rows by vendor id. Read the mappings freely; change them through the methods only."""

    def __init__(
        self,
        facts: BookFacts,
        ids: VendorIds,
        *,
        number_limit: int = 255,
        keeps_deleted: bool = False,
    ) -> None:
        self.keeps_deleted = keeps_deleted
        """Xero keeps a deleted invoice as a row of that status; QuickBooks takes it out."""
        self.company = facts.company
        self.facts = facts
        self.ids = ids
        self.zone = ZoneInfo(facts.company.timezone)
        self.now = datetime.min.replace(tzinfo=UTC)
        self.today = date.min
        self.locked_through: date | None = None
        self.customers: dict[str, CustomerRow] = {}
        self.invoices: dict[str, InvoiceRow] = {}
        self.payments: dict[str, PaymentRow] = {}
        self.credits: dict[str, CreditRow] = {}
        self.estimates: dict[str, EstimateRow] = {}
        self.notes: dict[str, NoteRow] = {}
        self.groups: dict[str, GroupRow] = {}
        self.mails: list[MailRow] = []
        self.files: dict[str, dict[str, FileRow]] = {}
        """By invoice and file name: a second file of a name takes the place of the first."""
        self.deletions: list[Deletion] = []
        self.changes = 0
        """Grows with every change: what was computed from the ledger stands while it stands."""
        self._tables: dict[str, dict[str, Any]] = {
            "customer": self.customers,
            "invoice": self.invoices,
            "payment": self.payments,
            "credit_note": self.credits,
            "estimate": self.estimates,
            "note": self.notes,
            "group": self.groups,
        }
        self._number_limit = number_limit
        self._next_fact = 0
        self._rates_on = date.min
        self._rates: dict[str, str] = {}
        self._asked: dict[tuple[str, str], tuple[Allocation, ...]] = {}
        self._sources: dict[str, dict[tuple[str, str], Minor]] = {}
        self._uses: dict[str, dict[str, Minor]] = {}
        self._owed: dict[str, Minor] = {}
        self._whole: dict[str, InvoiceRow] = {}
        self._journal: list[Change] | None = None
        for fact in facts.facts:
            if "customer" in fact.fields:
                ids.of_book("customer", str(fact.fields["customer"]))
            if fact.kind in ("customer", "invoice", "payment", "credit_note", "estimate"):
                ids.of_book(fact.kind, str(fact.fields["id"]))

    # --- time ---------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Let the ledger know everything up to now. Time never goes back here."""
        if now <= self.now:
            return
        self.now = now
        self.today = now.astimezone(self.zone).date()
        facts = self.facts.facts
        while self._next_fact < len(facts) and facts[self._next_fact].known <= self.today:
            fact = facts[self._next_fact]
            self._next_fact += 1
            at = datetime.combine(fact.known, time(), self.zone).astimezone(UTC)
            self._learn(fact, min(at, now))

    # --- reading ------------------------------------------------------------------------------

    def row(self, kind: str, key: str) -> Row | None:
        """A row of any kind by vendor id."""
        found: Row | None = self._tables[kind].get(key)
        return found

    def owed(self, customer: str) -> Minor:
        """Open invoices less unapplied payments and credits."""
        return self._owed.get(customer, 0)

    def settled_by(self, invoice: str) -> list[tuple[PaymentRow | CreditRow, Minor]]:
        """The payments and credits applied to an invoice, with the amounts."""
        found: list[tuple[PaymentRow | CreditRow, Minor]] = []
        for (kind, key), amount in self._sources.get(invoice, {}).items():
            found.append((self.payments[key] if kind == "payment" else self.credits[key], amount))
        return found

    def rate(self, currency: str) -> str:
        """Base currency for one unit of `currency`, as of today; 1 where no rate is known."""
        if self._rates_on != self.today:
            self._rates_on = self.today
            self._rates = {of: to_base for on, of, to_base in self.facts.rates if on <= self.today}
        return self._rates.get(currency, "1")

    def is_locked(self, on: date) -> bool:
        """The books are closed for documents of this day."""
        return self.locked_through is not None and on <= self.locked_through

    # --- writing ------------------------------------------------------------------------------

    def add(self, kind: str, row: Row) -> None:
        """Put a new row of a client or a person in. Allocations are settled as a side effect."""
        if isinstance(row, PaymentRow | CreditRow):
            self._ask(kind, row.id, row.allocations)
        self._put(kind, row)
        self._after(kind, row.id)

    def change(self, kind: str, key: str, **fields: Any) -> Any:
        """A new version of a row with these fields; balances follow. Returns the row."""
        return self._change(kind, key, self.now, fields)

    def delete(self, kind: str, key: str) -> None:
        """Take a row out; only its id and the instant remain. Allocations are undone."""
        if kind in ("payment", "credit_note"):
            self._change(kind, key, self.now, {"status": "deleted", "allocations": ()})
        elif kind == "invoice":
            self._change(
                kind, key, self.now, {"status": "deleted", "total": 0, "tax": 0, "lines": ()}
            )
        row = self._tables[kind].pop(key)
        self._book_owed(row, -1)
        self.changes += 1
        self.deletions.append(Deletion(kind, key, self.now))
        if self._journal is not None:
            self._journal.append(Change(kind, key, self.now, "Delete"))

    def before_void(self, key: str) -> InvoiceRow | None:
        """What a void invoice was before."""
        return self._whole.get(key)

    def void_invoice(self, key: str, **fields: Any) -> InvoiceRow:
        """Keep the row, at zero. What was applied to it becomes the customer's again."""
        self._whole[key] = self.invoices[key]
        lines = tuple(
            msgspec.structs.replace(
                line, amount=0, tax=0, quantity=Decimal(0), unit_price=Decimal(0)
            )
            for line in self.invoices[key].lines
        )
        voided: InvoiceRow = self.change(
            "invoice", key, status="void", total=0, tax=0, lines=lines, **fields
        )
        return voided

    def new_row(self, kind: str, by: Author = "client") -> dict[str, Any]:
        """The fields that every new row starts with."""
        return {
            "id": self.ids.new(kind),
            "created_at": self.now,
            "updated_at": self.now,
            "by": by,
        }

    def add_note(
        self, text: str, targets: Iterable[tuple[str, str]], *, extra: dict[str, Any] | None = None
    ) -> NoteRow:
        """A note on documents or customers: `targets` are (kind, vendor id)."""
        row = NoteRow(text=text, targets=tuple(targets), extra=extra or {}, **self.new_row("note"))
        self.add("note", row)
        return row

    def add_mail(self, invoice: str, to: str) -> MailRow:
        """The ledger mails one of its documents."""
        mail = MailRow(invoice=invoice, to=to, at=self.now)
        self.mails.append(mail)
        return mail

    def add_file(self, file: FileRow) -> None:
        """Put a file on an invoice."""
        self.files.setdefault(file.invoice, {})[file.name] = file

    # --- telling others -----------------------------------------------------------------------

    def keep_journal(self) -> None:
        """Write down every change from now on, until `news` is asked for."""
        if self._journal is None:
            self._journal = []

    def news(self) -> list[Change]:
        """The changes since the last call, in their order; none where no journal is kept."""
        if not self._journal:
            return []
        found, self._journal = self._journal, []
        return found

    # --- how rows hang together ---------------------------------------------------------------

    def _put(self, kind: str, row: Row) -> None:
        table = self._tables[kind]
        before = table.get(row.id)
        if before is not None:
            self._book_owed(before, -1)
        table[row.id] = row
        self._book_owed(row, 1)
        self.changes += 1
        if self._journal is not None:
            self._journal.append(Change(kind, row.id, self.now, "Update" if before else "Create"))

    def _change(self, kind: str, key: str, at: datetime, fields: dict[str, Any]) -> Any:
        row = self._tables[kind][key]
        if kind in ("payment", "credit_note") and "allocations" in fields:
            self._ask(kind, key, fields["allocations"])
        self._put(
            kind,
            msgspec.structs.replace(
                row, **{"updated_at": at, "version": row.version + 1, **fields}
            ),
        )
        self._after(kind, key, at)
        if isinstance(row, PaymentRow | CreditRow):
            for part in row.allocations:
                self._rebalance(part.invoice, at)
        return self._tables[kind][key]

    def _after(self, kind: str, key: str, at: datetime | None = None) -> None:
        """Settle what a new or changed row touches."""
        at = at or self.now
        if kind == "payment":
            self._apply(kind, key, at)
            for credit, amount in self.payments[key].credits_used:
                self._uses.setdefault(credit, {})[key] = amount
                self._recount_credit(credit, at)
        elif kind == "credit_note":
            self._apply(kind, key, at)
        elif kind == "invoice":
            for source, source_key in list(self._sources.get(key, ())):
                self._apply(source, source_key, at)
            self._rebalance(key, at)

    def _ask(self, kind: str, key: str, wanted: tuple[Allocation, ...]) -> None:
        for part in self._asked.get((kind, key), ()):
            self._sources[part.invoice].pop((kind, key), None)
        self._asked[kind, key] = wanted
        for part in wanted:
            of_invoice = self._sources.setdefault(part.invoice, {})
            of_invoice[kind, key] = of_invoice.get((kind, key), 0) + part.amount

    def _apply(self, kind: str, key: str, at: datetime) -> None:
        """Bring a payment's or credit's allocations in line with the invoices that are there."""
        row = self._tables[kind][key]
        before = {part.invoice for part in row.allocations}
        effective: tuple[Allocation, ...] = ()
        if row.status == "live":
            effective = tuple(
                part
                for part in self._asked.get((kind, key), ())
                if part.invoice in self.invoices and self.invoices[part.invoice].is_live
            )
        if effective != row.allocations:
            row = msgspec.structs.replace(
                row, allocations=effective, updated_at=at, version=row.version + 1
            )
            self._put(kind, row)
        if kind == "credit_note":
            self._recount_credit(key, at)
        asked = {part.invoice for part in self._asked.get((kind, key), ())}
        for invoice in sorted(before | asked):
            self._rebalance(invoice, at)

    def _rebalance(self, key: str, at: datetime) -> None:
        invoice = self.invoices.get(key)
        if invoice is None:
            return
        applied = invoice.deposit
        if invoice.is_live:
            for (kind, source), amount in self._sources.get(key, {}).items():
                if self._tables[kind][source].status == "live":
                    applied += amount
        balance = max(0, invoice.total - applied) if invoice.is_live else 0
        status = invoice.status
        if status in ("open", "paid"):
            status = "open" if balance > 0 else "paid"
        if balance == invoice.balance and status == invoice.status:
            return
        self._put(
            "invoice",
            msgspec.structs.replace(
                invoice,
                balance=balance,
                status=status,
                updated_at=at,
                version=invoice.version + 1,
            ),
        )

    def _recount_credit(self, key: str, at: datetime) -> None:
        credit = self.credits.get(key)
        if credit is None:
            return
        used = sum(part.amount for part in credit.allocations)
        for payment, amount in self._uses.get(key, {}).items():
            if payment in self.payments and self.payments[payment].status == "live":
                used += amount
        remaining = max(0, credit.total - used) if credit.status == "live" else 0
        if remaining != credit.remaining:
            self._put(
                "credit_note",
                msgspec.structs.replace(
                    credit,
                    remaining=remaining,
                    updated_at=at,
                    version=credit.version + 1,
                ),
            )

    def _book_owed(self, row: Any, sign: int) -> None:
        if isinstance(row, InvoiceRow):
            amount = row.balance if row.is_live else 0
        elif isinstance(row, PaymentRow):
            amount = -row.unapplied
        elif isinstance(row, CreditRow):
            amount = -row.remaining
        else:
            return
        if amount:
            self._owed[row.customer] = self._owed.get(row.customer, 0) + sign * amount

    # --- learning from the book ---------------------------------------------------------------

    def _learn(self, fact: Fact, at: datetime) -> None:
        described = describe(fact, self.ids, self._number_limit)
        if described is None:
            return
        kind, key, fields = described
        if fact.kind == "payment_reversed" or fact.kind == "void":
            if key in self._tables[kind]:
                if kind == "invoice":
                    self._whole[key] = self.invoices[key]
                self._change(kind, key, at, fields)
            return
        customer = fields.get("customer")
        if customer is not None and customer not in self.customers:
            # A document of a customer that the book does not describe (yet).
            name = {"name": str(fact.fields["customer"]), "currency": fields["currency"]}
            self._upsert("customer", customer, at, name)
        if kind == "invoice":
            fields["email"] = self.customers[fields["customer"]].email
        self._upsert(kind, key, at, fields)

    def _upsert(self, kind: str, key: str, at: datetime, fields: dict[str, Any]) -> None:
        if key in self._tables[kind]:
            self._change(kind, key, at, fields)
            return
        if "allocations" in fields:
            self._ask(kind, key, fields["allocations"])
        self._put(kind, ROW_TYPES[kind](id=key, created_at=at, updated_at=at, **fields))
        self._after(kind, key, at)
