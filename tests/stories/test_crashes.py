"""The process ends at every boundary of one fee and one reminder; the next one carries on."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens, on_both_databases
from tests.stories.crashes import When
from tests.stories.evidence import is_matched, nothing_twice
from tests.stories.stage import Office

TODAY = "2026-06-04"


def approved_office(an_office: Opens, ledger_events: list[dict[str, Any]] | None = None) -> Office:
    office = an_office(
        *(ledger_events or one_overdue()),
        policy=policy(fee=flat_fee()),
        today=TODAY,
        mode="approve",
    )
    office.approve(office.run().plan.plan_id)
    return office


def one_overdue() -> list[dict[str, Any]]:
    return [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]


def carry_on(office: Office) -> None:
    """A new process, once the lease of the old one has run out, and a person to approve."""
    office.clock.advance(timedelta(minutes=30))
    office.reopen()
    office.run(approve=office.approve_all)


def may_not_repeat_or_lose(office: Office) -> None:
    nothing_twice(office)
    (fee,) = office.records.fees
    assert office.row("late_fee", "done").number == fee.number
    (message,) = [row for row in office.rows("done", "unknown", "parked") if row.message]
    if message.state == "done":
        assert len(office.mails) == len(office.records.notes) == 1
        is_matched(office)
    else:
        assert len(office.mails) <= 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2], ids=["fee", "note"])
def test_around_a_write_to_the_ledger(an_office: Opens, nth: int, when: When) -> None:
    office = approved_office(an_office)
    office.crash("ledger", nth, when=when)
    office.apply_to_crash()
    carry_on(office)
    nothing_twice(office)
    kind = "late_fee" if nth == 1 else "reminder"
    if when == "before":
        # It cannot be told from one that was done and that the ledger does not show yet.
        assert office.row(kind, "unknown")
        assert len(office.records.fees) == nth - 1
    else:
        may_not_repeat_or_lose(office)
        assert office.row(kind, "done")


@pytest.mark.parametrize("nth", [1, 2], ids=["fee", "note"])
def test_a_quick_restart_repeats_the_same_bytes(an_office: Opens, nth: int) -> None:
    office = approved_office(an_office)
    office.crash("ledger", nth, when="before")
    office.apply_to_crash()
    office.reopen()
    office.end_leases()
    office.run(approve=office.approve_all)
    may_not_repeat_or_lose(office)
    assert {row.state for row in office.rows()} == {"done"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_around_a_mail_nobody_can_tell_and_it_is_held(an_office: Opens, when: When) -> None:
    office = approved_office(an_office)
    office.crash("mail", 1, when=when)
    office.apply_to_crash()
    carry_on(office)
    assert office.row("reminder", "unknown")
    assert len(office.mails) == (1 if when == "after" else 0)
    for _ in office.days("2026-06-09", "2026-06-10"):
        office.run(approve=office.approve_all)
    assert len(office.mails) == (1 if when == "after" else 0)
    may_not_repeat_or_lose(office)


@on_both_databases
def test_around_every_commit(an_office: Opens, ledger: str) -> None:
    """Customer after customer: with the nth the process ends at the nth commit of its apply."""
    names = [f"North{number}" for number in range(1, 21)]
    office = an_office(
        company(),
        *(customer(name) for name in names),
        *(invoice(f"N-{name}", name, "2026-06-01") for name in names),
        policy=policy(fee=flat_fee()),
        today=TODAY,
        mode="approve",
    )
    office.run()
    points = 0
    for name, nth in zip(names, itertools.count(1), strict=False):
        office.approve(*(row.key for row in office.rows_of(name, "planned")))
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
        assert [fee.customer_book_id for fee in office.records.fees].count(name) == 1
        sent = office.mails_to(name)
        states = {row.kind: row.state for row in office.rows_of(name)}
        assert states["late_fee"] == "done"
        assert states["reminder"] in ("done", "unknown")
        assert len(sent) == 1 or states["reminder"] == "unknown"
        nothing_twice(office)
        if not crashed:
            break
        points += 1
    else:
        raise AssertionError("more commits than customers")
    assert points >= 8
