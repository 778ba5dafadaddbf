"""A place of which PostgreSQL knows only one holder, as long as its connection lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from ar_bridge.errors import SetupError
from ar_bridge.processes import own_process
from ar_bridge.store.addresses import shown

DAEMON: Final = 7_161_803
"""Number of the daemon's place; the writers' has the one before."""


class TakenError(Exception):
    """Another process has the place: its name is the only argument, empty where unknown."""


class Place:
    """Held as long as the connection lives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_lost(self) -> DBAPIError | None:
        """The error of a connection that went away, and the place with it; None where it lives."""
        try:
            self._connection.execute(text("SELECT 1"))
            self._connection.rollback()
        except DBAPIError as error:
            return error
        return None


@contextmanager
def hold(url: str, number: int) -> Iterator[Place]:
    """Take the place of that number. Raises TakenError, SetupError where there is no server."""
    # The name shows in pg_stat_activity: by it the second one can say who was first.
    engine = create_engine(
        url, pool_size=1, connect_args={"application_name": f"ar-bridge {own_process()}"[:63]}
    )
    try:
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise SetupError(
                f"the database {shown(url)} cannot be used ({error.orig})",
                remedy="check the address of the database and that it can be reached",
            ) from error
        with connection:
            taken = connection.execute(
                text("SELECT pg_try_advisory_lock(:number)"), {"number": number}
            ).scalar_one()
            holder = "" if taken else _holder(connection, number)
            connection.rollback()
            if not taken:
                raise TakenError(holder)
            yield Place(connection)
    finally:
        engine.dispose()


def _holder(connection: Connection, number: int) -> str:
    query = (
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'advisory' AND l.objid = :number AND l.granted"
    )
    name = connection.execute(text(query), {"number": number}).scalar()
    return str(name or "").removeprefix("ar-bridge ")
