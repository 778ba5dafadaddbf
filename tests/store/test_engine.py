"""Opening a database: made when missing, refused with a reason when it is not ours."""

import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from ar_bridge.errors import DatabaseError, SetupError
from ar_bridge.store import schema
from ar_bridge.store.engine import Store, open_store
from ar_bridge.store.tables import metadata
from tests.store.postgresql import Server


def test_migrations_end_in_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_migrated_and_created_tables_are_written_alike(tmp_path: Path) -> None:
    # Comparing metadata looks at neither checks nor partial indexes; the stored SQL shows both.
    migrated = open_store(f"sqlite:///{tmp_path / 'migrated.db'}")
    created = create_engine(f"sqlite:///{tmp_path / 'created.db'}")
    metadata.create_all(created)
    query = text(
        "select name, sql from sqlite_master where sql is not null "
        "and name != 'alembic_version' and type != 'trigger' order by name"
    )
    with migrated.read() as conn, created.connect() as other:
        ours = {row.name: _words(row.sql) for row in conn.execute(query)}
        theirs = {row.name: _words(row.sql) for row in other.execute(query)}
    migrated.close()
    created.dispose()
    assert ours == theirs


def test_migrated_and_created_tables_are_alike_on_postgresql(postgresql: Server) -> None:
    with (
        postgresql.database(tables=False) as migrated,
        postgresql.database(tables=False) as created,
    ):
        open_store(migrated).close()
        engine = create_engine(created)
        metadata.create_all(engine)
        engine.dispose()
        ours, theirs = _as_postgresql_has_them(migrated), _as_postgresql_has_them(created)
    assert len(ours) > 100
    assert ours == theirs


def _as_postgresql_has_them(url: str) -> set[tuple[str, str]]:
    """Every column, constraint and index in PostgreSQL's own words."""
    engine = create_engine(url)
    with engine.connect() as conn:
        found = conn.execute(
            text(
                "select table_name, concat_ws(' ', column_name, data_type, "
                "character_maximum_length, is_nullable, column_default) "
                "from information_schema.columns where table_schema = current_schema() "
                "union all select conrelid::regclass::text, conname || pg_get_constraintdef(oid) "
                "from pg_constraint where connamespace = current_schema()::regnamespace "
                "union all select tablename, indexdef from pg_indexes "
                "where schemaname = current_schema()"
            )
        ).all()
    engine.dispose()
    return {(table, words) for table, words in found if table != "alembic_version"}


def _words(sql: str) -> list[str]:
    return sorted(sql.replace(",", " ").replace("(", " ").replace(")", " ").split())


def test_head_is_the_newest_migration(store: Store) -> None:
    assert ScriptDirectory.from_config(schema.alembic_config()).get_current_head() == schema.HEAD
    with store.read() as conn:
        assert schema.revision(conn) == schema.HEAD


def test_sqlite_keeps_what_it_promises(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.db"
    store = open_store(f"sqlite:///{path}")
    with store.write() as conn:
        pragmas = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    store.close()
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_block_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as conn:
        conn.execute(
            text(
                "insert into books (ledger, company_id, name, company, connected_on) "
                "values ('xero', 'a', 'a', '{}', '2026-01-01')"
            )
        )
        raise RuntimeError
    with store.read() as conn:
        assert conn.execute(text("select count(*) from books")).scalar() == 0


INSERT = text(
    "insert into books (ledger, company_id, name, company, connected_on) "
    "values ('xero', :name, :name, :company, '2026-01-01')"
)


def test_a_disk_that_fills_up_in_mid_statement_is_told(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'kept.db'}")
    with pytest.raises(DatabaseError, match="is full: nothing was changed"), store.write() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        conn.execute(INSERT, {"name": "a", "company": "x" * 500_000})
    with store.read() as conn:
        assert conn.execute(text("select count(*) from books")).scalar() == 0
    store.close()


def test_a_disk_that_is_full_at_the_commit_is_told(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'kept.db'}")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(DatabaseError) as told, store.write() as conn:
            conn.execute(INSERT, {"name": "a", "company": "{}"})
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert told.value.remedy
    with store.write() as conn:
        assert conn.execute(text("select count(*) from books")).scalar() == 0
        conn.execute(INSERT, {"name": "a", "company": "{}"})
    store.close()


def test_what_contradicts_our_own_tables_is_no_trouble_of_the_machine(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as conn:
        for _ in range(2):
            conn.execute(INSERT, {"name": "a", "company": "{}"})
    with pytest.raises(ValueError, match="of the caller"), store.write() as conn:
        raise ValueError("of the caller")


def test_writers_queue_up_and_readers_see_one_moment(store: Store) -> None:
    insert = text(
        "insert into books (ledger, company_id, name, company, connected_on) "
        "values ('xero', :id, 'a', '{}', '2026-01-01')"
    )
    count = text("select count(*) from books")

    def add(number: int) -> None:
        with store.write() as conn:
            conn.execute(insert, {"id": str(number)})

    with store.read() as conn:
        assert conn.execute(count).scalar() == 0
        writers = [threading.Thread(target=add, args=(n,)) for n in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert conn.execute(count).scalar() == 0
    with store.read() as conn:
        assert conn.execute(count).scalar() == 4


def test_an_open_database_is_opened_again_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    open_store(url).close()
    script = (
        "import sys\n"
        "from ar_bridge.store.engine import open_store\n"
        f"open_store({url!r}).close()\n"
        "print('alembic' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def test_missing_database_is_named_when_it_is_not_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no database at .*a\.db") as caught:
        open_store(f"sqlite:///{tmp_path / 'a.db'}", create=False)
    assert "ar-bridge init" in str(caught.value)
    assert not (tmp_path / "a.db").exists()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letters.txt"
    path.write_text("Dear customer, ..." * 100)
    with pytest.raises(SetupError, match="is not a database of ar-bridge"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear customer")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is a folder"):
        open_store(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("create", [True, False])
def test_a_database_of_a_newer_release_is_refused(tmp_path: Path, create: bool) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    store = open_store(url)
    with store.write() as conn:
        conn.execute(text("update alembic_version set version_num = '9999'"))
    store.close()
    with pytest.raises(SetupError, match="written by a newer ar-bridge"):
        open_store(url, create=create)


@pytest.mark.parametrize(
    ("url", "message"),
    [("my database", "cannot be read"), ("mongodb://localhost/a", "no driver")],
)
def test_an_address_that_cannot_be_used_says_so(url: str, message: str) -> None:
    with pytest.raises(SetupError, match=message):
        open_store(url)
