"""Invoices that the ledger mails, files that are attached, letters that are kept: each once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from ar_bridge.errors import UsageError
from ar_bridge.filing import MOST_BYTES, attach, safe_stem, send_again
from ar_bridge.orders import Ordered, carry_out
from ar_bridge.telling import tell
from ar_bridge.words import the_invoice
from connectors.errors import NotPermittedError
from connectors.port import Connector, Prepared, Receipt
from connectors.sandbox.rows import FileRow
from rules.actions.notes import read_note
from rules.model import Stop
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import Crash, When, Where
from tests.stories.evidence import nothing_twice
from tests.stories.stage import PERSON, Office

TODAY = "2026-06-04"

SEND_STAGE = """
[[stage]]
id = "send-it"
at = "issued + 0d"
do = ["send_invoice"]
when = { sent = ["no", "unknown"] }
"""
"""Xero does not tell an invoice that was not sent from one that was sent by other means."""


def open_office(an_office: Opens, *invoices: dict[str, Any], **options: Any) -> Office:
    office = an_office(
        company(),
        customer("North"),
        *(invoices or (invoice("N-1", "North", "2026-06-20"),)),
        **{"policy": policy(), "today": TODAY, **options},
    )
    office.run()
    return office


def send(office: Office, number: str) -> Ordered:
    with office.desk.store.write() as conn:
        found = the_invoice(conn, office.desk.book_id, number)
        return send_again(conn, office.desk, found, actor=PERSON, reason="they asked for it")


def put(office: Office, number: str, name: str, content: bytes = b"signed") -> Ordered:
    with office.desk.store.write() as conn:
        found = the_invoice(conn, office.desk.book_id, number)
        return attach(
            conn, office.desk, found, name, content, actor=PERSON, reason="proof of delivery"
        )


def files(office: Office) -> list[FileRow]:
    return [file for kept in office.sandbox.ledger.files.values() for file in kept.values()]


def notes(office: Office) -> list[str]:
    """QuickBooks keeps files among its notes: those have no text."""
    return [note.text for note in office.records.notes if note.text]


def kinds_of_notes(office: Office) -> list[str]:
    return [found.facts.kind for text in notes(office) if (found := read_note(text))]


def test_a_person_has_the_ledger_mail_an_invoice_once_a_day(an_office: Opens) -> None:
    office = open_office(an_office)
    assert carry_out(office.desk, send(office, "N-1")).applied == {"send_invoice": 1}
    (mail,) = office.records.mails
    assert mail.invoice == office.invoice_id("N-1")
    assert kinds_of_notes(office) == ["send_invoice"]
    with pytest.raises(UsageError, match="ordered before"):
        send(office, "N-1")
    office.wake("2026-06-05")
    carry_out(office.desk, send(office, "N-1"))
    assert len(office.records.mails) == 2
    assert not office.mails


def test_nobody_who_is_left_alone_is_mailed(an_office: Opens) -> None:
    office = open_office(an_office)
    north = office.customer_id("North")
    stop = Stop(
        id=f"stop/{north}/{TODAY}", customer=north, on=office.desk.today(), because="lawyer"
    )
    with office.desk.store.write() as conn:
        tell(conn, office.desk, stop, actor=PERSON)
    with pytest.raises(UsageError, match="left alone"):
        send(office, "N-1")
    office.pay("North", 120000, "N-1")
    office.run()
    with pytest.raises(UsageError, match="Nothing is open"):
        send(office, "N-1")
    assert not office.records.mails


def test_a_stage_mails_what_was_never_sent_and_the_reminder_follows(an_office: Opens) -> None:
    unsent = invoice("N-1", "North", "2026-06-10", date="2026-06-05", sent=False)
    office = open_office(
        an_office,
        unsent,
        policy=policy(stage=SEND_STAGE),
    )
    assert not office.records.mails
    for _ in office.days("2026-06-05", "2026-06-19"):
        office.run()
    (mail,) = office.records.mails
    assert mail.invoice == office.invoice_id("N-1")
    row = office.row("send_invoice", "done")
    assert (row.stage, row.approved_by) == ("send-it", "rule")
    assert len(office.mails) == 1
    assert sorted(kinds_of_notes(office)) == ["reminder", "send_invoice"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_mail_of_the_ledger_whose_answer_was_lost_waits_for_a_person(
    an_office: Opens, when: When
) -> None:
    office = open_office(an_office)
    ordered = send(office, "N-1")
    office.crash("ledger", 1, when=when)
    with pytest.raises(Crash):
        carry_out(office.desk, ordered)
    office.clock.advance(timedelta(minutes=30))
    office.reopen()
    office.run()
    office.run()
    assert len(office.records.mails) == (1 if when == "after" else 0)
    assert office.row("send_invoice", "unknown")


def test_a_file_is_attached_once_under_a_name_of_its_own(an_office: Opens) -> None:
    office = open_office(an_office)
    carry_out(office.desk, put(office, "N-1", "delivery note.pdf"))
    (file,) = files(office)
    assert file.name.startswith("delivery note-arb-") and file.name.endswith(".pdf")
    assert file.content == b"signed"
    assert kinds_of_notes(office) == ["attachment"]
    with pytest.raises(UsageError, match="ordered before"):
        put(office, "N-1", "delivery note.pdf")
    carry_out(office.desk, put(office, "N-1", "delivery note.pdf", b"another one"))
    assert len(files(office)) == 2


class MayNotAttach:
    """A connector whose connection lacks the permission for files."""

    def __init__(self, real: Connector) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        if prepared.effect == "attach_file":
            raise NotPermittedError("it lacks the permission for files", permission="files")
        return self._real.write(prepared, vendor_key)


def test_a_permission_that_lacks_holds_up_nothing_else(an_office: Opens) -> None:
    office = open_office(an_office)
    ordered = put(office, "N-1", "delivery note.pdf")
    permitted = office.desk
    office.desk = replace(permitted, connector=cast("Connector", MayNotAttach(permitted.connector)))
    carry_out(office.desk, ordered)
    assert files(office) == []
    office.desk = permitted
    office.clock.advance(timedelta(days=1))
    office.apply()
    assert len(files(office)) == 1


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("virus.exe", b"MZ", "not a kind of file"),
        ("empty.pdf", b"", "empty"),
        ("huge.pdf", b"x" * (MOST_BYTES + 1), "bytes"),
        ("none", b"x", "not a kind of file"),
    ],
)
def test_what_does_not_belong_there_is_not_attached(
    an_office: Opens, name: str, content: bytes, why: str
) -> None:
    office = open_office(an_office)
    with pytest.raises(UsageError) as refusal:
        put(office, "N-1", name, content)
    assert why in str(refusal.value)
    assert not office.rows()


def test_names_of_files_are_made_safe() -> None:
    assert safe_stem("../../etc/passwd.txt") == "passwd"
    assert safe_stem("C:\\letters\\final.pdf") == "final"
    assert safe_stem("a/b\nc\x00d:e*?.pdf") == "b_c_d_e"
    assert safe_stem(".pdf.pdf") == "pdf"
    assert safe_stem("???.pdf") == "file"
    assert len(safe_stem("x" * 300 + ".pdf")) == 80


def test_an_observing_book_mails_and_attaches_nothing(an_office: Opens) -> None:
    office = open_office(an_office, mode="observe")
    for deed in (lambda: send(office, "N-1"), lambda: put(office, "N-1", "a.pdf")):
        with pytest.raises(UsageError, match="observes"):
            deed()
    assert not office.rows()


def letters(an_office: Opens) -> Office:
    return open_office(
        an_office,
        invoice("N-1", "North", "2026-06-01"),
        invoice("N-2", "North", "2026-05-31"),
        policy=policy(stage='attach = ["letter"]'),
        mode="approve",
    )


def test_a_copy_of_the_letter_is_kept_on_each_invoice(an_office: Opens) -> None:
    office = letters(an_office)
    office.run(approve=office.approve_all)
    assert len(office.mails) == 1
    kept = files(office)
    assert len(kept) == 2 and len({file.name for file in kept}) == 2
    for file in kept:
        assert file.name.startswith("arb-")
        assert b"N-1" in file.content and b"N-2" in file.content
    assert len(notes(office)) == 1
    office.run(approve=office.approve_all)
    assert len(files(office)) == 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("where", ["ledger", "commit"])
def test_a_process_that_ends_anywhere_attaches_a_file_once(
    an_office: Opens, where: Where, when: When
) -> None:
    office = open_office(an_office)
    points = 0
    for nth in range(1, 14):
        ordered = put(office, "N-1", f"file {nth}.pdf")
        rope = office.crash(where, nth, when=when)
        try:
            carry_out(office.desk, ordered)
        except BaseException:
            if not rope.is_broken:
                raise
        office.reopen()
        office.end_leases()
        office.apply()
        assert {row.state for row in office.rows()} == {"done"}
        assert len(files(office)) == len(notes(office)) == nth
        nothing_twice(office)
        if not rope.is_broken:
            break
        points += 1
    assert points >= (2 if where == "ledger" else 4)


@pytest.mark.parametrize("nth", [1, 2, 3], ids=["note", "first letter", "second letter"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_letters_after_an_interruption(an_office: Opens, nth: int, when: When) -> None:
    office = letters(an_office)
    office.approve_all()
    office.crash("ledger", nth, when=when)
    office.apply_to_crash()
    office.reopen()
    office.end_leases()
    office.run(approve=office.approve_all)
    assert len(office.mails) == len(notes(office)) == 1
    assert len(files(office)) == 2
    assert office.row("reminder", "done")
