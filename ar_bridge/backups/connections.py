"""Connections across a restore: vendors change tokens at each use, so an older copy's are dead.

What was there before the backup is put back holds the tokens that the vendor gave last. They go
with the records that are put back, encrypted as they are; where there are none, it is said which
books have to be connected again.
"""

from collections.abc import Sequence

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
