"""Addresses at which customers see their invoices, remembered where the ledger's links last."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from ar_bridge.store.tables import links
from rules.model import InvoiceId


def known(
    conn: Connection, book_id: int, invoices: Collection[str], *, since: datetime
) -> dict[InvoiceId, str]:
    """Links of these invoices that were given at or after an instant."""
    if not invoices:
        return {}
    query = select(links.c.invoice, links.c.url).where(
        links.c.book_id == book_id,
        links.c.invoice.in_(invoices),
        links.c.at >= since.isoformat(),
    )
    return {InvoiceId(row.invoice): row.url for row in conn.execute(query)}


def remember(
    conn: Connection, book_id: int, invoice: str, url: str, *, at: datetime, tenant: str = "default"
) -> None:
    """Keep the link of an invoice, in the place of an older one."""
    conn.execute(links.delete().where(links.c.book_id == book_id, links.c.invoice == invoice))
    conn.execute(
        links.insert().values(
            tenant_id=tenant, book_id=book_id, invoice=invoice, url=url, at=at.isoformat()
        )
    )
