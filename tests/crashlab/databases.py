"""Our records on a PostgreSQL server: one database for a company's morning, and copies of it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

import psycopg
from sqlalchemy.engine import make_url

from tests.store.postgresql import Server


class Databases:
    """Databases with our tables. A copy is one of the server's own: nobody may be in what is
    copied, so that only a morning can be."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._kept = ExitStack()
        self._numbers = count(1)

    def fresh(self) -> str:
        """The address of a new database, which lasts as long as the server."""
        return self._kept.enter_context(self._server.database())

    def close(self) -> None:
        """Give back what is there."""
        self._kept.close()

    @contextmanager
    def copied(self, url: str) -> Iterator[str]:
        """The address of a copy, for as long as the block lasts."""
        address = make_url(url)
        name = f"{address.database}_{os.getpid()}_{next(self._numbers)}"
        self._do(url, f"CREATE DATABASE {name} TEMPLATE {address.database} STRATEGY file_copy")
        try:
            yield address.set(database=name).render_as_string(hide_password=False)
        finally:
            self._do(url, f"DROP DATABASE {name} WITH (FORCE)")

    def _do(self, url: str, statement: str) -> None:
        # A connection of its own each time: who is forked off may share none.
        server = make_url(url).set(drivername="postgresql", database="postgres")
        with psycopg.connect(
            server.render_as_string(hide_password=False), autocommit=True
        ) as admin:
            admin.execute(statement)
