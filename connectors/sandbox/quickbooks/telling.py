"""QuickBooks' webhooks: CloudEvents, or the shape that they replaced.

Source: Intuit, "Webhooks" and the announcement of the CloudEvents format: an array whose events
may be of several companies, ids only.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from connectors.sandbox.http import encoded
from connectors.sandbox.ids import uuid_from
from connectors.sandbox.rows import Change

_ENTITY: Final = {
    "customer": "Customer",
    "invoice": "Invoice",
    "payment": "Payment",
    "credit_note": "CreditMemo",
    "estimate": "Estimate",
}
_VERB: Final = {"Create": "created", "Update": "updated", "Delete": "deleted"}


class QuickBooksWording:
    """Messages about one company."""

    header = "intuit-signature"
    patience = 3.0

    def __init__(self, company_id: str, *, is_legacy: bool) -> None:
        self._company_id = company_id
        self._is_legacy = is_legacy
        self._told = 0

    def body(self, changes: Iterable[Change]) -> bytes | None:
        known = [change for change in changes if change.kind in _ENTITY]
        if not known:
            return None
        if self._is_legacy:
            entities = [self._legacy(change) for change in known]
            note = {"realmId": self._company_id, "dataChangeEvent": {"entities": entities}}
            return encoded({"eventNotifications": [note]})
        return encoded([self._event(change) for change in known])

    def handshake(self) -> bytes | None:
        """QuickBooks has none."""
        return None

    def _event(self, change: Change) -> dict[str, Any]:
        self._told += 1
        entity = _ENTITY[change.kind].lower()
        return {
            "specversion": "1.0",
            "id": uuid_from(f"event|{self._company_id}|{self._told}"),
            "source": "intuit.sandbox",
            "type": f"qbo.{entity}.{_VERB[change.operation]}.v1",
            "datacontenttype": "application/json",
            "time": _instant(change.at),
            "intuitentityid": change.id,
            "intuitaccountid": self._company_id,
            "data": {},
        }

    def _legacy(self, change: Change) -> dict[str, Any]:
        return {
            "id": change.id,
            "operation": change.operation,
            "name": _ENTITY[change.kind],
            "lastUpdated": _instant(change.at),
        }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
