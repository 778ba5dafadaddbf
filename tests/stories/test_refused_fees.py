"""The ledger refuses a late fee: it is said, it rests, and the reminder goes all the same."""

import msgspec

from ar_bridge.audit_gaps import gaps
from ar_bridge.settling import MAY_BE_RETRIED, try_again
from ar_bridge.store import actions as action_store
from ar_bridge.store import books
from connectors.sandbox.faults import FaultOrder
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


DAILY = """
[[fee]]
id = "interest"
type = "interest"
annual_rate = 36.5
post = "when_due"
"""


def refuse_all(office: Office) -> None:
    """Both fees travel together, and the ledger takes neither."""
    office.sandbox.faults.order(FaultOrder(name="has-errors", count=2))
    assert office.run().applied[0].ledger_refusals == 2
    assert not office.records.fees


def test_what_was_refused_for_good_rests_until_the_invoice_has_changed(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=DAILY), today="2026-06-04")
    refuse_all(office)
    for day in ("2026-06-15", "2026-06-24"):  # each on a day with a message
        office.wake(day)
        skips = office.run().plan.view["skips"]
        assert not office.records.fees
        refused = [skip for skip in skips if skip["code"] == "refused"]
        assert [skip["review_on"] for skip in refused] == ["2026-07-04"] * len(refused)
    assert len(refused) == 2
    office.pay("North", 40_00, "N-1")
    office.wake("2026-06-26")
    office.run()
    assert len(office.records.fees) == 1, "of North, whose invoice is another"


def test_a_person_has_it_tried_again(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=DAILY), today="2026-06-04")
    refuse_all(office)
    office.wake("2026-06-22")
    desk = office.desk
    with desk.store.write() as conn:
        row, _ = action_store.actions_in(conn, desk.book_id, MAY_BE_RETRIED)
        assert "planned anew" in try_again(conn, desk, row, actor="Kim", reason="mended")
    office.run()
    assert len(office.records.fees) == 1, "only the one named"
    with desk.store.read() as conn:
        assert gaps(conn, desk.book_id) == []


def test_another_policy_has_it_tried_again(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=DAILY), today="2026-06-04")
    refuse_all(office)
    office.wake("2026-06-22")
    office.new_policy(policy(fee=DAILY.replace("36.5", "18.25")))
    office.run()
    assert len(office.records.fees) == 2
