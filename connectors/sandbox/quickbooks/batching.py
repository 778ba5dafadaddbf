"""Batches: up to 30 items in one call, each judged by itself under the status 200.

Source: Intuit, "Batch operations" and "Limits and throttles"; items run one after another and
cannot refer to each other.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import Request, encoded
from connectors.sandbox.quickbooks.bodies import KIND_OF
from connectors.sandbox.quickbooks.faults import QuickBooksFault

BATCH_LIMIT: Final = 30
KEY_LIMIT: Final = 50
BATCH_KEY_LIMIT: Final = 36

Write: TypeAlias = Callable[[str, str, Any], bytes]
"""(entity, operation, body) done: the row as JSON."""


def check_key(request: Request, *, is_batch: bool) -> None:
    """Refuse with 2050 a `requestid` that is too long."""
    longest = BATCH_KEY_LIMIT if is_batch else KEY_LIMIT
    if len(request.param("requestid")) > longest:
        raise QuickBooksFault("2050", f"requestid: Max length is {longest}", "requestid")


def asks_only(request: Request) -> bool:
    """Whether a batch holds queries alone: it changes nothing then."""
    try:
        items = request.json()["BatchItemRequest"]
        return all("Query" in item for item in items)
    except (ValueError, KeyError, TypeError):
        return False


class Batches:
    """Takes a batch apart. Raises QuickBooksFault for the batch as a whole."""

    def __init__(self, query: Callable[[str], bytes], write: Write, faults: FaultPlan) -> None:
        self._query = query
        self._write = write
        self._faults = faults

    def answer(self, request: Request) -> bytes:
        """The content of a `BatchItemResponse` list."""
        try:
            items = request.json()["BatchItemRequest"]
        except (ValueError, KeyError, TypeError):
            raise QuickBooksFault("2010", "BatchItemRequest is missing") from None
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise QuickBooksFault("2010", "BatchItemRequest is no list of items")
        if len(items) > BATCH_LIMIT:
            raise QuickBooksFault("6000", f"A batch holds at most {BATCH_LIMIT} items")
        names = [str(item.get("bId") or "") for item in items]
        if not all(names):
            raise QuickBooksFault("2020", "Required parameter bId is missing", "bId")
        if len(set(names)) < len(names):
            raise QuickBooksFault("2010", "A bId stands twice in the batch", "bId")
        key = request.param("requestid")
        if key and any(len(key) + len(name) > KEY_LIMIT for name in names):
            raise QuickBooksFault("2050", f"bId with requestid: Max length is {KEY_LIMIT}", "bId")
        return b"[" + b",".join(self._item(item) for item in items) + b"]"

    def _item(self, item: Mapping[str, Any]) -> bytes:
        name = encoded(str(item["bId"]))
        try:
            if "Query" in item:
                return b'{"QueryResponse":%s,"bId":%s}' % (self._query(str(item["Query"])), name)
            entity = next((key for key in item if key in KIND_OF), "")
            if not entity:
                raise QuickBooksFault("500", "The batch item names no entity")
            if self._faults.strikes("has-errors"):
                raise QuickBooksFault("6000", "This item of the batch could not be saved")
            operation = str(item.get("optionsData") or item.get("operation") or "")
            done = self._write(entity, operation, item[entity])
            return b'{"%s":%s,"bId":%s}' % (entity.encode(), done, name)
        except QuickBooksFault as fault:
            return encoded({**fault.body(), "bId": str(item["bId"])})
