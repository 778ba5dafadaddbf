"""The ledger refuses a late fee: it is said, it rests, and the reminder goes all the same."""

import msgspec

from ar_bridge.store import books
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import Office

BOOK = [
    company(),
    customer("North"),
    invoice("N-1", "North", "2026-06-01"),
    customer("South"),
    invoice("S-1", "South", "2026-06-01"),
]


def lose_the_account(office: Office) -> None:
    """The account was there when the ledger was last looked at, and is gone since."""
    office.reopen(fee_account="no such account")
    desk = office.desk
    with desk.store.write() as conn:
        seen = (desk.fee_account, desk.fee_tax)
        company = msgspec.structs.replace(
            books.get(conn, desk.book_id).company, fee_setup_seen=seen
        )
        books.set_company(conn, desk.book_id, company)


def test_an_account_that_nobody_has_seen_gets_no_fee(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.reopen(fee_account="no such account")
    report = office.run()
    assert report.applied[0].ledger_refusals == 0
    assert len(office.mails_to("North")) == 1
    assert "fee_set_up_missing" in {skip["code"] for skip in report.plan.view["skips"]}


def test_an_account_that_is_changed_after_a_good_reading_gets_no_fee(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-01")
    office.run()
    office.wake("2026-06-04")
    office.reopen(fee_account="99")
    report = office.run()
    assert "fee_set_up_missing" in {skip["code"] for skip in report.plan.view["skips"]}
    assert not report.applied[0].ledger_refusals and not office.records.fees


def test_a_tax_code_of_another_country_gets_no_fee(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.reopen(fee_tax="TAX")
    report = office.run()
    assert "fee_set_up_missing" in {skip["code"] for skip in report.plan.view["skips"]}
    assert not report.applied[0].ledger_refusals and not office.records.fees


def test_a_refused_fee_does_not_silence_the_reminder(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    lose_the_account(office)
    report = office.run()
    assert report.applied[0].ledger_refusals == 2
    assert not office.records.fees
    assert len(office.mails_to("North")) == len(office.mails_to("South")) == 1
    assert all(b"LF-" not in mail.content for mail in office.mails)
    codes = {skip["code"] for skip in report.plan.view["skips"]}
    assert "refused" in codes


def test_it_is_charged_once_the_set_up_is_mended(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    account = office.book.fee_account
    lose_the_account(office)
    office.run()
    writes = office.sandbox.stats().writes
    assert not office.run().total("written")
    assert office.sandbox.stats().writes == writes
    office.wake("2026-06-15")
    office.reopen(fee_account=account)
    office.run()
    assert len(office.records.fees) == 2
    assert all(b"LF-" in mail.content for mail in office.mails[-2:])
