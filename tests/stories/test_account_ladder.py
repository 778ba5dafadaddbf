"""The ladder of whole accounts on both ledgers: one mail for everything overdue, once, through
crashes, payments and lost records."""

from datetime import timedelta

import pytest

from tests.stories.books import company, customer, invoice
from tests.stories.conftest import Opens
from tests.stories.crashes import When
from tests.stories.evidence import is_well_kept, nothing_twice
from tests.stories.stage import Office, text_of

POLICY = """
schema = 1
name = "accounts"

[calendar]
send_window = "00:00-23:59"

[contact]
min_gap = "2d"

[do_not_chase]
stale_after = "48h"
paid_lag = "0d"

[[stage]]
id = "account-first"
name = "Account reminder"
at = "due + 3d"
do = ["remind", "note"]
template = "overdue_1"
scope = "customer"

[[stage]]
id = "account-firm"
name = "Account warning"
at = "due + 17d"
do = ["remind", "hold_credit"]
template = "overdue_2"
scope = "customer"
requires = ["account-first"]

[limits]
mails_per_run = 50
first_apply = 50
"""


def an_account(an_office: Opens, **options: object) -> Office:
    return an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("N-2", "North", "2026-06-03", "500.00"),
        policy=POLICY,
        today="2026-06-04",
        **options,
    )


def test_one_mail_for_the_account_and_none_again(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    (mail,) = office.mails
    assert "N-1" in text_of(mail) and "N-2" in text_of(mail)
    assert "1,500.00" in text_of(mail)
    for _ in office.days("2026-06-05", "2026-06-10"):
        office.run()
    assert len(office.mails) == 1
    nothing_twice(office)
    is_well_kept(office)


def test_the_ladder_goes_on_when_the_oldest_invoice_is_paid(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    office.wake("2026-06-10")
    office.pay("North", 100_000, "N-1", on="2026-06-10")
    for _ in office.days("2026-06-11", "2026-06-19"):
        office.run()
    assert len(office.mails) == 1, "no stage again, and none for the age of what is paid"
    for _ in office.days("2026-06-20", "2026-06-23"):
        office.run()
    assert len(office.mails) == 2
    assert "N-1" not in text_of(office.mails[-1]) and "N-2" in text_of(office.mails[-1])
    assert office.row("credit_hold", "done")
    nothing_twice(office)


def test_the_ladder_begins_anew_once_everything_was_paid(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("N-3", "North", "2026-06-20"),
        policy=POLICY,
        today="2026-06-04",
    )
    office.run()
    office.wake("2026-06-10")
    office.pay("North", 100_000, "N-1", on="2026-06-10")
    for _ in office.days("2026-06-11", "2026-06-24"):
        office.run()
    assert len(office.mails) == 2
    assert "N-3" in text_of(office.mails[-1])
    stages = [row.action.stage for row in office.rows("done", kind="reminder")]
    assert stages == ["account-first", "account-first"]
    nothing_twice(office)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_around_the_mail(an_office: Opens, when: When) -> None:
    office = an_account(an_office, mode="approve")
    office.approve(office.run().plan.plan_id)
    office.crash("wire", 1, when=when)
    office.apply_to_crash()
    office.clock.advance(timedelta(minutes=30))
    office.reopen()
    office.run(approve=office.approve_all)
    assert len(office.mails) <= 1
    nothing_twice(office)


def test_lost_records_repeat_nothing_of_the_account(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    assert len(office.mails) == 1
    office.lose_the_database()
    office.run(approve=office.approve_all)
    for _ in office.days("2026-06-05", "2026-06-09"):
        office.run(approve=office.approve_all)
    assert len(office.mails) == 1
    nothing_twice(office)
