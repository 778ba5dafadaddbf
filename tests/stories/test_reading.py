"""Reading the ledger day after day: few calls, and nothing that people do there stays unseen."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from ar_bridge.reconciling import sync_book
from ar_bridge.store import books, mirror, pulls
from connectors.errors import TransientError
from connectors.port import Cursor, Page
from rules.model import Book, Company
from tests.stories.books import company, customer, flat_fee, invoice, payment, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import When
from tests.stories.stage import Office

BOOK = [
    company(),
    customer("North"),
    customer("South"),
    invoice("N-1", "North", "2026-06-01"),
    invoice("N-2", "North", "2026-06-10"),
    invoice("S-1", "South", "2026-06-01"),
    payment("P-1", "North", "2026-05-20", "100.00", **{"N-2": "100.00"}),
]
TODAY = "2026-06-04"


def opened(an_office: Opens) -> Office:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today=TODAY, mode="observe")
    sync_book(office.desk)
    office.clock.advance(600)
    return office


def statuses(office: Office) -> dict[str, str]:
    with office.desk.store.read() as conn:
        known = mirror.invoices_by_id(
            conn, office.desk.book_id, {office.invoice_id(one) for one in ("N-1", "N-2", "S-1")}
        )
    return {one.number: one.status for one in known}


def test_a_day_of_polls_leaves_most_calls_for_writing(an_office: Opens) -> None:
    office = opened(an_office)
    before = office.sandbox.stats().reads
    for _ in range(3):
        office.clock.advance(timedelta(minutes=15).total_seconds())
        office.reopen()
        polled = office.sandbox.stats().reads
        report = sync_book(office.desk)
        assert not report.full
        assert office.sandbox.stats().reads - polled <= 3
    each = (office.sandbox.stats().reads - before) / 3
    office.clock.advance(timedelta(hours=24).total_seconds())
    office.reopen()
    before = office.sandbox.stats().reads
    assert sync_book(office.desk).full
    reconcile = office.sandbox.stats().reads - before
    assert 96 * each + reconcile < 500


def test_everything_is_read_again_when_that_is_too_long_ago(an_office: Opens) -> None:
    office = opened(an_office)
    assert not sync_book(office.desk).full
    office.clock.advance(timedelta(hours=25).total_seconds())
    assert sync_book(office.desk).full
    office.clock.advance(600)
    assert not sync_book(office.desk).full
    office.reopen(reconcile_every="never")
    sync_book(office.desk)
    office.clock.advance(timedelta(days=3).total_seconds())
    assert not sync_book(office.desk).full


def test_what_people_undo_comes_back_and_what_they_take_away_goes(an_office: Opens) -> None:
    office = opened(an_office)
    people = office.sandbox.people
    paid = people.pay("S-1")
    people.void("N-1")
    sync_book(office.desk)
    assert statuses(office) == {"N-1": "void", "N-2": "open", "S-1": "paid"}
    office.clock.advance(600)
    people.restore("N-1")
    people.delete_payment(paid)
    sync_book(office.desk)
    assert statuses(office) == {"N-1": "open", "N-2": "open", "S-1": "open"}
    assert paid not in {one.id for one in _book(office).payments}
    office.clock.advance(600)
    people.delete("S-1")
    report = sync_book(office.desk)
    assert statuses(office)["S-1"] in ("deleted", "void")
    assert not report.quarantined


def _book(office: Office) -> Book:
    with office.desk.store.read() as conn:
        return office.desk.load(conn, office.desk.today(), None, ())


@pytest.mark.parametrize("full", [False, True], ids=["changes", "everything"])
def test_a_merged_customer_s_documents_are_looked_at_with_the_survivor(
    an_office: Opens, full: bool
) -> None:
    office = opened(an_office)
    office.sandbox.people.merge("North", into="South")
    sync_book(office.desk, full=full)
    book = _book(office)
    (account,) = [one for one in book.accounts() if one.payer.id == office.customer_id("South")]
    assert {one.number for one in account.invoices} == {"N-1", "N-2", "S-1"}
    assert [one.amount for one in account.payments] == [10_000]
    assert office.customer_id("North") in account.members
    assert not book.customers[office.customer_id("North")].is_active


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reading_that_dies_at_any_point_is_gone_on_with(an_office: Opens, when: When) -> None:
    office = an_office(*BOOK, policy=policy(), today=TODAY, mode="observe")
    for nth in range(1, 30):
        rope = office.crash("commit", nth, when=when)
        try:
            sync_book(office.desk, full=True)
        except BaseException as end:  # the process ends here
            assert rope.is_broken, end
        office.reopen()
        if not rope.is_broken:
            break
        people = office.sandbox.people
        people.receive("South", 100 + nth)  # meanwhile, somebody works in the ledger
        office.clock.advance(60)
        # Whatever was there of the book before is there still: whole, or not at all.
        assert len(statuses(office)) in (0, 3)
    assert nth > 5
    with office.desk.store.read() as conn:
        assert pulls.under_way(conn, office.desk.book_id) == []
    sync_book(office.desk)
    book = _book(office)
    received = [one.unapplied for one in book.payments] + [one.remaining for one in book.credits]
    assert sorted(filter(None, received)) == [100 + one for one in range(1, nth)]


def test_a_reconcile_that_breaks_off_is_told_and_gone_on_with(an_office: Opens) -> None:
    office = opened(an_office)
    office.clock.advance(timedelta(hours=25).total_seconds())
    real = office.desk.connector.pull

    def breaks(cursor: Cursor | None = None, **more: str) -> Iterator[Page]:
        for number, page in enumerate(real(cursor, **more)):
            if cursor is None and number == 1:
                raise TransientError("the connection broke off")
            yield page

    office.desk.connector.pull = breaks
    report = sync_book(office.desk)
    assert not report.full
    assert any("reading everything broke off" in remark for remark in report.remarks)
    office.desk.connector.pull = real
    office.clock.advance(600)
    again = sync_book(office.desk)
    assert (again.full, again.resumed) == (True, True)
    assert statuses(office) == dict.fromkeys(("N-1", "N-2", "S-1"), "open")


def test_the_company_is_looked_at_again_and_the_configured_zone_goes_first(
    an_office: Opens,
) -> None:
    office = opened(an_office)
    assert office.desk.company.timezone == "Europe/London"
    with office.desk.store.write() as conn:
        row = books.get(conn, office.desk.book_id)
        books.set_company(conn, row.id, _moved(row.company))
    office.clock.advance(timedelta(hours=25).total_seconds())
    office.run()
    assert office.desk.renewed().company.timezone == "Europe/London"
    office.reopen(timezone="Pacific/Honolulu")
    assert office.desk.company.timezone == "Pacific/Honolulu"
    assert office.desk.renewed().company.timezone == "Pacific/Honolulu"
    assert _book(office).company.timezone == "Pacific/Honolulu"


def _moved(company: Company) -> Company:
    return msgspec.structs.replace(company, timezone="Asia/Tokyo")
