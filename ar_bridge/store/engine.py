"""The database: opening it, and the two ways of talking to it.

`Store.write()` is one transaction that holds the only writer's place from its first moment, so
that what it reads cannot change before it commits. `Store.read()` is one consistent snapshot.
Both mean the same on SQLite and on PostgreSQL: no code above asks which of them it is on.
What the machine does to a database (a full disk, a holder who does not let go, a server that went
away) is a DatabaseError, whenever it happens; what contradicts a rule of our own tables stays
SQLAlchemy's.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import DatabaseError as DriverError
from sqlalchemy.pool import StaticPool

from ar_bridge.errors import DatabaseAwayError, DatabaseError, SetupError

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another one before it gives up."""

_WRITES = "ar_bridge_writes"

_REFUSED = re.compile(
    r"authentication failed|no password supplied|does not exist|pg_hba|certificate|SSL|permission"
)
"""What a database server says that no waiting mends."""

_WRITERS_LOCK = 7_161_802
"""Number of the PostgreSQL advisory lock that is the only writer's place."""

_READ: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

# Each statement sees what was committed before it began. A stricter level, which a server may
# have as its default, would go on seeing what was there before the wait for the writer's place.
_WRITE: dict[str, Any] = {"isolation_level": "READ COMMITTED", "postgresql_readonly": False}


class Store:
    """One open database. Thread-safe; close it when the process ends."""

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine
        self.place = place
        """Where it lies, for messages: a file name, or an address without its password."""

    @property
    def dialect(self) -> str:
        """sqlite or postgresql."""
        return self._engine.dialect.name

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back when the block raises.

        Writers queue up here, of all processes and machines: on SQLite for its own lock (BEGIN
        IMMEDIATE), on PostgreSQL for an advisory one. Raises DatabaseError when another one holds
        the database for longer than BUSY_TIMEOUT_MS, and where nothing can be written.
        """
        with self._connection(writes=True) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot: every query in the block sees the same moment. Nothing is written."""
        with self._connection(writes=False) as connection:
            yield connection

    @contextmanager
    def _connection(self, *, writes: bool) -> Iterator[Connection]:
        options: dict[str, Any] = {_WRITES: writes}
        is_postgresql = self.dialect == "postgresql"
        if is_postgresql:
            options.update(_WRITE if writes else _READ)
        try:
            with self._engine.connect() as connection:
                connection = connection.execution_options(**options)
                with connection.begin() as transaction:
                    if is_postgresql and writes:
                        _take_writers_place(connection)
                    yield connection
                    if not writes:
                        transaction.rollback()
        except DBAPIError as error:
            if not is_of_the_machine(error):
                raise
            raise trouble(self.place, error) from error

    def close(self) -> None:
        """Give the files and sockets back."""
        self._engine.dispose()


def open_store(url: str, *, create: bool = True) -> Store:
    """Open the database at `url` (`sqlite:////path/file.db`, `postgresql+psycopg://...`).

    With `create` a missing SQLite file is made, readable by its owner only, and the schema is
    brought up to date; without it both are errors. Raises SetupError when the database cannot
    be opened, is no database, or was written by a newer release.
    """
    from ar_bridge.store import schema

    store = bare_store(url, create=create)
    place = store.place
    try:
        if create:
            schema.upgrade(store)
        else:
            schema.require_current(store)
    except DBAPIError as error:
        store.close()
        raise trouble(place, error) from error
    except BaseException:
        store.close()
        raise
    return store


def bare_store(url: str, *, create: bool = False) -> Store:
    """The database as it is, whatever its schema. Raises SetupError where there is none."""
    address = _address(url)
    place = address.database or "memory" if _is_sqlite(address) else address.render_as_string()
    if _is_sqlite(address) and address.database not in (None, "", ":memory:"):
        _prepare_file(Path(str(address.database)), create=create)
    return Store(_engine(address), place)


def _address(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise SetupError(
            f"database address {url!r} cannot be read",
            remedy="write it like sqlite:////folder/ar-bridge.db or "
            "postgresql+psycopg://user@host/name",
        ) from None


def _is_sqlite(address: URL) -> bool:
    return address.get_backend_name() == "sqlite"


def _prepare_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise SetupError(f"{path} is a folder, not a database file", remedy="name a file in it")
    if path.exists():
        return
    if not create:
        raise SetupError(f"there is no database at {path} yet", remedy="run `ar-bridge init`")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It will hold names, addresses and debts: nobody else on this machine reads along.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise SetupError(
            f"the database {path} cannot be created ({error.strerror})",
            remedy="check the folder and its permissions",
        ) from error


def _engine(address: URL) -> Engine:
    options: dict[str, Any] = {}
    if _is_sqlite(address):
        options["connect_args"] = {"check_same_thread": False}
        if address.database in (None, "", ":memory:"):
            options["poolclass"] = StaticPool
    else:
        # The server may have been restarted while a connection lay idle.
        options["pool_pre_ping"] = True
    try:
        engine = create_engine(address, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise SetupError(
            f"no driver for a {address.drivername} database is installed ({error})",
            remedy="SQLite needs none, PostgreSQL needs `pip install 'ar-bridge[postgresql]'` and "
            "an address that begins with postgresql+psycopg://",
        ) from error
    if _is_sqlite(address):
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _take_writers_place(connection: Connection) -> None:
    # Both end with the transaction.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late (before the first write), so it is switched off
    # and `_begin_sqlite` says it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def is_of_the_machine(error: BaseException) -> bool:
    """Whether the database cannot work, or was lost: not a mistake of ours in what we ask of it."""
    # SQLite says of a damaged file no more than that it is an error of the database.
    return isinstance(error, OperationalError) or type(error) is DriverError


def trouble(place: str, error: DBAPIError) -> DatabaseError:
    """What an error of the database means for who runs it."""
    said = " ".join(str(error.orig).split())
    if "disk is full" in said or "No space left" in said or "disk full" in said:
        return DatabaseAwayError(
            f"the disk of the database {place} is full: nothing was changed",
            remedy="make room, then run the same command again",
        )
    if "disk I/O error" in said:
        return DatabaseAwayError(
            f"the disk of the database {place} is full or fails ({said})",
            remedy="look whether there is room on it and whether it works, then try again",
        )
    if "not a database" in said or "malformed" in said:
        return DatabaseError(
            f"{place} is not a database of ar-bridge, or it is damaged ({said})",
            remedy="name another file, or restore a backup",
        )
    if "locked" in said or "lock timeout" in said:
        return DatabaseAwayError(
            f"the database {place} is held by another process",
            remedy="stop the other ar-bridge, or try again when it is done",
        )
    if "readonly" in said or "read-only" in said:
        return DatabaseError(
            f"the database {place} cannot be written", remedy="check its owner and permissions"
        )
    if "unable to open" in said:
        return DatabaseError(
            f"the database {place} cannot be opened",
            remedy="check who owns it and its folder, and that this user may read and write both",
        )
    is_server = "://" in place and isinstance(error, OperationalError)
    kind = DatabaseAwayError if is_server and not _REFUSED.search(said) else DatabaseError
    return kind(
        f"the database {place} cannot be used ({said})",
        remedy="check the address of the database and that it can be reached",
    )
