"""Notes of ours, read back into history."""

from datetime import date

import msgspec

from rules.actions.keys import effect_key, message_key, note_mark, stage_item
from rules.actions.notes import NoteFacts, Serving, note_text
from rules.decide import decide
from rules.decision import Act
from rules.found_again import FoundNote, history_of
from rules.model.book import Book
from rules.model.company import Company
from rules.model.customer import Customer
from rules.model.ids import CustomerId, InvoiceId, StageId
from rules.model.invoice import Invoice
from rules.policy.load import load_policy

TODAY = date(2026, 10, 30)
SENT = date(2026, 10, 12)
POLICY = load_policy("""
schema = 1
name = "found"

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second"
at = "due + 10d"
do = ["remind", "call"]
template = "overdue_2"

[[stage]]
id = "third"
at = "due + 20d"
do = ["remind"]
template = "overdue_3"
""")


def invoice(number: str, due: date, customer: str = "C1") -> Invoice:
    return Invoice(
        id=InvoiceId(f"id-{number}"),
        number=number,
        customer=CustomerId(customer),
        currency="GBP",
        issued_on=date(2026, 9, 1),
        due_on=due,
        total=10_000,
        balance=10_000,
    )


BOOK = Book(
    company=Company(id="acme", base_currency="GBP"),
    as_of=TODAY,
    customers={CustomerId(name): Customer(id=CustomerId(name), name=name) for name in ("C1", "C2")},
    invoices=[
        invoice("N-1", date(2026, 10, 1)),
        invoice("N-2", date(2026, 10, 8)),
        invoice("N-3", date(2026, 9, 15)),
        invoice("N-4", date(2026, 10, 20)),
        invoice("S-1", date(2026, 9, 15), "C2"),
    ],
)


def a_note(facts: NoteFacts, *, on: str = "", limit: int = 250, customer: str = "C1") -> FoundNote:
    mark = note_mark("acme", effect_key(message_key(CustomerId(customer), []), 1, "post_note"))
    return FoundNote(
        mark=mark,
        text=note_text(mark, "a reminder", facts, limit),
        on=date(2026, 10, 13),
        invoices=(InvoiceId(on),) if on else (),
        customer=None if on else CustomerId(customer),
    )


def told(*notes: FoundNote) -> set[tuple[str, str, str]]:
    found = history_of(notes, BOOK, POLICY, TODAY)
    assert all(item.is_found_again for item in found)
    return {(item.kind, str(item.invoice), str(item.stage)) for item in found}


def test_each_invoice_was_served_its_own_stage() -> None:
    note = a_note(
        NoteFacts(
            kind="reminder",
            on=SENT,
            channel="email",
            stages=(Serving("second", "1", ("N-1",)), Serving("first", "1", ("N-2",))),
        )
    )
    found = history_of([note], BOOK, POLICY, TODAY)
    assert told(note) == {
        ("reminder", "id-N-1", "second"),
        ("reminder", "id-N-2", "first"),
        ("call", "id-N-1", "second"),
    }
    reminder = next(item for item in found if item.kind == "reminder")
    assert reminder.key == stage_item("reminder", InvoiceId("id-N-1"), StageId("second"), 1)
    assert (reminder.on, reminder.message, reminder.is_contact) == (SENT, note.mark, True)
    assert not any(item.is_contact for item in found if item.kind == "call")


def test_a_note_on_one_invoice_speaks_of_that_one() -> None:
    note = a_note(
        NoteFacts(kind="reminder", on=SENT, channel="email", stages=(Serving("first", "1"),)),
        on="id-N-2",
    )
    assert told(note) == {("reminder", "id-N-2", "first")}


def test_invoices_without_room_in_the_note_count_as_served_what_they_had_come_to() -> None:
    facts = NoteFacts(
        kind="reminder",
        on=SENT,
        channel="email",
        stages=(Serving("second", "1", ("N-1",)),),
        omitted=2,
    )
    found = told(a_note(facts))
    # N-3 had come to the third stage, but the message was no firmer than the second; N-4 was not
    # due yet, and S-1 is another customer's.
    assert ("reminder", "id-N-3", "second") in found
    assert ("reminder", "id-N-2", "first") in found
    assert not {invoice for _, invoice, _ in found} & {"id-N-4", "id-S-1"}


def test_fees_that_a_message_announced_were_announced() -> None:
    facts = NoteFacts(
        kind="fee_notice", on=SENT, channel="email", fees=(Serving("late", "2026-10", ("N-1",)),)
    )
    (item,) = history_of([a_note(facts)], BOOK, POLICY, TODAY)
    assert (item.kind, item.key) == ("fee_notice", "fee_notice/id-N-1/late/2026-10")


def test_a_message_about_invoices_that_are_gone_is_still_a_contact() -> None:
    facts = NoteFacts(
        kind="reminder", on=SENT, channel="email", stages=(Serving("first", "1", ("OLD-1",)),)
    )
    (item,) = history_of([a_note(facts)], BOOK, POLICY, TODAY)
    assert (item.invoice, item.on, item.is_contact) == (None, SENT, True)


def test_an_edited_note_is_a_contact_of_the_day_that_the_ledger_names() -> None:
    note = FoundNote(
        mark="[arb:ABCDEFGHIJKL]",
        text="[arb:ABCDEFGHIJKL] reminder, and they rang back",
        on=date(2026, 10, 13),
        customer=CustomerId("C2"),
    )
    (item,) = history_of([note], BOOK, POLICY, TODAY)
    assert (item.customer, item.on, item.is_contact) == ("C2", date(2026, 10, 13), True)
    assert item.stage is None


def test_a_person_s_word_is_no_contact() -> None:
    assert told(a_note(NoteFacts(kind="promise", on=SENT, due_on=TODAY))) == set()


def test_a_stage_of_the_account_was_served_to_the_account() -> None:
    policy = load_policy(
        """
schema = 1
name = "found"

[[stage]]
id = "account"
at = "due + 3d"
do = ["remind", "call"]
template = "overdue_1"
scope = "customer"
"""
    )
    served = Serving("account", "GBP-20261004-1")
    facts = NoteFacts(kind="reminder", on=SENT, channel="email", stages=(served,))
    notes = [a_note(facts, on="id-N-1"), a_note(facts, on="id-N-2")]
    found = history_of(notes, BOOK, policy, TODAY)
    assert {(one.key, one.invoice, one.stage) for one in found} == {
        ("reminder/C1/account/GBP-20261004-1", None, "account"),
        ("call/C1/account/GBP-20261004-1", None, "account"),
    }
    assert len({one.message for one in found if one.is_contact}) == 1
    book = msgspec.structs.replace(BOOK, served=found)
    decided = decide(book, policy, TODAY)
    assert not [one for one in decided if isinstance(one, Act) and one.action.customer == "C1"]
