"""The kill switch halts before the next effect, wherever a process is, and all goes on later."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from ar_bridge import audit, kill_switch
from ar_bridge.cli.apply_text import exit_code
from ar_bridge.dispatcher import apply
from ar_bridge.store import halts
from connectors.port import Connector
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import PERSON, Office

TODAY = "2026-06-04"
NAMES = ("North", "South", "East")


def open_office(an_office: Opens, mode: str = "auto") -> Office:
    events = [company()]
    for name in NAMES:
        events += [customer(name), invoice(f"{name[0]}-1", name, "2026-06-01")]
    return an_office(*events, policy=policy(fee=flat_fee()), today=TODAY, mode=mode)


class Telling:
    """A part of the desk that does something after each of its calls that send."""

    def __init__(self, real: Any, then: Callable[[], object]) -> None:
        self._real = real
        self._then = then

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in ("write", "write_batch", "send"):
            return found

        def told(*args: Any) -> Any:
            answer = found(*args)
            self._then()
            return answer

        return told


def test_while_the_file_is_there_plans_are_made_and_nothing_goes_out(an_office: Opens) -> None:
    office = open_office(an_office)
    kill_switch.stop(office.home, reason="the bookkeeper asked")
    report = office.run()
    assert report.plan.view["actions"] and not office.mails and not office.records.fees
    (halted,) = {one.halted for one in report.applied if one.halted}
    assert "the bookkeeper asked" in halted
    assert not report.problems and not office.rows("leased")
    assert exit_code(report.applied) == 1
    assert [file.name for file in kill_switch.start(office.home)] == ["STOP"]
    assert kill_switch.start(office.home) == []
    assert exit_code(office.run().applied) == 0
    assert len(office.mails) == len(office.records.fees) == 3
    is_matched(office)


def test_a_file_made_by_hand_stops_one_book_and_no_other(an_office: Opens) -> None:
    office = open_office(an_office)
    (office.home.root / "STOP.story").touch()
    assert "no reason given" in kill_switch.stopped_because(office.home, "story")
    assert kill_switch.stopped_because(office.home, "another") == ""
    office.run()
    assert not office.mails
    (office.home.root / "STOP.story").unlink()
    office.run()
    assert len(office.mails) == 3


def test_it_halts_in_the_middle_of_a_wave_and_goes_on_there(an_office: Opens) -> None:
    office = open_office(an_office)

    def stop() -> None:
        kill_switch.stop(office.home, reason="now")

    # The first thing that reaches the ledger is the last one.
    office.desk = replace(
        office.desk, connector=cast("Connector", Telling(office.desk.connector, stop))
    )
    report = office.run()
    assert report.applied[-1].halted
    assert not office.mails and len(office.records.fees) in (1, 3)  # one call: alone, or a batch
    assert not office.rows("leased")
    kill_switch.start(office.home)
    office.reopen()
    office.run()
    assert len(office.mails) == len(office.records.fees) == len(office.records.notes) == 3
    is_matched(office)


def test_it_halts_in_the_middle_of_an_action(an_office: Opens) -> None:
    office = open_office(an_office)
    (office.home.root / "STOP").unlink(missing_ok=True)
    channels = {
        name: cast(Any, Telling(channel, lambda: kill_switch.stop(office.home, reason="now")))
        for name, channel in office.desk.channels.items()
    }
    office.desk = replace(office.desk, channels=channels)
    report = office.run()
    # One mail went, and its note is still to be written.
    assert len(office.mails) == 1 and not office.records.notes and report.applied[-1].halted
    kill_switch.start(office.home)
    office.reopen()
    office.run()
    assert len(office.mails) == len(office.records.notes) == 3
    is_matched(office)


def test_another_machine_stops_by_the_database(an_office: Opens) -> None:
    office = open_office(an_office, mode="approve")
    office.approve(office.run().plan.plan_id)
    desk = office.desk
    with desk.store.write() as conn:
        kill_switch.record_stop(
            conn, [desk.book_id], reason="over there", actor=PERSON, now=office.clock.now()
        )
    assert "over there" in apply(desk).halted
    assert not office.mails and not office.records.fees
    with desk.store.write() as conn:
        (ended,) = kill_switch.record_start(
            conn, [desk.book_id], reason="fine again", actor=PERSON, now=office.clock.now()
        )
        assert ended.kind == halts.STOP and not halts.standing(conn, desk.book_id)
    apply(desk)
    assert len(office.mails) == 3
    with desk.store.read() as conn:
        told = audit.history(conn, events=["BookStopped", "BookStarted"])
    assert [(entry.event, entry.actor) for entry in reversed(told)] == [
        ("BookStopped", PERSON),
        ("BookStarted", PERSON),
    ]
