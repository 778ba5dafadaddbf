"""A place of which PostgreSQL knows only one holder, as long as its connection lives."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from ar_bridge.processes import own_process
from ar_bridge.store.addresses import shown
from ar_bridge.store.engine import trouble

DAEMON: Final = 7_161_803
"""Number of the daemon's place; the writers' has the one before."""


class TakenError(Exception):
    """Another process has the place: its name is the only argument, empty where unknown."""


class Place:
    """Held as long as the connection lives."""

    def __init__(self, connection: Connection, number: int, where: str) -> None:
        self._connection = connection
        self._number = number
        self._where = where
        self._is_ours = False

    def keep(self) -> None:
        """See that the place is ours still; where the server was away it is taken anew.

        Raises TakenError where another process was faster, DatabaseError while the server is
        away.
        """
        try:
            if self._is_ours:
                self._connection.execute(text("SELECT 1"))
            else:
                self._take()
            self._connection.rollback()
        except DBAPIError as error:
            self._is_ours = False
            with suppress(DBAPIError):
                self._connection.rollback()
            raise trouble(self._where, error) from error

    def _take(self) -> None:
        taken = text("SELECT pg_try_advisory_lock(:number)")
        self._is_ours = bool(self._connection.execute(taken, {"number": self._number}).scalar_one())
        if not self._is_ours:
            holder = _holder(self._connection, self._number)
            self._connection.rollback()
            raise TakenError(holder)


@contextmanager
def hold(url: str, number: int) -> Iterator[Place]:
    """Take the place of that number. Raises TakenError, DatabaseError where there is no server."""
    # The name shows in pg_stat_activity: by it the second one can say who was first.
    engine = create_engine(
        url, pool_size=1, connect_args={"application_name": f"ar-bridge {own_process()}"[:63]}
    )
    where = shown(url)
    try:
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise trouble(where, error) from error
        with connection:
            place = Place(connection, number, where)
            place.keep()
            yield place
    finally:
        engine.dispose()


def _holder(connection: Connection, number: int) -> str:
    query = (
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'advisory' AND l.objid = :number AND l.granted"
    )
    name = connection.execute(text(query), {"number": number}).scalar()
    return str(name or "").removeprefix("ar-bridge ")
