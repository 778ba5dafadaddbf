"""A wire behind which Xero's lists lie: paged, filtered by If-Modified-Since, and counted."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx

from connectors.port import Page
from tests.connectors.xero import samples
from tests.connectors.xero.wires import START, Reply, Wire, ok

Row = dict[str, Any]


def stamp(at: datetime) -> str:
    return f"/Date({round(at.timestamp() * 1000)}+0000)/"


class Ledger:
    """Rows by collection; each carries UpdatedDateUTC. What is called is remembered."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}
        self.calls: list[str] = []
        self.understands_since = True
        self.before_answer: dict[int, Callable[[], None]] = {}
        """Number of the call to what happens in the ledger just before it is answered."""
        self.refuses: dict[str, Reply] = {}
        self.wire = Wire(self._answer)

    @property
    def now(self) -> datetime:
        return self.wire.clock.now()

    def put(self, collection: str, *rows: Row, at: datetime | None = None) -> None:
        """Add or replace rows, changed at that time."""
        known = {_id(row): row for row in self.rows.get(collection, [])}
        for row in rows:
            known[_id(row)] = {**row, "UpdatedDateUTC": stamp(at or self.now)}
        self.rows[collection] = sorted(known.values(), key=_id)

    def invoices(self, number: int, *, at: datetime = START, **changes: Any) -> None:
        """Open invoices, named 0000, 0001, ..."""
        made = [samples.invoice(InvoiceID=f"{n:04}", **changes) for n in range(number)]
        self.put("Invoices", *made, at=at)

    def spent(self) -> list[str]:
        """Collections asked for since the last look."""
        seen, self.calls[:] = list(self.calls), []
        return seen

    def _answer(self, request: httpx.Request) -> Reply:
        collection = request.url.path.rpartition("/")[2]
        self.calls.append(collection)
        self.before_answer.pop(len(self.calls), lambda: None)()
        if collection in self.refuses:
            return self.refuses[collection]
        found = self.rows.get(collection, [])
        asked = request.url.params
        since = request.headers.get("If-Modified-Since", "")
        if since and self.understands_since:
            moment = datetime.fromisoformat(since.replace("Z", "+00:00"))
            found = [row for row in found if _changed(row) >= moment]
        if "Statuses" in asked:
            found = [row for row in found if row.get("Status") in asked["Statuses"].split(",")]
        if "searchTerm" in asked:
            found = [row for row in found if asked["searchTerm"] in row.get("Reference", "")]
        page, size = int(asked.get("page", 1)), int(asked.get("pageSize", 100))
        counts = {
            "page": page,
            "pageSize": size,
            "pageCount": -(-len(found) // size),
            "itemCount": len(found),
        }
        cut = found[(page - 1) * size : page * size]
        answer = ok(**{collection: cut, **({"pagination": counts} if size != 100 else {})})
        answer.headers["Date"] = format_datetime(self.now.astimezone(UTC), usegmt=True)
        return answer


def ids(pages: list[Page], entity: str) -> list[str]:
    return [row.id for page in pages if page.entity == entity for row in page.records]


def remarks(pages: list[Page]) -> list[str]:
    return [text for page in pages for text in page.remarks]


def _id(row: Row) -> str:
    return next(str(value) for name, value in row.items() if name.endswith("ID"))


def _changed(row: Row) -> datetime:
    return datetime.fromtimestamp(int(row["UpdatedDateUTC"][6:-7]) / 1000, UTC)
