"""A reminder goes out and something comes back: what is held, undone, told, and to whom."""

import io
from contextlib import suppress
from datetime import date

import pytest

from ar_bridge import audit
from ar_bridge.brief.making import make_brief
from ar_bridge.holding import holds
from ar_bridge.inbound import polling
from ar_bridge.inbound.polling import InboundReport, take_in
from ar_bridge.store import inbound
from ar_bridge.store.inbound import MailRow
from ar_bridge.worklist import finish
from tests.inbound.mails import complaint, reply, report
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import Crash, Rope, StoreOnRope, When
from tests.stories.stage import LedgerName, Office, skips_of, text_of

BOOK = [
    company(),
    customer("North"),
    customer("South", address=["1 High Street", "Leeds"]),
    invoice("N-1", "North", "2026-06-01"),
    invoice("S-1", "South", "2026-06-01", "3300.00"),
]


@pytest.fixture(params=["xero"])
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """Mail comes in past the ledger: one is enough."""
    chosen: LedgerName = request.param
    return chosen


@pytest.fixture
def office(an_office: Opens) -> Office:
    """Both customers got their first reminder on the morning of Thursday, 4 June."""
    office = an_office(*BOOK, policy=policy(), today="2026-06-04")
    office.run()
    assert len(office.mails) == 2
    return office


def sent_to(office: Office, name: str) -> str:
    """Message-ID of the last mail to a customer."""
    return str(office.mails_to(name)[-1].parsed()["Message-ID"])


def take(office: Office, content: bytes) -> InboundReport:
    return take_in(office.settings, office.home, office.clock, io.BytesIO(content))


def tasks(office: Office, name: str) -> list[str]:
    rows = office.rows("done", kind="task")
    found = [row for row in rows if row.customer == office.customer_id(name)]
    return [getattr(row.action, "text", "") for row in found]


def mails(office: Office) -> list[MailRow]:
    with office.desk.store.read() as conn:
        return inbound.mails(conn, office.desk.book_id)


def run_days(office: Office, first: str, last: str) -> dict[date, dict[str, int]]:
    """What was done on each day."""
    return {day: office.run().total("applied") for day in office.days(first, last)}


def test_a_reply_holds_the_next_stage_and_then_is_a_task(office: Office) -> None:
    assert take(office, reply(sent_to(office, "North"))).kinds == {"reply": 1}
    take(office, reply(sent_to(office, "South"), sender="ap@south.example", number="2"))
    with office.desk.store.read() as conn:
        (north, _) = holds(conn, office.desk)
    assert (north.kind, north.customer_name, north.review_on, north.until) == (
        "reply",
        "North Ltd",
        date(2026, 6, 11),
        date(2026, 6, 18),
    )
    done = run_days(office, "2026-06-05", "2026-06-10")
    assert not any(done.values())
    office.wake("2026-06-11")
    office.run()
    assert tasks(office, "North") == ["North Ltd replied on 2026-06-04 and waits for an answer."]
    # Nobody has read it on the morning on which it becomes a task.
    run_days(office, "2026-06-12", "2026-06-17")
    assert len(office.mails_to("North")) == 1
    with office.desk.store.read() as conn:
        assert {one.is_past_review for one in holds(conn, office.desk)} == {True}
    # What nobody deals with holds nothing for ever.
    office.wake("2026-06-18")
    office.run()
    assert len(office.mails_to("North")) == 2


def test_a_reply_holds_no_more_once_its_task_is_done(office: Office) -> None:
    take(office, reply(sent_to(office, "North")))
    run_days(office, "2026-06-05", "2026-06-11")
    assert len(office.mails_to("North")) == 1
    (task,) = [row for row in office.rows("done", kind="task") if row.stage == "reply"]
    with office.desk.store.write() as conn:
        finish(conn, office.desk, task.key, result="done", note="they pay on Friday", actor="pat")
    assert [mail.state for mail in mails(office)] == [inbound.HANDLED]
    office.wake("2026-06-12")
    office.run()
    assert len(office.mails_to("North")) == 2


def test_a_reply_that_somebody_dealt_with_holds_no_more(office: Office) -> None:
    take(office, reply(sent_to(office, "North")))
    (mail,) = mails(office)
    with office.desk.store.write() as conn:
        inbound.set_state(conn, mail.id, inbound.HANDLED)
    with office.desk.store.read() as conn:
        assert holds(conn, office.desk) == []
    run_days(office, "2026-06-05", "2026-06-11")
    assert tasks(office, "North") == []


def test_the_brief_tells_of_what_came_back(office: Office) -> None:
    take(office, reply(sent_to(office, "North"), text="We are insolvent."))
    take(office, report(sent_to(office, "South")))
    with office.desk.store.read() as conn:
        told = make_brief(conn, office.desk).answers
    assert {(one.customer, one.kind, one.urgent) for one in told} == {
        ("North Ltd", "reply", "insolvent"),
        ("South Ltd", "bounce", ""),
    }


def test_a_message_that_came_back_was_not_served_and_its_address_rests(office: Office) -> None:
    take(office, report(sent_to(office, "South")))
    (row,) = office.rows_of("South", "refused")
    assert "550 5.1.1 User unknown" in str(row.ended_reason)
    office.wake("2026-06-05")
    (skip,) = skips_of(office.run().plan, "bounced")
    assert skip["next_on"] == "2026-06-08"
    run_days(office, "2026-06-08", "2026-06-12")
    assert tasks(office, "South") == [
        "South Ltd did not get the message of 2026-06-04: correct the address."
    ]
    # Neither a second mail to the bad address, nor the next stage without the first.
    assert len(office.mails_to("South")) == 1
    office.change_customer("South", email="new@south.example")
    office.wake("2026-06-15")
    office.run()
    to = [mail.recipients for mail in office.mails if "new@south.example" in mail.recipients]
    assert len(to) == 1
    (served,) = [row for row in office.rows_of("South", "done") if row.kind == "reminder"]
    assert served.stage == "first"


def test_where_mail_comes_back_another_way_is_taken(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(contact='fallback = ["letter"]'), today="2026-06-04")
    office.run()
    take(office, report(sent_to(office, "South")))
    run_days(office, "2026-06-05", "2026-06-08")
    (row,) = [row for row in office.rows_of("South", "done") if row.kind == "reminder"]
    assert (row.channel, row.stage) == ("letter", "first")


def test_what_could_not_be_delivered_this_time_ends_by_itself(office: Office) -> None:
    take(office, report(sent_to(office, "South"), status="4.4.7", said="timeout"))
    done = run_days(office, "2026-06-05", "2026-06-08")
    assert sum(day.get("reminder", 0) for day in done.values()) == 1
    assert tasks(office, "South") == []
    assert len(office.mails_to("South")) == 2
    with office.desk.store.read() as conn:
        assert inbound.bad(conn, office.desk.book_id) == {}


def test_what_never_arrives_this_time_is_one_that_never_will(office: Office) -> None:
    for number in range(1, 4):
        answers = sent_to(office, "South")
        take(office, report(answers, status="4.2.2", said="mailbox full", number=str(number)))
        run_days(office, f"2026-06-{3 + 3 * number:02}", f"2026-06-{5 + 3 * number:02}")
    assert len(office.mails_to("South")) == 3
    with office.desk.store.read() as conn:
        assert list(inbound.bad(conn, office.desk.book_id)) == ["ap@south.example"]


def test_a_delay_and_an_automatic_answer_change_nothing(office: Office) -> None:
    take(office, report(sent_to(office, "South"), action="delayed", status="4.4.1"))
    away = reply(sent_to(office, "North"), text="Back on 2026-06-20", Auto_Submitted="auto-replied")
    take(office, away)
    assert {mail.kind: mail.state for mail in mails(office)} == {
        "delayed": "noted",
        "auto_reply": "noted",
    }
    assert [mail.kept.back_on for mail in mails(office) if mail.kind == "auto_reply"] == [
        date(2026, 6, 20)
    ]
    run_days(office, "2026-06-05", "2026-06-11")
    assert len(office.mails_to("North")) == 2 and len(office.mails_to("South")) == 2


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (reply("{id}", text="STOP"), "stop"),
        (reply("{id}", text="Please stop. We have changed banks."), "please stop"),
        (reply("{id}", text="Talk to our solicitor."), "solicitor"),
        (complaint("{id}"), "complaint"),
    ],
)
def test_urgent_words_are_a_task_at_once_and_stop_nobody(
    office: Office, content: bytes, word: str
) -> None:
    take(office, content.replace(b"{id}", sent_to(office, "North").encode()))
    office.wake("2026-06-05")
    office.run()
    (task,) = tasks(office, "North")
    assert word in task and "at once" in task
    # It is held like any reply, and goes on when nobody says otherwise.
    run_days(office, "2026-06-08", "2026-06-17")
    assert len(office.mails_to("North")) == 1
    office.wake("2026-06-18")
    office.run()
    assert len(office.mails_to("North")) == 2


def test_a_mail_that_names_no_message_of_ours_is_a_task_and_holds_nothing(office: Office) -> None:
    take(office, reply("", text="Where is our credit note?"))
    (mail,) = mails(office)
    assert (mail.kind, mail.kept.is_sure) == ("wrote", False)
    run_days(office, "2026-06-05", "2026-06-11")
    assert tasks(office, "North") == [
        "North Ltd wrote on 2026-06-04, not in answer to a message of ours: read it."
    ]
    assert len(office.mails_to("North")) == 2


def test_mail_of_strangers_is_counted_and_nothing_of_it_is_kept(office: Office) -> None:
    found = take(office, reply("", sender="news@stranger.example", text="Buy now"))
    assert found.kinds == {"foreign": 1}
    assert mails(office) == []


def test_a_report_about_an_address_only_is_a_task(office: Office) -> None:
    take(office, report(""))
    assert not office.rows_of("South", "refused")
    office.wake("2026-06-05")
    office.run()
    assert tasks(office, "South") == [
        "South Ltd has an address from which mail came back on 2026-06-04: correct it."
    ]


def test_the_same_mail_twice_is_one(office: Office) -> None:
    content = report(sent_to(office, "South"))
    assert take(office, content).read == 1
    assert take(office, content).read == 0
    assert len(mails(office)) == 1


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_a_mail_is_recorded_repeats_and_loses_nothing(
    office: Office, nth: int, when: When, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = report(sent_to(office, "South"))
    rope = Rope("commit", nth, when)
    real = polling.open_store
    monkeypatch.setattr(polling, "open_store", lambda url: StoreOnRope(real(url), rope))
    with suppress(Crash):
        take(office, content)
    monkeypatch.undo()
    take(office, content)
    assert [mail.kind for mail in mails(office)] == ["bounce"]
    assert len(office.rows_of("South", "refused")) == 1
    with office.desk.store.read() as conn:
        events = audit.history(conn, events=["MailBounced"])
        assert len(events) == 1 and audit.verify(conn) == []


def test_a_notice_that_came_back_leaves_its_fee_unannounced(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.run()
    assert len(office.records.fees) == 2
    take(office, report(sent_to(office, "South")))
    with office.desk.store.read() as conn:
        book = office.desk.load(conn, office.desk.today(), None, ())
    told = {fee.customer: fee.is_announced for fee in book.fees}
    assert told == {office.customer_id("North"): True, office.customer_id("South"): False}
    office.change_customer("South", email="new@south.example")
    run_days(office, "2026-06-05", "2026-06-12")
    (notice, *_) = [mail for mail in office.mails if "new@south.example" in mail.recipients]
    assert "LF-" in text_of(notice)
    assert len(office.records.fees) == 2
