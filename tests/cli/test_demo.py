"""The demo, as programs and as people read it."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.contract import DEMO
from tests.cli.running import Program
from tests.shared_material import shared

FIRST, LAST = "2026-08-03", "2026-08-07"


def holds(told: dict[str, Any], first: str, last: str) -> None:
    """The keys that others rely on; what we wrote is what the ledger and the mail server have."""
    assert set(told) >= DEMO
    assert (told["from"], told["to"]) == (first, last)
    assert set(told["written"]) == {"notes", "fees", "mails"}
    assert set(told["found_in_ledger"]) == {"notes", "fees"}
    assert set(told["calls"]) == {"read", "write"}
    written = told["written"]
    assert told["found_in_ledger"] == {name: written[name] for name in ("notes", "fees")}
    assert told["mails_received"] == written["mails"]
    assert 0 < told["calls"]["write"] <= written["notes"] + written["fees"]
    assert told["second_run_writes"] == told["throttled"] == told["quarantined"] == 0
    assert told["problems"] == []
    assert told["planned"] >= told["applied"] == sum(told["applied_by_kind"].values()) > 0
    assert told["applied_by_kind"].get("late_fee", 0) == written["fees"]
    assert told["skipped"] == sum(told["skipped_by_code"].values()) > 0
    assert written["mails"] > 0


def test_the_sample_book_on_both_ledgers(program: Program) -> None:
    ended = program("demo", "--json", "--ledger", "both", "--from", FIRST, "--to", LAST)
    assert (ended.code, ended.err) == (0, "")
    ledgers = ended.json["ledgers"]
    assert list(ledgers) == ["quickbooks", "xero"]
    for told in ledgers.values():
        holds(told, FIRST, LAST)
        assert told["customers"] >= 60
    assert ledgers["quickbooks"]["invoices"] == ledgers["xero"]["invoices"]


@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_real_receivables(program: Program, ledger: str) -> None:
    book = shared("data/book_grocers_small.jsonl.gz")
    first, last = "2019-06-03", "2019-06-28"
    ended = program(
        *("demo", "--json", "--ledger", ledger, "--book-file", str(book)),
        *("--from", first, "--to", last),
    )
    assert ended.code == 0, ended.err
    (told,) = ended.json["ledgers"].values()
    holds(told, first, last)
    assert told["written"]["fees"] > 0


def test_the_account_is_readable(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    width = 80
    monkeypatch.setenv("COLUMNS", str(width))
    ended = program("demo", "--ledger", "xero", "--from", FIRST, "--to", FIRST)
    assert (ended.code, ended.err) == (0, "")
    place = program.home / "demo" / "xero"
    lines = [line.rstrip() for line in ended.out.splitlines()]
    assert [line for line in lines if len(line) > width and str(place) not in line] == []
    for said in (
        "Demo: the bundled sample book, policy standard",
        "xero: Harbour Lane Supplies Ltd",
        "What was left alone, and why",
        "One of the plans, as a person gets it to approve",
        "One of the mails, as it arrived:",
        str(place / "ar-bridge.sqlite3"),
    ):
        assert said in ended.out, said
    sent = next(line for line in lines if "mails sent" in line)
    count = sent.split("mails sent")[1].split()[0]
    assert f"arrived: {count}" in sent
    assert len(list((place / "mailbox").glob("*.eml"))) == int(count)


def test_a_second_demo_begins_anew_and_leaves_the_rest_alone(
    program: Program, tmp_path: Path
) -> None:
    program("init", "--book", "elm")
    mine = (program.home / "config.toml").read_bytes()
    day = ("--ledger", "xero", "--from", FIRST, "--to", FIRST, "--json")
    first = program("demo", *day)
    assert program("demo", *day).json == first.json
    assert (program.home / "config.toml").read_bytes() == mine
