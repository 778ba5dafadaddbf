"""An early payment discount is offered, earned, and credited in the ledger exactly once."""

from datetime import timedelta

import pytest

from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import When, Where
from tests.stories.evidence import is_matched, nothing_twice
from tests.stories.stage import Office, text_of

DISCOUNT = """
[discount]
percent = 2
within = "10d"
offer_after = "0d"
"""
BOOK = [company(), customer("North"), invoice("N-1", "North", "2026-07-01")]
ISSUED = "2026-06-01"


def offered(an_office: Opens, *, mode: str = "auto") -> Office:
    office = an_office(*BOOK, policy=policy() + DISCOUNT, today=ISSUED, mode=mode)
    office.run(approve=office.approve_all if mode == "approve" else None)
    return office


def credited(office: Office) -> int:
    """What credit notes of ours took off invoices; none of them is left over."""
    ours = [row for row in office.sandbox.ledger.credits.values() if row.by == "client"]
    assert [row.remaining for row in ours] == [0] * len(ours)
    return sum(row.total for row in ours)


def is_settled(office: Office) -> bool:
    row = office.sandbox.ledger.invoices[office.invoice_id("N-1")]
    return row.balance == 0


def test_paid_in_time_less_the_discount_it_is_credited_once(an_office: Opens) -> None:
    office = offered(an_office)
    (mail,) = office.mails
    assert mail.subject == "Invoice N-1: £20.00 off if paid by 11 June 2026"
    assert "Pay £980.00 instead by 11 June 2026" in text_of(mail)
    office.wake("2026-06-10")
    office.pay("North", 98000, "N-1")
    office.run()
    assert credited(office) == 2000 and is_settled(office)
    for _ in office.days("2026-06-11", "2026-06-14"):
        office.run()
    assert credited(office) == 2000 and len(office.mails) == 1
    is_matched(office)


def test_paid_late_nothing_is_credited_and_a_person_is_told(an_office: Opens) -> None:
    office = offered(an_office)
    office.wake("2026-06-12")
    office.pay("North", 98000, "N-1")
    for _ in office.days("2026-06-15", "2026-06-16"):
        office.run()
    assert credited(office) == 0
    assert "£" not in office.row("task", "done").action.text
    assert "20.00" in office.row("task", "done").action.text


def test_a_changed_invoice_changes_the_discount(an_office: Opens) -> None:
    office = offered(an_office, mode="approve")
    office.wake("2026-06-10")
    office.pay("North", 98000, "N-1")
    office.approve(office.run().plan.plan_id)
    # Before it is written somebody applies another payment: nothing is left to credit.
    office.pay("North", 2000, "N-1")
    office.run(approve=office.approve_all)
    assert credited(office) == 0 and is_settled(office)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("where", "nth"), [("ledger", 1), ("wire", 1), ("wire", 2), ("wire", 3)])
def test_a_crash_never_credits_twice(an_office: Opens, where: Where, nth: int, when: When) -> None:
    office = offered(an_office, mode="approve")
    office.wake("2026-06-10")
    office.pay("North", 98000, "N-1")
    office.approve(office.run().plan.plan_id)
    office.crash(where, nth, when=when)
    office.apply_to_crash()
    office.reopen()
    office.end_leases()
    office.run(approve=office.approve_all)
    office.clock.advance(timedelta(minutes=30))
    office.run(approve=office.approve_all)
    nothing_twice(office)
    assert credited(office) == 2000 and is_settled(office)


def test_it_is_not_credited_again_after_our_records_are_lost(an_office: Opens) -> None:
    office = offered(an_office)
    office.wake("2026-06-10")
    office.pay("North", 98000, "N-1")
    office.run()
    office.lose_the_database()
    for _ in office.days("2026-06-11", "2026-06-13"):
        office.run(approve=office.approve_all)
    assert credited(office) == 2000
