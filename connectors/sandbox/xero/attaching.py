"""Files on invoices."""

import mimetypes
from typing import Any, Final

from connectors.sandbox.http import Request, Response
from connectors.sandbox.ids import uuid_from
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import FileRow
from connectors.sandbox.xero.answers import NOT_FOUND, Refusal, reply

_MOST: Final = 10
"""Files that an invoice may have."""


class Files:
    """Takes files and names them; a second file of a name takes the place of the first."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def all(self, request: Request, key: str) -> Response:
        self._check(key)
        return reply(
            "Attachments", [_shown(row) for row in self._ledger.files.get(key, {}).values()]
        )

    def put(self, request: Request, key: str, _: str) -> Response:
        self._check(key)
        # The name as it was sent: addresses are matched without regard to case.
        name = request.path.partition("/Attachments/")[2]
        known = self._ledger.files.get(key, {})
        if not request.body:
            raise Refusal(400, "The attachment has no content")
        if name not in known and len(known) >= _MOST:
            raise Refusal(400, f"An invoice can have at most {_MOST} attachments")
        row = FileRow(
            id=uuid_from(f"file|{key}|{name}"),
            invoice=key,
            name=name,
            content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            content=request.body,
            is_for_customer=request.param("IncludeOnline").lower() == "true",
            at=self._ledger.now,
        )
        self._ledger.add_file(row)
        return reply("Attachments", [_shown(row)])

    def _check(self, key: str) -> None:
        if key not in self._ledger.invoices:
            raise Refusal(404, NOT_FOUND)


def _shown(row: FileRow) -> dict[str, Any]:
    return {
        "AttachmentID": row.id,
        "FileName": row.name,
        "Url": f"https://api.example/Invoices/{row.invoice}/Attachments/{row.id}",
        "MimeType": row.content_type,
        "ContentLength": len(row.content),
        "IncludeOnline": row.is_for_customer,
    }
