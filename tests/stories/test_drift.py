"""Between approval and sending the world moves on: what was approved no longer goes as it is."""

from collections.abc import Callable
from typing import Any

import pytest

from ar_bridge.context import BookContext
from ar_bridge.planner import PlanResult
from rules.model import Dispute, Promise, Stop
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import PERSON, Office, text_of

TODAY = "2026-06-04"


def an_overdue_book() -> list[dict[str, Any]]:
    return [
        company(),
        customer("North"),
        customer("South"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("S-1", "South", "2026-06-01"),
    ]


def is_disputed(office: Office) -> None:
    office.hear(
        Dispute(
            id="d1",
            customer=office.customer_id("North"),
            invoices=(office.invoice_id("N-1"),),
            on=office.desk.today(),
            reason="short delivery",
        )
    )


def is_stopped(office: Office) -> None:
    office.hear(
        Stop(
            id="s1",
            customer=office.customer_id("North"),
            on=office.desk.today(),
            because="insolvency",
        )
    )


def is_promised(office: Office) -> None:
    today = office.desk.today()
    office.hear(
        Promise(
            id="p1",
            customer=office.customer_id("North"),
            invoices=(office.invoice_id("N-1"),),
            on=today,
            due_on=today.replace(day=12),
        )
    )


GONE: dict[str, tuple[Callable[[Office], None], str]] = {
    "paid": (lambda office: office.pay("North", 100_000, "N-1", on="2026-06-01"), "N-1 is paid"),
    "voided": (lambda office: office.void("N-1"), "N-1 is void"),
    "disputed": (is_disputed, "disputed"),
    "stopped": (is_stopped, "insolvency"),
    "promised": (is_promised, "promised"),
    "money_not_applied_yet": (lambda office: office.pay("North", 30_000), "not applied"),
}


@pytest.mark.parametrize("drift", GONE)
def test_what_is_no_longer_right_is_withdrawn_with_its_reason(an_office: Opens, drift: str) -> None:
    happens, telling = GONE[drift]
    office = an_office(
        *an_overdue_book(), policy=policy(fee=flat_fee()), today=TODAY, mode="approve"
    )
    planned = office.run()
    assert planned.plan.planned == 4
    office.approve(planned.plan.plan_id)
    happens(office)
    report = office.apply()
    assert len(report.withdrawn) == 2
    assert any(telling in reason for _, reason in report.withdrawn), report.withdrawn
    assert not report.problems
    # South goes on as if nothing had happened.
    assert not office.mails_to("North") and len(office.mails_to("South")) == 1
    assert [fee.customer_book_id for fee in office.records.fees] == ["South"]
    is_matched(office)
    plan = office.plan()
    # Of an insolvency a colleague is told: the proof of debt has its time.
    told = ["task"] if drift == "stopped" else []
    assert [action["kind"] for action in plan.view["actions"]] == told
    mine = [skip for skip in plan.view["skips"] if skip["customer"] == office.customer_id("North")]
    if drift not in ("paid", "voided"):
        assert mine and all(skip["reasons"] for skip in mine)


def is_part_paid(office: Office) -> None:
    # The way of a bookkeeper: the payment is applied when it is entered.
    office.pay("North", 30_000, "N-1")


def moves(office: Office) -> None:
    office.change_customer("North", email="new@north.example")


CHANGED: dict[str, tuple[Callable[[Office], None], str, str]] = {
    "part_paid": (is_part_paid, "700.00 GBP is open on invoice N-1", "£700.00"),
    "new_address": (moves, "it would go to new@north.example now", "£1,000.00"),
}


@pytest.mark.parametrize("drift", CHANGED)
def test_what_changed_comes_back_to_the_person_as_a_new_revision(
    an_office: Opens, drift: str
) -> None:
    happens, telling, open_now = CHANGED[drift]
    office = an_office(
        *an_overdue_book(), policy=policy(fee=flat_fee()), today=TODAY, mode="approve"
    )
    office.approve(office.run().plan.plan_id)
    happens(office)
    report = office.apply()
    assert len(report.withdrawn) == 2
    assert any(telling in reason for _, reason in report.withdrawn), report.withdrawn
    assert not office.mails_to("North")
    plan = office.plan()
    assert plan.approved == 0
    again = {row.kind: row for row in office.rows("planned")}
    assert again["reminder"].revision == again["late_fee"].revision == 2
    assert not office.apply().applied
    office.approve(plan.plan_id)
    assert office.apply().applied == {"late_fee": 1, "reminder": 1}
    (mail,) = [mail for mail in office.mails if b"N-1" in mail.content]
    assert open_now in text_of(mail)
    assert mail.recipients == (("new" if drift == "new_address" else "ap") + "@north.example",)
    is_matched(office)


def is_archived(office: Office) -> None:
    office.sandbox.people.archive("North")


def is_merged(office: Office) -> None:
    office.sandbox.people.merge("North", into="South")


LEFT: dict[str, tuple[Callable[[Office], None], str]] = {
    "archived": (is_archived, "customer North Ltd was archived"),
    "merged": (is_merged, "customer North Ltd was merged into South Ltd"),
}


@pytest.mark.parametrize("drift", LEFT)
def test_nobody_writes_to_a_customer_who_left_since_the_plan(an_office: Opens, drift: str) -> None:
    happens, telling = LEFT[drift]
    office = an_office(
        *an_overdue_book(), policy=policy(fee=flat_fee()), today=TODAY, mode="approve"
    )
    office.approve(office.run().plan.plan_id)
    happens(office)
    report = office.apply()
    assert any(telling in reason for _, reason in report.withdrawn), report.withdrawn
    assert not office.mails_to("North")
    assert not [fee for fee in office.records.fees if fee.customer_book_id == "North"]
    is_matched(office)
    # The debt is not forgotten: whoever owes it now hears of it, or a person has to look.
    plan = office.plan()
    again = {row.kind: row.customer for row in office.rows("planned")}
    if drift == "merged":
        assert again["reminder"] == office.customer_id("South") and "late_fee" in again
    else:
        assert again == {}
        left = [
            skip for skip in plan.view["skips"] if skip["customer"] == office.customer_id("North")
        ]
        assert {skip["code"] for skip in left} == {"inactive_payer"}
        assert all(skip["review_on"] == TODAY for skip in left)
    office.approve(plan.plan_id)
    assert not office.apply().problems


def test_by_rule_the_new_revision_goes_in_the_same_run(an_office: Opens) -> None:
    office = an_office(*an_overdue_book(), policy=policy(fee=flat_fee()), today=TODAY, mode="auto")
    paid: list[str] = []

    def meanwhile(desk: BookContext, plan: PlanResult) -> None:
        if not paid:
            office.pay("North", 30_000, "N-1")
            paid.append("once")

    report = office.run(approve=meanwhile)
    assert len(report.withdrawn) == 2 and len(report.plans) == 2
    assert {row.revision for row in office.rows("done")} == {1, 2}
    assert {row.approved_by for row in office.rows("done")} == {"rule"}
    (mail,) = office.mails_to("North")
    assert "£700.00" in text_of(mail)
    assert len(office.records.fees) == 2
    is_matched(office)


def test_an_approval_is_good_for_the_policy_that_it_was_given_under(an_office: Opens) -> None:
    office = an_office(
        *an_overdue_book(), policy=policy(fee=flat_fee()), today=TODAY, mode="approve"
    )
    office.approve(office.run().plan.plan_id)
    office.new_policy(policy(fee=flat_fee('"30.00"')))
    report = office.apply()
    assert not office.mails and not office.records.fees
    assert len(report.withdrawn) == 4
    plan = office.run().plan
    assert {row.amount for row in office.rows("planned", kind="late_fee")} == {3000}
    assert {row.revision for row in office.rows("planned")} == {2}
    assert {row.approved_by for row in office.rows("planned")} == {None}
    office.approve(plan.plan_id)
    office.apply()
    assert [fee.amount for fee in office.records.fees] == [3000, 3000]
    is_matched(office)


def test_an_approval_of_yesterday_is_asked_for_again(an_office: Opens) -> None:
    office = an_office(
        *an_overdue_book(), policy=policy(fee=flat_fee()), today=TODAY, mode="approve"
    )
    office.approve(office.run().plan.plan_id)
    office.wake("2026-06-05")
    plan = office.run().plan
    assert not office.mails and not office.records.fees
    assert {row.ended_reason is not None for row in office.rows("expired")} == {True}
    assert {row.revision for row in office.rows("planned")} == {2}
    office.approve(plan.plan_id)
    office.apply()
    assert len(office.mails) == 2
    assert {row.approved_by for row in office.rows("done")} == {PERSON}
    is_matched(office)
