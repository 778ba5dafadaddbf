"""What only a person can know: an action of unknown outcome is ended by word, and audited."""

import subprocess
import sys
from datetime import timedelta

import pytest

from ar_bridge import audit
from ar_bridge.errors import UsageError
from ar_bridge.leased import OVERTAKEN
from ar_bridge.processes import named
from ar_bridge.settling import settle
from ar_bridge.store import tables
from tests.stories.conftest import Opens
from tests.stories.crashes import Crash
from tests.stories.stage import Office
from tests.stories.test_lost_answers import FEE, NOTE, lose_and_stop, open_office


def unknown(an_office: Opens, write: str, kind: str) -> Office:
    office = open_office(an_office)
    lose_and_stop(office, "drop-before-commit", write)
    office.clock.advance(timedelta(minutes=20))
    office.reopen()
    office.run()
    assert office.row(kind, "unknown")
    return office


def say(office: Office, kind: str, *, happened: bool) -> str:
    with office.desk.store.write() as conn:
        return settle(
            conn,
            office.desk,
            office.row(kind, "unknown"),
            happened=happened,
            actor="a person",
            reason="looked in the ledger",
        )


def test_a_fee_that_was_not_posted_is_planned_anew_and_posted_once(an_office: Opens) -> None:
    office = unknown(an_office, FEE, "late_fee")
    assert "planned anew" in say(office, "late_fee", happened=False)
    for _ in office.days("2026-06-15", "2026-06-16"):
        office.run()
    assert len(office.records.fees) == 1
    assert office.row("late_fee", "done").revision == 2


def test_a_note_that_was_not_written_is_written_and_the_mail_is_not_sent_again(
    an_office: Opens,
) -> None:
    office = unknown(an_office, NOTE, "reminder")
    assert "written again" in say(office, "reminder", happened=False)
    office.run()
    assert len(office.records.notes) == 1 and len(office.mails) == 1
    assert office.row("reminder", "done")


def test_what_happened_after_all_counts_as_done(an_office: Opens) -> None:
    office = unknown(an_office, NOTE, "reminder")
    assert "counts as done" in say(office, "reminder", happened=True)
    office.run()
    assert office.row("reminder", "done") and not office.records.notes
    with office.desk.store.read() as conn:
        events = [entry.event for entry in audit.history(conn)]
        assert audit.verify(conn) == []
    assert "OutcomeSettled" in events


def test_only_what_waits_can_be_settled(an_office: Opens) -> None:
    office = open_office(an_office)
    office.run()
    with office.desk.store.write() as conn, pytest.raises(UsageError, match="nothing to settle"):
        settle(
            conn, office.desk, office.row("reminder", "done"), happened=True, actor="a", reason=""
        )


def test_nothing_is_settled_while_a_worker_that_stood_still_has_not_ended(
    an_office: Opens,
) -> None:
    office = open_office(an_office)
    lose_and_stop(office, "drop-before-commit", FEE)
    office.reopen()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stalled:
        with office.desk.store.write() as conn:
            held = tables.actions.c.state == "leased"
            owner = named(stalled.pid)
            conn.execute(tables.actions.update().where(held).values(lease_owner=owner))
        office.clock.advance(timedelta(minutes=20))
        office.run()
        with pytest.raises(UsageError, match=f"process {stalled.pid} had") as refused:
            say(office, "late_fee", happened=False)
        assert f"kill {stalled.pid}" in refused.value.remedy
        stalled.kill()
    assert "planned anew" in say(office, "late_fee", happened=False)
    with office.desk.store.read() as conn:
        assert len(audit.history(conn, events=[OVERTAKEN])) == 1


def test_a_mail_that_was_not_sent_is_planned_anew_and_sent_once(an_office: Opens) -> None:
    office = open_office(an_office)
    office.crash("mail", 1, when="before")
    with pytest.raises(Crash):
        office.run()
    office.reopen()
    office.end_leases()
    office.run()
    assert office.row("reminder", "unknown") and not office.mails
    assert "planned anew" in say(office, "reminder", happened=False)
    for _ in office.days("2026-06-15", "2026-06-16"):
        office.run()
    assert len(office.mails) == 1
    assert office.row("reminder", "done").revision == 2
