"""Where the tokens of a connection are kept: in the store, encrypted, one refresher at a time.

The key lies apart from the database (see `vault_keys`), so that a copy of the database alone
opens nothing.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock

import msgspec
from cryptography.fernet import InvalidToken, MultiFernet
from sqlalchemy import text

from ar_bridge.errors import SetupError
from ar_bridge.store import tokens
from ar_bridge.store.engine import Store
from ar_bridge.store.tokens import TokenRow
from ar_bridge.vault_keys import VaultKeys, held
from connectors.oauth2 import Tokens
from connectors.port import Clock
from connectors.redaction import keep_secret

_tokens = msgspec.json.Decoder(Tokens)


class StoreVault:
    """The `TokenVault` of one connection.

    `lock` holds across threads and processes: on SQLite by a lock file beside the key, on
    PostgreSQL by an advisory lock, because there the workers may run on several machines.
    """

    def __init__(
        self,
        store: Store,
        keys: VaultKeys,
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
        # A key is never made for what another one has closed.
        found = _opened(row, self._keys.cipher(create=False))
        keep_secret(found.access_token, found.refresh_token)
        return found

    def store(self, tokens_: Tokens) -> None:
        """Returns when they are on disk."""
        # The key is read and used in one go: nobody drops it in between.
        with self._keys.in_use():
            body = self._keys.cipher().encrypt(msgspec.json.encode(tokens_))
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

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held while refreshing. It waits for whoever holds it; the thread that holds it may
        take it again."""
        # Threads of this process queue up here first: waiting for the database's lock takes a
        # connection each, and the one who holds it needs another to read and to store.
        with _turn_of(str(self._lock_file)) as turn:
            if turn.depth > 1:
                yield
            elif self._store.dialect == "postgresql":
                with self._advisory_lock():
                    yield
            else:
                with held(self._lock_file):
                    yield

    @contextmanager
    def _advisory_lock(self) -> Iterator[None]:
        number = int.from_bytes(self._digest[:8], "big", signed=True)
        with self._store.read() as conn:
            # Ends with this transaction; `store` commits on a connection of its own.
            conn.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
            yield


class _Turn:
    """The queue of this process for one connection."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.depth = 0


_turns: dict[str, _Turn] = {}
_turns_lock = Lock()


@contextmanager
def _turn_of(name: str) -> Iterator[_Turn]:
    with _turns_lock:
        turn = _turns.setdefault(name, _Turn())
    with turn.lock:
        turn.depth += 1
        try:
            yield turn
        finally:
            turn.depth -= 1


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of keys came to."""

    connections: int
    """Encrypted with the newest key now."""
    dropped: int = 0
    """Old keys that the own file no longer holds."""
    not_needed: tuple[str, ...] = ()
    """Places whose other keys nothing is encrypted with any more."""


def rotate(store: Store, keys: VaultKeys, clock: Clock) -> Rotated:
    """Change to a new key: it is added, every token is brought over, the old ones go.

    Interrupted at any point, every connection can still be opened, and the same call again
    finishes. Where the key comes from outside (environment, credential), that place has to hold
    the new key first: everything is brought over to it, and the old ones may go then.

    Raises SetupError, with nothing dropped, where a connection cannot be opened with any key.
    """
    from_outside = not keys.sources(create=True)[0].is_own
    if not from_outside:
        keys.add()
    reencrypt(store, keys, clock)
    with keys.in_use(alone=True):
        # Once more: a process that had begun earlier may have stored with the old key.
        count = reencrypt(store, keys, clock)
        dropped = 0 if from_outside else keys.drop_old()
    first, *others = keys.sources()
    idle = [first.name] if len(first.keys) > 1 else []
    return Rotated(
        connections=count,
        dropped=dropped,
        not_needed=(*idle, *(source.name for source in others)),
    )


def reencrypt(store: Store, keys: VaultKeys, clock: Clock) -> int:
    """Encrypt every stored token with the newest key; returns how many there are."""
    cipher = keys.cipher()
    with store.write() as conn:
        rows = tokens.listed(conn)
        for row in rows:
            _opened(row, cipher)
        for row in rows:
            tokens.store(
                conn,
                row.ledger,
                row.company_id,
                cipher.rotate(row.body),
                at=clock.now(),
                tenant=row.tenant_id,
            )
    return len(rows)


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """How one stored connection is encrypted."""

    ledger: str
    company_id: str
    opens_with: str
    """newest, older or none."""


def sealed(store: Store, keys: VaultKeys) -> list[Sealed]:
    """Every stored connection and the key that opens it."""
    with store.read() as conn:
        rows = tokens.listed(conn)
    if not rows:
        return []
    ciphers = (("newest", keys.newest()), ("older", keys.cipher(create=False)))
    return [
        Sealed(
            ledger=row.ledger,
            company_id=row.company_id,
            opens_with=next((name for name, cipher in ciphers if _opens(row, cipher)), "none"),
        )
        for row in rows
    ]


def _opens(row: TokenRow, cipher: MultiFernet) -> bool:
    try:
        cipher.decrypt(row.body)
    except InvalidToken:
        return False
    return True


def _opened(row: TokenRow, cipher: MultiFernet) -> Tokens:
    try:
        return _tokens.decode(cipher.decrypt(row.body))
    except InvalidToken:
        raise SetupError(
            f"the connection to {row.ledger} {row.company_id} was encrypted with another key",
            remedy="put the key of this database back (`ar-bridge vault check` says where keys "
            "come from), or connect the book again",
        ) from None
