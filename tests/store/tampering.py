"""Somebody with the database in hand, who first takes away what guards the audit."""

from sqlalchemy import Connection, text

GUARDED = ("audit", "audit_payloads")


def unguarded(conn: Connection) -> Connection:
    """The same connection after the guards of the audit are gone."""
    if conn.dialect.name == "postgresql":
        for table in GUARDED:
            conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return conn
    named = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    for table in GUARDED:
        for name in conn.execute(named, {"table": table}).scalars().all():
            conn.execute(text(f"DROP TRIGGER {name}"))
    return conn
