"""One thing is broken; it is named, and everybody else's day goes on."""

from datetime import date, timedelta
from typing import Any

from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import skips_of

TODAY = "2026-06-04"


def two_overdue(**north: Any) -> list[dict[str, Any]]:
    return [
        company(),
        customer("North", **north),
        customer("South"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("S-1", "South", "2026-06-01"),
    ]


def test_a_rule_that_fails_for_one_account_hides_nobody_else(an_office: Opens) -> None:
    # A fee that reaches past the end of the calendar for an invoice due at the end of time.
    office = an_office(*two_overdue(), policy=policy(fee=flat_fee()), today=TODAY)
    office.sandbox.ledger.change(
        "invoice", office.invoice_id("N-1"), due_on=date.max - timedelta(days=1)
    )
    plan = office.run().plan
    (skip,) = skips_of(plan, "rule_error")
    assert skip["customer"] == office.customer_id("North")
    assert "out of range" in skip["reasons"][0]["text"]
    assert not office.mails_to("North") and len(office.mails_to("South")) == 1
    assert [fee.customer_book_id for fee in office.records.fees] == ["South"]
    is_matched(office)


def test_an_unreadable_row_is_named_and_its_customer_waits(an_office: Opens) -> None:
    office = an_office(*two_overdue(), policy=policy(fee=flat_fee()), today=TODAY)
    office.sandbox.order("malformed-row=1")
    report = office.run()
    (bad,) = report.synced.quarantined
    assert bad.entity == "invoices" and bad.id in (
        office.invoice_id("N-1"),
        office.invoice_id("S-1"),
    )
    hurt, fine = ("North", "South") if bad.id == office.invoice_id("N-1") else ("South", "North")
    assert not office.mails_to(hurt) and len(office.mails_to(fine)) == 1
    assert [fee.customer_book_id for fee in office.records.fees] == [fine]
    is_matched(office)


def test_a_row_that_turns_unreadable_is_neither_paid_nor_chased(an_office: Opens) -> None:
    office = an_office(*two_overdue(), policy=policy(), today="2026-06-03")
    office.run()
    office.wake(TODAY)
    office.sandbox.ledger.change("invoice", office.invoice_id("N-1"), po="touched")
    office.sandbox.ledger.change("invoice", office.invoice_id("S-1"), po="touched")
    office.sandbox.order("malformed-row=1")
    report = office.run()
    (bad,) = report.synced.quarantined
    hurt = "North" if bad.id == office.invoice_id("N-1") else "South"
    assert not office.mails_to(hurt) and len(office.mails) == 1
    (skip,) = [s for s in report.plan.view["skips"] if s["invoice"] == bad.id]
    assert skip["code"] == "paused" and "cannot be read" in skip["reasons"][0]["text"]


def test_without_a_fee_account_reminders_go_and_the_fee_says_why_it_waits(
    an_office: Opens,
) -> None:
    office = an_office(*two_overdue(), policy=policy(fee=flat_fee()), today=TODAY, fee_setup=False)
    plan = office.run().plan
    assert len(office.mails) == 2 and not office.records.fees
    assert not any("LF-" in mail.content.decode() for mail in office.mails)
    assert (
        len(skips_of(plan, "fee_set_up_missing")) == 2
        or office.plan().skipped["fee_set_up_missing"] == 2
    )
    is_matched(office)


def test_without_mail_nothing_is_charged_silently(an_office: Opens) -> None:
    office = an_office(*two_overdue(), policy=policy(fee=flat_fee()), today=TODAY, mail=False)
    report = office.run()
    assert not office.records.fees and not office.records.notes
    assert {text for _, _, text in report.problems} == {
        "no email channel is set up (section [mail])"
    }


def test_a_template_that_breaks_for_one_customer_stops_only_its_message(
    an_office: Opens,
) -> None:
    own = (
        "{% block subject %}Invoice {{ numbers[0] }}{% endblock %}"
        '{% block opening %}{% if customer_name == "North Ltd" %}{{ 1 / 0 }}{% endif %}'
        "Please pay.{% endblock %}{% block closing %}Thank you.{% endblock %}"
    )
    office = an_office(*two_overdue(), policy=policy(fee=flat_fee()), today=TODAY)
    folder = office.home.folder(office.home.templates) and office.home.templates / "en"
    folder.mkdir()
    (folder / "overdue_1.j2").write_text(own, encoding="utf-8")
    office.reopen()
    plan = office.run().plan
    assert not office.mails_to("North") and len(office.mails_to("South")) == 1
    assert [fee.customer_book_id for fee in office.records.fees] == ["South"]
    told = skips_of(plan, "message_not_written")
    assert {skip["customer"] for skip in told} == {office.customer_id("North")}
    assert all("overdue_1" in skip["reasons"][0]["text"] for skip in told)
    assert not any("msg/" in skip["reasons"][0]["text"] for skip in told)
    assert {skip["review_on"] for skip in told} == {plan.view["on"]}
    is_matched(office)


def test_a_customer_without_an_address_is_said_and_not_charged(an_office: Opens) -> None:
    office = an_office(*two_overdue(email=""), policy=policy(fee=flat_fee()), today=TODAY)
    plan = office.run().plan
    assert len(office.mails) == 1 and len(office.records.fees) == 1
    assert {skip["customer"] for skip in skips_of(plan, "unreachable")} == {
        office.customer_id("North")
    }
