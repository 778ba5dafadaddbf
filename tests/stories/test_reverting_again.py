"""Undoing when the ledger was not read since, when our records are lost, and what the rules do
after it."""

from collections.abc import Sequence

import pytest

from ar_bridge.hand_off import giving
from ar_bridge.reverting import Reverted, revert
from connectors.sandbox.rows import Allocation, PaymentRow
from tests.stories import test_hand_off
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import PERSON, LedgerName, Office, skips_of

TODAY = "2026-06-04"
BOOK = [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]
REASON = "charged under the wrong terms"

CREDIT = """
[credit]
hold_overdue = "2d"
"""


@pytest.fixture(params=["xero"])
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """What is proposed does not depend on the ledger."""
    chosen: LedgerName = request.param
    return chosen


def undo(office: Office, *targets: str) -> Reverted:
    return revert(office.desk, targets, actor=PERSON, reason=REASON)


def kinds(made: Reverted) -> Sequence[str]:
    return sorted(row.kind for row in made.ordered.rows) if made.ordered is not None else []


def carry_through(office: Office, made: Reverted) -> None:
    assert made.ordered is not None
    office.approve(made.ordered.plan_id)
    assert office.apply().problems == []


def left(made: Reverted) -> str:
    return "; ".join(line.text for line in made.lines if line.verdict == "left")


def pay_fee(office: Office, amount: int) -> None:
    (fee,) = office.records.fees
    books = office.sandbox.ledger
    books.add(
        "payment",
        PaymentRow(
            customer=office.customer_id("North"),
            currency="GBP",
            on=books.today,
            amount=amount,
            allocations=(Allocation(fee.id, amount),),
            **books.new_row("payment", by="person"),
        ),
    )


def test_what_is_taken_back_and_not_read_yet_is_not_offered_again(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today=TODAY)
    office.run()
    pay_fee(office, 1000)
    office.wake("2026-06-05")
    office.run()
    (fee,) = office.records.fees
    carry_through(office, undo(office, fee.number))
    again = undo(office, fee.number)
    assert again.ordered is None
    assert "taken back already" in left(again)
    # What the ledger then says is the same.
    office.wake("2026-06-08")
    office.run()
    assert undo(office, fee.number).ordered is None


def test_a_fee_is_undone_though_our_records_of_it_are_lost(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today=TODAY)
    office.run()
    (fee,) = office.records.fees
    office.lose_the_database()
    office.wake("2026-06-05")
    office.run()
    made = undo(office, fee.number)
    assert kinds(made) == ["fee_waiver"]
    assert "not known" in left(made)
    carry_through(office, made)
    assert [one.status for one in office.records.fees] == ["void"]
    assert undo(office, fee.number).ordered is None
    for _ in office.days("2026-06-08", "2026-06-10"):
        office.run(approve=office.approve_all)
    assert [one.status for one in office.records.fees] == ["void"]


@pytest.mark.parametrize("changes", [False, True])
def test_a_hold_that_a_person_undid_rests_until_the_account_changes(
    an_office: Opens, changes: bool
) -> None:
    more = [invoice("N-2", "North", "2026-06-08")] if changes else []
    office = an_office(*BOOK, *more, policy=policy(stage=CREDIT), today=TODAY)
    office.run()
    carry_through(office, undo(office, office.row("credit_hold", "done").key))
    for day in office.days("2026-06-05", "2026-06-10"):
        plan = office.run().plan
        if day.isoformat() == "2026-06-08":
            (skip,) = skips_of(plan, "hold_undone")
            assert skip["next_on"] == "2026-07-04"
    assert len(office.rows(kind="credit_hold")) == 1
    office.wake("2026-06-11")
    office.run()
    assert len(office.rows(kind="credit_hold")) == (2 if changes else 1)
    if not changes:
        office.wake("2026-07-06")
        office.run()
        assert len(office.rows(kind="credit_hold")) == 2


def test_a_hand_off_is_recalled_by_the_person_whom_undoing_it_asks(an_office: Opens) -> None:
    office = an_office(
        *test_hand_off.BOOK,
        policy=test_hand_off.POLICY,
        today=TODAY,
        customers=test_hand_off.CUSTOMERS,
    )
    for _ in office.days("2026-06-04", "2026-06-23"):
        office.run(approve=office.approve_all)
    (placed,) = test_hand_off.placements(office)
    handed = office.row("hand_off", "done")
    made = undo(office, handed.key)
    assert "task" in kinds(made)
    mails = len(office.mails)
    carry_through(office, made)
    (task,) = [row for row in office.rows("done", kind="task") if row.key.startswith("undo/")]
    assert "ar-bridge handoff recall" in getattr(task.action, "text", "")
    # Until the collector has stopped, nothing else goes to the customer.
    office.wake("2026-06-24")
    office.run(approve=office.approve_all)
    assert test_hand_off.placements(office) == [placed]
    sorry = [mail for mail in office.mails[mails:] if "mistake" in mail.parsed()["Subject"]]
    assert len(office.mails) - mails == len(sorry) == 1
    test_hand_off.recall(office)
    assert test_hand_off.placements(office) == []
    after = undo(office, handed.key)
    assert after.ordered is None
    assert "recalled since" in left(after) or "was done" in left(after)
    # It is not handed over again by itself the next morning.
    for _ in office.days("2026-06-25", "2026-06-30"):
        office.run(approve=office.approve_all)
    with office.desk.store.read() as conn:
        assert giving.placements(conn, office.desk) == []
