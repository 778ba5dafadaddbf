"""What people told us stands in the ledger too, once, whatever happens in between."""

from datetime import date, timedelta

import pytest

from ar_bridge.store import commitments
from ar_bridge.telling import tell, tell_ended
from connectors.xero.dates import parse_day
from rules.actions.notes import NoteRead, read_note
from rules.model import Commitment, Dispute, Pause, Promise, Stop
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import When
from tests.stories.evidence import is_matched, nothing_twice
from tests.stories.stage import PERSON, Office

TODAY = date(2026, 6, 2)
BOOK = [
    company(),
    customer("North"),
    invoice("N-1", "North", "2026-06-10"),
    invoice("N-2", "North", "2026-06-12"),
]


def open_office(an_office: Opens, *, mode: str = "auto") -> Office:
    office = an_office(*BOOK, policy=policy(), today=TODAY.isoformat(), mode=mode)
    office.run()
    return office


def promise(office: Office, *numbers: str) -> Promise:
    north = office.customer_id("North")
    with office.desk.store.read() as conn:
        name = commitments.new_id(conn, office.desk.book_id, "promise", north, TODAY)
    return Promise(
        id=name,
        customer=north,
        invoices=tuple(office.invoice_id(number) for number in numbers),
        on=TODAY,
        due_on=TODAY + timedelta(days=18),
        reason="on the phone",
        actor=PERSON,
    )


def say(office: Office, commitment: Commitment) -> str:
    with office.desk.store.write() as conn:
        return tell(conn, office.desk, commitment, actor=PERSON, currency="GBP")


def the_note(office: Office) -> NoteRead:
    (note,) = office.records.notes
    found = read_note(note.text)
    assert found is not None
    return found


def expected_on(office: Office, number: str) -> date | None:
    """What the ledger itself says; QuickBooks has no such field."""
    row = office.sandbox.ledger.invoices[office.invoice_id(number)]
    said = row.extra.get("ExpectedPaymentDate")
    return parse_day(str(said)) if said else None


def test_a_promise_is_a_note_on_its_invoice_and_an_expected_date_on_xero(
    an_office: Opens, ledger: str
) -> None:
    office = open_office(an_office)
    assert "next apply" in say(office, promise(office, "N-1"))
    assert not office.records.notes
    office.run()
    (note,) = office.records.notes
    assert {key for _, key in note.targets} == {office.invoice_id("N-1")}
    read = the_note(office)
    assert (read.facts.kind, read.facts.on, read.facts.due_on) == (
        "promise",
        TODAY,
        TODAY + timedelta(days=18),
    )
    assert "on the phone" in read.text and PERSON in read.text
    assert expected_on(office, "N-1") == (read.facts.due_on if ledger == "xero" else None)
    row = office.row("note", "done")
    assert row.approved_by == PERSON
    office.run()
    is_matched(office)


def test_a_promise_on_two_invoices_names_them_where_the_note_is_on_the_customer(
    an_office: Opens, ledger: str
) -> None:
    office = open_office(an_office)
    say(office, promise(office, "N-1", "N-2"))
    office.run()
    assert the_note(office).facts.invoices == ("N-1", "N-2")
    assert expected_on(office, "N-1") is None


def test_the_second_of_a_day_says_so(an_office: Opens) -> None:
    office = open_office(an_office)
    say(office, promise(office, "N-1"))
    say(office, promise(office, "N-2"))
    office.run()
    read = [read_note(note.text) for note in office.records.notes]
    assert sorted(found.facts.ordinal for found in read if found) == [1, 2]


def test_a_dispute_and_its_end_a_stop_and_its_end(an_office: Opens) -> None:
    office = open_office(an_office)
    north = office.customer_id("North")
    contested = Dispute(
        id=f"dispute/{north}/{TODAY}",
        customer=north,
        invoices=(office.invoice_id("N-1"),),
        on=TODAY,
        amount=5000,
        reason="short delivery",
    )
    stop = Stop(id=f"stop/{north}/{TODAY}", customer=north, on=TODAY, because="lawyer")
    pause = Pause(id=f"pause/{north}/{TODAY}", customer=north, on=TODAY, until=TODAY)
    for one in (contested, stop, pause):
        say(office, one)
    office.run()
    with office.desk.store.write() as conn:
        tell_ended(
            conn,
            office.desk,
            [contested],
            kind="dispute_end",
            actor=PERSON,
            reason="they were right",
            won_by="customer",
        )
        tell_ended(conn, office.desk, [stop, pause], kind="resume", actor=PERSON, reason="")
    office.run()
    read = [read_note(note.text) for note in office.records.notes]
    facts = {found.facts.kind: found.facts for found in read if found}
    assert set(facts) == {"dispute", "stop", "pause", "dispute_end", "resume"}
    assert (facts["dispute"].amount, facts["dispute"].currency) == (5000, "GBP")
    assert facts["dispute_end"].won_by == "customer"
    assert [(end.kind, end.on) for end in facts["resume"].ends] == [
        ("stop", TODAY),
        ("pause", TODAY),
    ]
    places = {
        found.facts.kind: note.targets
        for found, note in zip(read, office.records.notes, strict=True)
        if found
    }
    assert {key for _, key in places["dispute_end"]} == {office.invoice_id("N-1")}
    assert {key for _, key in places["resume"]} == {north}


def test_an_observing_book_keeps_the_word_and_writes_nothing(an_office: Opens) -> None:
    office = open_office(an_office, mode="observe")
    assert "observes" in say(office, promise(office, "N-1"))
    office.run()
    assert not office.records.notes and not office.rows()
    with office.desk.store.read() as conn:
        assert commitments.listed(conn, office.desk.book_id)


def test_a_word_waits_for_a_ledger_that_is_away_and_for_no_plan(an_office: Opens) -> None:
    office = open_office(an_office, mode="approve")
    say(office, promise(office, "N-1"))
    office.plan()
    office.wake("2026-06-05")
    office.new_policy(policy(top='mode = "approve"'))
    office.plan()
    office.apply()
    assert the_note(office).facts.on == TODAY


def test_a_part_paid_invoice_takes_the_note_alone(an_office: Opens) -> None:
    office = open_office(an_office)
    say(office, promise(office, "N-1"))
    office.pay("North", 1000, "N-1")
    office.run()
    the_note(office)
    assert expected_on(office, "N-1") is None
    assert office.row("note", "done")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("where", ["ledger", "commit"])
def test_a_process_that_ends_anywhere_leaves_one_note(
    an_office: Opens, where: str, when: When, ledger: str
) -> None:
    """With the nth word the process ends at the nth commit, or write, of its apply."""
    office = open_office(an_office)
    points = 0
    for nth in range(1, 15):
        number = f"N-{1 + nth % 2}"
        say(office, promise(office, number))
        rope = office.crash(where, nth, when=when)
        try:
            office.apply()
        except BaseException:
            if not rope.is_broken:
                raise
        office.reopen()
        office.end_leases()
        office.apply()
        assert {row.state for row in office.rows()} == {"done"}
        assert len(office.records.notes) == nth
        nothing_twice(office)
        if not rope.is_broken:
            break
        points += 1
    else:
        raise AssertionError("more points than words")
    assert points >= (1 if where == "ledger" else 3)
    is_matched(office)
    if ledger == "xero":
        assert expected_on(office, "N-1") or expected_on(office, "N-2")
