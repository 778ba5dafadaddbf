"""Days of a book that looks after itself: the timetable at work on a ledger and a mail server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ar_bridge.daemon.core import Core
from ar_bridge.daemon.health import Health
from ar_bridge.daemon.orders import Order, Settled
from ar_bridge.daemon.service import find_book
from ar_bridge.daemon.stopping import Stop
from ar_bridge.daemon.worker import carry_out
from ar_bridge.kill_switch import start, stop
from ar_bridge.settings import Settings
from ar_bridge.settings.daemon import DaemonSettings
from ar_bridge.store import actions as action_store
from ar_bridge.store.actions import ActionRow
from connectors.sandbox.faults import FaultOrder
from tests.stories.books import ZONE, company, customer, invoice, payment, policy
from tests.stories.conftest import Opens
from tests.stories.stage import LedgerName, Office

SATURDAY = "2026-06-06"


@pytest.fixture(params=["xero"])
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """The timetable is the same whatever the ledger is."""
    chosen: LedgerName = request.param
    return chosen


class House:
    """A daemon whose worker is this process."""

    def __init__(self, office: Office, **keys: Any) -> None:
        self.office = office
        self.settled: list[tuple[Order, Settled]] = []
        self._done: list[Settled] = []
        defaults = {"sync_every": "6h", "tokens_every": "never", "backup_at": "never"}
        daemon = DaemonSettings.model_validate({**defaults, **keys})
        self.settings: Settings = office.settings.model_copy(update={"daemon": daemon})
        self.stop = Stop()
        self.core = Core(
            store=office.desk.store,
            clock=office.clock,
            settings=self.settings,
            hands=self,
            find=find_book,
        )
        self.core.begin()

    def begin(self, order: Order) -> None:
        office = self.office
        settled = carry_out(
            order, self.settings, office.home, office.clock, self.stop, inner=office._inner
        )
        self.settled.append((order, settled))
        self._done.append(settled)

    def take(self) -> list[Settled]:
        done, self._done = self._done, []
        return done

    def cut_off(self, run: int) -> None:
        raise AssertionError(run)

    def rest(self) -> None:
        """Nothing to give back."""

    def until(self, moment: str) -> None:
        """Look at the timetable every ten minutes until a local time."""
        end = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
        while self.office.clock.now() < end:
            if not self.core.tick():
                self.office.clock.advance(timedelta(minutes=10))

    def outcomes(self, job: str) -> list[str]:
        return [settled.outcome for order, settled in self.settled if order.job == job]


def late(an_office: Opens, *more: dict[str, Any], **options: Any) -> Office:
    return an_office(
        company(),
        customer("North"),
        customer("South"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("S-1", "South", "2026-06-01"),
        *more,
        policy=policy(),
        today=SATURDAY,
        **options,
    )


def done(office: Office) -> list[ActionRow]:
    with office.desk.store.read() as conn:
        return action_store.actions_in(conn, office.desk.book_id, ("done",), kind="reminder")


def test_what_is_planned_on_a_weekend_goes_out_on_monday_in_the_send_window(
    an_office: Opens,
) -> None:
    office = late(an_office)
    house = House(office, plan_at="06:30")
    house.until("2026-06-08T08:00")
    assert done(office) == [] and office.mailbox.messages == []
    house.until("2026-06-08T18:00")
    sent = [row.ended_at.astimezone(ZoneInfo(ZONE)) for row in done(office) if row.ended_at]
    assert len(sent) == 2
    assert all(at.weekday() == 0 and 9 <= at.hour < 10 for at in sent)
    house.until("2026-06-09T08:00")
    assert len(done(office)) == len(office.mailbox.messages) == 2
    assert house.outcomes("plan") == ["done"] * 4


def test_who_pays_before_the_window_opens_hears_nothing(an_office: Opens) -> None:
    paid = payment("P-1", "North", "2026-06-07", "1000.00", N_1="1000.00")
    office = late(an_office, paid)
    house = House(office, plan_at="06:30", sync_every="never")
    house.until("2026-06-08T18:00")
    (mail,) = office.mailbox.messages
    assert "ap@south.example" in str(mail.parsed()["To"])


def test_while_it_is_stopped_nothing_goes_and_afterwards_everything(an_office: Opens) -> None:
    office = late(an_office)
    stop(office.home, reason="we look at something")
    house = House(office, plan_at="06:30")
    house.until("2026-06-08T12:00")
    assert done(office) == []
    assert "plan" in [order.job for order, _ in house.settled]
    start(office.home)
    house.until("2026-06-08T13:00")
    assert len(done(office)) == 2


def test_a_policy_that_is_broken_over_night_changes_nothing(an_office: Opens) -> None:
    office = late(an_office)
    house = House(office, plan_at="06:30")
    house.until("2026-06-07T12:00")
    office.policy_file.write_text(office.policy_file.read_text() + "\n[[stage")
    house.until("2026-06-08T18:00")
    assert len(done(office)) == 2
    (monday,) = [
        settled
        for order, settled in house.settled
        if (order.job, order.slot) == ("plan", "2026-06-08")
    ]
    assert (monday.outcome, monday.code) == ("problems", "policy")


def test_a_stopped_worker_leaves_what_it_did_not_do_to_the_next(an_office: Opens) -> None:
    office = late(an_office)
    house = House(office, plan_at="06:30")
    house.stop.tell()
    house.core.tick()
    house.core.collect()
    assert {settled.outcome for _, settled in house.settled} == {"stopped"}
    house.stop = Stop()
    house.core.begin()
    house.until("2026-06-08T18:00")
    assert len(done(office)) == 2


def test_a_machine_that_sleeps_through_the_window_wakes_nobody_at_night(an_office: Opens) -> None:
    office = late(an_office)
    house = House(office, plan_at="06:30")
    house.until("2026-06-08T07:00")
    office.clock.advance(timedelta(hours=15))  # it is ten in the evening
    house.until("2026-06-09T08:00")
    assert office.mailbox.messages == []
    house.until("2026-06-09T12:00")
    sent = [row.ended_at.astimezone(ZoneInfo(ZONE)) for row in done(office) if row.ended_at]
    assert [(at.day, at.hour) for at in sent] == [(9, 9), (9, 9)]
    assert len(office.mailbox.messages) == 2


def reasons(house: House) -> dict[str, str]:
    """Code to text of what /healthz says of the book."""
    _, body = Health(house.core, house.office.home.root, process=1).look()
    (book,) = body["books"].values()
    return {reason["code"]: reason["text"] for reason in book["reasons"]}


def test_a_mail_server_that_refuses_us_is_named_with_what_it_says(an_office: Opens) -> None:
    office = late(an_office)
    mail = office.settings.mail.model_copy(
        update={"host": "localhost", "port": office.mailbox.address[1], "security": "tls"}
    )
    house = House(office, plan_at="never", tokens_every="1h")
    house.settings = house.settings.model_copy(update={"mail": mail})
    house.until("2026-06-06T12:00")
    assert 'security = "starttls"' in reasons(house)["mail"]
    house.settings = house.settings.model_copy(update={"mail": office.settings.mail})
    house.until("2026-06-06T14:00")
    assert reasons(house) == {}


def test_calls_to_the_ledger_are_counted_where_they_are_made(an_office: Opens) -> None:
    office = late(an_office)
    before = office.sandbox.stats().reads
    house = House(office, plan_at="06:30", sync_every="never")
    house.until("2026-06-08T18:00")
    counted: dict[str, int] = {}
    for _, settled in house.settled:
        for sort, count in settled.counts.get("calls", {}).items():
            counted[sort] = counted.get(sort, 0) + count
    assert counted["read"] == office.sandbox.stats().reads - before
    assert counted["write"] >= 2


def test_a_new_connection_wakes_what_waited_for_it(an_office: Opens) -> None:
    office = late(an_office)
    office.sandbox.faults.order(FaultOrder(name="token-revoked", count=1))
    house = House(office, plan_at="06:30", sync_every="30m")
    house.until("2026-06-07T12:00")
    assert "authorization" in reasons(house)
    rested = office.clock.now()
    office._connect()
    for _ in range(8):
        house.core.tick()
    assert reasons(house) == {} and office.clock.now() == rested


def test_a_policy_that_was_saved_half_way_is_told_of_when_the_settings_are_read_anew(
    an_office: Opens,
) -> None:
    office = late(an_office)
    file = Path(str(office.book.policy))
    house = House(office, plan_at="06:30", sync_every="never", tokens_every="6h")
    house.until("2026-06-06T12:00")
    good = file.read_text()
    file.write_text(good + "\n[contact]\n")
    house.core.take_settings(house.settings)
    for _ in range(3):
        house.core.tick()
    assert reasons(house)["policy"].startswith("the policy on disk has 1 mistake")
    file.write_text(good)
    office.clock.advance(timedelta(minutes=1))
    house.core.take_settings(house.settings)
    for _ in range(3):
        house.core.tick()
    assert reasons(house) == {}
