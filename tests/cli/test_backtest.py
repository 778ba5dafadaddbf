"""`ar-bridge backtest`: policies over the past, side by side."""

import json
from pathlib import Path

from ar_bridge.sample_book import sample_events
from tests.cli.running import Program


def test_two_policies_side_by_side(program: Program, tmp_path: Path) -> None:
    book = tmp_path / "book.jsonl"
    book.write_text("".join(json.dumps(event, default=str) + "\n" for event in sample_events()))
    call = (
        *("backtest", "--book-file", str(book), "--from", "2026-07-01", "--to", "2026-07-31"),
        *("--policy", "standard", "--policy", "gentle"),
    )
    standard, gentle = program(*call, "--json").json["policies"]
    assert (standard["policy"], gentle["policy"]) == ("standard", "gentle")
    assert standard["days"] == 31 and standard["messages"] > 0
    assert standard["fees"] and not gentle["fees"]
    table = program(*call).out
    assert "reminded after the money had come" in table and "gentle" in table


def test_days_in_the_wrong_order_are_a_usage_error(program: Program, tmp_path: Path) -> None:
    book = tmp_path / "book.jsonl"
    book.write_text("{}\n")
    ended = program(
        *("backtest", "--book-file", str(book), "--policy", "standard"),
        *("--from", "2026-07-31", "--to", "2026-07-01"),
    )
    assert ended.code == 2 and "before --from" in ended.err
