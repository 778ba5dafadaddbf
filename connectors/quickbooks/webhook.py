"""Webhooks of QuickBooks: CloudEvents, an array with events of several companies, and the shape
that they replaced.

    CloudEvent.type "qbo.invoice.updated.v1"    entity invoices
    CloudEvent.intuitaccountid, intuitentityid  company, record
    eventNotifications[].realmId                company (the former shape)
    dataChangeEvent.entities[].name, id         entity, record

Source: Intuit, "Webhooks"; signature in `intuit-signature`, answer within 3 seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from connectors.webhooks import MalformedWebhookError, Nudge, Sender

ENTITIES: Final[Mapping[str, str]] = {
    "invoice": "invoices",
    "customer": "customers",
    "payment": "payments",
    "creditmemo": "credits",
    "estimate": "estimates",
}


def nudges(body: bytes) -> list[Nudge]:
    """Every record named that matters to receivables, once, in order."""
    try:
        message = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise MalformedWebhookError(str(error)) from None
    if isinstance(message, list):
        found = [_event(event) for event in message]
    elif isinstance(message, dict):
        notes = message.get("eventNotifications")
        if not isinstance(notes, list):
            raise MalformedWebhookError("neither an array of events nor eventNotifications")
        found = [one for note in notes for one in _former(note)]
    else:
        raise MalformedWebhookError("neither an array of events nor eventNotifications")
    return list(dict.fromkeys(one for one in found if one is not None))


def _event(event: Any) -> Nudge | None:
    if not isinstance(event, dict):
        return None
    parts = str(event.get("type") or "").lower().split(".")
    if len(parts) < 3 or parts[0] != "qbo":
        return None
    return _nudge(event.get("intuitaccountid"), parts[1], event.get("intuitentityid"))


def _former(note: Any) -> Sequence[Nudge | None]:
    change = note.get("dataChangeEvent") if isinstance(note, dict) else None
    entities = change.get("entities") if isinstance(change, dict) else None
    return [
        _nudge(note.get("realmId"), entity.get("name"), entity.get("id"))
        for entity in (entities if isinstance(entities, list) else ())
        if isinstance(entity, dict)
    ]


def _nudge(company: object, entity: object, record: object) -> Nudge | None:
    known = ENTITIES.get(str(entity).lower().replace("_", ""))
    if known is None or not company or not record:
        return None
    return Nudge(company_id=str(company), entity=known, record_id=str(record))


SENDER: Final = Sender(header="intuit-signature", reads=nudges)
