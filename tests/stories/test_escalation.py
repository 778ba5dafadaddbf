"""Escalation from the policy to the ledger and the mailbox: colleagues told by mail, credit held
and released by a limit, deposits asked for, calls made, debts let go."""

from datetime import date

import msgspec
import pytest

from ar_bridge.store import mirror, task_results
from ar_bridge.worklist import finish, worklist
from rules.actions.notes import read_note
from rules.model import CustomerId
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import When
from tests.stories.evidence import nothing_twice
from tests.stories.stage import PERSON, Office, text_of

PEOPLE = """
[[person]]
id = "ann"
name = "Ann Lee"
email = "ann@story.example"
roles = ["owner"]
absent = { until = 2026-06-01, deputy = "sam" }

[[person]]
id = "sam"
email = "sam@story.example"
roles = ["collector"]
"""

NOTIFY = """
[[stage]]
id = "tell"
name = "Serious delay"
at = "due + 5d"
do = ["notify"]
owner = "owner"
due_in = "2d"
script = "Ring {contact} about {invoices}, {total}, {days_late} days late."
"""

CALL = """
[[stage]]
id = "ring"
name = "Ring"
at = "due + 5d"
do = ["call"]
owner = "collector"
due_in = "1d"
script = "Ask {customer} when {total} comes."
"""

LIMIT = """
[credit]
limit = 1500
hold_above = 100
release_below = 90
"""

DEPOSIT = """
[credit]
deposit = { percent = 30, due_in = "7d", mode = "auto" }
"""


def two_late() -> list[dict[str, object]]:
    return [
        company(),
        customer("North"),
        customer("South"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("S-1", "South", "2026-06-01", "250.00"),
    ]


def colleagues_mails(office: Office, address: str) -> list[str]:
    return [text_of(mail) for mail in office.mails if list(mail.recipients) == [address]]


def test_a_colleague_gets_one_mail_about_everything_of_a_run(an_office: Opens) -> None:
    office = an_office(*two_late(), policy=policy(stage=NOTIFY + PEOPLE), today="2026-06-02")
    for _ in office.days("2026-06-03", "2026-06-09"):
        office.run()
        office.run()
    (text,) = colleagues_mails(office, "ann@story.example")
    assert text.count("Serious delay") == 2
    for words in (
        "Hello Ann Lee",
        "North Ltd",
        "invoice N-1, GBP 1000.00, 5 days past due",
        "Ring South Ltd about S-1, GBP 250.00, 5 days late.",
        "By: 2026-06-08",
    ):
        assert words in text, text
    assert colleagues_mails(office, "sam@story.example") == []
    (notice,) = office.rows("done", kind="notice")
    assert len(notice.action.items) == 2
    with office.desk.store.read() as conn:
        entries = worklist(conn, office.desk, owner="Ann Lee")
    assert [(one.customer_name, one.is_late) for one in entries] == [
        ("North Ltd", True),
        ("South Ltd", True),
    ]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_the_mail_to_a_colleague_sends_it_once_at_most(
    an_office: Opens, when: When
) -> None:
    office = an_office(*two_late(), policy=policy(stage=NOTIFY + PEOPLE), today="2026-06-02")
    for _ in office.days("2026-06-03", "2026-06-05"):
        office.run()
    office.wake("2026-06-06")  # a Saturday: nothing goes to customers
    office.crash("mail", 1, when=when)
    office.run_to_crash()
    office.reopen()
    office.end_leases()
    office.run()
    assert len(colleagues_mails(office, "ann@story.example")) == (1 if when == "after" else 0)
    assert office.row("notice", "unknown")
    nothing_twice(office)


def test_the_deputy_is_told_while_somebody_is_away(an_office: Opens) -> None:
    people = PEOPLE.replace("2026-06-01", "2026-06-30")
    office = an_office(*two_late(), policy=policy(stage=NOTIFY + people), today="2026-06-02")
    for _ in office.days("2026-06-03", "2026-06-06"):
        office.run()
    assert len(colleagues_mails(office, "sam@story.example")) == 1
    assert colleagues_mails(office, "ann@story.example") == []


def test_a_book_that_observes_tells_nobody(an_office: Opens) -> None:
    office = an_office(
        *two_late(), policy=policy(stage=NOTIFY + PEOPLE), today="2026-06-02", mode="observe"
    )
    for _ in office.days("2026-06-03", "2026-06-06"):
        office.run()
    assert office.mails == []
    assert len(office.rows("planned", kind="notify")) == 2


def test_without_mail_the_worklist_is_all_there_is(an_office: Opens) -> None:
    office = an_office(
        *two_late(), policy=policy(stage=NOTIFY + PEOPLE), today="2026-06-02", mail=False
    )
    for _ in office.days("2026-06-06", "2026-06-06"):
        office.run()
    assert office.rows(kind="notice") == []
    with office.desk.store.read() as conn:
        assert {one.kind for one in worklist(conn, office.desk, owner="ann")} >= {"notify"}


def is_held(office: Office) -> bool:
    north = office.customer_id("North")
    if office.ledger == "xero":
        return any(north in group.members for group in office.records.groups)
    told = [note.text for note in office.records.notes if ("customer", north) in note.targets]
    facts = [found.facts.kind for text in told if (found := read_note(text)) is not None]
    return bool(facts) and facts[-1] == "credit_hold"


def test_credit_is_held_above_the_limit_and_released_after_payment(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-20"),
        {**invoice("N-2", "North", "2026-07-03", "800.00")},
        policy=policy(stage=LIMIT),
        today="2026-06-01",
    )
    office.run()
    assert not is_held(office)
    office.wake("2026-06-04")
    office.run()
    assert is_held(office)
    office.wake("2026-06-05")
    office.run()
    office.pay("North", 350_00, "N-2")
    office.wake("2026-06-08")
    office.run()
    assert is_held(office), "a little below the limit is not enough"
    office.pay("North", 200_00, "N-2")
    office.wake("2026-06-09")
    office.run()
    assert not is_held(office)
    for _ in office.days("2026-06-10", "2026-06-12"):
        office.run()
    assert [row.kind for row in office.rows("done") if row.kind.startswith("credit")] == [
        "credit_hold",
        "credit_release",
    ]


def test_a_deposit_is_asked_of_a_new_customer_once(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        {
            "t": "estimate",
            "id": "Q-1",
            "number": "Q-1",
            "date": "2026-06-01",
            "customer": "North",
            "currency": "GBP",
            "total": "1000.00",
        },
        policy=policy(stage=DEPOSIT),
        today="2026-06-02",
    )
    for _ in office.days("2026-06-03", "2026-06-12"):
        office.run()
    (mail,) = office.mails_to("North")
    text = text_of(mail)
    assert "£300.00" in text and "Q-1" in text
    assert "{{" not in text
    (row,) = office.rows("done", kind="deposit_request")
    assert row.amount == 300_00


@pytest.mark.parametrize("became", ["declined", "invoiced", "void"])
def test_no_deposit_is_asked_for_an_estimate_that_is_over(an_office: Opens, became: str) -> None:
    office = an_office(
        company(),
        customer("North"),
        {
            "t": "estimate",
            "id": "Q-1",
            "number": "Q-1",
            "date": "2026-06-01",
            "customer": "North",
            "currency": "GBP",
            "total": "1000.00",
        },
        policy=policy(stage=DEPOSIT),
        today="2026-06-03",
        mode="approve",
    )
    office.run()
    office.approve_all()
    assert office.rows("approved", kind="deposit_request")
    books = office.sandbox.ledger
    books.change("estimate", books.ids.of_book("estimate", "Q-1"), status=became)
    office.apply()
    assert len(office.rows("withdrawn", kind="deposit_request")) == 1
    assert not office.mails


def test_a_call_that_was_made_counts_as_a_contact(an_office: Opens) -> None:
    office = an_office(*two_late(), policy=policy(stage=CALL + PEOPLE), today="2026-06-02")
    for _ in office.days("2026-06-03", "2026-06-08"):
        office.run()
    calls = office.rows("done", kind="call")
    assert len(calls) == 2
    north = next(row for row in calls if row.customer == office.customer_id("North"))
    with office.desk.store.read() as conn:
        (listed, _) = worklist(conn, office.desk, owner="sam")
    assert listed.text.endswith("Ask North Ltd when GBP 1000.00 comes.")
    with office.desk.store.write() as conn:
        finish(conn, office.desk, north.key, result="no_answer", note="engaged", actor=PERSON)
    with office.desk.store.read() as conn:
        (listed, _) = worklist(conn, office.desk)
    assert listed.attempts == ("2026-06-08 engaged",)
    office.wake("2026-06-10")
    with office.desk.store.write() as conn:
        finish(conn, office.desk, north.key, result="reached", note="pays soon", actor=PERSON)
    with office.desk.store.read() as conn:
        assert [one.customer_name for one in worklist(conn, office.desk)] == ["South Ltd"]
        book = office.desk.load(conn, date(2026, 6, 10), None, ())
    spoken = [one for one in book.served if one.channel == "call"]
    assert [(one.on, one.customer, one.is_contact) for one in spoken] == [
        (date(2026, 6, 10), CustomerId(north.customer), True)
    ]
    office.wake("2026-06-11")
    office.run()
    # Spoken to yesterday, so the second reminder waits; the other customer gets it.
    assert {mail.recipients[0] for mail in office.mails[2:]} == {"ap@south.example"}


def test_a_write_off_is_a_persons_decision_and_then_a_task(an_office: Opens) -> None:
    stage = '[[stage]]\nid = "give-up"\nat = "due + 5d"\ndo = ["propose_write_off"]\n'
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01", "40.00"),
        policy=policy(stage=stage),
        today="2026-06-02",
    )
    for _ in office.days("2026-06-03", "2026-06-09"):
        office.run()
    (row,) = office.rows("planned", kind="write_off_proposal")
    with office.desk.store.read() as conn:
        (entry,) = worklist(conn, office.desk)
    assert (entry.state, entry.amount) == ("to_approve", "40.00")
    office.approve(row.key)
    office.apply()
    assert office.row("write_off_proposal", "done")
    with office.desk.store.read() as conn:
        (entry,) = worklist(conn, office.desk)
    assert entry.state == "open" and "by" not in entry.attempts
    assert "credit the invoices against your account for bad debts" in entry.text
    with office.desk.store.write() as conn:
        finish(conn, office.desk, row.key, result=task_results.DONE, note="", actor=PERSON)
    with office.desk.store.read() as conn:
        assert worklist(conn, office.desk) == []
    office.wake("2026-06-10")
    office.run()
    assert office.rows("planned", kind="write_off_proposal") == []


BAD_DEBTS = {
    "quickbooks": {"bad_debt_account": "Late fee", "bad_debt_tax": "No VAT"},
    "xero": {"bad_debt_account": "200", "bad_debt_tax": "NONE"},
}
"""What the sandbox has to book them to."""

SMALL = """
[write_off]
small_balance = 2
older_than = "0d"
on = 10
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_off_is_booked_by_the_ledger_once(
    an_office: Opens, ledger: str, when: When
) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01", "1.50"),
        invoice("N-2", "North", "2026-06-02", "0.80"),
        policy=policy(stage=SMALL),
        today="2026-06-02",
    )
    office.reopen(**BAD_DEBTS[ledger])
    for _ in office.days("2026-06-08", "2026-06-10"):
        office.run()
    (row,) = office.rows("planned", kind="write_off_proposal")
    assert row.amount == 230
    assert office.approve("write_off_proposal") == [
        msgspec.structs.replace(row, state="approved")
    ], "a kind stands for its batch"
    office.crash("ledger", 1, when=when)
    office.apply_to_crash()
    office.reopen()
    office.end_leases()
    office.apply()
    assert office.row("write_off_proposal", "done")
    with office.desk.store.read() as conn:
        assert worklist(conn, office.desk) == []
    office.wake("2026-06-11")
    office.run()
    with office.desk.store.read() as conn:
        found = mirror.invoices_by_id(
            conn, office.desk.book_id, [office.invoice_id("N-1"), office.invoice_id("N-2")]
        )
    assert [(one.status, one.balance) for one in found] == [("paid", 0)] * 2
    assert sorted(one.total for one in office.sandbox.ledger.credits.values()) == [80, 150]
    assert office.rows("planned") == []


def test_after_a_lost_database_nothing_is_asked_or_held_again(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-20", "2000.00"),
        {
            "t": "estimate",
            "id": "Q-1",
            "number": "Q-1",
            "date": "2026-06-01",
            "customer": "North",
            "currency": "GBP",
            "total": "1000.00",
        },
        policy=policy(
            stage=DEPOSIT.replace("[credit]", "[credit]\nlimit = 1500\nhold_above = 100")
        ),
        today="2026-06-02",
    )
    for _ in office.days("2026-06-03", "2026-06-04"):
        office.run()
    assert len(office.mails_to("North")) == 1
    assert is_held(office)
    office.lose_the_database()
    office.wake("2026-06-15")
    office.run()
    kinds = [row.kind for row in office.rows()]
    assert "credit_hold" not in kinds and "deposit_request" not in kinds
