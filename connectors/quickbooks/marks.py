"""Finding all notes of ours again after our own records were lost."""

from datetime import UTC, date, datetime
from typing import Final

import msgspec

from connectors.errors import TransientError
from connectors.port import Mark
from connectors.quickbooks import wire
from connectors.quickbooks.answers import decoded, id_of
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.requests import quoted
from connectors.quickbooks.walking import walk
from rules.model.ids import CustomerId, InvoiceId

_BEGINNING: Final = "[arb:"


def marks(api: MountedQuickBooks, now: datetime) -> list[Mark]:
    """Every note of the company that begins with our mark, oldest first: one query, paged.

    Raises TransientError for a note that cannot be read: it may be the one that matters.
    """
    found: list[tuple[str, Mark]] = []
    for step in walk(api, "Attachable", f"Note like {quoted(_BEGINNING + '%')}"):
        for record in step.records:
            try:
                note = decoded(record, wire.WireAttachable)
            except msgspec.DecodeError as error:
                raise TransientError(
                    f"the note {id_of(record)} in QuickBooks cannot be read ({error})"
                ) from None
            # `like` may be read without regard to case, or brackets as a pattern.
            if (note.note or "").startswith(_BEGINNING):
                found.append((note.id, _mark(note, now)))
    return [mark for id, mark in sorted(found, key=lambda pair: (pair[1].on, _order(pair[0])))]


def _mark(note: wire.WireAttachable, now: datetime) -> Mark:
    targets = [each.entity_ref for each in note.attachable_ref or () if each.entity_ref]
    customers = [each.value for each in targets if each.type == "Customer" and each.value]
    return Mark(
        text=note.note or "",
        invoices=tuple(
            InvoiceId(each.value) for each in targets if each.type == "Invoice" and each.value
        ),
        customer=CustomerId(customers[0]) if customers else None,
        on=_written_on(note.meta_data, now),
    )


def _written_on(meta: wire.MetaData | None, now: datetime) -> date:
    """The timestamp carries the company's own zone, so its date is the company's date."""
    try:
        return date.fromisoformat(((meta.create_time if meta else None) or "")[:10])
    except ValueError:
        return now.astimezone(UTC).date()


def _order(id: str) -> tuple[int, str]:
    """Ids are numbers as text, and long ones."""
    return (len(id), id)
