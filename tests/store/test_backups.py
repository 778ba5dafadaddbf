"""Backups are whole, private and sound; what is put back repeats nothing; upgrades are whole."""

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from ar_bridge import audit
from ar_bridge.backups.archive import BackupError, manifest_of, name_for
from ar_bridge.backups.making import _newest_pg_dump, make, rotate
from ar_bridge.backups.restoring import mark, restore
from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.store import books, marks, schema, tokens
from ar_bridge.store.addresses import for_programs
from ar_bridge.store.engine import Store, bare_store, open_store
from tests.store.postgresql import OUTSIDE, Server, programs
from tests.store.records import NOW, a_book

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").create()
    made.config.write_text("# settings\n")
    made.key.write_text("not for others")
    made.policies.mkdir()
    (made.policies / "standard.toml").write_text("name = 'ours'\n")
    return made


def _url(home: Home) -> str:
    return f"sqlite:///{home.database}"


def _with_a_book(home: Home) -> Store:
    store = open_store(_url(home))
    with store.write() as conn:
        row = a_book(conn)
        marks.remember(conn, row.id, [marks.COMPANY], at=NOW)
        audit.append(
            conn, book_id=row.id, at=NOW, actor="pat", event="Told", subject="x", payload={}
        )
    return store


def test_a_backup_is_made_while_somebody_writes(home: Home) -> None:
    store = _with_a_book(home)
    with store.write() as conn:
        conn.execute(text("update books set name = 'half done'"))
        made = make(home, _url(home), AT)
    store.close()
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert made.path == home.root / "backups" / name_for(AT)
    assert made.manifest.revision == schema.HEAD and made.manifest.audit_head.startswith("1:")
    assert set(made.manifest.files) == {
        "database.sqlite3", "config.toml", "policies/standard.toml"
    }  # fmt: skip
    assert not made.manifest.has_key
    home.database.unlink()
    restored = restore(home, home.database, made.path, AT, actor="pat")
    again = open_store(_url(home))
    with again.read() as conn:
        (row,) = books.all_books(conn)
    again.close()
    assert (row.name, row.state) == ("acme", "rebuilt")
    assert restored.safety_copy is None and restored.files == ()


def test_the_key_goes_along_only_where_it_is_asked_for(home: Home, tmp_path: Path) -> None:
    _with_a_book(home).close()
    made = make(home, _url(home), AT, into=tmp_path / "elsewhere.tar.gz", with_key=True)
    assert made.manifest.has_key
    with tarfile.open(made.path) as archive:
        assert {member.mode for member in archive} == {0o600}


def test_only_the_newest_are_kept(home: Home) -> None:
    _with_a_book(home).close()
    folder = home.root / "backups"
    for hour in range(4):
        made = make(home, _url(home), AT + timedelta(hours=hour), keep=2)
    (folder / "ar-bridge-notes.tar.gz").write_text("not ours")
    assert rotate(folder, 2) == ()
    assert {one.name for one in folder.iterdir()} == {
        name_for(AT + timedelta(hours=2)), made.path.name, "ar-bridge-notes.tar.gz"
    }  # fmt: skip


def test_what_is_put_back_repeats_nothing(home: Home) -> None:
    store = _with_a_book(home)
    made = make(home, _url(home), AT)
    with store.write() as conn:
        conn.execute(text("update books set name = 'later', state = 'normal'"))
    store.close()
    home.config.write_text("# newer\n")
    done = restore(home, home.database, made.path, AT, actor="pat")
    assert done.books == ("acme",)
    assert home.config.read_text() == "# newer\n"
    assert done.safety_copy is not None
    with closing(sqlite3.connect(done.safety_copy)) as kept:
        assert kept.execute("select name from books").fetchone() == ("later",)
    again = open_store(_url(home))
    with again.read() as conn:
        (row,) = books.all_books(conn)
        assert (row.state, row.cursor, row.full_synced_at) == ("rebuilt", None, None)
        assert marks.places(conn, row.id) == set()
        assert audit.verify(conn) == []
        assert "BackupRestored" in [entry.event for entry in audit.history(conn)]
    again.close()
    everything = restore(home, home.database, made.path, AT, actor="pat", everything=True)
    assert "config.toml" in everything.files and home.config.read_text() == "# settings\n"


def _store_token(store: Store, body: bytes, at: datetime) -> None:
    with store.write() as conn:
        (row,) = books.all_books(conn)
        tokens.store(conn, row.ledger, row.company_id, body, at=at)


def _stored_token(home: Home) -> bytes:
    store = open_store(_url(home))
    with store.read() as conn:
        (row,) = tokens.listed(conn)
    store.close()
    return row.body


def test_tokens_that_the_vendor_gave_since_are_kept(home: Home) -> None:
    store = _with_a_book(home)
    _store_token(store, b"old", AT)
    made = make(home, _url(home), AT, with_key=True)
    _store_token(store, b"new", AT + timedelta(hours=1))
    store.close()
    done = restore(home, home.database, made.path, AT, actor="pat")
    assert (done.connections.kept, done.connections.doubtful) == (("acme",), ())
    assert _stored_token(home) == b"new"
    again = restore(home, home.database, made.path, AT, actor="pat", everything=True)
    assert again.connections.kept == ("acme",) and _stored_token(home) == b"new"
    home.key.write_text("another key closes what is there now")
    other = restore(home, home.database, made.path, AT, actor="pat", everything=True)
    assert (other.connections.kept, other.connections.doubtful) == ((), ("acme",))
    assert _stored_token(home) == b"old"


def test_tokens_of_the_backup_are_named_where_nothing_newer_is_known(home: Home) -> None:
    store = _with_a_book(home)
    _store_token(store, b"old", AT)
    store.close()
    made = make(home, _url(home), AT)
    home.database.write_bytes(b"nobody can read this" * 100)
    done = restore(home, home.database, made.path, AT, actor="pat")
    assert (done.connections.kept, done.connections.doubtful) == ((), ("acme",))
    assert _stored_token(home) == b"old"


def test_nothing_is_put_back_under_somebody_at_work(home: Home) -> None:
    store = _with_a_book(home)
    made = make(home, _url(home), AT)
    with store.write() as conn:
        conn.execute(text("update books set name = 'later'"))
    with (
        store.read() as conn,
        pytest.raises(SetupError, match="another process works on"),
    ):
        books.all_books(conn)
        restore(home, home.database, made.path, AT, actor="pat")
    with store.read() as conn:
        assert [row.name for row in books.all_books(conn)] == ["later"]
    store.close()
    assert [one.name for one in home.root.iterdir() if one.name.startswith(".restore")] == []


@pytest.mark.parametrize("how", ["cut off", "changed", "other"])
def test_an_unsound_backup_changes_nothing(home: Home, how: str, tmp_path: Path) -> None:
    _with_a_book(home).close()
    made = make(home, _url(home), AT)
    bad = tmp_path / "bad.tar.gz"
    if how == "cut off":
        bad.write_bytes(made.path.read_bytes()[:2000])
    elif how == "other":
        bad.write_text("hello")
    else:
        with tarfile.open(made.path) as old, tarfile.open(bad, "w:gz") as new:
            for member in old:
                content = old.extractfile(member)
                if member.name == "config.toml":
                    member.size = 0
                    new.addfile(member)
                else:
                    new.addfile(member, content)
    before = home.database.read_bytes()
    with pytest.raises(BackupError):
        restore(home, home.database, bad, AT, actor="pat")
    assert home.database.read_bytes() == before
    assert not (home.root / "backups" / "before-restore").exists()


def test_a_damaged_database_is_not_backed_up_as_if_it_were_sound(home: Home) -> None:
    store = _with_a_book(home)
    store.close()
    content = bytearray(home.database.read_bytes())
    content[8192:40960] = b"\xff" * (40960 - 8192)
    home.database.write_bytes(content)
    with pytest.raises((BackupError, SetupError)):
        make(home, _url(home), AT)
    assert list((home.root / "backups").iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(home: Home) -> None:
    _with_a_book(home).close()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(SetupError, match=r"cannot be (copied|written)"):
            make(home, _url(home), AT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((home.root / "backups").iterdir()) == []


def _at(url: str, version: str) -> Store:
    """A database of an older release, with a book and what was done in it."""
    store = bare_store(url, create=True)
    settings = schema.alembic_config()
    with store.write() as conn:
        settings.attributes["connection"] = conn
        command.upgrade(settings, version)
        conn.execute(
            text(
                "insert into books (id, ledger, company_id, name, company, connected_on) values "
                '(1, \'xero\', \'acme\', \'acme\', \'{"v":1,"id":"acme","base_currency":"GBP"}\','
                " '2026-01-01')".replace(":1", "\\:1").replace(':"', '\\:"')
            )
        )
        conn.execute(
            text(
                "insert into invoices (book_id, id, number, customer, status, balance, body) "
                "values (1, 'I1', 'N1', 'C1', 'open', 100, '{}')"
            )
        )
        conn.execute(
            text(
                'insert into plans (id, book_id, "on", book_as_of, policy_name, policy_hash, '
                "made_at, body, digest) values ('p', 1, '2026-01-02', '', '', '', '', '{}', '')"
            )
        )
        conn.execute(
            text(
                "insert into actions (id, book_id, plan_id, key, revision, kind, state, mode, "
                "customer, send_on, send_at, body, reasons, facts, facts_digest, policy_hash, "
                "ended_at) values (1, 1, 'p', 'k', 1, 'reminder', 'done', 'auto', 'C1', "
                "'2026-01-02', '2026-01-02T09\\:00\\:00+00\\:00', '{}', '[]', '{}', '', '', "
                "'2026-01-02T09\\:00\\:00+00\\:00')"
            )
        )
        conn.execute(
            text(
                "insert into effects (action_id, position, book_id, key, name, state, body) "
                "values (1, 0, 1, 'k', 'send_message', 'done', :body)"
            ),
            {"body": b'{"message_id":"<one@x.example>"}'},
        )
    return store


def _is_whole(store: Store) -> None:
    with store.read() as conn:
        assert schema.revision(conn) == schema.HEAD
        found = conn.execute(
            text("select e.message_id, a.begun_on, a.state from effects e, actions a")
        ).one()
        assert tuple(found) == ("<one@x.example>", "2026-01-02", "done")
    with store.write() as conn:
        conn.execute(text("update invoices set body = '{ }'"))
        conn.execute(text("update invoices set next_on = '2026-02-01'"))
        touched = conn.execute(text("select customer from touched_customers")).scalars().all()
        assert touched == ["C1"]


@pytest.mark.parametrize("version", ["0001", "0002", "0003"])
def test_every_earlier_form_is_brought_up_to_date(tmp_path: Path, version: str) -> None:
    file = tmp_path / "ours.sqlite3"
    _at(f"sqlite:///{file}", version).close()
    store = open_store(f"sqlite:///{file}")
    _is_whole(store)
    store.close()
    kept = tmp_path / f"ours.sqlite3.schema-{version}"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with closing(sqlite3.connect(kept)) as old:
        assert old.execute("select version_num from alembic_version").fetchone() == (version,)


@pytest.mark.parametrize("version", ["0001", "0003"])
def test_every_earlier_form_of_postgresql_too(postgresql: Server, version: str) -> None:
    with postgresql.database(tables=False) as url:
        _at(url, version).close()
        store = open_store(url)
        _is_whole(store)
        store.close()


_KILLED = """
import os, signal, sys
from alembic import op
from ar_bridge.store.engine import open_store
left = int(sys.argv[2])
for name in ("create_table", "add_column", "create_index", "execute"):
    def counted(*given, _does=getattr(op, name), **more):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return _does(*given, **more)
    setattr(op, name, counted)
open_store(sys.argv[1])
"""


@pytest.mark.parametrize("steps", [0, 7, 25, 60])
def test_killed_in_mid_upgrade_the_old_form_is_there(tmp_path: Path, steps: int) -> None:
    file = tmp_path / "ours.sqlite3"
    url = f"sqlite:///{file}"
    _at(url, "0003").close()
    ended = subprocess.run([sys.executable, "-c", _KILLED, url, str(steps)], check=False)
    assert ended.returncode == -signal.SIGKILL
    bare = bare_store(url)
    with bare.read() as conn:
        assert schema.revision(conn) == "0003"
        names = set(conn.execute(text("select name from sqlite_master")).scalars())
    bare.close()
    assert not names & {"briefs", "touched_customers", "halts"}
    store = open_store(url)
    _is_whole(store)
    store.close()


def test_manifest_of_something_else() -> None:
    assert manifest_of(Path(os.devnull)) is None


@pytest.mark.skipif(OUTSIDE in os.environ, reason="the server's own programs are not known here")
def test_a_database_of_postgresql_is_dumped_and_put_back(
    home: Home, postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ar_bridge.backups.making.PROGRAMS", tmp_path / "none")
    monkeypatch.setenv("PATH", f"{programs()}{os.pathsep}{os.environ['PATH']}")
    with postgresql.database() as url:
        store = open_store(url)
        with store.write() as conn:
            a_book(conn)
            audit.append(
                conn, book_id=None, at=NOW, actor="pat", event="Told", subject="x", payload={}
            )
        made = make(home, url, AT)
        assert "database.dump" in made.manifest.files
        assert made.manifest.audit_head.startswith("1:")
        with store.write() as conn:
            conn.execute(text("update books set name = 'later'"))
            audit.append(
                conn, book_id=None, at=NOW, actor="pat", event="Told", subject="y", payload={}
            )
        store.close()
        with tarfile.open(made.path) as archive:
            archive.extract("database.dump", tmp_path, filter="data")
        plain, _ = for_programs(url)
        subprocess.run(
            ["pg_restore", "--clean", "--if-exists", f"--dbname={plain}", "database.dump"],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
        again = open_store(url)
        assert mark(again, AT, actor="pat", source="by other means") == ["acme"]
        with again.read() as conn:
            assert audit.verify(conn) == []
            assert [row.state for row in books.all_books(conn)] == ["rebuilt"]
            assert "y" not in [entry.subject for entry in audit.history(conn)]
        again.close()


def test_the_newest_programs_of_postgresql_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ar_bridge.backups.making.PROGRAMS", tmp_path)
    for release in ("9", "15", "18"):
        place = tmp_path / release / "bin" / "pg_dump"
        place.parent.mkdir(parents=True)
        place.touch()
    assert _newest_pg_dump() == str(tmp_path / "18" / "bin" / "pg_dump")
