"""Where the tokens of a connection are kept: in the store, encrypted, one refresher at a time.

The key lies in a file of its own beside the database, so that a copy of the database alone
opens nothing. The file holds one key a line: the first encrypts, all of them decrypt. A new key
goes on top, `reencrypt` brings every token over, then the old line can go.
"""

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import text

from ar_bridge.errors import SetupError
from ar_bridge.store import tokens
from ar_bridge.store.engine import Store
from connectors.oauth2 import Tokens
from connectors.port import Clock

KEY_FILE = "vault.key"
"""Name of the key file under the home directory."""

_tokens = msgspec.json.Decoder(Tokens)


def open_keys(path: Path, *, create: bool = True) -> MultiFernet:
    """Read the key file; with `create` a missing one is made, readable by its owner only.

    Raises SetupError when others on this machine may read it, or when it holds no key.
    """
    if create and not path.exists():
        _create(path)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            lines = file.read().split()
    except FileNotFoundError:
        raise SetupError(
            f"there is no key at {path}: stored connections cannot be opened",
            remedy="put the key file back from your backup, or connect every book again",
        ) from None
    except OSError as error:
        raise SetupError(
            f"the key {path} cannot be read ({error.strerror})",
            remedy="run ar-bridge as the user who owns it",
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SetupError(
            f"the key {path} can be read by others on this machine (mode {mode:04o})",
            remedy=f"run `chmod 600 {path}`; if others may have seen it, connect every book again",
        )
    try:
        return MultiFernet([Fernet(line) for line in lines])
    except ValueError:
        raise SetupError(
            f"{path} is not a key file of ar-bridge",
            remedy="put the key file back from your backup, or move it away and connect again",
        ) from None


def add_key(path: Path) -> MultiFernet:
    """Put a new key on top of the file; the old ones still decrypt. Call `reencrypt` next."""
    open_keys(path, create=False)
    _private_file(path.parent, Fernet.generate_key() + b"\n" + path.read_bytes()).replace(path)
    return open_keys(path, create=False)


def reencrypt(store: Store, keys: MultiFernet, clock: Clock) -> int:
    """Encrypt every stored token with the newest key; returns how many there are."""
    with store.write() as conn:
        rows = tokens.listed(conn)
        for row in rows:
            tokens.store(
                conn,
                row.ledger,
                row.company_id,
                keys.rotate(row.body),
                at=clock.now(),
                tenant=row.tenant_id,
            )
    return len(rows)


class StoreVault:
    """The `TokenVault` of one connection.

    `lock` holds across threads and processes: on SQLite by a lock file beside the key, on
    PostgreSQL by an advisory lock, because there the workers may run on several machines.
    """

    def __init__(
        self,
        store: Store,
        keys: MultiFernet,
        clock: Clock,
        *,
        home: Path,
        ledger: str,
        company_id: str,
        tenant: str = "default",
    ) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._ledger = ledger
        self._company_id = company_id
        self._tenant = tenant
        name = f"{tenant}|{ledger}|{company_id}"
        self._digest = hashlib.sha256(name.encode()).digest()
        self._lock_file = home / "locks" / f"tokens-{self._digest.hex()[:16]}.lock"

    def load(self) -> Tokens | None:
        """The newest tokens, read anew; None before the first connect.

        Raises SetupError where the key does not fit.
        """
        with self._store.read() as conn:
            row = tokens.load(conn, self._ledger, self._company_id, tenant=self._tenant)
        if row is None:
            return None
        try:
            return _tokens.decode(self._keys.decrypt(row.body))
        except InvalidToken:
            raise SetupError(
                f"the connection to {self._ledger} {self._company_id} was encrypted with "
                "another key",
                remedy="put the key file of this database back, or connect the book again",
            ) from None

    def store(self, tokens_: Tokens) -> None:
        """Returns when they are on disk."""
        body = self._keys.encrypt(msgspec.json.encode(tokens_))
        with self._store.write() as conn:
            tokens.store(
                conn,
                self._ledger,
                self._company_id,
                body,
                at=self._clock.now(),
                tenant=self._tenant,
            )

    def forget(self) -> None:
        """Drop the tokens of this connection."""
        with self._store.write() as conn:
            tokens.delete(conn, self._ledger, self._company_id, tenant=self._tenant)

    def lock(self) -> AbstractContextManager[None]:
        """Held while refreshing. It waits for whoever holds it."""
        if self._store.dialect == "postgresql":
            return self._advisory_lock()
        return _held(self._lock_file)

    @contextmanager
    def _advisory_lock(self) -> Iterator[None]:
        number = int.from_bytes(self._digest[:8], "big", signed=True)
        with self._store.read() as conn:
            # Ends with this transaction; `store` commits on a connection of its own.
            conn.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
            yield


@contextmanager
def _held(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Each holder opens the file itself, so that threads exclude each other too.
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _create(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = _private_file(path.parent, Fernet.generate_key() + b"\n")
        with contextlib.suppress(FileExistsError):  # another process was faster: its key counts
            os.link(whole, path)
        whole.unlink()
    except OSError as error:
        raise SetupError(
            f"the key {path} cannot be created ({error.strerror})",
            remedy="check the folder and its permissions",
        ) from error


def _private_file(folder: Path, content: bytes) -> Path:
    """A new file that only its owner can read, whole on disk before it gets its name."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="key-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
