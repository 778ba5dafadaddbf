"""One daemon for each database: whoever comes second is told who was first."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ar_bridge.errors import SetupError
from ar_bridge.processes import own_process

_NUMBER: Final = 7_161_803
"""Of the PostgreSQL advisory lock; the writers' place has the one before."""


class InstanceLock:
    """Held as long as the process lives: the system gives it back whatever happens."""

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection

    def check(self) -> None:
        """Raises SetupError where the lock was lost: the server that kept it was restarted."""
        if self._connection is None:
            return
        try:
            self._connection.execute(text("SELECT 1"))
            self._connection.rollback()
        except DBAPIError as error:
            raise SetupError(
                "the database that kept the place of the only daemon went away",
                remedy="it is started again by the service manager, or by hand",
            ) from error


@contextmanager
def only_one(url: str) -> Iterator[InstanceLock]:
    """Be the only daemon on this database. Raises SetupError, naming the other one's process."""
    address = make_url(url)
    with ExitStack() as stack:
        if address.get_backend_name() == "sqlite":
            if address.database in (None, "", ":memory:"):
                yield InstanceLock()
                return
            stack.enter_context(_file_lock(Path(f"{address.database}.daemon")))
            yield InstanceLock()
        else:
            yield InstanceLock(stack.enter_context(_advisory_lock(url)))


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="check who owns the home directory",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode("utf-8", "replace").strip()
            raise _taken(holder, str(path)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, own_process().encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory_lock(url: str) -> Iterator[Connection]:
    # The name shows in pg_stat_activity: by it the second one can say who was first.
    engine = create_engine(
        url, pool_size=1, connect_args={"application_name": f"ar-bridge {own_process()}"[:63]}
    )
    try:
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise SetupError(
                f"the database {make_url(url).render_as_string()} cannot be used ({error.orig})",
                remedy="check the address of the database and that it can be reached",
            ) from error
        with connection:
            taken = connection.execute(
                text("SELECT pg_try_advisory_lock(:number)"), {"number": _NUMBER}
            ).scalar_one()
            holder = "" if taken else _holder(connection)
            connection.rollback()
            if not taken:
                raise _taken(holder, "the database")
            yield connection
    finally:
        engine.dispose()


def _holder(connection: Connection) -> str:
    query = (
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'advisory' AND l.objid = :number AND l.granted"
    )
    name = connection.execute(text(query), {"number": _NUMBER}).scalar()
    return str(name or "").removeprefix("ar-bridge ")


def _taken(holder: str, place: str) -> SetupError:
    machine, _, rest = holder.rpartition("/")[0].rpartition("/")
    who = f"process {rest} on {machine}" if machine and rest else "another process"
    return SetupError(
        f"a daemon works on this database already: {who} ({place})",
        remedy=f"stop it first (kill {rest}), or leave it at work"
        if rest.isdigit()
        else "stop it first, or leave it at work",
    )
