"""A person decides: what is released goes, what is turned down rests, limits hold the rest back."""

from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.errors import UsageError
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import PERSON, LedgerName, Office

TODAY = "2026-06-04"


@pytest.fixture(params=["quickbooks"])
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """Who decides does not depend on the ledger; drafts do, and have a story of their own."""
    chosen: LedgerName = request.param
    return chosen


def overdue(*names: str) -> list[dict[str, Any]]:
    return [
        company(),
        *(customer(name) for name in names),
        *(invoice(f"{name[0]}-1", name, "2026-06-01") for name in names),
    ]


def open_office(an_office: Opens, *names: str, **options: Any) -> Office:
    options.setdefault("policy", policy(fee=flat_fee()))
    options.setdefault("mode", "approve")
    return an_office(*overdue(*(names or ("North", "South"))), today=TODAY, **options)


def test_nothing_goes_before_somebody_said_so(an_office: Opens) -> None:
    office = open_office(an_office)
    for _ in office.days(TODAY, "2026-06-05"):
        report = office.run()
        assert not report.total("written")
    assert not office.mails and not office.records.fees and not office.records.notes
    assert all(action["needs_approval"] for action in report.plan.view["actions"])


def test_a_whole_plan(an_office: Opens) -> None:
    office = open_office(an_office)
    office.approve(office.run().plan.plan_id)
    assert office.apply().applied == {"late_fee": 2, "reminder": 2}
    assert {row.approved_by for row in office.rows("done")} == {PERSON}
    is_matched(office)


@pytest.mark.parametrize("kind", ["late_fee", "reminder"])
def test_a_fee_and_its_message_are_one_decision(an_office: Opens, kind: str) -> None:
    office = open_office(an_office)
    office.run()
    (mine,) = [row for row in office.rows_of("North", "planned") if row.kind == kind]
    assert {row.kind for row in office.approve(mine.key)} == {"late_fee", "reminder"}
    office.apply()
    assert len(office.mails_to("North")) == 1 and not office.mails_to("South")
    assert [fee.customer_book_id for fee in office.records.fees] == ["North"]
    (other,) = [row for row in office.rows_of("South", "planned") if row.kind == kind]
    assert {row.kind for row in office.reject(other.key)} == {"late_fee", "reminder"}
    office.clock.advance(timedelta(hours=1))
    office.run()
    assert not office.mails_to("South")
    is_matched(office)


def test_by_the_number_of_the_fee_or_the_key_of_an_item(an_office: Opens) -> None:
    office = open_office(an_office)
    office.run()
    fee = next(row for row in office.rows_of("North") if row.kind == "late_fee")
    office.approve(fee.number)
    message = next(row for row in office.rows_of("South") if row.kind == "reminder")
    office.approve(message.action.items[0].key)
    office.apply()
    assert len(office.mails) == len(office.records.fees) == 2


def test_what_was_turned_down_rests_until_its_facts_change(an_office: Opens) -> None:
    office = open_office(an_office, "North", policy=policy())
    office.run()
    office.reject(office.row("reminder", "planned").key)
    same_day = office.run().plan
    assert same_day.planned == 0 and same_day.skipped == {"rejected": 1}
    (skip,) = [each for each in same_day.view["skips"] if each["code"] == "rejected"]
    assert "not this one" in skip["reasons"][0]["text"]
    # Time alone is no new fact: days past due in the text grow by themselves.
    office.wake("2026-06-05")
    assert office.run().plan.skipped == {"rejected": 1}
    office.pay("North", 30_000, "N-1")
    office.clock.advance(timedelta(hours=1))
    plan = office.run().plan
    (again,) = office.rows("planned")
    assert plan.planned == 1 and again.revision == 2
    office.approve(again.key)
    office.apply()
    assert len(office.mails) == 1


def test_a_book_that_observes_shows_everything_and_sends_nothing(an_office: Opens) -> None:
    office = open_office(an_office, mode="observe")
    plan = office.run().plan
    assert len(plan.view["actions"]) == 4
    with pytest.raises(UsageError, match="observes"):
        office.approve(plan.plan_id)
    with pytest.raises(UsageError, match="observes"):
        office.approve(office.rows("planned")[0].key)
    assert not office.apply().applied
    assert not office.mails and not office.records.fees


def test_one_stage_may_ask_a_person_while_the_rest_goes_by_rule(an_office: Opens) -> None:
    office = open_office(
        an_office, mode="auto", policy=policy(fee=flat_fee(), stage='mode = "approve"')
    )
    office.run()
    # The fee never goes without the message that announces it.
    assert not office.mails and not office.records.fees
    office.approve(*(row.key for row in office.rows("planned")))
    office.apply()
    assert len(office.mails) == len(office.records.fees) == 2


def test_the_first_time_only_a_few_go(an_office: Opens) -> None:
    names = ("North", "South", "East", "West")
    office = open_office(
        an_office, *names, mode="auto", policy=policy(fee=flat_fee(), limits="first_apply = 5")
    )
    office.run()
    # A fee and its message count as two, and are never parted.
    assert len(office.mails) == len(office.records.fees) == 2
    office.clock.advance(timedelta(hours=1))
    office.run()
    assert len(office.mails) == len(office.records.fees) == 2
    # The day has shown that it goes well: the next one does the rest.
    office.wake("2026-06-05")
    office.run()
    assert len(office.mails) == len(office.records.fees) == 4
    is_matched(office)


@pytest.mark.parametrize(
    ("limits", "mails", "fees"),
    [
        ("first_apply = 50\nmails_per_run = 3", 3, 3),
        ("first_apply = 50\nfees_per_run = 2", 2, 2),
        ('first_apply = 50\nfee_total_per_run = "30.00"', 1, 1),
    ],
)
def test_more_than_the_limits_waits_for_a_person(
    an_office: Opens, limits: str, mails: int, fees: int
) -> None:
    names = ("North", "South", "East", "West")
    office = open_office(
        an_office, *names, mode="auto", policy=policy(fee=flat_fee(), limits=limits)
    )
    office.run()
    assert (len(office.mails), len(office.records.fees)) == (mails, fees)
    waiting = office.rows("planned")
    assert len(waiting) == 8 - mails - fees
    office.approve(*(row.key for row in waiting))
    office.apply()
    assert (len(office.mails), len(office.records.fees)) == (4, 4)
    is_matched(office)
