"""One backup as a file: a database that was checked, the files beside it, and a manifest.

    ar-bridge-2026-11-22T090000Z.tar.gz
        backup.json         what is in it, with the sha256 of each file
        database.sqlite3    a snapshot of the database, or `database.dump` of PostgreSQL
        config.toml  customers.toml  policies/...  templates/...  audit-heads.jsonl
        key                 only where it was asked for

The key and the secret files are left out: whoever has the key and the database has the
connections. A backup is readable by its owner only all the same: it holds names and debts.
"""

import contextlib
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from ar_bridge.errors import ArBridgeError, SetupError

PREFIX: Final = "ar-bridge-"
SUFFIX: Final = ".tar.gz"
MANIFEST: Final = "backup.json"
SQLITE: Final = "database.sqlite3"
DUMP: Final = "database.dump"

_BLOCK = 1 << 20


class BackupError(ArBridgeError):
    """A backup could not be made or is not to be used."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    schema: int = 1
    made_at: datetime
    version: str
    """Of ar-bridge."""
    revision: str
    """Of the schema of the database."""
    audit_head: str = ""
    """`SEQ:HASH` of the newest entry of the audit in it."""
    has_key: bool = False
    files: Mapping[str, str]
    """Name to sha256."""


def name_for(at: datetime, prefix: str = PREFIX) -> str:
    """The file name of a backup of that moment (UTC)."""
    return f"{prefix}{at:%Y-%m-%dT%H%M%SZ}{SUFFIX}"


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A file that is there with its whole content or not at all, readable by its owner only.

    Raises SetupError where it cannot be written: a full disk leaves nothing behind.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
        _settle(path.parent)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror or error}.",
            remedy="check the folder, its owner and its free space",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def pack(into: Path, files: Mapping[str, Path], manifest: Manifest) -> None:
    """Write the archive. `files` are names in it and where they lie now."""
    sums = {name: checksum(path) for name, path in files.items()}
    body = msgspec.json.encode(msgspec.structs.replace(manifest, files=sums))
    with tarfile.open(into, "w:gz", compresslevel=6) as archive:
        head = tarfile.TarInfo(MANIFEST)
        head.size, head.mode = len(body), 0o600
        archive.addfile(head, io.BytesIO(body))
        for name, path in files.items():
            info = archive.gettarinfo(path, arcname=name)
            info.mode, info.uid, info.gid, info.uname, info.gname = 0o600, 0, 0, "", ""
            with path.open("rb") as content:
                archive.addfile(info, content)


def unpack(path: Path, into: Path) -> Manifest:
    """Lay the files of a backup into a folder, each checked. Raises BackupError for one that is
    damaged, incomplete or no backup."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not member.isreg() or name.is_absolute() or ".." in name.parts:
                    raise BackupError(f"{path} is no backup of ar-bridge: {member.name} is in it.")
                content = archive.extractfile(member)
                assert content is not None
                target = into / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "wb") as out:
                    while block := content.read(_BLOCK):
                        out.write(block)
        manifest = msgspec.json.decode((into / MANIFEST).read_bytes(), type=Manifest)
    except (tarfile.TarError, EOFError, msgspec.DecodeError, FileNotFoundError) as error:
        raise BackupError(
            f"{path} is no backup of ar-bridge, or it is damaged ({error}).",
            remedy="take an older one: ar-bridge db list shows them",
        ) from error
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read: {error.strerror or error}.",
            remedy="check the path, its owner and the free space of the home directory",
        ) from error
    bad = [
        name
        for name, digest in manifest.files.items()
        if not (into / name).is_file() or checksum(into / name) != digest
    ]
    if bad:
        raise BackupError(
            f"{path} is damaged.",
            problems=[f"{name} is not what was put in" for name in bad],
            remedy="take an older one: ar-bridge db list shows them",
        )
    return manifest


def manifest_of(path: Path) -> Manifest | None:
    """What a backup says of itself; None for a file that is none."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            first = archive.next()
            content = archive.extractfile(first) if first and first.name == MANIFEST else None
            return msgspec.json.decode(content.read(), type=Manifest) if content else None
    except (tarfile.TarError, OSError, EOFError, msgspec.DecodeError):
        return None


def checksum(path: Path) -> str:
    """sha256 of a file, 64 hex digits."""
    total = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
