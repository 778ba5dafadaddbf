"""A silent ledger is left alone, what fails by itself is parked, slow answers are fenced off."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from ar_bridge import audit
from ar_bridge.channels.errors import ChannelUnknownError
from ar_bridge.clock import VirtualClock
from ar_bridge.dispatcher import apply, finish
from ar_bridge.outcome import MOST_FAILURES, Outcome
from ar_bridge.settling import try_again
from ar_bridge.store import outages
from ar_bridge.writer import perform
from connectors.errors import TransientError
from connectors.port import Connector
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import PERSON, LedgerName, Office

TODAY = "2026-06-04"
NAMES = ("North", "South", "East", "West", "Upper", "Lower")


@pytest.fixture(params=["quickbooks"])
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """What fails here fails before the ledger is asked."""
    chosen: LedgerName = request.param
    return chosen


def approved(an_office: Opens, *names: str, fee: str = "") -> Office:
    events = [company()]
    for name in names:
        events += [customer(name), invoice(f"{name[0]}-1", name, "2026-06-01")]
    office = an_office(*events, policy=policy(fee=fee), today=TODAY, mode="approve")
    office.approve(office.run().plan.plan_id)
    return office


class Between:
    """A part of the desk of which the calls that send go through `act` first."""

    def __init__(self, real: Any, act: Any) -> None:
        self._real = real
        self._act = act

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in ("write", "write_batch", "send"):
            return found
        return lambda *args: self._act(found, *args)


def ledger_through(office: Office, act: Any) -> None:
    between = cast("Connector", Between(office.desk.connector, act))
    office.desk = replace(office.desk, connector=between)


def mail_through(office: Office, act: Any) -> None:
    channels: Any = {name: Between(channel, act) for name, channel in office.desk.channels.items()}
    office.desk = replace(office.desk, channels=channels)


def test_a_ledger_that_is_down_is_not_asked_for_each_action(an_office: Opens) -> None:
    office = approved(an_office, *NAMES)
    calls = 0

    def gone(_: Any, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        raise TransientError("the line is dead")

    real = office.desk.connector
    ledger_through(office, gone)
    report = office.apply()
    # Every mail went; the first notes found the ledger silent, and the rest was not tried.
    assert len(office.mails) == len(NAMES) and calls <= outages.THRESHOLD + 1
    assert any("left alone" in why for _, why in report.waits) or calls == outages.THRESHOLD
    before = calls
    office.apply()
    assert calls == before
    office.clock.advance(timedelta(minutes=2))
    office.apply()
    assert calls <= before + 2  # one tries
    with office.desk.store.read() as conn:
        outage = outages.found(conn, office.desk.book_id)
    assert outage is not None and outage.until is not None and outage.until > office.clock.now()
    office.desk = replace(office.desk, connector=real)
    office.clock.advance(timedelta(hours=2))
    office.apply()
    office.clock.advance(timedelta(minutes=10))
    office.apply()
    with office.desk.store.read() as conn:
        assert outages.found(conn, office.desk.book_id) is None
    assert len(office.records.notes) == len(office.mails) == len(NAMES)
    is_matched(office)


def test_an_action_that_keeps_failing_is_parked_and_can_be_tried_again(an_office: Opens) -> None:
    office = approved(an_office, "North")

    def fails(_: Any, *args: Any) -> Any:
        raise TransientError("error 6000 for this one")

    real = office.desk.connector
    ledger_through(office, fails)
    for _ in range(MOST_FAILURES + 2):
        office.apply()
        office.clock.advance(timedelta(hours=3))
    (parked,) = office.rows("parked")
    assert parked.ended_reason is not None
    assert f"failed {MOST_FAILURES} times" in parked.ended_reason
    assert "error 6000" in parked.ended_reason
    office.desk = replace(office.desk, connector=real)
    with office.desk.store.write() as conn:
        try_again(conn, office.desk, parked, actor=PERSON, reason="they mended it")
    office.apply()
    assert office.row("reminder", "done").failures == 0
    assert len(office.mails) == len(office.records.notes) == 1
    is_matched(office)


@pytest.mark.parametrize("policy_of_mail", ["hold", "resend"])
def test_a_mail_of_unknown_fate(an_office: Opens, policy_of_mail: Any) -> None:
    office = approved(an_office, "North")
    sent = 0

    def loses_the_first_answer(real: Any, *args: Any) -> Any:
        nonlocal sent
        sent += 1
        answer = real(*args)
        if sent == 1:
            raise ChannelUnknownError("the line broke after the last dot")
        return answer

    mail_through(office, loses_the_first_answer)
    office.desk = replace(office.desk, on_unknown=policy_of_mail)
    office.apply()
    office.clock.advance(timedelta(minutes=5))
    office.apply()
    with office.desk.store.read() as conn:
        told = audit.history(conn, events=["MessageSentAgain"])
    if policy_of_mail == "hold":
        assert office.row("reminder", "unknown") and len(office.mails) == 1 and not told
        return
    assert office.row("reminder", "done") and len(office.mails) == 2
    first, second = (mail.parsed()["Message-ID"] for mail in office.mails)
    assert first == second
    (again,) = told
    assert again.payload is not None and again.payload["message_id"] in str(first)
    office.mailbox.messages.pop()  # the copy is the only thing that is there twice


def test_a_crash_while_a_mail_goes_out_is_not_sent_again_on_another_day(an_office: Opens) -> None:
    office = approved(an_office, "North")
    office.crash("mail", 1, when="after")
    office.apply_to_crash()
    office.wake("2026-06-05")
    office.reopen()
    office.desk = replace(office.desk, on_unknown="resend")
    office.run()
    assert office.row("reminder", "unknown") and len(office.mails) == 1


def test_an_answer_that_comes_after_the_lease_is_fenced_off(an_office: Opens) -> None:
    office = approved(an_office, "North", fee=flat_fee())
    other = replace(office.desk, leases={}, worker="second")
    seen: list[Any] = []

    def slow(real: Any, *args: Any) -> Any:
        answer = real(*args)
        if not seen:
            seen.append(None)
            office.clock.advance(timedelta(minutes=11))
            # The lease ran out in the meantime, and another worker looks what became of it.
            seen.append(apply(other))
        return answer

    ledger_through(office, slow)
    fee = office.row("late_fee", "approved")
    done = perform(office.desk, fee)
    assert done.outcome is Outcome.TAKEN and "no longer ours" in done.problem
    report = seen[1]
    assert report.applied.get("late_fee") == 1 and len(office.records.fees) == 1
    apply(other)
    assert office.row("reminder", "done") and len(office.mails) == 1
    is_matched(office)


def test_after_the_clock_was_set_back_nothing_is_sent_again_by_its_age(an_office: Opens) -> None:
    office = approved(an_office, "North", fee=flat_fee())
    office.crash("ledger", 1, when="after")
    office.apply_to_crash()
    back = VirtualClock(office.clock.now() - timedelta(hours=1))
    office.reopen()
    writes = 0

    def counts(real: Any, *args: Any) -> Any:
        nonlocal writes
        writes += 1
        return real(*args)

    ledger_through(office, counts)
    # An hour before it was sent, nobody knows how old the request is: it is looked for.
    report = finish(replace(office.desk, clock=back))
    assert report.applied == {"late_fee": 1} and writes == 0
    assert len(office.records.fees) == 1
