"""Books, commitments, skips, waivers, runs: what is told once stays, and ends when it ends."""

from datetime import date, timedelta

import msgspec
import pytest

from ar_bridge.store import agenda, books, commitments, mirror, runs, skips, waivers
from ar_bridge.store.engine import Store
from connectors.port import Cursor
from rules.decision import Reason, Skip
from rules.model import CustomerId, Dispute, InvoiceId, Promise, StageId, Waiver
from tests.store.records import COMPANY, NOW, TODAY, a_book, invoice

TOMORROW = TODAY + timedelta(days=1)


def test_a_book_is_its_ledger_and_company_not_its_name(store: Store) -> None:
    with store.write() as conn:
        first = books.register(conn, COMPANY, name="shop", connected_on=date(2026, 10, 1))
        again = books.register(
            conn,
            msgspec.structs.replace(COMPANY, timezone="Europe/Dublin"),
            name="renamed",
            connected_on=date(2026, 11, 1),
        )
        elsewhere = books.register(
            conn, COMPANY, name="shop", connected_on=date(2026, 11, 1), tenant="other"
        )
    assert again.id == first.id
    assert (again.name, again.company.timezone) == ("renamed", "Europe/Dublin")
    assert again.connected_on == again.company.connected_on == date(2026, 10, 1)
    assert elsewhere.id != first.id
    with store.read() as conn:
        assert books.find(conn, "xero", "acme") == again
        assert books.find(conn, "quickbooks", "acme") is None
        assert books.all_books(conn) == [again]


def test_a_book_remembers_how_far_it_was_read(store: Store) -> None:
    cursor = Cursor(at=NOW, state={"page": "7"})
    with store.write() as conn:
        book = a_book(conn)
        assert (book.cursor, book.synced_at) == (None, None)
        books.record_sync(conn, book.id, cursor=cursor, synced_at=NOW)
        books.set_entered_through(conn, book.id, TODAY)
        books.set_state(conn, book.id, "rebuilt")
        known = books.get(conn, book.id)
        assert (known.cursor, known.synced_at) == (cursor, NOW)
        assert (known.entered_through, known.state) == (TODAY, "rebuilt")
        with pytest.raises(ValueError, match="normal or rebuilt"):
            books.set_state(conn, book.id, "lost")


def _promise(name: str, **facts: object) -> Promise:
    return msgspec.structs.replace(
        Promise(id=name, customer=CustomerId("C1"), on=TODAY, due_on=TOMORROW), **facts
    )


def test_a_commitment_is_told_once_and_ended_once(store: Store) -> None:
    with store.write() as conn:
        book = a_book(conn)
        name = commitments.new_id(conn, book.id, "promise", "C1", TODAY)
        assert name == "promise/C1/2026-11-02"
        assert commitments.add(conn, book.id, _promise(name))
        assert not commitments.add(conn, book.id, _promise(name))
        with pytest.raises(ValueError, match="says something else"):
            commitments.add(conn, book.id, _promise(name, amount=5))
        assert commitments.new_id(conn, book.id, "promise", "C1", TODAY) == f"{name}/2"
        commitments.end(conn, book.id, name, on=TOMORROW)
        assert commitments.listed(conn, book.id) == [_promise(name, ended_on=TOMORROW)]
        assert len(commitments.listed(conn, book.id, standing_on=TODAY)) == 1
        assert commitments.listed(conn, book.id, standing_on=TOMORROW) == []
        assert commitments.listed(conn, book.id, customers=["C2"]) == []
        with pytest.raises(commitments.UnknownCommitmentError, match="no commitment nothing"):
            commitments.end(conn, book.id, "nothing", on=TODAY)


def test_a_dispute_ends_with_who_was_right_and_the_account_is_decided_again(
    store: Store,
) -> None:
    dispute = Dispute(id="D1", customer=CustomerId("C1"), on=TODAY, amount=100)
    with store.write() as conn:
        book = a_book(conn)
        mirror.upsert(conn, book.id, "invoices", [invoice()], seen_on=TODAY)
        for change in (
            lambda: commitments.add(conn, book.id, dispute),
            lambda: commitments.end(conn, book.id, "D1", on=TOMORROW, won_by="us"),
        ):
            newest = agenda.newest_touch(conn, book.id)
            agenda.clear_touched(conn, book.id, through=newest, after=newest)
            change()
            assert agenda.touched(conn, book.id) == {"C1"}
        (ended,) = commitments.listed(conn, book.id)
        assert isinstance(ended, Dispute)
        assert ended.won_by == "us"


def _skip(code: str, stage: str | None = "first", **facts: object) -> Skip:
    return msgspec.structs.replace(
        Skip(
            customer=CustomerId("C1"),
            invoice=InvoiceId("I1"),
            stage=StageId(stage) if stage else None,
            code=code,
            reasons=(Reason(code, (("until", "2026-11-09"),)),),
            next_on=TOMORROW,
        ),
        **facts,
    )


def test_skips_keep_the_day_they_began_and_go_when_their_ground_goes(store: Store) -> None:
    with store.write() as conn:
        book = a_book(conn)
        skips.record(conn, book.id, [_skip("paused"), _skip("disputed", "second")], TODAY)
        later = _skip("paused", next_on=date(2026, 11, 9))
        skips.record(conn, book.id, [later], TOMORROW)
        (row,) = skips.listed(conn, book.id)
        assert (row.skip, row.since) == (later, TODAY)
        skips.record(conn, book.id, [_skip("disputed")], TOMORROW)
        (row,) = skips.listed(conn, book.id, invoice="I1", customer="C1", code="disputed")
        assert row.since == TOMORROW
        skips.record(conn, book.id, [], TOMORROW)
        assert skips.listed(conn, book.id) == []


def test_only_the_accounts_that_were_decided_lose_skips(store: Store) -> None:
    other = _skip("paused", customer=CustomerId("C2"), invoice=None)
    with store.write() as conn:
        book = a_book(conn)
        skips.record(conn, book.id, [_skip("paused"), other], TODAY)
        skips.record(conn, book.id, [], TODAY, customers=["C1"])
        assert [row.skip for row in skips.listed(conn, book.id)] == [other]


def test_the_first_of_two_grounds_counts_and_not_due_is_none(store: Store) -> None:
    with store.write() as conn:
        book = a_book(conn)
        mirror.upsert(conn, book.id, "invoices", [invoice()], seen_on=TODAY)
        skips.record(
            conn,
            book.id,
            [
                _skip("disputed", next_on=None),
                _skip("paused", next_on=date(2026, 11, 9)),
                _skip("not_due", "second"),
            ],
            TODAY,
        )
        assert [row.skip.code for row in skips.listed(conn, book.id)] == ["disputed"]


def test_waivers_and_runs(store: Store) -> None:
    waiver = Waiver(on=TODAY, document="LF-A", amount=950, reason="goodwill")
    with store.write() as conn:
        book = a_book(conn)
        waivers.add(conn, book.id, waiver)
        assert waivers.listed(conn, book.id) == [waiver]
        cut_short = runs.start(conn, book.id, "plan", on=TODAY, at=NOW)
        whole = runs.start(conn, book.id, "sync", on=TODAY, at=NOW)
        runs.finish(conn, whole, at=NOW, outcome="done", counts={"read": 3})
        newest, before = runs.latest(conn, book.id, limit=5)
        assert (newest.id, newest.outcome, newest.counts) == (whole, "done", {"read": 3})
        assert (before.id, before.ended_at, before.counts) == (cut_short, None, {})
        assert [run.id for run in runs.latest(conn, book.id, kind="plan")] == [cut_short]
