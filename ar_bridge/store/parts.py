"""Queries about some customers: an IN list of a bounded length at a time."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, func

LOOKUP: Final = 500
"""Values of one IN list."""

_AT_ONCE: Final = 1_000


def parts_of(values: Collection[str]) -> Iterator[list[str]]:
    """The values in order, a list of a bounded length at a time."""
    some = sorted(values)
    for start in range(0, len(some), LOOKUP):
        yield some[start : start + LOOKUP]


def by_scanning(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column as a value that no index is used for. A database that keeps no statistics takes
    an index by the form of a query: it would read a whole book in the order of its ids, or all of
    its actions in some states, to find those of a few customers."""
    return func.coalesce(column, "")


def rows_of(
    conn: Connection,
    query: Select[Any],
    owner: ColumnElement[str],
    customers: Collection[str] | None,
) -> Iterator[Row[Any]]:
    """Rows of some customers, or of all (None). In the order of the query as far as one part
    reaches: rows of one customer always are."""
    parts = (
        [query] if customers is None else (query.where(owner.in_(p)) for p in parts_of(customers))
    )
    for part in parts:
        # A cursor that is asked for one row at a time takes three times as long.
        for rows in conn.execute(part).partitions(_AT_ONCE):
            yield from rows
