"""The ledger refuses a late fee: it is said, it rests, and the reminder goes all the same."""

from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens

BOOK = [
    company(),
    customer("North"),
    invoice("N-1", "North", "2026-06-01"),
    customer("South"),
    invoice("S-1", "South", "2026-06-01"),
]


def test_a_refused_fee_does_not_silence_the_reminder(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.reopen(fee_account="no such account")
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
    office.reopen(fee_account="no such account")
    office.run()
    writes = office.sandbox.stats().writes
    assert not office.run().total("written")
    assert office.sandbox.stats().writes == writes
    office.wake("2026-06-15")
    office.reopen(fee_account=account)
    office.run()
    assert len(office.records.fees) == 2
    assert all(b"LF-" in mail.content for mail in office.mails[-2:])
