"""A set-up that is wrong is told in one message with its place and what to do; nothing is half
done, and nobody sees a traceback."""

import errno
import resource
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from ar_bridge.cli.failures import known_failure
from ar_bridge.errors import DatabaseAwayError
from ar_bridge.store.engine import trouble
from tests.cli.running import Program, with_permissions

BOOK: Final = """
[[book]]
name = "acme"
ledger = "bookfile"
file = "book.jsonl"
policy = "standard"
mode = "approve"
"""

EVENTS: Final = """
{"t":"company","id":"acme","base_currency":"GBP","timezone":"Europe/London","country":"GB"}
{"t":"customer","id":"C1","date":"2026-01-05","name":"North Ltd","email":"ap@north.example"}
{"t":"invoice","id":"I1","date":"2026-01-05","due":"2026-02-05","customer":"C1","currency":"GBP","total":"100.00"}
""".strip()

COMMANDS: Final = ("status", "plan", "run", "apply")

Trouble: TypeAlias = Callable[[Program], None]


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a home with one connected book, made once."""
    from ar_bridge.__main__ import main

    home = tmp_path_factory.mktemp("made") / "home"
    home.mkdir()
    (home / "config.toml").write_text(BOOK)
    (home / "book.jsonl").write_text(EVENTS)
    assert main(["--home", str(home), "connect", "acme"]) == 0
    assert main(["--home", str(home), "sync"]) == 0
    return {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}


@pytest.fixture
def acme(program: Program, connected: dict[str, bytes]) -> Program:
    """A program whose home has one connected book."""
    program.home.mkdir(mode=0o700)
    for name, content in connected.items():
        (program.home / name).write_bytes(content)
    return program


def _database(program: Program) -> Path:
    return program.home / "ar-bridge.sqlite3"


def _not_toml(program: Program) -> None:
    program.configure("[[book\n")


def _unknown_keys(program: Program) -> None:
    program.configure(BOOK + "colour = 1\n[mailz]\nhost = 2\n")


def _no_policy(program: Program) -> None:
    program.configure(BOOK.replace('"standard"', '"nowhere.toml"'))


def _something_else(program: Program) -> None:
    _database(program).write_bytes(b"this is a letter, not a database" * 100)


def _damaged(program: Program) -> None:
    content = bytearray(_database(program).read_bytes())
    content[100:8192] = b"\xff" * (8192 - 100)
    _database(program).write_bytes(content)


def _a_folder(program: Program) -> None:
    _database(program).unlink()
    _database(program).mkdir()


def _newer(program: Program) -> None:
    with closing(sqlite3.connect(_database(program))) as conn, conn:
        conn.execute("update alembic_version set version_num = '9999'")


def _no_server(program: Program) -> None:
    program.configure(
        BOOK + '[store]\nurl = "postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=2"\n'
    )


def _cut_off_book(program: Program) -> None:
    (program.home / "book.jsonl").unlink()


TROUBLES: Final[dict[str, tuple[Trouble, str, str]]] = {
    "settings that are no TOML": (_not_toml, "config.toml", "->"),
    "settings with unknown keys": (_unknown_keys, "colour", "->"),
    "a policy that is not there": (_no_policy, "nowhere.toml", "->"),
    "a database that is something else": (_something_else, "not a database of ar-bridge", "backup"),
    "a damaged database": (_damaged, "damaged", "backup"),
    "a folder for a database": (_a_folder, "is a folder", "->"),
    "a database of a newer release": (_newer, "newer ar-bridge", "update ar-bridge"),
    "a database server that is not there": (_no_server, "cannot be used", "can be reached"),
    "a book file that is gone": (_cut_off_book, "book.jsonl", "->"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", TROUBLES)
def test_it_is_told_in_one_message(acme: Program, name: str, command: str) -> None:
    spoil, said, remedy = TROUBLES[name]
    spoil(acme)
    before = sorted(path.name for path in acme.home.rglob("*") if path.suffix == ".eml")
    ended = acme(command)
    assert ended.code == 3, (ended.out, ended.err)
    told = ended.out + ended.err
    assert said in told and remedy in told
    assert "Traceback" not in told and "sqlalchemy" not in told.lower()
    assert told.count("ar-bridge:") <= 1
    assert before == sorted(path.name for path in acme.home.rglob("*") if path.suffix == ".eml")


@pytest.mark.parametrize("name", TROUBLES)
def test_doctor_tells_it_too(acme: Program, name: str) -> None:
    spoil, said, _ = TROUBLES[name]
    spoil(acme)
    ended = acme("doctor")
    assert ended.code == 3, (ended.out, ended.err)
    assert said in ended.out + ended.err
    assert "Traceback" not in ended.out + ended.err


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_database_that_another_one_holds(
    acme: Program, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ar_bridge.store.engine.BUSY_TIMEOUT_MS", 50)
    with closing(sqlite3.connect(_database(acme), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = acme(command)
    assert ended.code == 3
    assert "held by another process" in ended.err
    assert acme("plan").code == 0  # it was nothing but a wait


@contextmanager
def _room_for(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database or disk is full", "is full: nothing was changed"),
        ("disk I/O error", "is full or fails"),
        ("unable to open database file", "cannot be opened"),
        ("database disk image is malformed", "damaged"),
        ("attempt to write a readonly database", "cannot be written"),
    ],
)
def test_what_a_database_says_in_mid_work_is_told_too(said: str, told: str) -> None:
    error = OperationalError("INSERT", {}, sqlite3.OperationalError(said))
    known = known_failure(error)
    assert known is not None and known.exit_code == 3
    assert told in str(known) and "->" in str(known)


def test_a_mistake_of_our_own_is_no_set_up() -> None:
    error = IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))
    assert known_failure(error) is None


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_full_disk_leaves_nothing_half_done(acme: Program, command: str) -> None:
    with _room_for(4096):
        ended = acme(command)
    assert ended.code == 3, ended.err
    assert "full" in ended.err and "->" in ended.err, ended.err
    assert "Traceback" not in ended.err
    planned = acme("plan", "--json")
    assert planned.code == 0
    assert len(planned.json["actions"]) + len(planned.json["skips"]) == 1


@with_permissions
@pytest.mark.parametrize("command", COMMANDS)
def test_a_home_that_cannot_be_written(acme: Program, command: str) -> None:
    acme.home.chmod(0o500)
    try:
        ended = acme(command)
    finally:
        acme.home.chmod(0o700)
    assert ended.code == 3 and "Traceback" not in ended.err


def test_a_port_that_is_taken(acme: Program) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = acme("web", "--port", str(port))
    assert ended.code == 3, ended.err
    assert str(port) in ended.err and "->" in ended.err


def test_a_key_that_others_can_read_is_named(acme: Program) -> None:
    acme("init")
    (acme.home / "key").chmod(0o644)
    ended = acme("doctor")
    assert "key" in ended.out + ended.err and "chmod 600" in ended.out + ended.err


SERVER = "postgresql+psycopg://ar:***@db.example/ar"


@pytest.mark.parametrize(
    ("said", "may_pass"),
    [
        ("connection to server failed: Connection refused", True),
        ("failed to resolve host 'db.example'", True),
        ("FATAL: the database system is starting up", True),
        ("terminating connection due to administrator command", True),
        ('FATAL: password authentication failed for user "ar"', False),
        ('FATAL: database "ar" does not exist', False),
        ("FATAL: no pg_hba.conf entry for host", False),
    ],
)
def test_a_server_that_is_away_is_told_from_one_that_refuses(said: str, may_pass: bool) -> None:
    told = trouble(SERVER, OperationalError("SELECT", {}, Exception(f"{said}\n\tmore")))
    assert isinstance(told, DatabaseAwayError) is may_pass
    assert told.exit_code == 3 and "\n" not in told.message


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "The disk is full"), (errno.EACCES, "cannot be read or")]
)
def test_a_file_that_the_machine_refuses_is_a_set_up(number: int, said: str) -> None:
    known = known_failure(OSError(number, "it says no", "/home/of/acme/letters"))
    assert known is not None and known.exit_code == 3
    assert said in known.message and "/home/of/acme/letters" in known.message and known.remedy


def test_a_secret_file_that_is_no_text_is_named(acme: Program) -> None:
    (acme.home / "secret").write_bytes(b"\xff\xfe\xff")
    acme.configure(
        BOOK + '[mail]\nhost = "localhost"\nsecurity = "none"\nusername = "u"\n'
        'from = "a@acme.example"\npassword_file = "secret"\n'
    )
    ended = acme("plan")
    assert ended.code == 3, (ended.out, ended.err)
    assert "secret" in ended.err and "no text" in ended.err and "->" in ended.err


@pytest.mark.parametrize(
    "group", ["audit", "customer", "db", "handoff", "inbound", "policy", "vault"]
)
def test_help_offers_nothing_but_our_own(program: Program, group: str) -> None:
    ended = program(group, "--help")
    assert ended.code == 0 and "completion" not in ended.out
