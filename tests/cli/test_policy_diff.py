"""`policy diff` without any set-up: in words, on a book file, and what it refuses."""

from pathlib import Path

import msgspec
import pytest

from tests.cli.running import Program

OLD = """
schema = 1
name = "old"
legal_basis = "contract:terms"

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second"
at = "due + 10d"
do = ["remind"]
template = "overdue_2"

[[fee]]
id = "late"
type = "flat"
amount = "25.00"
post = "when_due"
cap = { per_invoice = "25.00" }
"""

EVENTS = [
    {"t": "company", "id": "acme", "base_currency": "GBP", "timezone": "Europe/London"},
    {"t": "customer", "id": "C1", "date": "2026-01-05", "name": "North Ltd",
     "email": "ap@north.example"},
    {"t": "customer", "id": "C2", "date": "2026-01-05", "name": "South Ltd",
     "email": "ap@south.example"},
    {"t": "invoice", "id": "I1", "date": "2026-08-01", "due": "2026-09-01", "customer": "C1",
     "total": "100.00"},
    {"t": "invoice", "id": "I2", "date": "2026-08-01", "due": "2026-09-07", "customer": "C2",
     "total": "200.00"},
    {"t": "action", "date": "2026-09-04", "customer": "C1", "invoice": "I1", "kind": "reminder",
     "stage": "first"},
]  # fmt: skip


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Program:
    (tmp_path / "old.toml").write_text(OLD)
    (tmp_path / "book.jsonl").write_bytes(b"\n".join(msgspec.json.encode(one) for one in EVENTS))
    return Program(tmp_path / "home", capsys)


def diff(program: Program, new: str, *more: str, on: str = "2026-09-11") -> list[str]:
    place = program.home.parent
    (place / "new.toml").write_text(new)
    book = ("--book-file", str(place / "book.jsonl"), "--on", on)
    return ["policy", "diff", str(place / "old.toml"), str(place / "new.toml"), *book, *more]


def test_what_changes_on_a_book_is_counted_and_listed(program: Program) -> None:
    new = OLD.replace("due + 10d", "due + 9d").replace("due + 3d", "due + 5d").replace("25", "30")
    found = program(*diff(program, new, "--json")).json
    assert found["totals"]["reminder"] == {"old": 2, "new": 1}
    assert found["fee_totals"] == {"GBP": {"old": "50.00", "new": "60.00"}}
    assert found["customers"] == ["C1", "C2"]
    by_invoice = {(one["old"] or one["new"])["invoice"]: one["what"] for one in found["actions"]
                  if (one["old"] or one["new"])["kind"] == "reminder"}  # fmt: skip
    assert by_invoice == {"I2": "gone"}
    assert "2 customers" in program(*diff(program, new)).out
    assert program(*diff(program, new, "--check")).code == 2


def test_nothing_differs(program: Program) -> None:
    ended = program(*diff(program, OLD, "--check"))
    assert ended.code == 0
    assert "Both policies say the same." in ended.out and "both do the same" in ended.out


def test_a_stage_with_history_may_not_vanish(program: Program) -> None:
    new = OLD.replace('id = "first"', 'id = "opening"')
    ended = program(*diff(program, new))
    assert ended.code == 3
    assert 'the stage "first" was served 1 time' in ended.err and 'was = ["first"]' in ended.err
    renamed = new.replace('id = "opening"', 'id = "opening"\nwas = ["first"]')
    found = program(*diff(program, renamed, "--json")).json
    assert [one["text"] for one in found["changes"]] == ["stage opening was called first"]
    assert not [one for one in found["actions"] if one["old"] and one["old"]["invoice"] == "I1"]


def test_without_a_book_the_words_are_compared(program: Program) -> None:
    ended = program("policy", "diff", "standard", "firm", "--json")
    assert ended.code == 0 and ended.json["on"] is None
    assert any(one["what"] == "added" for one in ended.json["changes"])
    assert program("policy", "diff", "standard", "firm", "--on", "2026-01-01").code == 2
