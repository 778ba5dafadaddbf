"""What QuickBooks answers to queries and single reads."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from connectors.sandbox.face import Desk
from connectors.sandbox.http import encoded
from connectors.sandbox.quickbooks.bodies import KIND_OF
from connectors.sandbox.quickbooks.faults import QuickBooksFault
from connectors.sandbox.quickbooks.fields import QUERYABLE
from connectors.sandbox.quickbooks.query import Query, parse_query, select_rows
from connectors.sandbox.quickbooks.render import Renderer
from connectors.sandbox.quickbooks.setup import CompanyLists
from connectors.sandbox.rows import Row

_ACTIVE_ONLY: Final = frozenset({"Customer", "Item", "Account", "Term", "TaxCode", "CustomerType"})
_WALKS_KEPT: Final = 16


class Reader:
    """Rows by query or id. Raises QuickBooksFault."""

    def __init__(self, desk: Desk, lists: CompanyLists, renderer: Renderer) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._lists = lists
        self._renderer = renderer
        self._found: dict[Query, tuple[int, list[Any]]] = {}

    def query(self, text: str) -> bytes:
        """The content of a `QueryResponse`."""
        if not text.strip():
            raise QuickBooksFault("2020", "Required parameter query is missing", "query")
        query = parse_query(text)
        if query.entity not in QUERYABLE:
            raise QuickBooksFault(
                "4001", f"QueryValidationError: Metadata not found for Entity {query.entity}"
            )
        if query.entity in ("CompanyInfo", "Preferences"):
            return listed(query.entity, encoded(self.singleton(query.entity)), 1, 1)
        rows = self._matching(query)
        if query.is_count:
            return encoded({"totalCount": len(rows)})
        first = query.start - 1
        page = rows[first : first + query.size]
        more = len(rows) > first + query.size
        if more and len(page) == query.size and self._desk.faults.strikes("page-101"):
            page = rows[first : first + query.size + 1]
        content = self._renderer.page(query.entity, page)
        return listed(query.entity, content, query.start, len(page))

    def _matching(self, query: Query) -> list[Any]:
        """All matching rows; the pages of one walk share the work while nothing changes."""
        whole = msgspec.structs.replace(query, start=1, size=1, is_count=False)
        kept = self._found.get(whole)
        if kept is not None and kept[0] == self._ledger.changes:
            return kept[1]
        rows = self.all(query.entity)
        asked = {condition.field.lower() for condition in query.conditions}
        if query.entity in _ACTIVE_ONLY and "active" not in asked:
            rows = [row for row in rows if row.is_active]
        found = select_rows(query, rows, QUERYABLE[query.entity])
        if len(self._found) > _WALKS_KEPT:
            self._found.clear()
        self._found[whole] = (self._ledger.changes, found)
        return found

    def all(self, entity: str) -> list[Any]:
        """Every row of an entity."""
        tables: dict[str, Callable[[], list[Any]]] = {
            "Invoice": lambda: list(self._ledger.invoices.values()),
            "Payment": lambda: list(self._renderer.applications.payments()),
            "CreditMemo": lambda: list(self._ledger.credits.values()),
            # An estimate cannot be void here: whoever gives it up deletes it.
            "Estimate": lambda: [
                row for row in self._ledger.estimates.values() if row.status != "void"
            ],
            "Customer": lambda: list(self._ledger.customers.values()),
            "Attachable": lambda: list(self._ledger.notes.values()),
        }
        if entity in tables:
            return tables[entity]()
        return list(self._lists.rows(entity))

    def one(self, entity: str, key: str) -> Row:
        """A row by id."""
        found: Row | None = None
        if entity == "Payment":
            found = self._renderer.applications.payment(key)
        elif entity in KIND_OF:
            found = self._ledger.row(KIND_OF[entity], key)
        else:
            found = next((row for row in self.all(entity) if row.id == key), None)
        if found is None:
            raise QuickBooksFault("610", f"Object Not Found : {entity} {key}")
        return found

    def singleton(self, entity: str) -> dict[str, Any]:
        """CompanyInfo or Preferences."""
        if entity == "CompanyInfo":
            return self._lists.company_info(self._ledger, self._desk.company_id)
        return self._lists.preferences(self._ledger, self._ledger.locked_through)


def listed(entity: str, content: bytes, start: int, count: int) -> bytes:
    """Rows as a `QueryResponse` holds them; nothing at all where there are none."""
    if not count:
        return b"{}"
    return b'{"%s":[%s],"startPosition":%d,"maxResults":%d}' % (
        entity.encode(),
        content,
        start,
        count,
    )
