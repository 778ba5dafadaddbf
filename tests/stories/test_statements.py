"""Statements of account go out on their day, once, and tell the whole of the account."""

from typing import Any

from tests.stories.books import company, customer, invoice, payment, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import Office, skips_of, text_of

MONTHLY = """
[[statement]]
id = "monthly"
name = "Monthly statement"
"""
BOOK: list[dict[str, Any]] = [
    company(),
    customer("North"),
    customer("South"),
    invoice("N-1", "North", "2026-06-20"),
    invoice("N-2", "North", "2026-06-25", "250.00"),
    invoice("S-1", "South", "2026-05-20", "80.00"),
    payment("P-1", "South", "2026-05-22", "80.00", S_1="80.00"),
]


def opened(an_office: Opens, extra: str = "", **more: Any) -> Office:
    return an_office(*BOOK, policy=policy() + MONTHLY + extra, today="2026-05-11", **more)


def test_a_statement_goes_out_on_its_day_and_once(an_office: Opens) -> None:
    office = opened(an_office)
    for _ in office.days("2026-05-28", "2026-06-04"):
        office.run()
    (mail,) = office.mails
    assert mail.subject == "Statement of account, 1 June 2026: £1,250.00 open"
    text = text_of(mail)
    assert "N-2" in text and "Not due: £1,250.00" in text
    assert "pay_link" not in text
    row = office.row("statement", "done")
    north = office.customer_id("North")
    assert [item.key for item in row.action.items] == [f"statement/{north}/monthly/2026-06"]
    is_matched(office)


def test_it_is_remembered_when_our_own_records_are_lost(an_office: Opens) -> None:
    office = opened(an_office)
    office.wake("2026-06-01")
    office.run()
    assert len(office.mails) == 1
    office.lose_the_database()
    for _ in office.days("2026-06-02", "2026-06-08"):
        office.run(approve=office.approve_all)
    assert len(office.mails) == 1


def test_movements_are_stated_to_a_customer_who_owes_nothing(an_office: Opens) -> None:
    office = opened(an_office, 'kind = "activity"\n')
    office.wake("2026-05-12")
    office.run()
    office.wake("2026-06-01")
    report = office.run()
    assert {skip["code"] for skip in skips_of(report.plan)} == {"statement_not_known"}
    office.pay("North", 100000, "N-1")
    office.pay("North", 25000, "N-2")
    office.wake("2026-07-01")
    office.run()
    (mail,) = office.mails
    assert mail.subject == "Statement of account, 1 July 2026: £0.00 open"
    text = text_of(mail)
    assert "Opening balance: £1,250.00" in text and "Closing balance: £0.00" in text
    assert "Payment received, thank you: -£1,000.00, balance £250.00" in text


def test_a_payment_before_sending_makes_a_new_statement(an_office: Opens) -> None:
    office = opened(an_office, mode="approve")
    office.wake("2026-06-01")
    plan = office.run().plan
    office.approve(plan.plan_id)
    office.pay("North", 40000, "N-1")
    office.run(approve=office.approve_all)
    (mail,) = office.mails
    assert "£850.00 open" in mail.subject
