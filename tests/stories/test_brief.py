"""The owner's brief: what it tells, that nothing is told twice or left out, one mail a day."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest
from sqlalchemy import Connection

from ar_bridge.brief.making import make_brief
from ar_bridge.brief.model import Answer, Brief, Deed, Stuck
from ar_bridge.brief.sending import BriefSent, recipients, send_brief, written
from ar_bridge.channels.local_mailbox import ReceivedMail
from ar_bridge.context import BookContext
from ar_bridge.kill_switch import start, stop
from ar_bridge.settings.brief import BriefSettings
from rules.aging import BUCKETS, aged_totals
from rules.model import Book, Dispute, format_minor
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import Crash, When
from tests.stories.stage import LedgerName, Office

OWNER = "owner@story.example"

BOOK = [
    company(),
    customer("North"),
    customer("South"),
    customer("East"),
    invoice("N-1", "North", "2026-06-01"),
    invoice("S-1", "South", "2026-05-01", "3300.00"),
    invoice("E-1", "East", "2026-07-01", "760.50"),
]


@pytest.fixture(params=["xero"])
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """A brief is made from our own records: one ledger is enough."""
    chosen: LedgerName = request.param
    return chosen


@pytest.fixture
def office(an_office: Opens) -> Office:
    return an_office(*BOOK, policy=policy(), today="2026-06-08")


def desk_of(office: Office, **settings: object) -> BookContext:
    asked = BriefSettings.model_validate({"to": [OWNER], **settings})
    return replace(office.desk, brief=asked)


def brief_of(office: Office) -> Brief:
    with office.desk.store.read() as conn:
        return make_brief(conn, office.desk)


def send(office: Office, **settings: object) -> BriefSent:
    return send_brief(desk_of(office, **settings))


def briefs_in(office: Office) -> list[ReceivedMail]:
    return [mail for mail in office.mails if OWNER in mail.recipients]


def test_what_was_done_what_waits_and_what_came_in(office: Office) -> None:
    office.run()
    told = brief_of(office)
    assert [(one.kind, one.count, one.customers) for one in told.done] == [
        ("reminder", 2, ("North Ltd", "South Ltd"))
    ]
    assert [(one.currency, one.amount) for one in told.done[0].sums] == [("GBP", "4300.00")]
    assert [(one.currency, one.total, one.overdue) for one in told.owed] == [
        ("GBP", "5060.50", "4300.00")
    ]
    assert send(office).outcome == "sent"
    office.wake("2026-06-15")
    office.pay("North", 100000, "N-1")
    office.pay("East", 50000)
    office.reopen(mode="approve")
    office.run()
    told = brief_of(office)
    assert told.since is not None and told.done == ()
    (north, east) = sorted(told.money_in, key=lambda one: one.customer, reverse=True)
    assert (north.customer, north.invoices) == ("North Ltd", ("N-1",))
    assert north.after == "First reminder, 7 days before"
    assert (east.customer, east.invoices, east.after) == ("East Ltd", (), "")
    (cash,) = told.unallocated
    assert (cash.customer, cash.money.amount) == ("East Ltd", "500.00")
    assert cash.suggestion.startswith("Probably E-1 (500.00): nothing speaks for any")
    assert [(one.customer, one.kind) for one in told.approvals] == [("South Ltd", "reminder")]
    text = written(office.desk, told).text
    assert "MONEY IN: £1,500.00" in text and "WAITS FOR YOUR APPROVAL (1)" in text


def test_an_approval_tells_since_when_it_waits(office: Office) -> None:
    office.reopen(mode="approve")
    for _ in office.days("2026-06-08", "2026-06-11"):
        office.run()
    found = {one.customer: one for one in brief_of(office).approvals}
    assert (found["North Ltd"].since, found["North Ltd"].days) == (date(2026, 6, 8), 3)


def test_a_hold_past_its_review_is_red_and_foreign_words_are_only_words(office: Office) -> None:
    office.run()
    office.hear(
        Dispute(
            id="dispute/S-1",
            customer=office.customer_id("South"),
            invoices=(office.invoice_id("S-1"),),
            on=date(2026, 4, 10),
            reason="<script>alert(1)</script>\r\nBcc: all@story.example",
            review_on=date(2026, 5, 20),
            actor="ann (command line)",
        )
    )
    told = brief_of(office)
    (hold,) = told.holds_past_review
    assert (hold.customer, hold.review_on, hold.owner) == ("South Ltd", date(2026, 5, 20), "ann")
    words = written(office.desk, told)
    assert "<script>" not in words.html and "&lt;script&gt;" in words.html
    assert 'style="color:#b3261e;"' in words.html
    assert "\nBcc:" not in words.text


def test_one_mail_a_day_with_a_message_id_of_its_own(office: Office) -> None:
    office.run()
    assert send(office).outcome == "sent"
    assert send(office).outcome == "already"
    office.wake("2026-06-09")
    assert send(office).outcome == "sent"
    first, second = briefs_in(office)
    assert first.parsed()["Message-ID"] != second.parsed()["Message-ID"]
    body = first.parsed().get_body(("html",))
    assert body is not None and "Story Ltd" in body.get_content()


def test_a_quiet_day_is_one_line_or_no_mail(an_office: Opens) -> None:
    office = an_office(
        company(), customer("East"), policy=policy(), today="2026-06-08", mode="auto"
    )
    office.run()
    told = brief_of(office)
    assert told.is_quiet, told
    assert "Nothing happened and nothing waits for you." in written(office.desk, told).text
    assert send(office, only_when_something=True).outcome == "quiet"
    assert send(office).outcome == "already"
    office.wake("2026-06-09")
    office.run()
    assert send(office).outcome == "sent"
    (mail,) = briefs_in(office)
    assert "all quiet" in str(mail.parsed()["Subject"])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_brief_that_was_cut_off_is_not_sent_again_and_nothing_is_left_untold(
    office: Office, when: When
) -> None:
    office.run()
    assert send(office).outcome == "sent"
    office.wake("2026-06-09")
    office.pay("North", 100000, "N-1")
    office.run()
    office.crash("mail", 1, when=when)
    with pytest.raises(Crash):
        send(office)
    office.reopen()
    assert send(office).outcome == "under_way"
    office.clock.advance(timedelta(hours=1))
    assert send(office).outcome == "unknown"
    assert send(office).outcome == "already"
    sent = len(briefs_in(office))
    office.wake("2026-06-10")
    told = brief_of(office)
    assert [one.customer for one in told.money_in] == ["North Ltd"]
    assert any("2026-06-09 may not have reached you" in one.text for one in told.stuck)
    assert send(office).outcome == "sent"
    assert len(briefs_in(office)) == sent + 1
    office.wake("2026-06-11")
    assert brief_of(office).money_in == ()


def test_a_mail_server_that_is_down_gets_the_same_brief_later(office: Office) -> None:
    office.run()
    office.mailbox.stop()
    assert send(office).outcome == "later"
    office.pay("North", 100000, "N-1")
    office.mail_comes_back()
    assert send(office).outcome == "sent"
    assert send(office).outcome == "already"
    (mail,) = briefs_in(office)
    body = mail.parsed().get_body(("plain",))
    assert body is not None and "MONEY IN" not in body.get_content()


def test_an_answer_lost_after_the_content_is_unknown(office: Office) -> None:
    office.run()
    office.mailbox.faults.drop_after_data = 1
    assert send(office).outcome == "unknown"
    assert send(office).outcome == "already"


def test_books_that_were_not_read_for_long_are_urgent(office: Office) -> None:
    office.run()
    office.wake("2026-06-12")
    (found,) = brief_of(office).stuck
    assert found.is_urgent and "ar-bridge sync" in found.remedy
    assert "something is stuck" in written(office.desk, brief_of(office)).subject


def test_without_an_address_the_owners_of_the_policy_get_it(an_office: Opens) -> None:
    person = '[[person]]\nid = "pat"\nemail = "pat@story.example"\nroles = ["owner"]\n'
    office = an_office(*BOOK, policy=policy() + person, today="2026-06-08")
    assert recipients(office.desk) == ("pat@story.example",)
    bare = an_office(*BOOK, policy=policy(), today="2026-06-08")
    assert send_brief(bare.desk).outcome == "nobody"


def test_a_stop_is_urgent_and_an_approval_tells_when_it_expires(an_office: Opens) -> None:
    expiring = policy() + '\n[approval]\nexpires = "7d"\n'
    office = an_office(*BOOK, policy=expiring, today="2026-06-08", mode="approve")
    office.run()
    office.wake("2026-06-10")
    office.run()
    stop(office.home, reason="auditors are here")
    told = brief_of(office)
    assert [(one.days, one.expires_on) for one in told.approvals] == [(2, date(2026, 6, 15))] * 2
    (found,) = told.stuck
    assert found.is_urgent and "auditors are here" in found.text
    assert "ar-bridge start" in found.remedy
    start(office.home)


def test_only_accounts_with_money_mail_or_a_hold_are_put_together(office: Office) -> None:
    office.run()
    office.wake("2026-06-10")
    office.pay("North", 40000)
    office.run()
    loaded: list[set[str] | None] = []

    def load(conn: Connection, on: date, payers: Collection[str] | None, without: object) -> Book:
        loaded.append(None if payers is None else set(payers))
        return office.desk.load(conn, on, payers, ())

    with office.desk.store.read() as conn:
        told = make_brief(conn, replace(office.desk, load=load))
    assert loaded == [{office.customer_id("North")}]
    (owed,) = told.owed
    # As if the whole book had been put together.
    with office.desk.store.read() as conn:
        whole = office.desk.load(conn, office.desk.today(), None, ())
    totals = [
        one for account in whole.accounts() for one in aged_totals(account, office.desk.today())
    ]
    assert owed.total == format_minor(sum(one.total for one in totals), "GBP") == "4660.50"
    assert [amount for _, amount, _ in owed.buckets] == [
        format_minor(sum(one.buckets[name] for one in totals), "GBP") for name, _ in BUCKETS
    ]


@pytest.mark.parametrize(
    ("kind", "count", "said"),
    [("apology", 2, "apologies"), ("apology", 1, "apology"), ("reminder", 1, "reminder")],
)
def test_what_was_done_is_counted_as_people_count(
    office: Office, kind: str, count: int, said: str
) -> None:
    done = Deed(kind=kind, count=count, customers=("North Ltd",))
    words = written(office.desk, msgspec.structs.replace(brief_of(office), done=(done,)))
    assert f"- {count} {said}: North Ltd" in words.text


def test_a_long_name_or_subject_fits_on_a_line(office: Office) -> None:
    brief = msgspec.structs.replace(
        brief_of(office),
        company="The Very Long " * 12 + "Company",
        answers=(
            Answer(id=1, kind="reply", customer="North", on=date(2026, 6, 8), subject="Re: " * 60),
        ),
        stuck=(Stuck(text="The ledger is away.", is_urgent=True),),
    )
    words = written(office.desk, brief)
    assert len(words.subject) <= 90
    assert words.subject.endswith("needs you: something is stuck")
    (line,) = [line for line in words.text.splitlines() if "Re: Re:" in line]
    assert len(line) < 160 and "..." in line
