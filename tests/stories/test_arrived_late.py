"""A write that nobody could find arrives after all: it is adopted, its message goes out once."""

from datetime import timedelta

import pytest

from ar_bridge import audit
from ar_bridge.arrived_late import FOUND_LATE, adopt
from ar_bridge.store import outbox
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import Office
from tests.stories.test_lost_answers import FEE, NOTE, effects, lose_and_stop, open_office
from tests.stories.test_unannounced_fees import is_announced_once


def unknown(an_office: Opens, write: str = FEE) -> Office:
    """The write has not arrived when the next worker looks for it: its outcome is unknown."""
    office = open_office(an_office)
    lose_and_stop(office, "drop-before-commit", write)
    office.clock.advance(timedelta(minutes=20))
    office.reopen()
    office.apply()
    assert office.row("late_fee" if write == FEE else "reminder", "unknown")
    return office


def arrives(office: Office) -> None:
    """The worker that stood still goes on, and what it had in hand reaches the ledger."""
    (late,) = [one for one in effects(office) if one.state == "unknown"]
    assert late.request is not None and late.vendor_key is not None
    office.desk.connector.write(late.request, late.vendor_key)


def found_late(office: Office) -> int:
    with office.desk.store.read() as conn:
        return len(audit.history(conn, events=[FOUND_LATE]))


def test_a_fee_that_arrives_late_goes_out_with_its_message(an_office: Opens) -> None:
    office = unknown(an_office)
    assert not office.mails
    arrives(office)
    writes = office.sandbox.stats().writes
    office.clock.advance(timedelta(minutes=20))
    office.run()
    assert office.sandbox.stats().writes == writes + 1  # the note of the message
    is_announced_once(office)
    assert [row.state for row in office.rows()] == ["done", "done"]
    assert found_late(office) == 1
    for _ in office.days("2026-06-05", "2026-06-08"):
        office.run()
    is_announced_once(office)
    assert found_late(office) == 1


def test_an_apply_that_is_no_run_looks_too(an_office: Opens) -> None:
    office = unknown(an_office)
    arrives(office)
    office.clock.advance(timedelta(minutes=20))
    office.apply()
    is_announced_once(office)


def test_a_fee_that_arrives_after_a_reminder_without_it_is_announced_by_the_next(
    an_office: Opens,
) -> None:
    office = unknown(an_office)
    office.wake("2026-06-05")
    office.run()
    (mail,) = office.mails
    assert b"LF-" not in mail.content
    arrives(office)
    for _ in office.days("2026-06-08", "2026-06-12"):
        office.run()
    is_announced_once(office)


def test_a_note_that_arrives_late_is_not_written_again(an_office: Opens) -> None:
    office = unknown(an_office, NOTE)
    arrives(office)
    writes = office.sandbox.stats().writes
    office.run()
    assert office.sandbox.stats().writes == writes
    assert office.row("reminder", "done")
    is_matched(office)


def test_one_run_looks_once_and_writes_nothing_of_what_it_does_not_find(an_office: Opens) -> None:
    office = unknown(an_office)
    (before,) = [one for one in effects(office) if one.state == "unknown"]
    office.clock.advance(timedelta(minutes=20))
    office.run()
    (after,) = [one for one in effects(office) if one.state == "unknown"]
    assert before.last_find_at is not None and after.last_find_at is not None
    assert after.last_find_at > before.last_find_at
    assert after.attempts == before.attempts and found_late(office) == 0
    assert not office.records.fees


def test_a_mail_is_never_looked_for(an_office: Opens) -> None:
    office = open_office(an_office)
    office.mailbox.faults.drop_after_data = 1
    office.run()
    assert office.row("reminder", "unknown")
    office.clock.advance(timedelta(minutes=20))
    office.run()
    assert office.row("reminder", "unknown") and found_late(office) == 0


def test_a_fee_of_another_number_waits_for_a_person(
    an_office: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = unknown(an_office)
    arrives(office)
    monkeypatch.setattr("ar_bridge.arrived_late.difference", lambda *_: "another number")
    office.clock.advance(timedelta(minutes=20))
    office.run()
    row = office.row("late_fee", "parked")
    assert row.ended_reason == "another number"
    with office.desk.store.read() as conn:
        (effect, *_) = outbox.effects_of(conn, row.id)
    assert effect.receipt is not None


def test_a_ledger_that_does_not_answer_ends_the_search(an_office: Opens) -> None:
    office = unknown(an_office)
    arrives(office)
    office.sandbox.order("down=60")
    assert adopt(office.desk) == []
    assert office.row("late_fee", "unknown")
    office.sandbox.faults.lift("down")
    assert adopt(office.desk) == [office.row("late_fee", "approved").key]
