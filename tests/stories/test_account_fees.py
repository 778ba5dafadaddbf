"""Late fees of whole accounts: one document with a line for each invoice, exactly once, and read
back from the ledger after our own records are lost."""

from datetime import timedelta
from typing import Any

import pytest

from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import When
from tests.stories.evidence import nothing_twice
from tests.stories.stage import Office, text_of

TODAY = "2026-06-30"

INTEREST = """
[[fee]]
id = "late"
name = "Late interest"
type = "interest"
annual_rate = 18
from = 2026-05-01
scope = "customer"
post = { every = "month", on = "last_business_day" }
due_in = "14d"
"""


def two_overdue() -> list[dict[str, Any]]:
    return [
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("N-2", "North", "2026-06-10"),
    ]


def an_account(an_office: Opens, **options: Any) -> Office:
    given = {"today": TODAY, "connected": "2026-05-01", **options}
    given.pop("connected")
    return an_office(*two_overdue(), policy=policy(fee=INTEREST), **given)


def is_charged_once(office: Office) -> None:
    nothing_twice(office)
    (fee,) = office.records.fees
    assert office.row("late_fee", "done").number == fee.number
    book = _book(office)
    assert [(one.invoice, one.amount) for one in book.fees] == [
        (office.invoice_id("N-1"), 1430),
        (office.invoice_id("N-2"), 986),
    ]
    assert sum(one.amount for one in book.fees) == office.row("late_fee", "done").amount


def _book(office: Office) -> Any:
    with office.desk.store.read() as conn:
        return office.desk.load(conn, office.desk.today(), None, ())


def test_one_document_says_what_each_invoice_bears(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    is_charged_once(office)
    (mail,) = office.mails
    assert "N-1" in text_of(mail) and "N-2" in text_of(mail)
    assert "14.30" in text_of(mail) and "9.86" in text_of(mail)
    office.reopen()
    for _ in office.days("2026-07-01", "2026-07-03"):
        office.run()
    assert len(office.records.fees) == 1


def test_a_payment_of_one_invoice_leaves_the_right_rest(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    office.wake("2026-07-02")
    office.pay("North", 100_000, "N-1", on="2026-07-02")
    for _ in office.days("2026-07-31", "2026-07-31"):
        office.run()
    fees = [(one.invoice, one.amount) for one in _book(office).fees[2:]]
    # Two days of July on the one, all of it on the other.
    assert fees == [(office.invoice_id("N-1"), 99), (office.invoice_id("N-2"), 1529)]
    nothing_twice(office)


@pytest.mark.parametrize("when", ["before", "after"])
def test_around_the_write(an_office: Opens, when: When) -> None:
    office = an_account(an_office, mode="approve")
    office.approve(office.run().plan.plan_id)
    office.crash("wire", 1, when=when)
    office.apply_to_crash()
    office.clock.advance(timedelta(minutes=30))
    office.reopen()
    office.run(approve=office.approve_all)
    nothing_twice(office)
    if when == "before":
        assert office.row("late_fee", "unknown")
        assert not office.records.fees
    else:
        is_charged_once(office)


def test_with_our_records_lost_each_invoice_still_bears_its_part(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    before = {(one.invoice, one.amount, one.account_key) for one in _book(office).fees}
    office.lose_the_database()
    office.run()
    found = _book(office).fees
    assert {(one.invoice, one.amount, one.account_key) for one in found} == before
    assert all(one.is_found_again for one in found)
    for _ in office.days("2026-07-01", "2026-07-03"):
        office.run(approve=office.approve_all)
    assert len(office.records.fees) == 1
