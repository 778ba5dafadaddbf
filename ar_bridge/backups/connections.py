"""Connections across a restore: vendors change tokens at each use, so an older copy's are dead.

What was there before the backup is put back holds the tokens that the vendor gave last. They go
with the records that are put back, encrypted as they are; where there are none, it is said which
books have to be connected again.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from ar_bridge.store import books, tokens
from ar_bridge.store.tokens import TokenRow


class Connections(msgspec.Struct, frozen=True, kw_only=True):
    """What became of them."""

    kept: tuple[str, ...] = ()
    """Books whose newer tokens were kept."""
    doubtful: tuple[str, ...] = ()
    """Books with the tokens of the backup: if they were used since, the vendor takes them no
    more."""


def newest_of(file: Path | None) -> list[TokenRow]:
    """The tokens in a database, whatever its schema; empty where it cannot be read."""
    if file is None:
        return []
    query = "SELECT tenant_id, ledger, company_id, body, version, stored_at FROM tokens"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as before:
            return [
                TokenRow(
                    tenant_id=tenant,
                    ledger=ledger,
                    company_id=company,
                    body=bytes(body),
                    version=version,
                    stored_at=datetime.fromisoformat(stored_at),
                )
                for tenant, ledger, company, body, version, stored_at in before.execute(query)
            ]
    except (sqlite3.Error, ValueError, TypeError):
        return []


def keep_newest(conn: Connection, newest: Sequence[TokenRow]) -> Connections:
    """Put the newest tokens in the place of those that come back."""
    found = {(one.tenant_id, one.ledger, one.company_id): one for one in newest}
    kept: list[str] = []
    doubtful: list[str] = []
    for row in tokens.listed(conn):
        book = books.find(conn, row.ledger, row.company_id, tenant=row.tenant_id)
        name = book.name if book is not None else f"{row.ledger} {row.company_id}"
        newer = found.get((row.tenant_id, row.ledger, row.company_id))
        if newer is None:
            doubtful.append(name)
        elif (newer.stored_at, newer.version) > (row.stored_at, row.version):
            kept.append(name)
            tokens.store(
                conn,
                row.ledger,
                row.company_id,
                newer.body,
                at=newer.stored_at,
                tenant=row.tenant_id,
            )
    return Connections(kept=tuple(kept), doubtful=tuple(doubtful))
