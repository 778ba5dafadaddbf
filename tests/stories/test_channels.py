"""By letter, by text message, or by whatever else reaches the customer: one contact, once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from ar_bridge.channels import Gateway, WebhookChannel
from ar_bridge.settings import GatewaySettings
from rules.actions.internal import OpenTask
from rules.actions.notes import read_note
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import Office, skips_of, text_of

TODAY = "2026-06-04"
STREET = ["1 High Street", "Leeds LS1 1AA"]
GATEWAY = {"url": "http://127.0.0.1:9/messages", "secret": "shared", "sms": True}


def office_of(an_office: Opens, stage: str, **north: Any) -> Office:
    events = [company(), customer("North", **north), invoice("N-1", "North", "2026-06-01")]
    return an_office(*events, policy=policy(stage=stage), today=TODAY)


def letters(office: Office) -> list[Path]:
    return sorted(office.home.letters.rglob("*.html"))


def contacts(office: Office) -> int:
    """What counts against the contact budget."""
    with office.desk.store.read() as conn:
        book = office.desk.load(conn, office.desk.today(), None, ())
    return len({one.message for one in book.served if one.is_contact})


def noted(office: Office) -> str:
    (note,) = office.records.notes
    found = read_note(note.text)
    assert found is not None and found.facts.kind == "reminder"
    return note.text


def test_mail_and_letter_are_one_contact(an_office: Opens) -> None:
    office = office_of(an_office, 'channels = ["email", "letter"]', address=STREET)
    office.run()
    (mail,) = office.mails
    (letter,) = letters(office)
    page = letter.read_text(encoding="utf-8")
    assert "North Ltd<br>\n1 High Street" in page
    assert "1,000.00" in page and "1,000.00" in text_of(mail)
    assert contacts(office) == 1
    assert "by email and letter" in noted(office)
    office.run()
    assert len(office.mails) == len(letters(office)) == 1


def test_without_an_address_a_letter_goes(an_office: Opens) -> None:
    stage = 'channels = ["email"]\nfallback = ["sms", "letter"]'
    office = office_of(an_office, stage, email="", address=STREET)
    office.run()
    assert not office.mails and len(letters(office)) == 1
    assert "by letter to North Ltd, 1 High Street" in noted(office)
    office.run()
    task = office.row("task", "done")
    assert isinstance(task.action, OpenTask) and "letters/2026-06-04" in task.action.text
    assert letters(office)[0].parent.name == "2026-06-04"
    office.wake("2026-06-05")
    office.run()
    assert len(office.rows("done", kind="task")) == 1
    assert (contacts(office), office.row("reminder", "done").channel) == (1, "letter")


def test_a_fee_does_not_wait_for_an_address_where_letters_are_written(an_office: Opens) -> None:
    rules = policy(fee=flat_fee()).replace('do = ["remind"]', 'do = ["note"]')
    office = an_office(
        company(),
        customer("North", email="", address=STREET),
        invoice("N-1", "North", "2026-06-01"),
        policy=rules.replace("[contact]", '[contact]\nfallback = ["letter"]'),
        today=TODAY,
    )
    office.run()
    for _ in office.days("2026-06-05", "2026-06-10"):
        office.run()
    assert len(office.records.fees) == 1
    assert "Late fee" in letters(office)[0].read_text(encoding="utf-8")
    assert office.row("fee_notice", "done").channel == "letter"
    assert "letters/" in office.row("task", "done").action.text


def test_where_nothing_reaches_the_customer_every_reason_is_told(an_office: Opens) -> None:
    office = office_of(an_office, 'fallback = ["sms", "letter"]', email="")
    office.run()
    (skip,) = skips_of(office.plan(), "unreachable")
    (said,) = skip["reasons"]
    for part in ("no e-mail address", "no sms channel", "no postal address"):
        assert part in said["text"]


def test_an_interrupted_letter_is_written_again_and_is_still_one(an_office: Opens) -> None:
    office = office_of(an_office, 'channels = ["letter"]', address=STREET)
    office.crash("mail", 1, when="after")
    office.run_to_crash()
    assert len(letters(office)) == 1
    office.reopen()
    office.end_leases()
    office.run()
    assert len(letters(office)) == 1
    assert office.row("reminder", "done").channel == "letter"


def test_a_text_message_is_short_and_goes_to_the_number(an_office: Opens) -> None:
    office = office_of(an_office, 'channels = ["sms"]', phone="+44 20 7946 0000")
    office.reopen(gateway=GatewaySettings.model_validate(GATEWAY))
    taken: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        taken.append(request)
        return httpx.Response(202)

    gateway = Gateway(url=str(GATEWAY["url"]), secret="shared")
    way = WebhookChannel(gateway, office.clock, name="sms", transport=httpx.MockTransport(take))
    office.desk = replace(office.desk, channels={**office.desk.channels, "sms": way})
    office.run()
    (request,) = taken
    content = request.content.decode()
    assert "7946 0000" in content.replace("-", " ") and '"html":""' in content
    assert contacts(office) == 1
    office.run()
    assert len(taken) == 1


def test_a_letter_that_a_refused_address_makes_necessary(an_office: Opens) -> None:
    office = office_of(an_office, 'fallback = ["letter"]', address=STREET)
    office.mailbox.faults.refuse["ap@north.example"] = "550 5.1.1 no such user"
    office.run()
    assert not office.mails and not letters(office)
    office.wake("2026-06-05")
    office.run()
    assert len(letters(office)) == 1


def test_a_stage_is_signed_by_somebody(an_office: Opens) -> None:
    office = office_of(an_office, 'signed_by = "Ada Marsh"')
    office.run()
    (mail,) = office.mails
    assert "Ada Marsh" in text_of(mail)
