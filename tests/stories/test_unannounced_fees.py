"""A fee whose message could not go out is announced by the next one that can."""

from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import Office, text_of

TODAY = "2026-06-04"


def open_office(an_office: Opens, **options: object) -> Office:
    return an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        policy=policy(fee=flat_fee()),
        today=TODAY,
        **options,
    )


def mail_is_put_off(office: Office) -> None:
    """The fee is posted, the mail server is busy just then, and nobody runs again that day."""
    office.mailbox.faults.answer_data = "451 4.3.0 try again later"
    office.run()
    assert len(office.records.fees) == 1 and not office.mails


def is_announced_once(office: Office) -> None:
    (fee,) = office.records.fees
    telling = [mail for mail in office.mails if "Late fees added" in text_of(mail)]
    (mail,) = telling
    text = text_of(mail)
    assert fee.number in text and "Late fee, £25.00, invoice N-1" in text
    told = [line for line in text.splitlines() if fee.number in line and "http" not in line]
    assert len(told) == 1, "named once, beside the line that says where to pay it"
    assert "Total to pay: £1,025.00" in text
    is_matched(office)


def test_mail_was_put_off_until_the_next_day(an_office: Opens) -> None:
    office = open_office(an_office)
    mail_is_put_off(office)
    office.wake("2026-06-05")
    office.reopen()
    office.run()
    is_announced_once(office)
    for _ in office.days("2026-06-10", "2026-06-12"):
        office.run()
    is_announced_once(office)


def test_nothing_is_left_to_remind_of_then_a_fee_notice_tells(an_office: Opens) -> None:
    office = open_office(an_office)
    mail_is_put_off(office)
    office.wake("2026-06-05")
    office.pay("North", 100_000, "N-1")
    office.run()
    (mail,) = office.mails
    (fee,) = office.records.fees
    assert mail.subject == f"Late fee {fee.number}: £25.00 on invoice N-1"
    assert office.row("fee_notice", "done").waits_for == (office.row("late_fee").key,)
    is_matched(office)


def test_a_fee_that_a_person_took_back_is_not_announced(an_office: Opens) -> None:
    office = open_office(an_office)
    mail_is_put_off(office)
    (fee,) = office.records.fees
    office.wake("2026-06-05")
    office.sandbox.ledger.void_invoice(fee.id)
    office.run()
    (mail,) = office.mails
    assert fee.number not in text_of(mail)


def test_a_refused_recipient_gets_it_at_the_new_address(an_office: Opens) -> None:
    office = open_office(an_office)
    office.mailbox.faults.refuse["ap@north.example"] = "550 5.1.1 no such user"
    office.run()
    assert office.row("reminder", "refused")
    office.wake("2026-06-05")
    plan = office.run().plan
    assert not office.mails
    (skip,) = [each for each in plan.view["skips"] if each["code"] == "unreachable"][:1]
    assert "no such user" in skip["reasons"][0]["text"]
    office.change_customer("North", email="new@north.example")
    office.wake("2026-06-08")
    office.run()
    is_announced_once(office)
    assert office.mails[0].recipients == ("new@north.example",)


def test_nothing_is_charged_that_cannot_be_announced(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("N-2", "North", "2026-06-02"),
        policy=policy(fee=flat_fee()),
        today=TODAY,
    )
    office.mailbox.faults.refuse["ap@north.example"] = "550 5.1.1 no such user"
    office.run()
    assert len(office.records.fees) == 1
    for _ in office.days("2026-06-08", "2026-06-09"):
        office.run()
    assert len(office.records.fees) == 1
    office.change_customer("North", email="new@north.example")
    office.wake("2026-06-10")
    office.run()
    (mail,) = office.mails
    assert len(office.records.fees) == 2
    assert all(fee.number in text_of(mail) for fee in office.records.fees)
    is_matched(office)


def test_found_after_all_it_is_announced(an_office: Opens) -> None:
    """The answer is lost, the process ends, and the ledger can be read again only tomorrow."""
    office = open_office(an_office)
    office.crash("ledger", 1, when="after")
    office.run_to_crash()
    office.wake("2026-06-05")
    office.reopen()
    office.run()
    assert office.row("late_fee").state == "done"
    is_announced_once(office)


def test_a_dispute_keeps_it_quiet_until_it_is_settled(an_office: Opens) -> None:
    from tests.stories.test_drift import is_disputed

    office = open_office(an_office)
    mail_is_put_off(office)
    office.wake("2026-06-05")
    is_disputed(office)
    plan = office.run().plan
    assert not office.mails
    assert {
        (skip["fee"], skip["code"]) for skip in plan.view["skips"] if skip["code"] != "fee_document"
    } == {(None, "disputed"), ("late", "disputed")}
