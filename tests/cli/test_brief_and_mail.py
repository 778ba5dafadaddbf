"""The brief, incoming mail and unallocated cash at the command line."""

from pathlib import Path

import pytest

from connectors.sandbox.rows import PaymentRow
from tests.cli.newcomer import Newcomer
from tests.inbound.mails import reply, report
from tests.stories.stage import LedgerName


@pytest.fixture
def ledger() -> LedgerName:
    """Mail comes in past the ledger: one is enough."""
    return "quickbooks"


def mailed(newcomer: Newcomer) -> Newcomer:
    """A book that has sent its first reminders, whose incoming mail lies in a folder."""
    newcomer.settle(mode="auto")
    folder = newcomer.home / "mail"
    folder.mkdir()
    config = newcomer.home / "config.toml"
    asked = f'\n[inbound]\npath = "{folder}"\n\n[brief]\nto = ["owner@elm.example"]\n'
    config.write_text(config.read_text() + asked)
    newcomer.done("run")
    return newcomer


def put(newcomer: Newcomer, name: str, content: bytes) -> Path:
    file = newcomer.home / "mail" / name
    file.write_bytes(content)
    return file


def test_the_brief_is_shown_written_and_mailed_once(newcomer: Newcomer) -> None:
    mailed(newcomer)
    shown = newcomer.done("brief", "--json").json
    assert shown["schema"] == 1 and shown["head"]["seq"] > 0
    page = newcomer.home / "brief.html"
    assert "OWED TO YOU" in newcomer.done("brief", "--html", str(page)).out
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "owner@elm.example" in newcomer.done("brief", "--send").out
    assert "was sent before" in newcomer.done("brief", "--send").out


def test_mail_is_taken_in_listed_shown_and_dealt_with(newcomer: Newcomer) -> None:
    mailed(newcomer)
    sent = newcomer.mailbox.messages[-1].parsed()
    put(newcomer, "1.eml", reply(str(sent["Message-ID"]), text="STOP writing to us"))
    put(newcomer, "2.eml", b"\r\n")
    told = newcomer.done("inbound", "poll", "--json").json
    assert told["kinds"] == {"reply": 1, "unreadable": 1} and len(told["problems"]) == 1
    assert newcomer.done("inbound", "poll", "--json").json["read"] == 0
    (mail,) = newcomer.done("inbound", "list", "--json").json["mails"]
    assert (mail["kind"], mail["urgent"], mail["is_sure"]) == ("reply", "stop writing", True)
    number = str(mail["id"])
    assert "STOP writing to us" in newcomer.done("inbound", "show", number).out
    assert any(hold["kind"] == "reply" for hold in newcomer.done("holds", "--json").json["holds"])
    newcomer.done("inbound", "handled", number, "--reason", "called them")
    assert newcomer.done("inbound", "list", "--json").json["mails"] == []


def test_an_address_from_which_mail_came_back_is_written_to_again_on_a_word(
    newcomer: Newcomer,
) -> None:
    mailed(newcomer)
    sent = newcomer.mailbox.messages[-1]
    (address,) = sent.recipients
    put(newcomer, "1.eml", report(str(sent.parsed()["Message-ID"]), to=address))
    newcomer.done("inbound", "poll")
    assert list(newcomer.done("inbound", "list", "--json").json["bad_addresses"]) == [address]
    newcomer.done("inbound", "trust", address, "--reason", "their server was down")
    assert newcomer.done("inbound", "list", "--json").json["bad_addresses"] == {}
    again = newcomer("inbound", "trust", address)
    assert again.code == 2 and "Nothing holds back" in again.err


def test_without_a_mailbox_nothing_is_read_and_that_is_said(newcomer: Newcomer) -> None:
    newcomer.settle(mode="auto")
    ended = newcomer("inbound", "poll")
    assert ended.code == 3 and "[inbound]" in ended.err


def test_unallocated_cash_is_shown_with_a_suggestion(newcomer: Newcomer) -> None:
    newcomer.settle()
    books = newcomer.sandbox.ledger
    books.add(
        "payment",
        PaymentRow(
            customer=newcomer.sandbox.vendor_id("customer", "West"),
            currency="GBP",
            on=books.today,
            amount=99_900,
            **books.new_row("payment", by="person"),
        ),
    )
    newcomer.tomorrow()
    newcomer.done("sync")
    (told,) = newcomer.done("cash", "--unallocated", "--json").json["unallocated"]
    assert told["grounds"] == ["exact"]
    assert [one["invoice_number"] for one in told["invoices"]] == ["INV-5"]
    assert "exactly what is open" in newcomer.done("cash", "--unallocated").out
    assert newcomer("cash", "show", "--unallocated").code == 2
