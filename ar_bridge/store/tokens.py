"""Access tokens, encrypted before they get here. The version shows whether somebody was faster."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from ar_bridge.store.bodies import instant_text
from ar_bridge.store.tables import tokens


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stored token."""

    tenant_id: str
    ledger: str
    company_id: str
    body: bytes
    version: int
    stored_at: datetime


def load(
    conn: Connection, ledger: str, company_id: str, *, tenant: str = "default"
) -> TokenRow | None:
    """The token of one connection, None where there is none."""
    row = (
        conn.execute(
            select(tokens).where(
                tokens.c.tenant_id == tenant,
                tokens.c.ledger == ledger,
                tokens.c.company_id == company_id,
            )
        )
        .mappings()
        .first()
    )
    return _token_row(dict(row)) if row else None


def listed(conn: Connection) -> list[TokenRow]:
    """Every token, of every tenant."""
    return [_token_row(dict(row)) for row in conn.execute(select(tokens)).mappings()]


def in_file(file: Path | None) -> list[TokenRow]:
    """The tokens in a SQLite file, whatever its schema; empty where they cannot be read."""
    if file is None:
        return []
    query = "SELECT tenant_id, ledger, company_id, body, version, stored_at FROM tokens"
    names = ("tenant_id", "ledger", "company_id", "body", "version", "stored_at")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as before:
            return [_token_row(dict(zip(names, row, strict=True))) for row in before.execute(query)]
    except (sqlite3.Error, ValueError, TypeError):
        return []


def store(
    conn: Connection,
    ledger: str,
    company_id: str,
    body: bytes,
    *,
    at: datetime,
    tenant: str = "default",
) -> int:
    """Store a token in place of the one before; returns its version, counted from 1."""
    known = load(conn, ledger, company_id, tenant=tenant)
    version = known.version + 1 if known else 1
    values = {"body": body, "version": version, "stored_at": instant_text(at)}
    if known is None:
        conn.execute(
            tokens.insert().values(tenant_id=tenant, ledger=ledger, company_id=company_id, **values)
        )
    else:
        conn.execute(
            tokens.update()
            .where(
                tokens.c.tenant_id == tenant,
                tokens.c.ledger == ledger,
                tokens.c.company_id == company_id,
            )
            .values(**values)
        )
    return version


def delete(conn: Connection, ledger: str, company_id: str, *, tenant: str = "default") -> None:
    """Forget a connection."""
    conn.execute(
        tokens.delete().where(
            tokens.c.tenant_id == tenant,
            tokens.c.ledger == ledger,
            tokens.c.company_id == company_id,
        )
    )


def _token_row(row: dict[str, object]) -> TokenRow:
    return TokenRow(
        tenant_id=str(row["tenant_id"]),
        ledger=str(row["ledger"]),
        company_id=str(row["company_id"]),
        body=bytes(row["body"]),  # type: ignore[call-overload]
        version=int(str(row["version"])),
        stored_at=datetime.fromisoformat(str(row["stored_at"])),
    )
