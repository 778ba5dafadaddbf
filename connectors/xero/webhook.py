"""Webhooks of Xero: invoices, contacts and credit notes; payments have no category of their own.

    events[].tenantId, resourceId      company, record
    events[].eventCategory             INVOICE, CONTACT, CREDITNOTE; others are ignored
    events []                          the handshake ("intent to receive"): the status alone counts

Source: xero-webhooks.yaml of Xero's OpenAPI; signature in `x-xero-signature`, answer within 5
seconds with neither body nor cookies.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from connectors.webhooks import MalformedWebhookError, Nudge, Sender

CATEGORIES: Final[Mapping[str, str]] = {
    "INVOICE": "invoices",
    "CONTACT": "customers",
    "CREDITNOTE": "credits",
}


def nudges(body: bytes) -> list[Nudge]:
    """Every record named that matters to receivables, once, in order."""
    try:
        message = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise MalformedWebhookError(str(error)) from None
    events = message.get("events") if isinstance(message, dict) else None
    if not isinstance(events, list):
        raise MalformedWebhookError("it holds no list of events")
    found = [_nudge(event) for event in events if isinstance(event, dict)]
    return list(dict.fromkeys(one for one in found if one is not None))


def _nudge(event: Mapping[str, Any]) -> Nudge | None:
    entity = CATEGORIES.get(str(event.get("eventCategory") or "").upper())
    data = event.get("data")
    if isinstance(data, dict) and data.get("Type") == "ACCPAYCREDIT":
        return None  # a supplier's
    company, record = event.get("tenantId"), event.get("resourceId")
    if entity is None or not company or not record:
        return None
    return Nudge(company_id=str(company), entity=entity, record_id=str(record))


SENDER: Final = Sender(header="x-xero-signature", reads=nudges)
