"""Answers that never come: one document at the end, or a question to a person, never a second."""

from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.store import outbox
from connectors.errors import TransientError
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import Office

TODAY = "2026-06-04"
FEE, NOTE = "1", "2"
"""Which write of the run it is: the fee is posted first, the note follows the mail."""


def one_overdue() -> list[dict[str, Any]]:
    return [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]


def open_office(an_office: Opens, **options: Any) -> Office:
    return an_office(*one_overdue(), policy=policy(fee=flat_fee()), today=TODAY, **options)


def is_all_done(office: Office) -> None:
    assert [row.state for row in office.rows()] == ["done", "done"]
    assert len(office.records.fees) == len(office.records.notes) == len(office.mails) == 1
    is_matched(office)


@pytest.mark.parametrize("write", [FEE, NOTE], ids=["fee", "note"])
@pytest.mark.parametrize(
    "fault", ["drop-before-commit", "drop-after-commit", "http-500-after-commit"]
)
def test_a_lost_answer_is_repeated_with_the_same_key(
    an_office: Opens, fault: str, write: str
) -> None:
    office = open_office(an_office)
    office.sandbox.order(f"{fault}=1@{write}")
    report = office.run()
    assert office.sandbox.stats().faults == {fault: 1}
    assert not report.problems
    is_all_done(office)


@pytest.mark.parametrize("write", [FEE, NOTE], ids=["fee", "note"])
def test_lost_and_interrupted_it_is_looked_for_and_not_repeated(
    an_office: Opens, write: str
) -> None:
    office = open_office(an_office)
    lose_and_stop(office, "drop-after-commit", write)
    office.clock.advance(timedelta(minutes=20))
    office.reopen()
    writes = office.sandbox.stats().writes
    office.run()
    # After the fee only the note is still to be written; after the note nothing is.
    assert office.sandbox.stats().writes == writes + (1 if write == FEE else 0)
    is_all_done(office)
    found = [effect for effect in effects(office) if effect.receipt and effect.receipt.was_found]
    assert [effect.name for effect in found] == ["post_charge" if write == FEE else "post_note"]


@pytest.mark.parametrize("write", [FEE, NOTE], ids=["fee", "note"])
def test_what_cannot_be_found_is_put_to_a_person_and_never_repeated(
    an_office: Opens, write: str
) -> None:
    office = open_office(an_office)
    lose_and_stop(office, "drop-before-commit", write)
    office.clock.advance(timedelta(minutes=20))
    office.reopen()
    report = office.run()
    row = office.row("late_fee" if write == FEE else "reminder", "unknown")
    (problem,) = [text for key, _, text in report.problems if key == row.key]
    assert "cannot be found in the ledger" in problem
    for _ in office.days("2026-06-08", "2026-06-09"):
        written = office.run().total("written")
        assert "post_charge" not in written
        assert not written or write == FEE
    assert office.row(row.kind, "unknown").id == row.id
    assert len(office.records.fees) == (0 if write == FEE else 1)
    # The customer is reminded without the fee, of which nobody knows whether it was posted.
    (mail,) = office.mails
    assert (b"LF-" in mail.content) == (write == NOTE)


@pytest.mark.parametrize("write", [FEE, NOTE], ids=["fee", "note"])
def test_a_line_that_stays_bad_is_followed_by_a_look_into_the_ledger(
    an_office: Opens, write: str
) -> None:
    office = open_office(an_office)
    office.sandbox.order(f"drop-after-commit=12@{write}")
    office.run()
    is_all_done(office)


def test_an_outage_of_the_ledger_is_waited_out(an_office: Opens) -> None:
    office = open_office(an_office)
    with pytest.raises(TransientError):
        office.run(approve=lambda desk, plan: office.sandbox.order("down=60"))
    assert not office.records.fees and not office.mails
    office.sandbox.faults.lift("down")
    office.clock.advance(timedelta(hours=1))
    office.reopen()
    office.run()
    is_all_done(office)


def test_a_mail_whose_answer_never_came_is_not_sent_again(an_office: Opens) -> None:
    office = open_office(an_office)
    office.mailbox.faults.drop_after_data = 1
    report = office.run()
    row = office.row("reminder", "unknown")
    assert any("may have been delivered" in text for _, _, text in report.problems)
    for _ in office.days("2026-06-09", "2026-06-10"):
        office.reopen()
        office.run()
    assert len(office.mails) == 1
    assert office.row("reminder", "unknown").id == row.id
    assert len(office.records.fees) == 1


def test_a_mail_server_that_is_down_delays_and_loses_nothing(an_office: Opens) -> None:
    office = open_office(an_office)
    office.mailbox.stop()
    report = office.run()
    assert any("nothing was sent" in text for _, _, text in report.problems)
    assert not office.mails
    office.mail_comes_back()
    office.clock.advance(timedelta(hours=1))
    office.reopen()
    office.run()
    is_all_done(office)


def test_a_mail_that_is_put_off_goes_later_the_same_day(an_office: Opens) -> None:
    office = open_office(an_office)
    office.mailbox.faults.answer_data = "451 4.7.1 try again later"
    report = office.run()
    assert any("put the message off" in text for _, _, text in report.problems)
    office.clock.advance(timedelta(minutes=10))
    office.run()
    is_all_done(office)


def test_a_refused_recipient_is_said_and_the_fee_is_known_to_be_unannounced(
    an_office: Opens,
) -> None:
    office = open_office(an_office)
    office.mailbox.faults.refuse["ap@north.example"] = "550 5.1.1 no such user"
    report = office.run()
    assert any("no such user" in text for _, _, text in report.problems)
    assert not office.mails
    row = office.row("reminder", "refused")
    assert "no such user" in (row.ended_reason or "")
    assert len(office.records.fees) == 1


def lose_and_stop(office: Office, fault: str, write: str) -> None:
    """The write is done, or not, and the process ends before it hears of it."""
    office.crash("ledger", int(write), when="after" if fault == "drop-after-commit" else "before")
    office.run_to_crash()


def effects(office: Office) -> list[outbox.EffectRow]:
    with office.desk.store.read() as conn:
        return [effect for row in office.rows() for effect in outbox.effects_of(conn, row.id)]
