"""Late fees of whole accounts: one document with a line for each invoice, exactly once, and read
back from the ledger after our own records are lost."""

from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.errors import UsageError
from ar_bridge.orders import carry_out
from ar_bridge.reinstating import reinstate, to_reinstate
from ar_bridge.reverting import revert
from ar_bridge.waiving import to_waive, waive
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import When
from tests.stories.evidence import nothing_twice
from tests.stories.stage import PERSON, Office, text_of

TODAY = "2026-06-30"

INTEREST = """
[[fee]]
id = "late"
name = "Late interest"
type = "interest"
annual_rate = 18
from = 2026-05-01
scope = "customer"
post = { every = "month", on = "last_business_day" }
due_in = "14d"
"""


def two_overdue() -> list[dict[str, Any]]:
    return [
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("N-2", "North", "2026-06-10"),
    ]


def an_account(an_office: Opens, **options: Any) -> Office:
    return an_office(*two_overdue(), policy=policy(fee=INTEREST), today=TODAY, **options)


def is_charged_once(office: Office) -> None:
    nothing_twice(office)
    (fee,) = office.records.fees
    assert office.row("late_fee", "done").number == fee.number
    book = _book(office)
    assert [(one.invoice, one.amount) for one in book.fees] == [
        (office.invoice_id("N-1"), 1430),
        (office.invoice_id("N-2"), 986),
    ]
    assert sum(one.amount for one in book.fees) == office.row("late_fee", "done").amount


def _book(office: Office) -> Any:
    with office.desk.store.read() as conn:
        return office.desk.load(conn, office.desk.today(), None, ())


def test_one_document_says_what_each_invoice_bears(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    is_charged_once(office)
    (mail,) = office.mails
    assert "N-1" in text_of(mail) and "N-2" in text_of(mail)
    assert "14.30" in text_of(mail) and "9.86" in text_of(mail)
    office.reopen()
    for _ in office.days("2026-07-01", "2026-07-03"):
        office.run()
    assert len(office.records.fees) == 1


def test_a_payment_of_one_invoice_leaves_the_right_rest(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    office.wake("2026-07-02")
    office.pay("North", 100_000, "N-1", on="2026-07-02")
    for _ in office.days("2026-07-31", "2026-07-31"):
        office.run()
    fees = [(one.invoice, one.amount) for one in _book(office).fees[2:]]
    # Two days of July on the one, all of it on the other.
    assert fees == [(office.invoice_id("N-1"), 99), (office.invoice_id("N-2"), 1529)]
    nothing_twice(office)


@pytest.mark.parametrize("when", ["before", "after"])
def test_around_the_write(an_office: Opens, when: When) -> None:
    office = an_account(an_office, mode="approve")
    office.approve(office.run().plan.plan_id)
    office.crash("wire", 1, when=when)
    office.apply_to_crash()
    office.clock.advance(timedelta(minutes=30))
    office.reopen()
    office.run(approve=office.approve_all)
    nothing_twice(office)
    if when == "before":
        assert office.row("late_fee", "unknown")
        assert not office.records.fees
    else:
        is_charged_once(office)


@pytest.mark.parametrize("fault", ["drop-before-commit", "drop-after-commit"])
def test_a_lost_answer(an_office: Opens, fault: str) -> None:
    office = an_account(an_office)
    office.sandbox.order(f"{fault}=1@1")
    office.run()
    assert office.sandbox.stats().faults == {fault: 1}
    is_charged_once(office)


def test_with_our_records_lost_each_invoice_still_bears_its_part(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    before = {(one.invoice, one.amount, one.account_key) for one in _book(office).fees}
    office.lose_the_database()
    office.run()
    found = _book(office).fees
    assert {(one.invoice, one.amount, one.account_key) for one in found} == before
    assert all(one.is_found_again for one in found)
    for _ in office.days("2026-07-01", "2026-07-03"):
        office.run(approve=office.approve_all)
    assert len(office.records.fees) == 1


def test_the_part_of_one_invoice_is_waived(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    (fee,) = office.records.fees
    with office.desk.store.write() as conn:
        (chosen,) = to_waive(conn, office.desk, "N-2")
        assert (chosen.amount, chosen.is_whole) == (986, False)
        ordered = waive(conn, office.desk, [chosen], actor=PERSON, reason="our delay")
    carry_out(office.desk, ordered)
    (left,) = office.records.fees
    assert (left.number, left.status) == (fee.number, "open")
    assert [row.total for row in _credits(office)] == [986]
    for _ in office.days("2026-07-01", "2026-07-03"):
        office.run()
    assert len(office.records.fees) == 1
    with office.desk.store.read() as conn, pytest.raises(UsageError, match="Nothing was waived"):
        to_waive(conn, office.desk, "N-2", amount=1)


def test_what_an_earlier_payment_makes_too_much_is_taken_back_once(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    office.wake("2026-07-03")
    office.pay("North", 100_000, "N-1", on="2026-06-20")
    office.run()
    proposed = office.row("fee_waiver", "planned")
    assert (proposed.mode, proposed.amount) == ("approve", 493)
    office.approve(proposed.key)
    office.apply()
    assert [row.total for row in _credits(office)] == [493]
    assert [one.corrected for one in _book(office).fees] == [493, 0]
    for _ in office.days("2026-07-06", "2026-07-08"):
        office.run(approve=office.approve_all)
    assert len(_credits(office)) == 1
    before = _known(office)
    office.lose_the_database()
    office.run()
    if office.ledger == "quickbooks":  # where notes are read whether or not anything is due
        assert _known(office) == before
    for _ in office.days("2026-07-09", "2026-07-10"):
        office.run(approve=office.approve_all)
    assert len(_credits(office)) == 1 and len(office.records.fees) == 1


def test_a_waiver_is_undone_and_the_fee_charged_again(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    (fee,) = office.records.fees
    with office.desk.store.write() as conn:
        chosen = to_waive(conn, office.desk, fee.number)
        carry = waive(conn, office.desk, chosen, actor=PERSON, reason="goodwill")
    carry_out(office.desk, carry)
    office.wake("2026-07-01")
    with office.desk.store.write() as conn:
        one = to_reinstate(conn, office.desk, "N-1")
        assert one.amount == 1430
        again = reinstate(conn, office.desk, one, actor=PERSON, reason="they never paid")
    carry_out(office.desk, again)
    assert [each.corrected for each in _book(office).fees] == [1430, 0]
    with office.desk.store.read() as conn, pytest.raises(UsageError, match="Nothing of N-1"):
        to_reinstate(conn, office.desk, "N-1")
    office.lose_the_database()
    office.run(approve=office.approve_all)
    for _ in office.days("2026-07-02", "2026-07-10"):
        office.run(approve=office.approve_all)
    nothing_twice(office)
    first, second = sorted(office.records.fees, key=lambda row: row.status, reverse=True)
    assert (first.number, first.status) == (fee.number, "void")
    assert (second.amount, second.status) == (1430, "open")


def _credits(office: Office) -> list[Any]:
    return [row for row in office.sandbox.ledger.credits.values() if row.by == "client"]


def _known(office: Office) -> set[Any]:
    return {(one.invoice, one.amount, one.corrected) for one in _book(office).fees}


def test_undone_the_whole_document_is_let_off_until_it_is_reinstated(an_office: Opens) -> None:
    office = an_account(an_office)
    office.run()
    (fee,) = office.records.fees
    made = revert(office.desk, [fee.number], actor=PERSON, reason="the wrong rate")
    assert made.ordered is not None
    assert sorted(row.kind for row in made.ordered.rows) == ["apology", "fee_waiver"]
    office.approve(made.ordered.plan_id)
    office.apply()
    (fee,) = office.records.fees
    assert fee.status == "void"
    assert "invoices N-1 and N-2" in " ".join(text_of(office.mails[-1]).split())
    book = _book(office)
    assert sum(one.amount for one in book.waivers) == 1430 + 986
    with office.desk.store.read() as conn:
        chosen = to_reinstate(conn, office.desk, fee.number)
    assert chosen.amount == 1430 + 986
