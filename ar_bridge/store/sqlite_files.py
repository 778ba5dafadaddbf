"""SQLite's files as files: copied while others write, looked into, held by one process alone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ar_bridge.errors import SetupError
from ar_bridge.store.schema import VERSION_TABLE


def snapshot(source: Path, target: Path) -> list[str]:
    """Copy a database while others write to it; what is wrong with the copy, empty for nothing.

    Raises SetupError where it cannot be read or written.
    """
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as ours,
            closing(sqlite3.connect(target)) as copy,
        ):
            ours.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            found = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
            found += [
                f"{row[0]}: row {row[1]} names a {row[2]} that is not there"
                for row in copy.execute("PRAGMA foreign_key_check").fetchmany(5)
            ]
    except sqlite3.Error as error:
        raise SetupError(
            f"the database {source} cannot be copied ({error})",
            remedy="is it damaged, its disk full, or its owner another one? ar-bridge doctor looks",
        ) from error
    return [] if found == ["ok"] else found


def revision_of(file: Path) -> str:
    """Revision of the schema in a file, which is left as it is; empty where it has none."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
        try:
            return str(copy.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()[0])
        except (sqlite3.Error, TypeError):
            return ""


def without_log(file: Path) -> None:
    """Put the write-ahead log back into the file, which is then all there is."""
    with closing(sqlite3.connect(file)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")


class Held:
    """A database that no other process has open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def copy_to(self, target: Path) -> bool:
        """Copy it by the connection that holds it: to open and close the file would end the hold.
        False where it is too damaged to be copied."""
        try:
            with closing(sqlite3.connect(target)) as copy:
                self._connection.backup(copy)
        except sqlite3.DatabaseError:
            return False
        return True


@contextmanager
def alone(database: Path) -> Iterator[Held | None]:
    """Be the only process that has the database open; None where there is no database.

    Raises SetupError where another process has it open.
    """
    if not database.exists():
        yield None
        return
    with closing(sqlite3.connect(database, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise SetupError(
                    f"the database {database} cannot be opened ({error})",
                    remedy="check its owner and permissions",
                ) from error
            raise SetupError(
                f"another process works on {database}.",
                remedy="stop the daemon and whatever else runs, then try again",
            ) from error
        except sqlite3.DatabaseError:
            pass  # damaged: that is why it is replaced
        yield Held(connection)
