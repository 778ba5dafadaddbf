"""The checklist: what holds, what is not claimed, what fails, and why."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from ar_bridge.clock import VirtualClock
from connectors.bookfile import BookFileConnector
from connectors.conformance import Subject, grade
from connectors.port import Receipt
from rules.actions.effects import LedgerEffect, PostNote
from rules.model.ids import CustomerId, InvoiceId

BOOK = """\
{"t":"company","id":"acme","base_currency":"GBP","timezone":"Europe/London","country":"GB"}
{"t":"customer","id":"C1","date":"2026-01-05","name":"North Ltd","currency":"GBP"}
{"t":"invoice","id":"INV-7","date":"2026-09-01","due":"2026-10-01","customer":"C1","currency":"GBP","total":"1200.00"}
"""
NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


class LosesNotes(BookFileConnector):
    """Writes notes and does not find them again."""

    def find(self, effect: LedgerEffect) -> Receipt | None:
        return None if isinstance(effect, PostNote) else super().find(effect)


def subject_of(kind: type[BookFileConnector], folder: Path) -> Subject:
    path = folder / f"book-{len(list(folder.iterdir()))}.jsonl"
    path.write_text(BOOK, encoding="utf-8")
    return Subject(
        connector=kind(path, VirtualClock(NOW)),
        today=date(2026, 10, 27),
        customer=CustomerId("C1"),
        invoice=InvoiceId("INV-7"),
        currency="GBP",
        missing=InvoiceId("INV-999"),
    )


def test_a_good_connector_conforms_and_what_it_leaves_out_is_named(tmp_path: Path) -> None:
    result = grade(lambda: subject_of(BookFileConnector, tmp_path))
    lines = "\n".join(result.lines())
    assert result.passes, lines
    assert result.count("holds") > 15 and result.count("not claimed") > 5
    assert lines.startswith("connector bookfile conforms: ")
    assert "[x] a note is found again" in lines
    assert "[-] a batch writes each of its members once (bookfile does not claim" in lines


def test_a_flaw_is_one_line_and_hides_no_other_check(tmp_path: Path) -> None:
    whole = grade(lambda: subject_of(BookFileConnector, tmp_path))
    flawed = grade(lambda: subject_of(LosesNotes, tmp_path))
    assert not flawed.passes
    assert "connector bookfile does NOT conform" in next(flawed.lines())
    changed = {
        now.sentence
        for before, now in zip(whole.results, flawed.results, strict=True)
        if msgspec.structs.replace(before, why="") != msgspec.structs.replace(now, why="")
    }
    assert changed == {"a note is found again", "a note may be as long as claimed"}


def test_the_checklist_is_printed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\n"
        "from tests.connectors.test_conformance_grade import BookFileConnector, subject_of\n"
        "def subject():\n"
        f"    return subject_of(BookFileConnector, Path({str(tmp_path)!r}))\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "connectors.conformance"]
    paths = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""}
    ended = subprocess.run(
        [*command, "mine:subject"], capture_output=True, text=True, env=paths, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "further abilities" in ended.stdout and "[x]" in ended.stdout
    wrong = subprocess.run(
        [*command, "mine:nothing"], capture_output=True, text=True, env=paths, check=False
    )
    assert wrong.returncode == 2 and "cannot be loaded" in wrong.stderr
