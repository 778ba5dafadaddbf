"""Xero's webhooks: invoices, contacts and credit notes, with a handshake before anything else.

Source: Xero's published description of its webhooks. There is no category of payments: whoever
pays changes an invoice.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from connectors.sandbox.http import encoded
from connectors.sandbox.ids import uuid_from
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import Change

_CATEGORY: Final = {
    "customer": ("CONTACT", "Contacts"),
    "invoice": ("INVOICE", "Invoices"),
    "credit_note": ("CREDITNOTE", "CreditNotes"),
}
_API: Final = "https://api.xero.com/api.xro/2.0"


class XeroWording:
    """Messages about one organisation."""

    header = "x-xero-signature"
    patience = 5.0

    def __init__(self, tenant: str, ledger: Ledger) -> None:
        self._tenant = tenant
        self._ledger = ledger
        self._sequence = 0
        self._messages = 0

    def body(self, changes: Iterable[Change]) -> bytes | None:
        events = [self._event(change) for change in changes if change.kind in _CATEGORY]
        if not events:
            return None
        first = self._sequence + 1
        self._sequence += len(events)
        return self._message(events, first, self._sequence)

    def handshake(self) -> bytes | None:
        return self._message([], 1, 1)

    def _message(self, events: list[dict[str, Any]], first: int, last: int) -> bytes:
        self._messages += 1
        entropy = uuid_from(f"entropy|{self._tenant}|{self._messages}").replace("-", "")
        return encoded(
            {
                "events": events,
                "firstEventSequence": first,
                "lastEventSequence": last,
                "entropy": entropy[:20].upper(),
            }
        )

    def _event(self, change: Change) -> dict[str, Any]:
        category, collection = _CATEGORY[change.kind]
        event: dict[str, Any] = {
            "resourceUrl": f"{_API}/{collection}/{change.id}",
            "resourceId": change.id,
            "eventDateUtc": _instant(change.at),
            "eventType": "CREATE" if change.operation == "Create" else "UPDATE",
            "eventCategory": category,
            "tenantId": self._tenant,
            "tenantType": "ORGANISATION",
        }
        if change.kind == "credit_note":
            row = self._ledger.credits.get(change.id)
            is_live = row is not None and row.status == "live"
            left = "AUTHORISED" if row is not None and row.remaining else "PAID"
            event["data"] = {"Type": "ACCRECCREDIT", "Status": left if is_live else "VOIDED"}
        return event


def _instant(at: datetime) -> str:
    """Without a zone, as Xero writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}"
