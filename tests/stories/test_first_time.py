"""The first time goes in small number, and what is out of the ordinary goes not at all."""

from datetime import date, timedelta

from ar_bridge import audit, canary, kill_switch, reconciling
from ar_bridge.store import halts
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import PERSON, Office

TODAY, TOMORROW = "2026-06-04", "2026-06-05"
FEW = policy(limits="first_apply = 2")
MANY = tuple(f"C{n:02}" for n in range(14))


def open_office(an_office: Opens, *names: str, due: str = "2026-06-01", text: str = FEW) -> Office:
    events = [company()]
    for name in names:
        events += [customer(name), invoice(f"{name}-1", name, due)]
    return an_office(*events, policy=text, today=TODAY, mode="auto")


def test_a_book_goes_on_by_itself_on_the_next_day(an_office: Opens) -> None:
    office = open_office(an_office, "North", "South", "East", "West")
    office.run()
    office.clock.advance(timedelta(hours=1))
    office.run()
    assert len(office.mails) == 2
    assert {row.waits_why for row in office.rows("planned")} == {canary.WAITS}
    office.wake(TOMORROW)
    office.run()
    assert len(office.mails) == 4
    is_matched(office)


def test_or_when_a_person_has_released_what_waits(an_office: Opens) -> None:
    office = open_office(an_office, "North", "South", "East", "West")
    office.run()
    office.approve(office.rows("planned")[0].key)
    office.run()
    assert len(office.mails) == 4
    with office.desk.store.read() as conn:
        (proved,) = audit.history(conn, events=["PolicyProved"])
    assert proved.actor == PERSON


def test_not_where_one_of_the_first_came_to_grief(an_office: Opens) -> None:
    office = open_office(an_office, "North", "South", "East", "West")
    office.crash("mail", 1, when="after")
    office.run_to_crash()
    office.clock.advance(timedelta(minutes=30))
    office.reopen()
    office.wake(TOMORROW)
    office.run()
    assert office.rows("unknown")
    assert len(office.mails) == 2


def test_a_policy_that_decides_otherwise_is_tried_anew_and_another_name_is_not(
    an_office: Opens,
) -> None:
    names = ("North", "South", "East", "West")
    office = open_office(an_office, *names)
    office.run()
    office.wake(TOMORROW)
    office.run()
    assert len(office.mails) == 4
    office.new_policy(
        FEW.replace('name = "story"', 'name = "tale"').replace("apply = 2", "apply = 1")
    )
    with office.desk.store.write() as conn:
        assert canary.room(conn, office.desk) is None
    office.new_policy(FEW.replace("due + 10d", "due + 11d"))
    office.wake("2026-06-12")
    office.run()
    # Four second reminders are due: two go.
    assert len(office.mails) == 6
    office.new_policy(FEW)
    with office.desk.store.write() as conn:
        assert canary.room(conn, office.desk) is None  # back to what has proved itself


def test_after_an_import_that_went_wrong_nothing_goes_until_somebody_has_looked(
    an_office: Opens,
) -> None:
    office = open_office(an_office, *MANY, due="2026-07-01", text=policy())
    office.run()
    for name in MANY:
        office.sandbox.ledger.change(
            "invoice", office.invoice_id(f"{name}-1"), due_on=date(2026, 5, 20)
        )
    office.wake(TOMORROW)
    report = office.run()
    assert report.plan.view["actions"] and not office.mails
    (why,) = {row.waits_why for row in office.rows("planned")}
    assert why is not None and "14 of 14 open invoices are overdue" in why
    # What a person releases with open eyes goes; the rest waits on.
    office.approve(office.rows("planned")[0].key)
    office.apply()
    office.run()
    assert len(office.mails) == 1
    with office.desk.store.write() as conn:
        (ended,) = kill_switch.record_start(
            conn,
            [office.desk.book_id],
            reason="they really are",
            actor=PERSON,
            now=office.clock.now(),
        )
    assert ended.code == "overdue_at_once"
    office.run()
    assert len(office.mails) == 14
    with office.desk.store.read() as conn:
        assert audit.history(conn, events=["BreakerOpened"])
    is_matched(office)


def test_what_was_approved_before_waits_too(an_office: Opens) -> None:
    office = open_office(an_office, "North", text=policy())
    reconciling.sync_book(office.desk)
    office.plan()
    (approved,) = office.rows("approved")
    with office.desk.store.write() as conn:
        halts.open_halt(
            conn,
            office.desk.book_id,
            kind=halts.BREAKER,
            code="far_more_messages",
            reason="far more than usual",
            at=office.clock.now(),
            by="rule",
        )
    assert [key for key, _ in office.apply().waits] == [approved.key]
    assert not office.mails
    with office.desk.store.write() as conn:
        ids = [office.desk.book_id]
        kill_switch.record_start(conn, ids, reason="a sale", actor=PERSON, now=office.clock.now())
    assert office.apply().applied == {"reminder": 1}
    is_matched(office)
