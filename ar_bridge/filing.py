"""What a person has done with one invoice in the ledger: mailed again, or a file attached to it."""

import hashlib
import re
from pathlib import PurePath
from typing import Final

from sqlalchemy import Connection

from ar_bridge import words
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.orders import Ordered, order
from rules.actions.action import Item
from rules.actions.keys import effect_key, note_mark
from rules.actions.on_invoice import AttachDocument, SendInvoice
from rules.model import Dispute, Invoice, ItemKey, Pause, Stop

MOST_BYTES: Final = 5_000_000
"""A file lies in our records until it is attached, and in the ledger for good."""

TYPES: Final[dict[str, str]] = {
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".html": "text/html",
    ".rtf": "application/rtf",
    ".xml": "application/xml",
    ".eml": "message/rfc822",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}
"""What may be attached: nothing that runs."""

_LONGEST_NAME: Final = 80
_UNSAFE: Final = re.compile(r"[^\w.() -]+")


def send_again(
    conn: Connection, desk: BookContext, invoice: Invoice, *, actor: str, reason: str
) -> Ordered:
    """Order the ledger to mail its invoice, at most once a day.

    Raises UsageError where nothing is open on it, or where a stop, a dispute or a pause stands:
    the mail would be one to the customer.
    """
    today = desk.today()
    if invoice.status != "open" or invoice.balance <= 0:
        raise UsageError(
            f"Nothing is open on invoice {invoice.number} ({invoice.status}).",
            remedy="a copy of a closed invoice is sent from the ledger itself",
        )
    standing = [
        told
        for told in words.standing(
            conn, desk.book_id, invoice.customer, [Stop, Dispute, Pause], today
        )
        if told.binds(invoice.id) and (not isinstance(told, Pause) or told.until >= today)
    ]
    if standing or invoice.is_disputed:
        what = [f"{told.id}: {told.reason or type(told).__name__.lower()}" for told in standing]
        raise UsageError(
            f"Invoice {invoice.number} is left alone at present.",
            problems=what or ["it is disputed in the ledger"],
            remedy="ar-bridge resume, or dispute --won-by, ends that",
        )
    key = ItemKey(f"send_invoice/{invoice.id}/ordered/{today:%Y%m%d}")
    action = SendInvoice(
        key=key,
        customer=invoice.customer,
        currency=invoice.currency,
        items=(Item(key=key, kind="send_invoice", invoice=invoice.id),),
        is_ordered=True,
        invoice=invoice.id,
    )
    return order(conn, desk, [action], actor=actor, reason=reason)


def attach(
    conn: Connection,
    desk: BookContext,
    invoice: Invoice,
    filename: str,
    content: bytes,
    *,
    actor: str,
    reason: str,
) -> Ordered:
    """Order a file to be put on the invoice in the ledger, where customers do not see it.

    Raises UsageError for a file that is empty, too large or of a kind that does not belong there,
    and for one that is there already.
    """
    suffix = PurePath(filename).suffix.lower()
    problems = []
    if suffix not in TYPES:
        problems.append(
            f'"{suffix or filename}" is not a kind of file that is attached: '
            + ", ".join(kind[1:] for kind in TYPES)
        )
    if not content:
        problems.append("it is empty")
    if len(content) > MOST_BYTES:
        problems.append(
            f"it has {len(content):,} bytes, more than the {MOST_BYTES:,} that are taken"
        )
    if problems:
        raise UsageError(f"{filename} cannot be attached.", problems=problems)
    digest = hashlib.sha256(filename.encode() + b"\0" + content).hexdigest()[:16]
    key = ItemKey(f"attachment/{invoice.id}/{digest}")
    # A name of its own: a file of the same name that is there is somebody else's.
    mark = note_mark(desk.company.id, effect_key(key, 0, "attach_file"))[5:-1]
    action = AttachDocument(
        key=key,
        customer=invoice.customer,
        currency=invoice.currency,
        items=(Item(key=key, kind="attachment", invoice=invoice.id),),
        is_ordered=True,
        invoice=invoice.id,
        filename=f"{safe_stem(filename)}-arb-{mark}{suffix}",
        content_type=TYPES[suffix],
        content=content,
        reason=reason,
    )
    return order(conn, desk, [action], actor=actor, reason=reason)


def safe_stem(filename: str) -> str:
    """The name without folder and ending, of characters that every system takes."""
    stem = PurePath(filename.replace("\\", "/")).stem
    return _UNSAFE.sub("_", stem).strip(" ._")[:_LONGEST_NAME] or "file"
