"""`ar-bridge stop` and `start`: at once, without settings, and while the database is busy."""

import sqlite3

import pytest

from ar_bridge.store import engine
from tests.cli.newcomer import Newcomer
from tests.cli.running import Program


def test_from_the_stop_to_the_start(newcomer: Newcomer) -> None:
    newcomer.settle(mode="auto")
    said = newcomer.done("stop", "--reason", "the auditors are here").out
    assert "everything is stopped" in said
    newcomer("run")
    assert not newcomer.mails and newcomer.left_in_ledger == (0, 0)
    told = newcomer.done("status").out
    assert "STOPPED" in told and "the auditors are here" in told
    assert "the auditors are here" in newcomer.done("doctor").out
    refused = newcomer("start")
    assert refused.code == 2 and "A reason is needed" in refused.err
    assert "goes on" in newcomer.done("start", "--reason", "they left").out
    newcomer.done("run")
    assert newcomer.mails
    assert "nothing was stopped" in newcomer.done("start", "--reason", "again").out


def test_without_any_settings(program: Program) -> None:
    ended = program("stop", "--reason", "?")
    assert ended.code == 0 and (program.home / "STOP").read_text() == "?\n"
    assert "could not be kept in the database" in ended.err


def test_an_unknown_book_stops_nothing(program: Program) -> None:
    program("init", "--book", "elm")
    assert program("stop", "--book", "oak").code == 2
    assert not list(program.home.glob("STOP*"))


def test_while_the_database_is_held(newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch) -> None:
    newcomer.settle(mode="auto")
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    held = sqlite3.connect(newcomer.home / "ar-bridge.sqlite3")
    try:
        held.execute("BEGIN IMMEDIATE")
        ended = newcomer("stop", "--reason", "held")
    finally:
        held.close()
    assert ended.code == 0 and "is stopped" in ended.out
    assert "could not be kept in the database" in ended.err
    newcomer("run")
    assert not newcomer.mails


@pytest.mark.parametrize(
    "words",
    [
        ("settle", "LF-1"),
        ("settle", "LF-1", "--happened", "--retry"),
        ("apply", "--beyond-limits"),
    ],
)
def test_what_has_to_be_said_besides(program: Program, words: tuple[str, ...]) -> None:
    program("init", "--book", "elm")
    ended = program(*words)
    assert ended.code == 2 and "->" in ended.err


def test_on_an_ordinary_day_nothing_is_held_back(newcomer: Newcomer) -> None:
    newcomer.settle(mode="auto")
    newcomer.done("run")
    sent = len(newcomer.mails)
    held = newcomer.done("plan", "--json").json
    assert sent and held["halted"] is None and held["waits"] == []
    assert newcomer.done("status", "--json").json["books"][0]["halts"] == []
