"""init, books and the choice of a book: the first minutes of a newcomer."""

import stat
from pathlib import Path

import pytest

from tests.cli.running import Program

BOOK = (
    '[[book]]\nname = "{name}"\nledger = "xero"\npolicy = "standard"\ncustomers = "{name}.toml"\n'
)


def test_init_makes_a_home_that_loads_and_is_closed_to_others(program: Program) -> None:
    ended = program("init", "--book", "Acme Ltd", "--ledger", "quickbooks")
    assert ended.code == 0, ended.err
    assert "ar-bridge connect 'Acme Ltd'" in ended.out
    for path in (program.home, *program.home.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    listed = program("books", "--json")
    assert listed.json == {
        "schema": 1,
        "books": [
            {
                "name": "Acme Ltd",
                "ledger": "quickbooks",
                "company_id": "",
                "mode": "observe",
                "policy": "standard.toml",
                "can_charge": False,
            }
        ],
    }


def test_init_never_overwrites(program: Program) -> None:
    program("init")
    before = {path: path.read_bytes() for path in program.home.rglob("*.toml")}
    key = (program.home / "key").read_bytes()
    (program.home / "config.toml").write_text("# mine\n")
    ended = program("init", "--book", "other")
    assert ended.code == 0
    assert "made" not in ended.out
    assert (program.home / "config.toml").read_text() == "# mine\n"
    assert (program.home / "key").read_bytes() == key
    for path, content in before.items():
        assert path.name == "config.toml" or path.read_bytes() == content


def test_init_without_a_book_leaves_an_example_behind_a_hash(program: Program) -> None:
    program("init")
    assert program("books", "--json").json["books"] == []
    config = program.home / "config.toml"
    text = config.read_text()
    start, end = text.index("# [[book]]"), text.index("\n[sender]")
    opened = "\n".join(line.removeprefix("# ") for line in text[start:end].splitlines())
    plain = "\n".join(line for line in opened.splitlines() if line.startswith("[") or " = " in line)
    config.write_text(plain.split("\nFrom")[0] + text[end:])
    assert [book["name"] for book in program("books", "--json").json["books"]] == ["acme"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--ledger", "sage"), "one of: bookfile, quickbooks, xero"),
        (("--ledger", "bookfile"), "--file"),
    ],
)
def test_init_refuses_what_cannot_work(
    program: Program, arguments: tuple[str, ...], said: str
) -> None:
    ended = program("init", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert not program.home.exists()


def test_a_home_that_cannot_be_made_is_a_wrong_set_up(program: Program, tmp_path: Path) -> None:
    program.home = tmp_path / "file" / "home"
    (tmp_path / "file").write_text("")
    ended = program("init")
    assert ended.code == 3
    assert "--home" in ended.err


def test_no_settings_say_how_to_begin(program: Program) -> None:
    ended = program("books")
    assert ended.code == 3
    assert "ar-bridge init" in ended.err


def test_several_books_have_to_be_told_apart(program: Program) -> None:
    program.configure(BOOK.format(name="north") + BOOK.format(name="south"))
    ended = program("plan")
    assert ended.code == 2
    assert "--book NAME (north, south)" in ended.err
    unknown = program("plan", "--book", "west")
    assert unknown.code == 2
    assert "north, south" in unknown.err


def test_wrong_settings_are_listed_and_exit_3(program: Program) -> None:
    program.configure('[[book]]\nname = "a"\nledger = "sage"\npolicy = "x.toml"\n')
    ended = program("books")
    assert ended.code == 3
    assert ended.err.count("  - config.toml:") == 2
    assert ended.out == ""


def test_status_of_a_book_that_was_never_connected(program: Program) -> None:
    program.configure(BOOK.format(name="north"))
    ended = program("status")
    assert ended.code == 0, ended.err
    assert "not connected yet -> ar-bridge connect north" in ended.out


def test_doctor_finds_all_troubles_of_a_new_book(program: Program) -> None:
    program.configure(BOOK.format(name="north") + "\n[mail]\n")
    ended = program("doctor", "--json")
    levels = {row["subject"]: row["level"] for row in ended.json["findings"]}
    assert ended.code == 3
    assert levels["settings"] == "ok"
    assert levels["north policy"] in ("ok", "warning")
    assert levels["north late fees"] == "warning"
    assert levels["north ledger"] == "error"
    assert levels["mail"] == "warning"
