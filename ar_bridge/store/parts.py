"""Queries about some customers: an IN list of a bounded length at a time."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select

LOOKUP: Final = 500
"""Values of one IN list."""


def parts_of(values: Collection[str]) -> Iterator[list[str]]:
    """The values in order, a list of a bounded length at a time."""
    some = sorted(values)
    for start in range(0, len(some), LOOKUP):
        yield some[start : start + LOOKUP]


def rows_of(
    conn: Connection,
    query: Select[Any],
    owner: ColumnElement[str],
    customers: Collection[str] | None,
) -> Iterator[Row[Any]]:
    """Rows of some customers, or of all (None). In the order of the query as far as one part
    reaches: rows of one customer always are."""
    if customers is None:
        yield from conn.execute(query)
        return
    for some in parts_of(customers):
        yield from conn.execute(query.where(owner.in_(some)))
