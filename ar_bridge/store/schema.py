"""The version of the schema, and bringing a database up to it.

At every start only one small query is made. Alembic is imported when there is work to do,
because it costs more time than most commands take.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from ar_bridge.errors import SetupError

if TYPE_CHECKING:
    from alembic.config import Config

    from ar_bridge.store.engine import Store

HEAD: Final = "0004"
"""The newest revision under `migrations/versions`."""

VERSION_TABLE: Final = "alembic_version"


def revision(connection: Connection) -> str | None:
    """Revision of the schema in this database; None for an empty one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return str(found) if found is not None else None


def upgrade(store: "Store") -> None:
    """Bring the schema to HEAD, all of it or nothing, and keep a copy of what was there before.

    The change is one transaction, on SQLite and on PostgreSQL: a crash in its midst leaves the
    old database. Raises SetupError for a database that a newer release has written, and where
    there is no room for the copy.
    """
    with store.read() as connection:
        before = revision(connection)
        if before == HEAD:
            return
        _refuse_unknown(store, before)
    if before is not None:
        _keep_copy(store, before)
    from alembic import command

    with store.write() as connection:
        current = revision(connection)  # another process may have been faster
        if current == HEAD:
            return
        _refuse_unknown(store, current)
        settings = alembic_config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")


def _keep_copy(store: "Store", before: str) -> None:
    """A copy of a SQLite file as the older release left it, beside it. PostgreSQL's backups are
    made by PostgreSQL's own programs."""
    place = Path(store.place)
    if store.dialect != "sqlite" or not place.is_file():
        return
    copy = place.with_name(f"{place.name}.schema-{before}")
    part = place.with_name(f".{copy.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        with closing(sqlite3.connect(place)) as ours, closing(sqlite3.connect(part)) as target:
            ours.backup(target)
        os.replace(part, copy)
    except (OSError, sqlite3.Error) as error:
        raise SetupError(
            f"{place} is to be brought up to date, but no copy of it could be kept ({error})",
            remedy="make room on the disk, or check the folder's owner",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def require_current(store: "Store") -> None:
    """Raise SetupError where the schema is not at HEAD."""
    with store.read() as connection:
        current = revision(connection)
    if current == HEAD:
        return
    if current is not None:
        _refuse_unknown(store, current)
    raise SetupError(
        f"the database {store.place} is not up to date", remedy="run `ar-bridge db upgrade`"
    )


def alembic_config() -> "Config":
    """Alembic's settings, without any file beside the package."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return settings


def _refuse_unknown(store: "Store", current: str | None) -> None:
    from alembic.script import ScriptDirectory

    if current is None:
        return
    known = {
        script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
    }
    if current not in known:
        raise SetupError(
            f"the database {store.place} was written by a newer ar-bridge "
            f"(schema {current}, this release knows {HEAD})",
            remedy="update ar-bridge",
        )
