"""Fees and notes of several customers in one call: each judged by itself, none written twice."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.store import tables
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens, on_both_databases
from tests.stories.crashes import When
from tests.stories.evidence import is_matched, nothing_twice
from tests.stories.stage import Office

TODAY = "2026-06-04"
NAMES = ("North", "South", "East")


def several_overdue() -> list[dict[str, Any]]:
    return [
        company(),
        *(customer(name) for name in NAMES),
        *(invoice(f"N-{name}", name, "2026-06-01") for name in NAMES),
        invoice("N-more", "North", "2026-06-01"),
    ]


def approved_office(an_office: Opens) -> Office:
    office = an_office(
        *several_overdue(), policy=policy(fee=flat_fee()), today=TODAY, mode="approve"
    )
    office.approve(office.run().plan.plan_id)
    return office


def is_all_done(office: Office) -> None:
    assert {row.state for row in office.rows()} == {"done"}
    assert len(office.records.fees) == 4
    assert len(office.mails) == len(office.records.notes) == 3
    is_matched(office)


def writes(office: Office) -> int:
    return office.sandbox.stats().writes


@on_both_databases
def test_what_is_due_for_several_customers_goes_in_few_calls(an_office: Opens, ledger: str) -> None:
    office = approved_office(an_office)
    before = writes(office)
    office.apply()
    is_all_done(office)
    # Four fees in one call; QuickBooks takes the three notes in one as well.
    assert writes(office) - before == (2 if ledger == "quickbooks" else 4)


def test_a_message_goes_only_when_every_fee_that_it_announces_is_in(an_office: Opens) -> None:
    office = approved_office(an_office)
    office.crash("ledger", 1, when="before")
    office.apply_to_crash()
    assert not office.mails
    office = approved_office(an_office)
    office.crash("ledger", 1, when="after")
    office.apply_to_crash()
    assert not office.mails and len(office.records.fees) == 4


@on_both_databases
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_quick_restart_sends_the_same_batch_again(an_office: Opens, when: When) -> None:
    office = approved_office(an_office)
    office.crash("ledger", 1, when=when)
    office.apply_to_crash()
    office.reopen()
    office.end_leases()
    office.apply()
    is_all_done(office)
    nothing_twice(office)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_quick_restart_looks_first_where_keys_are_forgotten(
    an_office: Opens, ledger: str, when: When
) -> None:
    office = approved_office(an_office)
    office.crash("ledger", 1, when=when)
    office.apply_to_crash()
    office.sandbox.order("key-forgotten=20")
    if ledger == "quickbooks":
        # Xero refuses a number that is taken, always; here only our own look prevents a second fee.
        office.sandbox.order("duplicate-not-refused=20")
    office.reopen()
    office.end_leases()
    office.apply()
    is_all_done(office)
    nothing_twice(office)


@pytest.mark.parametrize("when", ["before", "after"])
def test_later_each_is_looked_for_by_itself_and_none_is_written_again(
    an_office: Opens, when: When
) -> None:
    office = approved_office(an_office)
    office.crash("ledger", 1, when=when)
    office.apply_to_crash()
    office.clock.advance(timedelta(minutes=15))
    office.reopen()
    office.apply()
    nothing_twice(office)
    if when == "after":
        is_all_done(office)
    else:
        # It cannot be told from one that was done and that the ledger does not show yet.
        fees = office.rows(kind="late_fee")
        assert {row.state for row in fees} == {"unknown"}
        assert not office.records.fees


@pytest.mark.parametrize("fault", ["drop-before-commit", "drop-after-commit"])
def test_a_lost_answer_is_asked_for_again_with_the_same_key(an_office: Opens, fault: str) -> None:
    office = approved_office(an_office)
    office.sandbox.order(f"{fault}=1")
    office.apply()
    assert office.sandbox.stats().faults == {fault: 1}
    is_all_done(office)
    nothing_twice(office)


def test_a_line_that_stays_bad_is_followed_by_a_look_for_each(an_office: Opens) -> None:
    office = approved_office(an_office)
    office.sandbox.order("drop-after-commit=12")
    report = office.apply()
    assert not report.problems
    is_all_done(office)
    nothing_twice(office)


def test_a_refused_fee_does_not_stop_the_others(an_office: Opens) -> None:
    office = approved_office(an_office)
    office.sandbox.order("duplicate-number=1")
    report = office.apply()
    ((key, outcome, _),) = report.problems
    assert outcome == "refused" and key.startswith("late_fee/")
    assert report.ledger_refusals == 1
    ours = [row.number for row in office.rows("done", kind="late_fee")]
    assert len(ours) == 3 and set(ours) <= {fee.number for fee in office.records.fees}
    # The customer whose fee was refused is not told of one.
    assert len(office.mails) == 2


@on_both_databases
def test_while_another_worker_holds_one_of_them_the_batch_is_not_sent_again(
    an_office: Opens,
) -> None:
    """Without one of its members it would be another batch, under another key."""
    office = approved_office(an_office)
    office.crash("ledger", 1, when="after")
    office.apply_to_crash()
    office.reopen()
    held = office.rows("leased", kind="late_fee")[0]
    office.end_leases()
    later = (office.clock.now() + timedelta(minutes=10)).isoformat()
    with office.desk.store.write() as conn:
        conn.execute(
            tables.actions.update().where(tables.actions.c.id == held.id).values(lease_until=later)
        )
    before = writes(office)
    report = office.apply()
    assert {outcome for _, outcome, _ in report.problems} == {"later"}
    assert writes(office) == before
    office.clock.advance(timedelta(minutes=15))
    assert not office.apply().problems
    is_all_done(office)
    nothing_twice(office)


def test_around_every_commit(an_office: Opens) -> None:
    """Group after group of customers: the process ends at the nth commit of the nth apply."""
    groups = range(1, 14)
    names = {group: [f"North{group}x{each}" for each in range(3)] for group in groups}
    everyone = [name for group in groups for name in names[group]]
    office = an_office(
        company(),
        *(customer(name) for name in everyone),
        *(invoice(f"N-{name}", name, "2026-06-01") for name in everyone),
        policy=policy(fee=flat_fee()),
        today=TODAY,
        mode="approve",
    )
    office.run()
    for group, nth in zip(groups, itertools.count(1), strict=False):
        keys = [row.key for name in names[group] for row in office.rows_of(name, "planned")]
        office.approve(*keys)
        rope = office.crash("commit", nth, when="before")
        try:
            office.apply()
        except BaseException as end:
            if not rope.is_broken:
                raise
            assert type(end).__name__ == "Crash"
        crashed = rope.is_broken
        office.clock.advance(timedelta(minutes=15))
        office.reopen()
        office.apply()
        fees = [fee.customer_book_id for fee in office.records.fees]
        for name in names[group]:
            states = {row.kind: row.state for row in office.rows_of(name)}
            assert fees.count(name) == 1
            assert states["late_fee"] == "done"
            assert states["reminder"] in ("done", "unknown")
            assert len(office.mails_to(name)) == 1 or states["reminder"] == "unknown"
        nothing_twice(office)
        if not crashed:
            break
    else:
        assert nth >= 8
