"""One daemon for each database: whoever comes second is told who was first."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ar_bridge.errors import SetupError
from ar_bridge.processes import own_process
from ar_bridge.store import addresses, advisory


class PlaceTakenError(SetupError):
    """Another daemon works on this database."""


class InstanceLock:
    """Held as long as the process lives: the system gives it back whatever happens."""

    def __init__(self, place: advisory.Place | None = None) -> None:
        self._place = place

    def check(self) -> None:
        """Where the server that keeps the place was restarted it is taken anew.

        Raises PlaceTakenError where another daemon was faster, DatabaseError while the server is
        away.
        """
        if self._place is None:
            return
        try:
            self._place.keep()
        except advisory.TakenError as error:
            raise _taken(str(error), "the database") from None


@contextmanager
def only_one(url: str) -> Iterator[InstanceLock]:
    """Be the only daemon on this database. Raises SetupError, naming the other one's process."""
    with ExitStack() as stack:
        if not addresses.is_sqlite(url):
            yield InstanceLock(stack.enter_context(_server_lock(url)))
            return
        file = addresses.sqlite_file(url)
        if file is not None:
            stack.enter_context(_file_lock(Path(f"{file}.daemon")))
        yield InstanceLock()


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
        # Our name is for whoever comes second; on a full disk it goes without.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, own_process().encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _server_lock(url: str) -> Iterator[advisory.Place]:
    with ExitStack() as stack:
        try:
            place = stack.enter_context(advisory.hold(url, advisory.DAEMON))
        except advisory.TakenError as error:
            raise _taken(str(error), "the database") from None
        yield place


def _taken(holder: str, place: str) -> PlaceTakenError:
    machine, _, rest = holder.rpartition("/")[0].rpartition("/")
    who = f"process {rest} on {machine}" if machine and rest else "another process"
    return PlaceTakenError(
        f"a daemon works on this database already: {who} ({place})",
        remedy=f"stop it first (kill {rest}), or leave it at work"
        if rest.isdigit()
        else "stop it first, or leave it at work",
    )
