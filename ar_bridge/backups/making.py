"""Making a backup while everything runs, checking it, and keeping the newest ones."""

import os
import shutil
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from ar_bridge import __version__, audit
from ar_bridge.backups.archive import (
    DUMP,
    PREFIX,
    SQLITE,
    SUFFIX,
    BackupError,
    Manifest,
    appearing,
    manifest_of,
    name_for,
    pack,
)
from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.store import addresses, schema, sqlite_files
from ar_bridge.store.engine import Store, open_store

BESIDE: Final = ("config.toml", "customers.toml", "audit-heads.jsonl")
FOLDERS: Final = ("policies", "templates")
PROGRAMS: Final = Path("/usr/lib/postgresql")
"""Where Debian and its kin put the programs of each release of PostgreSQL."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made and checked."""

    path: Path
    manifest: Manifest
    size: int
    """Bytes."""
    dropped: tuple[Path, ...] = ()
    """Older ones that were removed."""


def make(
    home: Home,
    url: str,
    at: datetime,
    *,
    into: Path | None = None,
    config: Path | None = None,
    with_key: bool = False,
    keep: int = 0,
    prefix: str = PREFIX,
) -> Made:
    """Back up the database and the files beside it, whoever works on them at the moment.

    `into` is a folder or a file name; else `backups` in the home directory. With `keep` only so
    many of that folder stay. Raises SetupError where it cannot be written or the database cannot
    be read, BackupError where what was written is not sound.
    """
    folder = into if into is not None and (into.is_dir() or not into.suffix) else None
    place = into if into is not None and folder is None else (
        (folder or home.root / "backups") / name_for(at, prefix)
    )  # fmt: skip
    if place.exists():
        raise BackupError(f"{place} exists already.", remedy="name another file with --to")
    files = _beside(home, config or home.config, with_key=with_key)
    with appearing(place) as part, tempfile.TemporaryDirectory(dir=part.parent) as scratch:
        revision, head = _database(url, Path(scratch), files)
        manifest = Manifest(
            made_at=at,
            version=__version__,
            revision=revision,
            audit_head=head,
            has_key="key" in files,
            files={},
        )
        pack(part, files, manifest)
    made = manifest_of(place)
    if made is None:
        raise BackupError(f"{place} cannot be read back.", remedy="make it on another disk")
    dropped = rotate(place.parent, keep, prefix) if keep else ()
    return Made(path=place, manifest=made, size=place.stat().st_size, dropped=dropped)


def rotate(folder: Path, keep: int, prefix: str = PREFIX) -> tuple[Path, ...]:
    """Remove all backups of a folder but the newest ones; returns those that went."""
    ours = sorted(
        (one for one in folder.glob(f"{prefix}*{SUFFIX}") if manifest_of(one) is not None),
        reverse=True,
    )
    gone = tuple(ours[max(1, keep) :])
    for one in gone:
        one.unlink(missing_ok=True)
    return gone


def copy_sqlite(source: Path, target: Path) -> None:
    """A snapshot of a SQLite database, taken while others write to it; checked.

    Raises SetupError where it cannot be read or written, BackupError where the copy is damaged.
    """
    if not source.exists():
        raise SetupError(f"there is no database at {source} yet", remedy="run `ar-bridge init`")
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    found = sqlite_files.snapshot(source, target)
    if found:
        raise BackupError(
            f"The database {source} is damaged: no backup was made of it.",
            problems=found,
            remedy="put the newest good backup back: ar-bridge db restore",
        )


def checked(file: Path) -> tuple[str, str]:
    """Revision and audit head of a copy whose schema is today's or older; ("", "") for none.

    Raises BackupError where its audit was tampered with.
    """
    revision = sqlite_files.revision_of(file)
    if revision != schema.HEAD:
        return revision, ""
    store = open_store(f"sqlite:///{file}", create=False)
    try:
        return revision, _audited(store, str(file))
    finally:
        store.close()
        sqlite_files.without_log(file)


def _audited(store: Store, place: str) -> str:
    with store.read() as conn:
        problems = audit.verify(conn)
        seq, digest = audit.head(conn)
    if problems:
        raise BackupError(
            f"The audit in {place} does not hold.",
            problems=[str(problem) for problem in problems[:5]],
            remedy="ar-bridge audit verify says where",
        )
    return f"{seq}:{digest}" if seq else ""


def _database(url: str, scratch: Path, files: dict[str, Path]) -> tuple[str, str]:
    source = addresses.sqlite_file(url)
    if source is not None:
        copy = scratch / SQLITE
        copy_sqlite(source, copy)
        files[SQLITE] = copy
        return checked(copy)
    store = open_store(url, create=False)
    try:
        head = _audited(store, store.place)
    finally:
        store.close()
    files[DUMP] = _dumped(url, scratch / DUMP)
    return schema.HEAD, head


def _dumped(url: str, target: Path) -> Path:
    program = _newest_pg_dump()
    plain, password = addresses.for_programs(url)
    if program is None:
        raise SetupError(
            "pg_dump is not installed here, and it is what backs up PostgreSQL.",
            remedy=f"install PostgreSQL's client programs, or run where they are: pg_dump "
            f"--format=custom --file=ar-bridge.dump {plain!r}",
        )
    secret = {"PGPASSWORD": password} if password else {}
    done = subprocess.run(
        [program, "--format=custom", f"--file={target}", plain],
        env={**os.environ, **secret},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupError(
            "pg_dump could not back up the database.",
            problems=done.stderr.strip().splitlines()[:5],
            remedy="its version has to be the server's or newer",
        )
    return target


def _newest_pg_dump() -> str | None:
    """It dumps servers of its own release and older ones: the newest that is installed."""
    installed = [path for path in PROGRAMS.glob("*/bin/pg_dump") if path.parts[-3].isdecimal()]
    newest = max(installed, key=lambda path: int(path.parts[-3]), default=None)
    return str(newest) if newest is not None else shutil.which("pg_dump")


def _beside(home: Home, config: Path, *, with_key: bool) -> dict[str, Path]:
    files = {name: home.root / name for name in BESIDE if (home.root / name).is_file()}
    if config.is_file():
        files["config.toml"] = config
    for folder in FOLDERS:
        for path in sorted((home.root / folder).rglob("*")):
            if path.is_file():
                files[path.relative_to(home.root).as_posix()] = path
    if with_key and home.key.is_file():
        files["key"] = home.key
    return files
