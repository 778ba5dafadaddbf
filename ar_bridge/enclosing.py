"""What is put into a message at the moment it goes out: where to pay online, copies of invoices.

Both are fetched from the ledger then, because a link may expire and a copy should show what is
owed now. Neither ever keeps a message back: what cannot be had is left out, and the audit says so.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.messages.late import PAY_LINK, Attachment, LateSlots, filled_html
from ar_bridge.messages.recipients import Unreachable
from ar_bridge.store import actions as action_store
from ar_bridge.store import links, mirror, outbox
from ar_bridge.store.actions import ActionRow
from connectors.budget import sparing_writes
from connectors.errors import ConnectorError
from connectors.port import ShowsInvoices
from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.effects import SendMessage
from rules.actions.messages import SendReminder
from rules.frame import Frame
from rules.model import Invoice, InvoiceId, ItemKey
from rules.statements import statement_of

MOST_LINKS: Final = 3
"""Documents of one message, the longest overdue first, for which a link is asked: a call each,
and calls are what a day has least of."""

MOST_BYTES: Final = 10_000_000
"""All copies of one mail together: what most mail servers take."""

_PDF: Final = "application/pdf"


class Enclosed(msgspec.Struct, frozen=True, kw_only=True):
    """The late slots of one message, and what could not be had."""

    slots: LateSlots
    left_out: tuple[str, ...] = ()


def enclosed(desk: BookContext, row: ActionRow, message: SendMessage, now: datetime) -> Enclosed:
    """Everything that is filled in as the message leaves. Raises nothing of the ledger's."""
    action, ledger = row.action, desk.connector
    if not isinstance(action, SendReminder):
        return Enclosed(slots=LateSlots(date=now))
    ours = _statement(desk, action) if action.with_statement else ()
    if not isinstance(ledger, ShowsInvoices):
        return Enclosed(slots=LateSlots(date=now, attachments=ours))
    with desk.store.read() as conn:
        known = {one.id: one for one in mirror.invoices_by_id(conn, desk.book_id, action.qualified)}
        fees = _fees(conn, desk, row)
    invoices = sorted(
        (known[one] for one in action.qualified if one in known and known[one].balance > 0),
        key=lambda one: (one.due_on or one.issued_on, one.number),
    )
    left_out: list[str] = []
    pay_links: tuple[tuple[str, str], ...] = ()
    asked = [one for one in invoices if one.id in action.enclosed]
    with sparing_writes():
        if PAY_LINK in message.text or PAY_LINK in message.html:
            payable = [
                (one.number, one.id) for one in invoices if one.is_payable_online is not False
            ]
            if not desk.connector.capabilities.link_days:
                # Where a link has to be asked for again and again, the debt itself has to do.
                fees = []
            pay_links = _links(desk, ledger, [*payable, *fees], left_out)
        copies = _copies(ledger, asked, left_out)
    return Enclosed(
        slots=LateSlots(date=now, pay_links=pay_links, attachments=(*ours, *copies)),
        left_out=tuple(left_out),
    )


def _statement(desk: BookContext, action: SendReminder) -> tuple[Attachment, ...]:
    """The account as it stands now, as a page to read and to print."""
    today = desk.today()
    with desk.store.read() as conn:
        book = desk.load(conn, today, {action.customer}, ())
    account = next((one for one in book.accounts() if one.payer.id == action.customer), None)
    if account is None:
        return ()
    day = AccountDay(Frame(book, desk.policy, today), account)
    statement = statement_of(
        day,
        action.currency,
        items=(Item(key=ItemKey(f"{action.key}/statement"), kind="statement"),),
        statement="statement",
        roles=action.roles,
    )
    written = desk.render(statement, book, (), today)
    if isinstance(written, Unreachable):
        return ()
    return (
        Attachment(
            filename=f"statement-{today.isoformat()}.html",
            content_type="text/html",
            # Reads the same whatever a mail program takes its encoding for.
            content=filled_html(written.html, ()).encode("ascii", "xmlcharrefreplace"),
        ),
    )


def _fees(conn: Connection, desk: BookContext, row: ActionRow) -> list[tuple[str, InvoiceId]]:
    """Documents of the late fees that the message announces, by number and id in the ledger."""
    if not row.waits_for:
        return []
    charged = action_store.actions_in(conn, desk.book_id, ("done",), keys=set(row.waits_for))
    return [
        (fee.number, InvoiceId(effect.receipt.id))
        for fee in charged
        for effect in outbox.effects_of(conn, fee.id)
        if effect.receipt is not None and effect.name == "post_charge"
    ]


def _links(
    desk: BookContext,
    ledger: ShowsInvoices,
    payable: Sequence[tuple[str, InvoiceId]],
    left_out: list[str],
) -> tuple[tuple[str, str], ...]:
    now = desk.clock.now()
    days = desk.connector.capabilities.link_days
    with desk.store.read() as conn:
        remembered = links.known(
            conn,
            desk.book_id,
            [invoice for _, invoice in payable],
            since=now - timedelta(days=days),
        )
    found: list[tuple[str, str]] = []
    for number, invoice in payable[:MOST_LINKS]:
        if days and invoice in remembered:
            found.append((number, remembered[invoice]))
            continue
        try:
            link = ledger.online_link(invoice)
        except ConnectorError as problem:
            left_out.append(f"the link to pay {number} online: {problem}")
            continue
        if _is_safe(link):
            found.append((number, link))
            if days:
                with desk.store.write() as conn:
                    links.remember(conn, desk.book_id, invoice, link, at=now)
        elif link:
            left_out.append(f"the link to pay {number} online: it is no web address")
    if len(payable) > MOST_LINKS:
        left_out.append(f"links for {len(payable) - MOST_LINKS} further documents")
    return tuple(found)


def _is_safe(link: str) -> bool:
    """A customer may click on it: a web address, without anything that a mail could break."""
    if not link.isascii() or not link.isprintable() or " " in link:
        return False
    parts = urlsplit(link)
    return parts.scheme in ("https", "http") and bool(parts.netloc)


def _copies(
    ledger: ShowsInvoices, invoices: Sequence[Invoice], left_out: list[str]
) -> tuple[Attachment, ...]:
    made: list[Attachment] = []
    size = 0
    for invoice in invoices:
        try:
            content = ledger.pdf(invoice.id)
        except ConnectorError as problem:
            left_out.append(f"the copy of {invoice.number}: {problem}")
            continue
        if not content:
            left_out.append(f"the copy of {invoice.number}: the ledger prints none")
        elif size + len(content) > MOST_BYTES:
            left_out.append(f"the copy of {invoice.number}: the mail would be too large")
        else:
            size += len(content)
            made.append(
                Attachment(filename=_filename(invoice.number), content_type=_PDF, content=content)
            )
    return tuple(made)


def _filename(number: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', number).strip('-.') or 'invoice'}.pdf"
