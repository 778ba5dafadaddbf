"""What one reading of the ledger said, before any of it is stored."""

import hashlib
from collections.abc import Sequence

from ar_bridge.store.mirror import ENTITIES
from connectors.port import Cursor, Page, Quarantined, Reading, Record
from rules.model import InvoiceId

NAMELESS = "?"
"""First sign of the name we give to a record that cannot even tell its id."""


class Pull:
    """The pages of one pull, in memory."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {entity: {} for entity in ENTITIES}
        self.unreadable: dict[tuple[str, str], Quarantined] = {}
        self.gone: dict[str, set[str]] = {entity: set() for entity in ENTITIES}
        self.cursor: Cursor | None = None
        self.counts: dict[str, int] = dict.fromkeys(ENTITIES, 0)

    def take(self, page: Page) -> None:
        """Add a page. Of two versions of one record the later page's counts."""
        for record in page.records:
            self.records[page.entity][record.id] = record
            self.unreadable.pop((page.entity, record.id), None)
            self.gone[page.entity].discard(record.id)
        for bad in map(_named, page.quarantined):
            self.unreadable[bad.entity, bad.id] = bad
            if bad.entity in self.records:
                self.records[bad.entity].pop(bad.id, None)
        for record_id in page.removed:
            self.records[page.entity].pop(record_id, None)
            self.gone[page.entity].add(record_id)
        self.counts[page.entity] += len(page.records)
        if page.cursor is not None:
            self.cursor = page.cursor

    def reread(self, asked: Sequence[InvoiceId], reading: Reading) -> None:
        """Add invoices that were read again by id."""
        for invoice in reading.invoices:
            self.records["invoices"][invoice.id] = invoice
        for bad in map(_named, reading.quarantined):
            self.unreadable[bad.entity, bad.id] = bad
        self.gone["invoices"].update(reading.missing)
        self.counts["invoices"] += len(reading.invoices)
        for invoice_id in asked:
            if not self.mentions("invoices", invoice_id):
                self.unreadable["invoices", invoice_id] = Quarantined(
                    entity="invoices",
                    id=invoice_id,
                    reason="the ledger neither lists it nor says that it is gone",
                )

    def mentions(self, entity: str, record_id: str) -> bool:
        """Whether this pull said anything about a record."""
        return (
            record_id in self.records[entity]
            or (entity, record_id) in self.unreadable
            or record_id in self.gone[entity]
        )


def _named(bad: Quarantined) -> Quarantined:
    if bad.id:
        return bad
    digest = hashlib.sha256(bad.reason.encode()).hexdigest()[:12]
    return Quarantined(entity=bad.entity, id=NAMELESS + digest, reason=bad.reason)
