"""Change data capture: what changed in several entities since an instant.

Source: Intuit, "Change data capture": 30 days back at most, 1,000 objects in one answer and no
way to ask for more, whole objects, and of deleted ones no more than id and status.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.sandbox.face import Desk
from connectors.sandbox.http import Request, encoded
from connectors.sandbox.quickbooks.faults import QuickBooksFault
from connectors.sandbox.quickbooks.reading import Reader, listed
from connectors.sandbox.quickbooks.render import Renderer

LOOK_BACK: Final = timedelta(days=30)
CDC_LIMIT: Final = 1000

_KIND_OF: Final = {
    "Customer": "customer",
    "Invoice": "invoice",
    "Payment": "payment",
    "CreditMemo": "credit_note",
    "Estimate": "estimate",
    "Attachable": "note",
    "Item": "",
    "Account": "",
    "Term": "",
}
"""Entities that can be asked for. JournalCode, TaxAgency, TimeActivity, TaxCode and TaxRate are
named as those that cannot."""


class Changes:
    """Answers `/cdc`. Raises QuickBooksFault."""

    def __init__(self, desk: Desk, reader: Reader, renderer: Renderer) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._reader = reader
        self._renderer = renderer

    def since(self, request: Request) -> bytes:
        """The content of a `CDCResponse`."""
        since = self._instant(request.param("changedSince"))
        names = [name.strip() for name in request.param("entities").split(",") if name.strip()]
        if not names:
            raise QuickBooksFault("2020", "Required parameter entities is missing", "entities")
        for name in names:
            if name not in _KIND_OF:
                raise QuickBooksFault("2010", f"entities: {name} is not supported", "entities")
        if self._desk.faults.strikes("watermark-ignored"):
            since = datetime.min.replace(tzinfo=UTC)
        parts: list[bytes] = []
        left = CDC_LIMIT
        for name in names:
            if self._desk.faults.strikes("cdc-fault"):
                parts.append(encoded(QuickBooksFault("10000", f"{name} could not be read").body()))
                continue
            shown = self._changed(name, since)[:left]
            left -= len(shown)
            parts.append(listed(name, b",".join(shown), 1, len(shown)))
        return b'[{"QueryResponse":[%s]}]' % b",".join(parts)

    def _instant(self, text: str) -> datetime:
        if not text:
            raise QuickBooksFault("2020", "Required parameter changedSince is missing")
        try:
            # A plus sign that a client left bare in an address arrives as a blank.
            since = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        except ValueError:
            raise QuickBooksFault("2010", "changedSince is not a time", "changedSince") from None
        if since.tzinfo is None:
            since = since.replace(tzinfo=self._ledger.zone)
        if self._desk.clock.now() - since > LOOK_BACK:
            raise QuickBooksFault("2010", "changedSince is more than 30 days ago", "changedSince")
        return since

    def _changed(self, entity: str, since: datetime) -> list[bytes]:
        """The oldest change first."""
        # The service knows when something changed to the second, and so do its watermarks.
        whole = since.replace(microsecond=0)
        rows: list[tuple[datetime, int, Any]] = [
            (row.updated_at, int(row.id), row)
            for row in self._reader.all(entity)
            if row.updated_at >= whole
        ]
        rows += [(at, int(key), None) for key, at in self._gone(entity) if at >= whole]
        rows.sort(key=lambda change: change[:2])
        return [
            self._renderer.row(entity, row, is_list=True)
            if row is not None
            else encoded({"domain": "QBO", "status": "Deleted", "Id": str(key)})
            for _, key, row in rows
        ]

    def _gone(self, entity: str) -> Iterator[tuple[str, datetime]]:
        kind = _KIND_OF[entity]
        for row in self._ledger.deletions:
            if row.kind == kind:
                yield row.id, row.at
        if entity == "Payment":
            yield from self._renderer.applications.gone()
        if entity == "Estimate":
            for estimate in self._ledger.estimates.values():
                if estimate.status == "void":
                    yield estimate.id, estimate.updated_at
