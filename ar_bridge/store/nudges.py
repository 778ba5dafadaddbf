"""Records that a webhook named, until the ledger was read again."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from ar_bridge.store import schedule
from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import books, nudges
from connectors.webhooks import Nudge


def add(
    conn: Connection,
    ledger: str,
    told: Iterable[Nudge],
    *,
    at: datetime,
    tenant: str = "default",
) -> int:
    """Remember records of connected companies; the latest hour of each counts. How many."""
    known = {
        row.company_id: row.id
        for row in conn.execute(
            select(books.c.company_id, books.c.id).where(
                books.c.tenant_id == tenant, books.c.ledger == ledger
            )
        )
    }
    rows = [
        {
            "tenant_id": tenant,
            "ledger": ledger,
            "company_id": one.company_id,
            "entity": one.entity,
            "record_id": one.record_id[:80],
            "received_at": instant_text(at),
        }
        for one in dict.fromkeys(told)
        if one.company_id in known
    ]
    if not rows:
        return 0
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(nudges)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "ledger", "company_id", "entity", "record_id"],
            set_={"received_at": statement.excluded.received_at},
        ),
        rows,
    )
    # A daemon reads these books at its next look, unless it has just done so.
    schedule.hasten(conn, {known[row["company_id"]] for row in rows}, "sync", at)
    return len(rows)


def waiting(
    conn: Connection, ledger: str, company_id: str, *, tenant: str = "default"
) -> list[Nudge]:
    """What was told of a company and not yet read again, in order of arrival."""
    query = (
        select(nudges)
        .where(
            nudges.c.tenant_id == tenant,
            nudges.c.ledger == ledger,
            nudges.c.company_id == company_id,
        )
        .order_by(nudges.c.id)
    )
    return [
        Nudge(company_id=row.company_id, entity=row.entity, record_id=row.record_id)
        for row in conn.execute(query)
    ]


def settle(
    conn: Connection, ledger: str, company_id: str, *, until: datetime, tenant: str = "default"
) -> int:
    """Forget what was told before a reading began that has now ended; how many.

    What came in while it ran stays: it may tell of something that the reading did not see.
    """
    return conn.execute(
        nudges.delete().where(
            nudges.c.tenant_id == tenant,
            nudges.c.ledger == ledger,
            nudges.c.company_id == company_id,
            nudges.c.received_at < instant_text(until),
        )
    ).rowcount
