"""Thanks, acknowledgements, offers of instalments and enclosed statements, as they arrive."""

from datetime import date

from rules.model.commitment import Promise
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import text_of

BOOK = [
    company(),
    customer("North"),
    invoice("N-1", "North", "2026-07-01"),
    invoice("N-2", "North", "2026-07-04", "70.00"),
]

THANK = """
[[stage]]
id = "thank-you"
at = "paid + 1d"
do = ["thank"]
"""
OFFER = """
[[stage]]
id = "instalments"
at = "due + 30d"
do = ["offer_plan"]
plan = { parts = 3, every = "1m" }
"""


def test_thanks_come_the_day_after_the_payment_and_once(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy() + THANK, today="2026-06-08")
    office.run()
    office.wake("2026-06-16")
    office.pay("North", 100000, "N-1")
    for _ in office.days("2026-06-16", "2026-06-22"):
        office.run()
    (mail,) = office.mails
    assert mail.subject == "Thank you: £1,000.00 received for invoice N-1"
    text = text_of(mail)
    assert "On other invoices £70.00 is open." in text
    assert "disregard" not in text and "Pay online" not in text
    is_matched(office)


def test_nobody_is_thanked_for_a_payment_that_was_taken_back(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy() + THANK, today="2026-06-08", mode="approve")
    office.run()
    office.wake("2026-06-16")
    office.pay("North", 100000, "N-1")
    office.wake("2026-06-17")
    office.run()
    office.approve_all()
    assert office.rows("approved", kind="thanks")
    (paid,) = [row for row in office.sandbox.ledger.payments.values() if row.amount == 100000]
    office.sandbox.ledger.change("payment", paid.id, allocations=())
    office.apply()
    assert office.rows("withdrawn", kind="thanks")
    assert not office.mails


def test_a_promise_is_confirmed_once(an_office: Opens) -> None:
    office = an_office(
        *BOOK,
        policy=policy() + "\n[commitments]\nacknowledge = true\n",
        today="2026-07-06",
    )
    office.hear(
        Promise(
            id="P-1",
            customer=office.customer_id("North"),
            invoices=(office.invoice_id("N-1"),),
            on=date(2026, 7, 6),
            amount=100000,
            currency="GBP",
            due_on=date(2026, 7, 15),
        )
    )
    for _ in office.days("2026-07-07", "2026-07-10"):
        office.run()
    (mail,) = [mail for mail in office.mails if "noted" in mail.subject]
    assert mail.subject == "Your payment by 15 July 2026: noted, thank you"
    assert "We send no reminders for this invoice until" in text_of(mail)
    is_matched(office)


def test_instalments_are_offered_to_the_penny(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy() + OFFER, today="2026-06-08")
    office.run()
    for day in ("2026-07-31", "2026-08-06", "2026-08-11"):
        office.wake(day)
        office.run()
    offers = [mail for mail in office.mails if "instalments" in mail.subject]
    assert len(offers) == 1
    text = text_of(offers[0])
    # The reminders went first, and a week is given to answer.
    assert "1. by 18 September 2026: £356.67" in text
    assert "3. by 18 November 2026: £356.66" in text
    assert "In all: £1,070.00" in text


def test_a_reminder_carries_a_statement(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(stage='attach = ["statement"]'), today="2026-07-06")
    office.run()
    (mail,) = office.mails
    (enclosed,) = mail.parsed().iter_attachments()
    assert enclosed.get_filename() == "statement-2026-07-06.html"
    page = enclosed.get_content()
    assert "&#163;1,070.00" in page and "N-2" in page and "pay_link }}" not in page
