"""Which keys the stored connections are encrypted with, and where they come from.

    AR_BRIDGE_VAULT_KEY                          the environment
    AR_BRIDGE_VAULT_KEY_FILE                     the file that it names
    $CREDENTIALS_DIRECTORY/ar-bridge-vault-key   a systemd credential
    the file `key` of the home directory         made at the first use, where none above is given

The first of these that is given encrypts; the keys of all of them decrypt, so that a move from
one to another loses nothing. Each may hold several keys, parted by spaces, commas or new lines:
the first encrypts. They are read anew at every use: a key that is added counts at once.
"""

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from cryptography.fernet import Fernet, MultiFernet

from ar_bridge.errors import SetupError
from connectors.redaction import keep_secret

VARIABLE: Final = "AR_BRIDGE_VAULT_KEY"
FILE_VARIABLE: Final = "AR_BRIDGE_VAULT_KEY_FILE"
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
CREDENTIAL: Final = "ar-bridge-vault-key"
"""Name of the credential: `LoadCredentialEncrypted=ar-bridge-vault-key:...` of the unit."""


class KeySource(msgspec.Struct, frozen=True, kw_only=True):
    """One place that gave keys."""

    name: str
    """As a person should read it."""
    keys: tuple[str, ...]
    path: Path | None = None
    is_own: bool = False
    """The file of the home directory: ours to write."""

    def __repr__(self) -> str:
        return f"KeySource(name={self.name!r}, keys={len(self.keys)})"

    @property
    def is_open_to_others(self) -> bool:
        """Others on this machine may read the file."""
        return self.path is not None and bool(_mode(self.path) & (stat.S_IRWXG | stat.S_IRWXO))


class VaultKeys:
    """The keys of one home directory, wherever they come from."""

    def __init__(self, own: Path, environment: Mapping[str, str] | None = None) -> None:
        self.own = own
        """The file that is made where no key is given otherwise."""
        self._environment = os.environ if environment is None else environment

    def sources(self, *, create: bool = False) -> list[KeySource]:
        """Every place that gives keys, the one that encrypts first. `create` makes the file of
        the home directory where there is none.

        Raises SetupError for a source without a usable key, and for an own file that others may
        read.
        """
        found = [*self._given()]
        if create and not found and not self.own.exists():
            _create(self.own)
        if self.own.exists():
            found.append(_own_source(self.own))
        return found

    def cipher(self, *, create: bool = True) -> MultiFernet:
        """Encrypts with the first key, decrypts with all. Raises SetupError."""
        found = self.sources(create=create)
        if not found:
            raise SetupError(
                f"there is no key at {self.own}: stored connections cannot be opened",
                remedy="put the key file back from your backup, or connect every book again",
            )
        return MultiFernet([Fernet(key) for source in found for key in source.keys])

    def newest(self) -> MultiFernet:
        """Only the key that encrypts."""
        return MultiFernet([Fernet(self.sources()[0].keys[0])])

    @contextmanager
    def in_use(self, *, alone: bool = False) -> Iterator[None]:
        """Held while something is encrypted and stored; `alone` while an old key is dropped."""
        with held(self.own.parent / "locks" / "vault-keys.lock", shared=not alone):
            yield

    def add(self) -> None:
        """Put a new key on top of the own file, at once or not at all; the others still
        decrypt."""
        known = _own_source(self.own).keys if self.own.exists() else ()
        self._replace((new_key(), *known))

    def drop_old(self) -> int:
        """Leave only the first key in the own file; returns how many went."""
        first, *old = _own_source(self.own).keys
        if old:
            self._replace((first,))
        return len(old)

    def _replace(self, keys: tuple[str, ...]) -> None:
        whole = private_file(self.own.parent, "".join(f"{key}\n" for key in keys).encode())
        whole.replace(self.own)
        _settle(self.own.parent)

    def _given(self) -> Iterator[KeySource]:
        if value := self._environment.get(VARIABLE, ""):
            yield KeySource(name=f"environment {VARIABLE}", keys=_keys(value, VARIABLE))
        if named := self._environment.get(FILE_VARIABLE, ""):
            yield _file_source(Path(named), f"file {named} ({FILE_VARIABLE})")
        if folder := self._environment.get(CREDENTIALS, ""):
            path = Path(folder) / CREDENTIAL
            if path.exists():
                yield _file_source(path, f"systemd credential {CREDENTIAL}")


def new_key() -> str:
    """A fresh key: 32 bytes as URL-safe base64."""
    return Fernet.generate_key().decode("ascii")


def _own_source(path: Path) -> KeySource:
    source = _file_source(path, f"file {path}", is_own=True)
    if source.is_open_to_others:
        raise SetupError(
            f"the key {path} can be read by others on this machine (mode {_mode(path):04o})",
            remedy=f"run `chmod 600 {path}`; if others may have seen it, connect every book again",
        )
    return source


def _file_source(path: Path, name: str, *, is_own: bool = False) -> KeySource:
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise SetupError(
            f"there is no key at {path}: stored connections cannot be opened",
            remedy="put the key file back from your backup, or connect every book again",
        ) from None
    except UnicodeDecodeError:
        text = "?"
    except OSError as error:
        raise SetupError(
            f"the key {path} cannot be read ({error.strerror})",
            remedy="run ar-bridge as the user who owns it",
        ) from error
    return KeySource(name=name, keys=_keys(text, str(path)), path=path, is_own=is_own)


def _keys(text: str, place: str) -> tuple[str, ...]:
    keys = tuple(part for part in re.split(r"[\s,]+", text) if part)
    keep_secret(*keys)
    try:
        MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise SetupError(
            f"{place} is not a key of ar-bridge",
            remedy="put the key back from your backup, or make one with `ar-bridge vault new-key` "
            "and connect every book again",
        ) from None
    return keys


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _create(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = private_file(path.parent, f"{new_key()}\n".encode())
        with contextlib.suppress(FileExistsError):  # another process was faster: its key counts
            os.link(whole, path)
        whole.unlink()
        _settle(path.parent)
    except OSError as error:
        raise SetupError(
            f"the key {path} cannot be created ({error.strerror})",
            remedy="check the folder and its permissions",
        ) from error


def private_file(folder: Path, content: bytes) -> Path:
    """A new file that only its owner can read, whole on disk before it gets its name."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="key-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _settle(folder: Path) -> None:
    """The new name itself is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def held(path: Path, *, shared: bool = False) -> Iterator[None]:
    """A lock file, across threads and processes; it waits for whoever holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Each holder opens the file itself, so that threads exclude each other too.
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
