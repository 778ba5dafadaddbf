"""Limits of a run, of a day and of a customer hold whoever approved, and whoever is at work."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ar_bridge import audit
from ar_bridge.dispatcher import apply
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens, on_both_databases
from tests.stories.evidence import is_matched
from tests.stories.stage import Office

TODAY, TOMORROW = "2026-06-04", "2026-06-05"
NAMES = ("North", "South", "East", "West")
ROOM = "first_apply = 50\n"


def open_office(an_office: Opens, limits: str, *, mode: str = "auto", fee: str = "") -> Office:
    events = [company()]
    for name in NAMES:
        events += [customer(name), invoice(f"{name[0]}-1", name, "2026-06-01")]
    return an_office(
        *events, policy=policy(fee=fee or flat_fee(), limits=ROOM + limits), today=TODAY, mode=mode
    )


def approved(an_office: Opens, limits: str) -> Office:
    """A person has released everything that is due."""
    office = open_office(an_office, limits, mode="approve")
    office.approve(office.run().plan.plan_id)
    return office


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        ("mails_per_day = 2", "mails_per_day"),
        ("fees_per_day = 2", "fees_per_day"),
        ('fee_total_per_day = "50.00"', "fee_total_per_day"),
    ],
)
def test_what_is_above_the_limit_of_a_day_waits_for_the_next(
    an_office: Opens, limits: str, key: str
) -> None:
    office = approved(an_office, limits)
    report = office.apply()
    # A fee and its message go together or wait together.
    assert len(office.mails) == len(office.records.fees) == 2
    assert report.waits and not report.problems
    assert all(f"[limits] {key}" in why and TOMORROW in why for _, why in report.waits)
    assert {row.waits_why for row in office.rows("approved")} == {report.waits[0][1]}
    assert report.next_at is not None and report.next_at.date().isoformat() >= TODAY
    office.clock.advance(timedelta(hours=2))
    office.apply()
    assert len(office.mails) == 2
    office.wake(TOMORROW)
    office.approve(office.run().plan.plan_id)
    office.apply()
    assert len(office.mails) == len(office.records.fees) == 4
    is_matched(office)


def test_rules_stop_at_the_limit_of_the_day_whatever_the_number_of_runs(
    an_office: Opens,
) -> None:
    office = open_office(an_office, "mails_per_run = 1\nmails_per_day = 3")
    for sent in (1, 2, 3, 3, 3):
        office.run()
        assert len(office.mails) == len(office.records.fees) == sent
        office.clock.advance(timedelta(minutes=30))
    (why,) = {row.waits_why for row in office.rows("planned")}
    assert why is not None and "[limits] mails_per_day" in why and TOMORROW in why
    office.wake(TOMORROW)
    office.run()
    assert len(office.mails) == 4
    is_matched(office)


def test_only_a_person_goes_beyond_the_limit_and_it_is_on_record(an_office: Opens) -> None:
    office = approved(an_office, "mails_per_day = 2")
    office.apply()
    apply(office.desk, beyond_limits="agreed with the owner")
    assert len(office.mails) == len(office.records.fees) == 4
    with office.desk.store.read() as conn:
        (lifted,) = audit.history(conn, events=["LimitsLifted"])
    assert lifted.payload is not None and lifted.payload["reason"] == "agreed with the owner"
    is_matched(office)


def test_a_unit_that_is_above_the_limit_by_itself_says_so(an_office: Opens) -> None:
    office = approved(an_office, 'fee_total_per_day = "20.00"')
    report = office.apply()
    assert not office.mails and not office.records.fees
    assert all("by itself it is above the limit" in why for _, why in report.waits)


def test_one_customer_is_not_charged_more_in_a_month(an_office: Opens) -> None:
    events = [company(), customer("North")]
    events += [invoice(f"N-{n}", "North", "2026-06-01") for n in range(1, 4)]
    office = an_office(
        *events,
        policy=policy(fee=flat_fee(), limits=ROOM + 'fee_total_per_customer_per_month = "60.00"'),
        today=TODAY,
    )
    report = office.run()
    # Three fees of 25.00 and one message are one unit.
    assert not office.records.fees and not office.mails
    assert any("to one customer in a month" in why for _, why in report.applied[-1].waits)


@on_both_databases
def test_two_workers_share_the_limit(an_office: Opens) -> None:
    office = approved(an_office, "mails_per_day = 3")
    first = office.desk
    second = replace(first, leases={}, worker="second")
    rows = office.rows("approved")
    assert len(rows) == 8
    one, other = apply(first), apply(second)
    sent = one.applied.get("reminder", 0) + other.applied.get("reminder", 0)
    assert sent == len(office.mails) == len(office.records.fees) == 3


def test_what_was_begun_is_finished_on_the_next_day_and_counts_there(an_office: Opens) -> None:
    office = approved(an_office, "mails_per_day = 1")
    office.crash("mail", 1, when="before")
    office.apply_to_crash()
    assert len(office.records.fees) == 1 and not office.mails
    office.clock.advance(timedelta(minutes=30))
    office.wake(TOMORROW)
    office.reopen()
    report = office.run(approve=office.approve_all)
    # It may have been handed over before the interruption: a person looks. It counts all the same.
    (unknown,) = office.rows("unknown")
    assert unknown.message is not None
    assert len(office.records.fees) == 1 and len(office.mails) == 0
    assert any("mails_per_day" in why for _, why in report.applied[-1].waits)
