"""The book file passes the suite that every connector passes, and keeps its own promises."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from ar_bridge.clock import VirtualClock
from connectors.bookfile import BookFileConnector, BookFileError, open_connector
from connectors.conformance import ConformanceSuite, Subject
from connectors.errors import RefusedError
from connectors.port import Connector
from connectors.table import BookConnection
from rules.actions.keys import vendor_key
from rules.model.commitment import Dispute
from rules.model.ids import CustomerId, InvoiceId

BOOK = """\
{"t":"company","id":"acme","base_currency":"GBP","timezone":"Europe/London","country":"GB"}
{"t":"customer","id":"C1","date":"2026-01-05","name":"North Ltd","currency":"GBP"}
{"t":"customer","id":"C2","date":"2026-01-05","name":"South Ltd","currency":"GBP"}
{"t":"invoice","id":"INV-7","date":"2026-09-01","due":"2026-10-01","customer":"C1","currency":"GBP","total":"1200.00"}
{"t":"invoice","id":"INV-8","date":"2026-09-02","due":"2026-10-02","customer":"C2","currency":"GBP","total":"50.00"}
{"t":"payment","id":"P1","date":"2026-10-02","customer":"C2","amount":"80.00","alloc":[{"invoice":"INV-8","amount":"50.00"}]}
{"t":"dispute","date":"2026-10-05","invoice":"INV-7","customer":"C1","amount":"100.00","reason":"short"}
{"t":"payment","id":"P2","date":"2026-11-02","customer":"C1","amount":"9.00"}
"""
NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    book = tmp_path / "book.jsonl"
    book.write_text(BOOK, encoding="utf-8")
    return book


def subject_of(path: Path) -> Subject:
    connector: Connector = BookFileConnector(path, VirtualClock(NOW))
    return Subject(
        connector=connector,
        today=date(2026, 10, 27),
        customer=CustomerId("C1"),
        invoice=InvoiceId("INV-7"),
        currency="GBP",
        missing=InvoiceId("INV-999"),
        others=(InvoiceId("INV-8"),),
    )


class TestBookFile(ConformanceSuite):
    @pytest.fixture
    def subject(self, path: Path) -> Subject:
        return subject_of(path)


def test_the_book_itself_is_never_changed(path: Path) -> None:
    subject = subject_of(path)
    subject.written(subject.charge())
    subject.written(subject.note())
    assert path.read_text(encoding="utf-8") == BOOK
    assert (path.parent / "book.jsonl.written.jsonl").exists()


def test_what_was_written_outlives_the_process(path: Path) -> None:
    subject = subject_of(path)
    subject.written(subject.charge())
    assert subject_of(path).connector.find(subject.charge()) is not None
    posted = [each for each in BookFileConnector(path, VirtualClock(NOW)).book().book.invoices]
    assert [each.number for each in posted if each.is_fee] == [subject.charge().number]


def test_a_line_cut_off_by_a_crash_is_not_a_record(path: Path) -> None:
    subject = subject_of(path)
    subject.written(subject.charge())
    sidecar = path.parent / "book.jsonl.written.jsonl"
    whole = sidecar.read_bytes()
    sidecar.write_bytes(whole + b'{"vendor_key":"x","eff')
    assert subject_of(path).connector.find(subject.charge()) is not None
    subject.written(subject.note())
    assert sidecar.read_bytes().startswith(whole)
    assert len(sidecar.read_bytes().splitlines()) == 2


def test_a_damaged_record_stops_writing(path: Path) -> None:
    (path.parent / "book.jsonl.written.jsonl").write_bytes(b"oops\n{}\n")
    subject = subject_of(path)
    with pytest.raises(RefusedError, match=r"written\.jsonl:1 cannot be read"):
        subject.written(subject.note())


def test_a_fee_number_is_taken_once(path: Path) -> None:
    subject = subject_of(path)
    subject.written(subject.charge())
    other = msgspec.structs.replace(subject.charge(), amount=1000)
    with pytest.raises(RefusedError, match="exists already"):
        subject.written(other)


def test_later_days_are_not_known_yet(path: Path) -> None:
    clock = VirtualClock(NOW)
    connector = BookFileConnector(path, clock)
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert connector.read_credits([CustomerId("C1")], since) == []
    clock.advance_to(datetime(2026, 11, 3, tzinfo=UTC))
    assert [each.id for each in connector.read_credits([CustomerId("C1")], since)] == ["P2"]


def test_commitments_of_the_file_are_there(path: Path) -> None:
    book = BookFileConnector(path, VirtualClock(NOW)).book().book
    assert [each.amount for each in book.commitments if isinstance(each, Dispute)] == [10000]


def test_a_bad_line_is_quarantined_and_hides_nobody(path: Path) -> None:
    path.write_text(
        BOOK + '{"t":"invoice","id":"INV-9","date":"2026-09-01","customer":"C9","total":"1"}\nx\n',
        encoding="utf-8",
    )
    connector = BookFileConnector(path, VirtualClock(NOW))
    pages = list(connector.pull())
    bad = [each for page in pages for each in page.quarantined]
    assert [each.id for each in bad] == ["line 10", "line 9"]
    assert "customer C9 is not in the book" in bad[1].reason
    assert sum(len(page.records) for page in pages if page.entity == "invoices") == 2
    assert len(connector.check().findings) == 2


def test_a_changed_file_is_read_again(path: Path) -> None:
    connector = BookFileConnector(path, VirtualClock(NOW))
    assert connector.read([InvoiceId("INV-9")]).missing
    path.write_text(
        BOOK + '{"t":"invoice","id":"INV-9","date":"2026-09-01","customer":"C1","total":"1"}\n',
        encoding="utf-8",
    )
    assert not connector.read([InvoiceId("INV-9")]).missing


def test_opening_says_what_is_missing(tmp_path: Path) -> None:
    clock = VirtualClock(NOW)
    with pytest.raises(RefusedError, match="has no file"):
        open_connector(BookConnection(clock=clock))
    absent = BookConnection(clock=clock, file=tmp_path / "absent.jsonl")
    with pytest.raises(BookFileError, match="there is no book file"):
        open_connector(absent).check()


def test_the_key_is_stable(path: Path) -> None:
    subject = subject_of(path)
    prepared = subject.connector.prepare(subject.charge(), subject.today)
    receipt = subject.connector.write(prepared, vendor_key(prepared.effect_key, prepared.body))
    assert receipt.request_id == vendor_key(prepared.effect_key, prepared.body)
