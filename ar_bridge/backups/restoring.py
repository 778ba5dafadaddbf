"""Putting a backup back: checked first, with a safety copy, and nothing repeated afterwards.

What was done after the backup stands in the ledger and not in the records that are put back. So
every book is `rebuilt`: everything is read again, marks of ours are looked for, and no rule acts
until a person says that the records can be trusted (`ar-bridge trust`).
"""

import os
import tempfile
from datetime import datetime
from pathlib import Path

import msgspec

from ar_bridge import audit
from ar_bridge.backups.archive import SQLITE, BackupError, Manifest, appearing, unpack
from ar_bridge.backups.connections import Connections, keep_newest
from ar_bridge.backups.making import checked
from ar_bridge.home import Home
from ar_bridge.store import agenda, books, marks, tokens
from ar_bridge.store.engine import Store, open_store
from ar_bridge.store.sqlite_files import Held, alone


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was put back."""

    manifest: Manifest
    safety_copy: Path | None
    """What was there before; None where there was nothing."""
    files: tuple[str, ...]
    """Files beside the database that were put back."""
    books: tuple[str, ...]
    """Books that a person looks at from now on."""
    connections: Connections


def restore(
    home: Home, database: Path, backup: Path, at: datetime, *, actor: str, everything: bool = False
) -> Restored:
    """Put a backup of a SQLite database back. `everything` replaces the settings and the other
    files too; else only those that are missing come back. Never the kept heads of the audit: by
    them it shows what the backup does not know. Connections keep the newest tokens that are known.

    Raises SetupError where another process works on the database, BackupError for a backup that
    is not sound. Until all of it is checked nothing is changed.
    """
    home.create()
    with tempfile.TemporaryDirectory(dir=home.root, prefix=".restore-") as scratch:
        folder = Path(scratch)
        manifest = unpack(backup, folder)
        copy = folder / SQLITE
        if not copy.is_file():
            raise BackupError(
                f"{backup} holds a dump of PostgreSQL.",
                remedy="put database.dump back with pg_restore --clean, then run: ar-bridge db "
                "restore --mark-only",
            )
        with alone(database) as held:
            safety = _safety_copy(home, database, held, at)
            store = open_store(f"sqlite:///{copy}")  # brings an older schema up to date
            is_other_key = everything and _differs(folder / "key", home.key)
            newest = [] if is_other_key else tokens.in_file(safety)
            try:
                named = mark(store, at, actor=actor, source=backup.name)
                with store.write() as conn:
                    connections = keep_newest(conn, newest)
            finally:
                store.close()
            checked(copy)
            _replace(copy, database)
        names = [name for name in manifest.files if name not in (SQLITE, "audit-heads.jsonl")]
        if not (home.audit_heads).exists() and "audit-heads.jsonl" in manifest.files:
            names.append("audit-heads.jsonl")
        put = [name for name in names if everything or not (home.root / name).exists()]
        for name in put:
            _put(folder / name, home.root / name)
    return Restored(
        manifest=manifest,
        safety_copy=safety,
        files=tuple(put),
        books=tuple(named),
        connections=connections,
    )


def mark(store: Store, at: datetime, *, actor: str, source: str) -> list[str]:
    """Have every book read whole and looked through for marks of ours, and a person asked about
    everything; returns their names."""
    with store.write() as conn:
        found = books.all_books(conn)
        for row in found:
            books.set_state(conn, row.id, "rebuilt")
            books.read_again(conn, row.id)
            marks.forget_places(conn, row.id)
            agenda.forget_planning(conn, row.id)
        audit.append(
            conn,
            book_id=None,
            at=at,
            actor=actor,
            event="BackupRestored",
            subject=source,
            payload={"books": [row.name for row in found]},
        )
    return [row.name for row in found]


def _differs(ours: Path, theirs: Path) -> bool:
    return ours.is_file() and theirs.is_file() and ours.read_bytes() != theirs.read_bytes()


def _safety_copy(home: Home, database: Path, held: Held | None, at: datetime) -> Path | None:
    if held is None:
        return None
    place = home.root / "backups" / f"before-restore-{at:%Y-%m-%dT%H%M%SZ}.sqlite3"
    with appearing(place) as part:
        if not held.copy_to(part):
            part.write_bytes(database.read_bytes())  # damaged: it is kept as it is
    return place


def _replace(copy: Path, database: Path) -> None:
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with copy.open("rb") as written:
        os.fsync(written.fileno())
    for tail in ("-wal", "-shm"):
        Path(f"{database}{tail}").unlink(missing_ok=True)
    os.replace(copy, database)


def _put(source: Path, target: Path) -> None:
    with appearing(target) as part:
        part.write_bytes(source.read_bytes())
