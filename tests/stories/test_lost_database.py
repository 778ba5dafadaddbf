"""Our own records are gone: what was charged is read from the ledger and never charged again."""

from ar_bridge.store import books
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens

BOOK = [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]


def test_fees_in_the_ledger_are_never_charged_again_and_a_person_looks(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.run()
    assert len(office.records.fees) == 1
    office.lose_the_database()
    for _ in office.days("2026-06-08", "2026-06-19"):
        office.run()
    assert len(office.records.fees) == 1
    with office.desk.store.read() as conn:
        assert books.get(conn, office.desk.book_id).state == "rebuilt"
    # Nothing has gone by rule since; what is planned waits for a person.
    assert {row.mode for row in office.rows()} == {"approve"}
    assert not [row for row in office.rows() if row.kind == "late_fee"]
    assert len(office.mails) == 1


def test_a_new_book_is_not_taken_for_a_lost_one(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.run()
    office.reopen()
    office.run()
    with office.desk.store.read() as conn:
        assert books.get(conn, office.desk.book_id).state == "normal"
