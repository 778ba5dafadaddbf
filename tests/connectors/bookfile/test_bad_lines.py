"""A line of a book file that cannot be used still tells whose it is."""

from datetime import UTC, datetime
from pathlib import Path

from ar_bridge.clock import VirtualClock
from connectors.bookfile import BookFileConnector
from rules.model.ids import CustomerId

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

BOOK = """
{"t":"company","id":"x","name":"X","base_currency":"GBP","timezone":"Europe/London"}
{"t":"customer","id":"C1","name":"North"}
{"t":"invoice","id":"I1","date":"2026-09-01","customer":"C1","total":"1.234567"}
{"t":"payment","id":"P1","date":"2026-09-02","customer":"C1","amount":"abc"}
{"t":"credit_note","id":"N1","date":"2026-09-02","customer":7,"total":"abc"}
{"t":"customer","id":"C2","name":"South","date":"soon"}
what is this?
"""


def test_a_bad_line_names_its_customer(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    path.write_text(BOOK, encoding="utf-8")
    connector = BookFileConnector(path, VirtualClock(NOW))
    bad = {
        (row.entity, row.id): row.customer for page in connector.pull() for row in page.quarantined
    }
    assert bad == {
        ("invoices", "line 4"): "C1",
        ("payments", "line 5"): "C1",
        ("credits", "line 6"): "",
        ("customers", "line 7"): "C2",
        ("invoices", "line 8"): "",
    }
    money = connector.read_money([CustomerId("C1")], NOW)
    assert [row.id for row in money.quarantined] == ["line 5", "line 6"]
