"""The sandbox command: what it prints can be pasted, and what it cannot do it says."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ar_bridge.cli.sandbox import LEDGERS, book_section, clock_at
from ar_bridge.clock import VirtualClock
from ar_bridge.settings import load_settings
from connectors.sandbox.faultnames import FAULTS
from connectors.sandbox.service import Sandbox
from tests.cli.running import Program

EVENTS = [
    {"t": "company", "id": "acme", "base_currency": "GBP", "timezone": "Europe/London"},
    {"t": "customer", "id": "C1", "date": "2026-01-05", "name": "North Ltd", "currency": "GBP"},
]


@pytest.mark.parametrize("ledger", LEDGERS)
def test_the_printed_book_can_be_pasted(ledger: str, tmp_path: Path) -> None:
    clock = VirtualClock(datetime(2026, 2, 2, tzinfo=UTC))
    sandbox = Sandbox(EVENTS, ledger="xero" if ledger == "xero" else "quickbooks", clock=clock)
    running = sandbox.serve()
    try:
        file = tmp_path / "config.toml"
        file.write_text(book_section(sandbox, running))
        book = load_settings(file).book["sandbox"]
    finally:
        running.close()
    assert (book.ledger, book.mode, book.company_id) == (ledger, "observe", sandbox.company_id)
    assert (book.api_url, book.token_url) == (running.api_url, running.token_url)
    assert (book.connections_url or "") == running.connections_url
    assert book.revoke_url == running.revoke_url
    assert book.secret == sandbox.client_secret


def test_the_clock_begins_where_it_is_told() -> None:
    assert clock_at("2019-06-03").now().date().isoformat() == "2019-06-03"
    assert clock_at("2019-06-03T23:30-05:00").now().date().isoformat() == "2019-06-04"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--ledger", "sage", "--book-file", "{book}"), 2, "one of: quickbooks, xero"),
        (("--ledger", "xero", "--book-file", "none.jsonl"), 3, "there is no book file none.jsonl"),
        (("--ledger", "xero", "--book-file", "{empty}"), 3, "holds no event of a book"),
        (("--ledger", "xero", "--book-file", "{book}", "--clock", "soon"), 2, "2026-01-05T09:00"),
        (("--ledger", "xero", "--book-file", "{book}", "--fault", "x=1"), 2, "no fault named 'x'"),
        (("--ledger", "xero"), 2, "--book-file"),
        (("--ledger", "xero", "--book-file", "{book}", "--plan", "gold"), 2, "STARTER"),
        (("--ledger", "xero", "--book-file", "{book}", "--webhook-shape", "x"), 2, "legacy"),
    ],
)
def test_what_cannot_be_served_is_said(
    program: Program, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    files = {"book": tmp_path / "book.jsonl", "empty": tmp_path / "empty.jsonl"}
    files["book"].write_text("\n".join(map(json.dumps, EVENTS)))
    files["empty"].write_text("not json\n")
    ended = program("sandbox", *(argument.format(**files) for argument in arguments))
    assert ended.code == code
    assert said in ended.err
    assert ended.out == ""


def test_every_fault_is_listed(program: Program) -> None:
    done = program("sandbox", "--list-faults")
    assert done.code == 0
    for fault in FAULTS:
        assert f"{fault.usage} " in done.out
        assert fault.sentence in done.out
