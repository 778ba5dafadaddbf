"""What a client may write in QuickBooks, and what is refused.

Every refusal carries the vendor's code, so that a client learns here what it would learn there.
"""

from decimal import Decimal
from typing import Any

from connectors.sandbox.face import Desk
from connectors.sandbox.people import People
from connectors.sandbox.quickbooks.bodies import KIND_OF, BodyReader, Fields
from connectors.sandbox.quickbooks.faults import QuickBooksFault
from connectors.sandbox.quickbooks.fields import unknown_properties
from connectors.sandbox.quickbooks.setup import CompanyLists
from connectors.sandbox.quickbooks.values import Body, missing, reference
from connectors.sandbox.rows import ROW_TYPES, FileRow, InvoiceRow, Line, NoteRow, Row

_LONGEST = {"DocNumber": 21, "PrivateNote": 4000, "Note": 2000, "PaymentRefNum": 21}


class Writer:
    """Creates, changes, voids and deletes; a refused request changes nothing."""

    def __init__(self, desk: Desk, lists: CompanyLists) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._bodies = BodyReader(desk.ledger, lists)
        self._people = People(desk.ledger)

    def save(self, entity: str, body: Body, *, allow_duplicate: bool = False) -> Row:
        """Create, or update where the body has an Id."""
        wrong = unknown_properties(body, entity)
        if wrong:
            raise QuickBooksFault(
                "2010",
                f"Property Name:Unrecognized field {', '.join(wrong)} "
                f"(class com.intuit.schema.finance.v3.{entity}), not marked as ignorable",
                wrong[0],
            )
        for name, longest in _LONGEST.items():
            if isinstance(body.get(name), str) and len(body[name]) > longest:
                raise QuickBooksFault("2050", f"{name}: Max length is {longest}", name)
        kind = KIND_OF[entity]
        if not body.get("Id"):
            return self._created(entity, body, allow_duplicate)
        current = self._current(entity, body)
        changed: Row = self._ledger.change(
            kind, current.id, **self._bodies.fields(entity, body, current)
        )
        return changed

    def attach(self, record: Body, content: bytes) -> Row:
        """A file with its record, on the invoices that the record names."""
        if not record.get("FileName"):
            raise missing("FileName")
        given = {**record, "Size": len(content)}
        row = self.save("Attachable", {k: v for k, v in given.items() if k != "Id"})
        assert isinstance(row, NoteRow)
        for kind, key in row.targets:
            if kind == "invoice":
                self._ledger.add_file(
                    FileRow(
                        id=row.id,
                        invoice=key,
                        name=str(record["FileName"]),
                        content_type=str(record.get("ContentType") or ""),
                        content=content,
                        is_for_customer=row.is_sent_along,
                        at=self._ledger.now,
                    )
                )
        return row

    def delete(self, entity: str, body: Body) -> str:
        """Delete a record; returns its id."""
        row = self._current(entity, body)
        if entity == "Customer":
            raise QuickBooksFault("500", "Operation delete is not supported on Customer")
        self._bodies.open_period(getattr(row, "issued_on", None) or getattr(row, "on", None))
        self._ledger.delete(KIND_OF[entity], row.id)
        return str(row.id)

    def void(self, entity: str, body: Body) -> Row:
        """Void an invoice or payment: the row stays, at zero."""
        row = self._current(entity, body)
        if entity == "Invoice":
            self._bodies.open_period(row.issued_on)
            return self._ledger.void_invoice(row.id)
        if entity == "Payment":
            self._bodies.open_period(row.on)
            voided: Row = self._ledger.change("payment", row.id, status="void", amount=0)
            return voided
        raise QuickBooksFault("500", f"Operation void is not supported on {entity}")

    def _current(self, entity: str, body: Body) -> Any:
        """The row that an update, void or delete is about, if its SyncToken is the latest."""
        kind = KIND_OF[entity]
        key = str(body.get("Id") or "")
        if not key:
            raise missing("Id")
        row = self._bodies.found(kind, key)
        if body.get("SyncToken") in (None, ""):
            raise missing("SyncToken")
        if isinstance(row, InvoiceRow) and self._desk.faults.strikes("part-paid"):
            row = self._people.part_paid_just_now(row)
        if self._desk.faults.strikes("stale-synctoken"):
            row = self._ledger.change(kind, key)
        if str(body["SyncToken"]) != str(row.version):
            raise QuickBooksFault(
                "5010",
                "Stale Object Error : You and somebody else were working on this at the same "
                "time. Somebody else finished before you did, so your work was not saved.",
            )
        return row

    def _created(self, entity: str, body: Body, allow_duplicate: bool) -> Row:
        named = self._ledger.customers.get(reference(body, "CustomerRef"))
        if named is not None and self._desk.faults.strikes("merged-contact"):
            self._people.merged_just_now(named)
        fields = self._bodies.fields(entity, body, None)
        if entity in ("Invoice", "CreditMemo"):
            self._free_number(entity, fields, allow_duplicate)
        kind = KIND_OF[entity]
        row = ROW_TYPES[kind](**self._ledger.new_row(kind), **fields)
        self._ledger.add(kind, row)
        saved: Row = self._bodies.found(kind, row.id)
        return saved

    def _free_number(self, entity: str, fields: Fields, allow_duplicate: bool) -> None:
        number = fields["number"]
        if not number:
            return
        rows: Any = self._ledger.invoices if entity == "Invoice" else self._ledger.credits
        taken = any(row.number == number for row in rows.values())
        if not taken and entity == "Invoice" and self._desk.faults.strikes("duplicate-number"):
            self._ledger.add("invoice", self._by_a_person(fields))
            taken = True
        if not taken or allow_duplicate or not self._desk.setup.warns_of_duplicate_numbers:
            return
        if not self._desk.faults.strikes("duplicate-not-refused"):
            raise QuickBooksFault(
                "6140",
                "Duplicate Document Number Error : You must specify a different number. "
                f"This number has already been used. DocNumber={number}",
            )

    def _by_a_person(self, fields: Fields) -> InvoiceRow:
        """Somebody's own document under the number that the client was about to use."""
        line = Line(id="1", description="Manual entry", amount=100, unit_price=Decimal(1))
        own = {"lines": (line,), "total": 100, "tax": 0, "balance": 100, "private_note": ""}
        return InvoiceRow(**self._ledger.new_row("invoice", "person"), **{**fields, **own})
