"""A late fee that a person waives is taken back once, and never charged again."""

from datetime import timedelta

import pytest

from ar_bridge.errors import UsageError
from ar_bridge.orders import Ordered, carry_out
from ar_bridge.store import waivers
from ar_bridge.waiving import to_waive, waive
from connectors.sandbox.faults import FaultOrder
from connectors.sandbox.rows import Allocation, PaymentRow
from rules.actions.notes import read_note
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import Crash, When, Where
from tests.stories.evidence import nothing_twice
from tests.stories.stage import PERSON, Office

TODAY = "2026-06-04"
BOOK = [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]


def charged(an_office: Opens, *, mode: str = "auto") -> Office:
    """An office with one late fee of 25.00 in the ledger."""
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today=TODAY, mode=mode)
    office.run(approve=office.approve_all if mode == "approve" else None)
    assert len(office.records.fees) == 1
    return office


def order_it(office: Office, name: str, amount: int | None = None) -> Ordered:
    desk = office.desk
    with desk.store.write() as conn:
        chosen = to_waive(conn, desk, name, amount=amount)
        return waive(conn, desk, chosen, actor=PERSON, reason="a good customer")


def credited(office: Office) -> int:
    """What credit notes of ours took off fees; none of them is left over."""
    ours = [row for row in office.sandbox.ledger.credits.values() if row.by == "client"]
    assert [row.remaining for row in ours] == [0] * len(ours)
    return sum(row.total for row in ours)


def pay_fee(office: Office, amount: int, document: str) -> None:
    books = office.sandbox.ledger
    books.add(
        "payment",
        PaymentRow(
            customer=office.customer_id("North"),
            currency="GBP",
            on=books.today,
            amount=amount,
            allocations=(Allocation(document, amount),),
            **books.new_row("payment", by="person"),
        ),
    )


def a_month_later(office: Office) -> None:
    for _ in office.days("2026-06-22", "2026-06-24"):
        office.run(approve=office.approve_all)


@pytest.mark.parametrize("named", ["invoice", "document", "synced document"])
def test_a_whole_fee_is_voided_and_never_comes_again(an_office: Opens, named: str) -> None:
    office = charged(an_office)
    (fee,) = office.records.fees
    if named == "synced document":
        office.run()
    ordered = order_it(office, "N-1" if named == "invoice" else fee.number)
    report = carry_out(office.desk, ordered)
    assert report.applied == {"fee_waiver": 1}
    (fee,) = office.records.fees
    assert fee.status == "void"
    told = [found for note in office.records.notes if (found := read_note(note.text))]
    (waived,) = [found.facts for found in told if found.facts.kind == "fee_waiver"]
    assert (waived.document, waived.amount, waived.currency) == (fee.number, 2500, "GBP")
    assert office.row("fee_waiver", "done").approved_by == PERSON
    a_month_later(office)
    assert len(office.records.fees) == 1
    with office.desk.store.read() as conn:
        (kept,) = waivers.listed(conn, office.desk.book_id)
        with pytest.raises(UsageError, match="Nothing was waived"):
            to_waive(conn, office.desk, fee.number)
    assert (kept.amount, kept.reason) == (2500, "a good customer")


def test_a_part_is_credited_and_then_the_rest(an_office: Opens) -> None:
    office = charged(an_office)
    carry_out(office.desk, order_it(office, "N-1", 1000))
    assert credited(office) == 1000
    office.run()
    carry_out(office.desk, order_it(office, "N-1"))
    assert credited(office) == 2500
    (fee,) = office.records.fees
    assert fee.status != "void"
    a_month_later(office)
    assert len(office.records.fees) == 1


def test_of_a_part_paid_fee_what_is_open_is_credited(an_office: Opens) -> None:
    office = charged(an_office)
    (fee,) = office.records.fees
    pay_fee(office, 600, fee.id)
    office.run()
    carry_out(office.desk, order_it(office, fee.number))
    assert credited(office) == 1900
    with office.desk.store.read() as conn:
        assert [one.amount for one in waivers.listed(conn, office.desk.book_id)] == [1900]


def test_a_paid_fee_is_a_refund_and_too_much_is_too_much(an_office: Opens) -> None:
    office = charged(an_office)
    (fee,) = office.records.fees
    with office.desk.store.read() as conn:
        with pytest.raises(UsageError) as refusal:
            to_waive(conn, office.desk, fee.number, amount=2501)
        assert "25.00" in str(refusal.value)
        with pytest.raises(UsageError, match="no fee other"):
            to_waive(conn, office.desk, "N-1", fee="other")
    pay_fee(office, 2500, fee.id)
    office.run()
    with office.desk.store.read() as conn, pytest.raises(UsageError) as refusal:
        to_waive(conn, office.desk, fee.number)
    assert "refund" in str(refusal.value)


def test_a_payment_that_nobody_has_read_yet_turns_the_void_into_a_credit(an_office: Opens) -> None:
    office = charged(an_office)
    (fee,) = office.records.fees
    ordered = order_it(office, fee.number)
    pay_fee(office, 600, fee.id)
    carry_out(office.desk, ordered)
    assert credited(office) == 1900


def test_a_payment_during_an_interruption_turns_the_void_into_a_credit(an_office: Opens) -> None:
    """The void was prepared and not sent: sent again it is refused, and prepared anew."""
    office = charged(an_office)
    (fee,) = office.records.fees
    ordered = order_it(office, fee.number)
    office.crash("ledger", 1, when="before")
    with pytest.raises(Crash):
        carry_out(office.desk, ordered)
    pay_fee(office, 600, fee.id)
    office.reopen()
    office.end_leases()
    office.run()
    office.run()
    assert credited(office) == 1900
    assert office.row("fee_waiver", "done").revision == 1


def test_an_observing_book_waives_nothing(an_office: Opens) -> None:
    office = charged(an_office)
    office.reopen(mode="observe")
    with pytest.raises(UsageError, match="observes"):
        order_it(office, "N-1")
    with office.desk.store.read() as conn:
        assert waivers.listed(conn, office.desk.book_id) == []


def test_an_order_that_the_ledger_refused_can_be_given_again(an_office: Opens) -> None:
    office = charged(an_office)
    (fee,) = office.records.fees
    ordered = order_it(office, fee.number)
    office.reject(ordered.rows[0].key)
    ordered = order_it(office, fee.number)
    assert ordered.rows[0].revision == 2
    carry_out(office.desk, ordered)
    (fee,) = office.records.fees
    assert fee.status == "void"
    with office.desk.store.read() as conn:
        assert len(waivers.listed(conn, office.desk.book_id)) == 1


def test_a_fee_that_a_person_voids_in_the_ledger_counts_as_waived(an_office: Opens) -> None:
    office = charged(an_office)
    (fee,) = office.records.fees
    office.sandbox.ledger.void_invoice(fee.id)
    a_month_later(office)
    assert len(office.records.fees) == 1
    with office.desk.store.read() as conn, pytest.raises(UsageError) as refusal:
        to_waive(conn, office.desk, fee.number)
    assert "void" in str(refusal.value)


@pytest.mark.parametrize("amount", [None, 1000], ids=["void", "credit"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("where", ["ledger", "commit"])
def test_a_process_that_ends_anywhere_takes_it_back_once(
    an_office: Opens, where: Where, when: When, amount: int | None
) -> None:
    """Customer after customer: with the nth the process ends at the nth point."""
    names = [f"North{number}" for number in range(1, 13)]
    office = an_office(
        company(),
        *(customer(name) for name in names),
        *(invoice(f"N-{name}", name, "2026-06-01") for name in names),
        policy=policy(fee=flat_fee()),
        today=TODAY,
    )
    office.run()
    points = 0
    for nth, name in enumerate(names, start=1):
        ordered = order_it(office, f"N-{name}", amount)
        rope = office.crash(where, nth, when=when)
        try:
            carry_out(office.desk, ordered)
        except BaseException:
            if not rope.is_broken:
                raise
        office.clock.advance(timedelta(seconds=30))
        office.reopen()
        office.end_leases()
        office.apply()
        (row,) = [one for one in office.rows_of(name) if one.kind == "fee_waiver"]
        assert row.state == "done"
        (fee,) = [each for each in office.records.fees if each.customer_book_id == name]
        assert (fee.status == "void") == (amount is None)
        assert credited(office) == (0 if amount is None else nth * amount)
        nothing_twice(office)
        if not rope.is_broken:
            break
        points += 1
    else:
        raise AssertionError("more points than customers")
    assert points >= (2 if where == "ledger" else 4)


@pytest.mark.parametrize("pause", [timedelta(minutes=18), timedelta(days=3)])
@pytest.mark.parametrize("amount", [None, 1000], ids=["part-paid", "part"])
@pytest.mark.parametrize("point", [(1, "after"), (2, "before"), (2, "after")], ids=str)
def test_a_process_that_ends_between_two_writes_makes_up_for_the_second(
    an_office: Opens, point: tuple[int, When], amount: int | None, pause: timedelta
) -> None:
    """However long the pause: the vendor has forgotten the key, and warns of no number twice."""
    office = charged(an_office)
    office.sandbox.faults.order(FaultOrder(name="duplicate-not-refused", count=9))
    (fee,) = office.records.fees
    pay_fee(office, 600, fee.id)
    office.run()
    ordered = order_it(office, fee.number, amount)
    nth, when = point
    office.crash("wire", nth, when=when)
    with pytest.raises(Crash):
        carry_out(office.desk, ordered)
    (half,) = [row for row in office.sandbox.ledger.credits.values() if row.by == "client"]
    taken_back = 1900 if amount is None else amount
    assert half.remaining == (0 if point == (2, "after") else taken_back)
    office.reopen()
    office.clock.advance(pause)
    office.end_leases()
    office.run()
    assert credited(office) == taken_back
    assert office.sandbox.ledger.invoices[fee.id].balance == 1900 - taken_back
    assert len([row for row in office.sandbox.ledger.credits.values() if row.by == "client"]) == 1
    office.row("fee_waiver", "done")


def test_a_waiver_that_stays_half_done_waits_for_a_person(an_office: Opens) -> None:
    """The credit is there, and the ledger loses every second write: a person is told of both."""
    office = charged(an_office)
    (fee,) = office.records.fees
    pay_fee(office, 600, fee.id)
    office.run()
    ordered = order_it(office, fee.number)
    office.crash("wire", 1, when="after")
    with pytest.raises(Crash):
        carry_out(office.desk, ordered)
    office.reopen()
    office.clock.advance(timedelta(minutes=18))
    office.end_leases()
    office.sandbox.faults.order(FaultOrder(name="drop-before-commit", count=10_000))
    for _ in range(4):
        office.apply()
        office.clock.advance(timedelta(minutes=5))
    row = office.row("fee_waiver", "unknown")
    assert row.ended_reason is not None and "but not" in row.ended_reason


INTEREST = """
[[fee]]
id = "interest"
type = "interest"
annual_rate = 36.5
from = 2026-01-01
post = "when_due"
"""


def test_who_turned_down_a_correction_is_not_asked_again_as_it_shrinks(an_office: Opens) -> None:
    """Each day accrues something of what was charged too early."""
    book = [company(), customer("North"), invoice("N-1", "North", "2026-05-01")]
    office = an_office(*book, policy=policy(fee=INTEREST), today="2026-06-04")
    office.run()
    office.pay("North", 900_00, "N-1", on="2026-05-03")
    asked = []
    for day in office.days("2026-06-05", "2026-06-09"):
        office.run()
        planned = office.rows("planned", kind="fee_waiver")
        asked += [(day, row.action.amount) for row in planned]
        if planned:
            office.reject(planned[0].key)
    assert len(asked) == 1
