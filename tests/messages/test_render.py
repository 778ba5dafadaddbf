"""What a rendered message says, to whom, and what it never says."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from ar_bridge.messages import (
    MessageError,
    Templates,
    Unreachable,
    filled_html,
    filled_text,
    render,
)
from rules.actions.action import RenderedMessage
from rules.actions.fee_claim import FeeClaim
from rules.actions.late_fee import Derivation, DerivationRow
from rules.actions.messages import SendReminder
from rules.model.book import Account
from rules.model.commitment import Dispute
from rules.model.customer import Contact
from rules.model.history import FeePosted, Served
from rules.model.ids import CustomerId, FeeId, InvoiceId, ItemKey, StageId
from tests.messages.cases import (
    COMPANY,
    ON,
    SENDER,
    account,
    customer,
    interest,
    invoice,
    reminder,
)

ALL = ("before_due", "overdue_1", "overdue_2", "overdue_3", "final_notice", "fee_notice")


def rendered(action: SendReminder, of: Account, **more: object) -> RenderedMessage:
    message = render(
        action,
        of,
        COMPANY,
        SENDER,
        **{"on": ON, "included_through": ON, **more},
    )
    assert isinstance(message, RenderedMessage), message
    return message


def plain(message: RenderedMessage) -> str:
    return " ".join(message.text.split())


@pytest.mark.parametrize("template", ALL)
def test_every_template_names_what_every_message_needs(template: str) -> None:
    one = invoice("INV-7", po="PO-9", due_ago=-5 if template == "before_due" else 26)
    charges = (interest(one),) if template == "fee_notice" else ()
    message = rendered(reminder(one, template=template), account(one), charges=charges)
    for part in (plain(message), " ".join(message.html.split())):
        for needed in (
            "INV-7",
            "PO-9",
            "£1,200.00",
            "Our bank details have not changed",
            "Payments entered in our books up to 27 October 2026",
            "4 Harbour Lane",
            "accounts@harbourlane.example",
            "{{ pay_link }}",
        ):
            assert needed in part, needed
        assert "reply" in part.lower() or "tell us" in part
    assert "INV-7" in message.subject
    assert "\n" not in message.subject
    assert message.html.startswith("<!DOCTYPE html>")
    assert not re.search(r"<img|<script|<link|url\(|https?://", message.html)


@pytest.mark.parametrize("template", ALL[:4])
def test_early_stages_keep_the_law_out(template: str) -> None:
    one = invoice("INV-7")
    message = rendered(reminder(one, template=template), account(one))
    assert not re.search(r"\b(court|legal|solicitor|proceedings)", message.text, re.IGNORECASE)
    if template == "before_due":
        assert not re.search(r"overdue|late fee", message.text, re.IGNORECASE)


def test_part_paid_and_disputed_parts_are_not_asked_for() -> None:
    one = invoice("INV-7", balance=80000)
    dispute = Dispute(id="D1", customer=CustomerId("C1"), invoices=(one.id,), on=ON, amount=20000)
    message = rendered(reminder(one, aside=20000), account(one, commitments=(dispute,)))
    text = plain(message)
    assert "Invoiced £1,200.00, paid or credited £400.00" in text
    assert "disputed or withheld £200.00, open £600.00" in text
    assert "Total to pay: £600.00" in text
    assert "£600.00" in message.subject


def test_a_part_is_set_aside_only_where_the_action_says_so() -> None:
    one = invoice("INV-7")
    for aside, asked in ((10000, "£1,100.00"), (0, "£1,200.00")):
        message = rendered(reminder(one, aside=aside), account(one))
        assert f"Total to pay: {asked}" in plain(message)


def test_credit_and_fees_lead_to_the_total() -> None:
    one, two = invoice("INV-7"), invoice("INV-8", total=5000, due_ago=4)
    message = rendered(
        reminder(one, two, template="overdue_2", unapplied=15000),
        account(one, two),
        charges=(interest(one),),
    )
    text = plain(message)
    assert "Open on these invoices: £1,250.00" in text
    assert "Less credit on your account: £150.00" in text
    assert "Plus late fees listed below: £18.35" in text
    assert "Total to pay: £1,118.35" in text
    assert "£1,100.00" in message.subject


def test_a_fee_is_announced_with_its_rule_base_rate_and_days() -> None:
    one = invoice("INV-7")
    charge = interest(one)
    message = rendered(reminder(one, template="fee_notice"), account(one), charges=(charge,))
    text = plain(message)
    assert charge.number(COMPANY.id) in text
    assert charge.number(COMPANY.id) in message.subject
    assert "18% a year on £1,200.00 for 31 days (1 Oct 2026 to 31 Oct 2026)" in text
    assert "our terms of January 2026, clause 7" in text
    assert "Each further day adds £0.5918" in text


def test_what_is_only_claimed_stands_in_a_formal_letter_beside_the_ledgers_figures() -> None:
    one = invoice("INV-7")
    claim = FeeClaim(
        invoice=one.id,
        fee=FeeId("late-interest"),
        name="Statutory interest",
        amount=1835,
        through=date(2026, 10, 27),
        per_day="216/365",
        derivation=interest(one).derivation,
    )
    message = rendered(
        reminder(one, template="final_notice", is_formal=True, claims=(claim,)), account(one)
    )
    for text in (message.text, plain(message)):
        assert "Plus what is claimed below: £18.35" in text
        assert "Total to pay: £1,218.35" in text
        assert "Statutory interest on invoice INV-7 to 27 Oct 2026: £18.35" in text
        assert "18% a year on £1,200.00 for 31 days (1 Oct 2026 to 31 Oct 2026)" in text
        assert "Each further day adds £0.5918 until payment" in text
    assert "Claimed to date, not invoiced" in message.html
    assert "Document </span>" not in message.html


def test_a_paid_invoice_accrues_no_more_and_is_not_asked_for() -> None:
    one = invoice("INV-7")
    charge = interest(one)
    paid = invoice("INV-7", balance=0, status="paid")
    message = rendered(reminder(paid, template="fee_notice"), account(paid), charges=(charge,))
    text = plain(message)
    assert "has been paid since, thank you" in text
    assert "Each further day" not in text
    assert "Open on the invoice" not in text
    assert "Total to pay: £18.35" in text


def test_a_broken_template_is_named_with_its_line(tmp_path: Path) -> None:
    own = tmp_path / "en" / "overdue_1.j2"
    own.parent.mkdir()
    body = "{% block opening %}x{% endblock %}{% block closing %}y{% endblock %}\n"
    one = invoice("INV-7")
    for broken, line in (
        (body + "\n{% block subject %}{{ nmae }}{% endblock %}", 3),
        (body + "{% block subject %}{{ name }{% endblock %}", 2),
    ):
        own.write_text(broken, encoding="utf-8")
        with pytest.raises(MessageError, match=rf"overdue_1\.j2:{line}: overdue_1 cannot be"):
            rendered(reminder(one), account(one), templates=Templates([tmp_path]))


def test_fees_charged_earlier_are_shown_apart() -> None:
    one = invoice("INV-7")
    earlier = FeePosted(
        on=date(2026, 9, 30),
        invoice=one.id,
        customer=CustomerId("C1"),
        fee=FeeId("late-interest"),
        amount=900,
        currency="GBP",
        through=date(2026, 9, 30),
        key=ItemKey("late_fee/x"),
        document="LF-OLD",
    )
    message = rendered(reminder(one, template="overdue_2"), account(one, fees=(earlier,)))
    assert "LF-OLD of 30 Sept 2026" in plain(message)
    assert "Total to pay: £1,200.00" in plain(message)


def test_earlier_mails_and_deadline_are_dated() -> None:
    one = invoice("INV-7")
    served = Served(
        on=ON - timedelta(days=7),
        kind="reminder",
        customer=CustomerId("C1"),
        invoice=one.id,
        stage=StageId("first-reminder"),
        channel="email",
        key=ItemKey("k"),
    )
    message = rendered(
        reminder(one, template="overdue_3", deadline_days=7),
        account(one, served=(served,)),
        consequences=("We will stop further deliveries on credit.",),
    )
    text = plain(message)
    assert "Despite our messages of 20 October 2026" in text
    assert "reaches us by 3 November 2026" in text
    assert "We will stop further deliveries on credit." in text


def test_also_open_invoices_are_listed_and_not_asked_for() -> None:
    one, later = invoice("INV-7"), invoice("INV-9", due_ago=-10)
    message = rendered(reminder(one, also_open=(later.id,)), account(one, later))
    assert "Also open, for your information (not in the total above) INV-9, due" in plain(message)
    assert "Total to pay: £1,200.00" in plain(message)


def test_roles_become_addresses() -> None:
    one = invoice("INV-7", email="bills@north.example; PRIYA@north.example")
    message = rendered(
        reminder(one, roles=("billing", "invoice"), cc_roles=("owner", "billing")), account(one)
    )
    assert message.to == ("priya@north.example", "bills@north.example")
    assert message.cc == ("tom@north.example",)
    assert "Hello Priya Shah," in message.text


def test_without_a_billing_contact_the_main_address_is_used() -> None:
    payer = customer(contacts=(Contact(name="Tom", email="tom@x.example", roles=("owner",)),))
    message = rendered(reminder(invoice("INV-7")), account(invoice("INV-7"), payer=payer))
    assert message.to == ("ap@north.example",)
    assert "Hello North Ltd," in message.text


@pytest.mark.parametrize(
    ("email", "said"),
    [("", "has no e-mail address for billing"), ("call first", "is not an e-mail address")],
)
def test_nobody_to_write_to_is_a_value(email: str, said: str) -> None:
    one = invoice("INV-7")
    payer = customer(email=email, contacts=())
    found = render(
        reminder(one), account(one, payer=payer), COMPANY, SENDER, on=ON, included_through=ON
    )
    assert isinstance(found, Unreachable)
    assert said in found.reason


def test_names_cannot_break_headers_html_or_slots() -> None:
    one = invoice("INV-7\r\nBcc: x@y.example")
    payer = customer(name="<b>North</b> & {{ pay_link }}", contacts=())
    message = rendered(reminder(one), account(one, payer=payer))
    assert "\n" not in message.subject
    assert "\r" not in message.subject
    assert "<b>North" not in message.html
    assert "&lt;b&gt;North&lt;/b&gt; &amp;" in message.html
    assert message.text.count("{{ pay_link }}") == 1


def test_figures_follow_the_customers_country_and_currency() -> None:
    yen = invoice("INV-88", total=1250000, currency="JPY")
    american = customer(country="US", contacts=())
    message = rendered(reminder(yen), account(yen, payer=american))
    assert "¥1,250,000" in message.text
    assert "¥1,250,000." not in message.text
    assert "October 1, 2026" in plain(message)


def test_an_unknown_language_falls_back_to_english() -> None:
    one = invoice("INV-7")
    assert rendered(reminder(one), account(one), language="fi").language == "en"


def test_the_operators_own_words_go_first(tmp_path: Path) -> None:
    own = tmp_path / "de" / "overdue_1.j2"
    own.parent.mkdir()
    own.write_text(
        "{% block subject %}Rechnung {{ numbers[0] }}{% endblock %}"
        "{% block opening %}Guten Tag{% endblock %}{% block closing %}Danke{% endblock %}",
        encoding="utf-8",
    )
    one = invoice("INV-7")
    templates = Templates([tmp_path])
    payer = customer(language="de-AT", country="AT")
    message = rendered(reminder(one), account(one, payer=payer), templates=templates)
    assert message.language == "de"
    assert message.subject == "Rechnung INV-7"
    assert "1.200,00" in message.text
    assert templates.digest() != Templates().digest()
    assert Templates().digest() == Templates().digest()


def test_a_message_that_does_not_add_up_is_never_written() -> None:
    one = invoice("INV-7")
    with pytest.raises(MessageError, match=r"come to 1200\.00 GBP, the action asks for 1199\.00"):
        rendered(reminder(one, total=119900), account(one))


def test_trouble_is_one_clear_message() -> None:
    one = invoice("INV-7")
    with pytest.raises(MessageError, match=r"no message template .overdue_9.; there are"):
        rendered(reminder(one, template="overdue_9"), account(one))
    with pytest.raises(MessageError, match="speaks of id-gone"):
        rendered(reminder(one, also_open=(InvoiceId("id-gone"),)), account(one))


def test_the_late_slot_is_filled_or_goes_with_its_line() -> None:
    one = invoice("INV-7")
    message = rendered(reminder(one), account(one))
    link = "https://pay.example/i?a=1&b=2"
    slots = ((one.number, link),)
    assert f"Pay online: {link}" in filled_text(message.text, slots)
    assert 'href="https://pay.example/i?a=1&amp;b=2"' in filled_html(message.html, slots)
    for empty in (filled_text(message.text, ()), filled_html(message.html, ())):
        assert "Pay online" not in empty
        assert "pay_link" not in empty


def test_the_same_facts_give_the_same_message() -> None:
    one, two = invoice("INV-7"), invoice("INV-8", due_ago=3)
    first = rendered(reminder(one, two), account(one, two))
    assert first == rendered(reminder(two, one), account(two, one))
    later = datetime(2026, 10, 28, tzinfo=UTC).date()
    assert first != rendered(reminder(one, two), account(one, two), on=later)


def test_a_percentage_is_explained_as_one() -> None:
    one = invoice("INV-7", total=80050)
    charge = msgspec.structs.replace(
        interest(one, amount=1201),
        derivation=Derivation(
            rows=(DerivationRow(kind="fixed", base=80050, exact="4803/400"),),
        ),
    )
    message = rendered(reminder(one, template="fee_notice"), account(one), charges=(charge,))
    assert "1.5% of £800.50: £12.0075" in plain(message)
    assert "Fixed amount" not in plain(message)


def test_several_invoices_have_a_link_each() -> None:
    one = invoice("INV-1")
    message = rendered(reminder(one), account(one))
    links = (("INV-1", "https://pay.example/1"), ("INV-20<b>", "https://pay.example/2?a&b"))
    text = filled_text(message.text, links)
    assert (
        "Pay online:\n"
        "    INV-1      https://pay.example/1\n"
        "    INV-20<b>  https://pay.example/2?a&b\n"
    ) in text
    html = filled_html(message.html, links)
    assert html.count(">Pay online INV-") == 2
    assert 'href="https://pay.example/2?a&amp;b"' in html and "INV-20&lt;b&gt;</a>" in html
    assert "pay_link" not in text + html.replace("<!-- pay_link -->", "").replace(
        "<!-- /pay_link -->", ""
    )
