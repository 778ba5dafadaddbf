"""Our own records are gone: what was done, and what people told us, is found in the ledger, and
everything goes on as if nothing had happened."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, cast

import msgspec
import pytest

from ar_bridge import audit, rebuilding
from ar_bridge.errors import UsageError
from ar_bridge.store import books, commitments
from ar_bridge.store import waivers as waiver_store
from ar_bridge.telling import tell, tell_ended
from ar_bridge.waiving import to_waive, waive
from connectors.errors import ConnectorError, TransientError
from connectors.port import Capabilities, Connector, Mark
from rules.explain import explain
from rules.model import Commitment, Dispute, InvoiceId, Pause, Promise
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens, on_both_databases
from tests.stories.evidence import nothing_twice
from tests.stories.stage import PERSON, Office, text_of

NOTED = """
[[stage]]
id = "noted"
name = "Noted"
at = "due + 12d"
do = ["note", "call"]
"""
NAMES = ("North", "South", "East", "West", "Tower", "Vale")
BOOK = [
    company(),
    *(customer(name) for name in NAMES),
    *(invoice(f"{name[0]}-1", name, "2026-06-01") for name in NAMES),
    invoice("T-2", "Tower", "2026-06-05", "250.00"),
    invoice("T-3", "Tower", "2026-06-20", "70.00"),
    invoice("N-2", "North", "2026-06-24", "120.00"),
]


def say(office: Office, said: Commitment) -> None:
    with office.desk.store.write() as conn:
        tell(conn, office.desk, said, actor=PERSON, currency="GBP")


def facts(office: Office, kind: str, name: str, *numbers: str) -> dict[str, Any]:
    owner = office.customer_id(name)
    today = office.desk.today()
    return {
        "id": f"{kind}/{owner}/{today}",
        "customer": owner,
        "invoices": tuple(office.invoice_id(number) for number in numbers),
        "on": today,
        "reason": "said on the telephone",
        "actor": PERSON,
    }


def hear_things(office: Office, day: date) -> None:
    """What customers say in the first weeks."""
    if day == date(2026, 6, 5):
        say(office, Dispute(**facts(office, "dispute", "East", "E-1")))
        say(office, Dispute(**facts(office, "dispute", "Vale")))
    if day == date(2026, 6, 9):
        promised = facts(office, "promise", "South", "S-1")
        say(office, Promise(**promised, due_on=date(2026, 7, 3), amount=100_000, currency="GBP"))
        say(office, Pause(**facts(office, "pause", "West"), until=date(2026, 7, 2)))
    if day == date(2026, 6, 11):
        with office.desk.store.write() as conn:
            (stands,) = commitments.listed(
                conn, office.desk.book_id, customers=[office.customer_id("Vale")]
            )
            tell_ended(
                conn,
                office.desk,
                [stands],
                kind="dispute_end",
                actor=PERSON,
                reason="settled",
                won_by="us",
            )


def first_weeks(office: Office) -> Office:
    for day in office.days("2026-06-04", "2026-06-19"):
        hear_things(office, day)
        office.run()
    return office


def state(office: Office) -> str:
    with office.desk.store.read() as conn:
        return books.get(conn, office.desk.book_id).state


def counts(office: Office) -> tuple[int, int, int]:
    return len(office.records.fees), len(office.records.notes), len(office.mails)


def same(lost: Office, kept: Office) -> None:
    there, here = said_in(lost), said_in(kept)
    for what in there:
        assert sorted(set(there[what]) ^ set(here[what]), key=str) == [], what
        assert there[what] == here[what]


def said_in(office: Office) -> dict[str, tuple[object, ...]]:
    """What customers and colleagues see: mails by Message-ID, notes and fees."""
    return {
        "mails": tuple(sorted((mail.message_id, text_of(mail)) for mail in office.mails)),
        "notes": tuple(sorted(note.text for note in office.records.notes)),
        "fees": tuple(sorted((fee.number, fee.amount, fee.tag) for fee in office.records.fees)),
    }


def test_it_goes_on_as_if_nothing_had_happened(an_office: Opens) -> None:
    options: dict[str, Any] = {"policy": policy(fee=flat_fee() + NOTED), "today": "2026-06-04"}
    lost, kept = first_weeks(an_office(*BOOK, **options)), first_weeks(an_office(*BOOK, **options))
    same(lost, kept)
    before = counts(lost)
    lost.lose_the_database()

    # By rule nothing goes, and nothing of what is planned was done before.
    for _ in lost.days("2026-06-20", "2026-06-22"):
        lost.run()
    assert state(lost) == "rebuilt"
    assert counts(lost) == before
    assert {row.mode for row in lost.rows()} <= {"approve"}
    with lost.desk.store.read() as conn:
        told = commitments.listed(conn, lost.desk.book_id)
        connected = books.get(conn, lost.desk.book_id).connected_on
    assert connected == date(2026, 6, 4)
    assert {type(one).__name__ for one in told} >= {"Promise", "Dispute"}

    for _ in kept.days("2026-06-20", "2026-06-22"):
        kept.run()
    for office in (lost, kept):
        for _ in office.days("2026-06-23", "2026-06-26"):
            office.run(approve=office.approve_all)
    same(lost, kept)

    with lost.desk.store.write() as conn:
        rebuilding.trust(conn, lost.desk, actor=PERSON, reason="looked through them")
    assert state(lost) == "normal"
    for office in (lost, kept):
        for _ in office.days("2026-06-27", "2026-07-20"):
            office.run()
    assert state(lost) == "normal"
    same(lost, kept)
    assert counts(lost) > before


ONE = [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]


def planned(office: Office) -> list[str]:
    return sorted(row.kind for row in office.rows("planned"))


@on_both_databases
def test_without_any_fee_reminders_are_found_by_their_notes(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(), today="2026-06-04")
    for _ in office.days("2026-06-04", "2026-06-12"):
        office.run()
    before = counts(office)
    assert before[2] >= 6
    office.lose_the_database()
    report = office.run()
    assert counts(office) == before
    assert state(office) == "rebuilt"
    assert planned(office) == [] and not report.problems
    for _ in office.days("2026-06-13", "2026-06-14"):
        office.run()
    assert counts(office) == before


def test_calls_that_were_made_are_not_asked_for_again(an_office: Opens) -> None:
    office = an_office(*ONE, policy=policy(fee=NOTED), today="2026-06-04")
    for _ in office.days("2026-06-04", "2026-06-15"):
        office.run()
    assert len([row for row in office.rows("done") if row.kind == "call"]) == 1
    office.lose_the_database()
    office.run()
    assert planned(office) == []


@pytest.mark.parametrize("nth", [1, 2], ids=["fee", "note"])
def test_lost_in_the_middle_of_it(an_office: Opens, nth: int) -> None:
    """The process ends right after the ledger took the fee, or the note, and the disk with it."""
    office = an_office(*ONE, policy=policy(fee=flat_fee()), today="2026-06-04", mode="approve")
    office.run()
    office.approve_all()
    office.crash("ledger", nth, when="after")
    office.apply_to_crash()
    assert counts(office) == (1, nth - 1, nth - 1)
    office.lose_the_database()
    office.run(approve=office.approve_all)
    nothing_twice(office)
    assert len(office.records.fees) == len(office.records.notes) == len(office.mails) == 1
    assert state(office) == "rebuilt"


def test_what_was_found_says_so(an_office: Opens) -> None:
    office = an_office(*ONE, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.run()
    office.lose_the_database()
    office.run()
    with office.desk.store.read() as conn:
        book = office.desk.load(conn, office.desk.today(), None, ())
    said = explain(book, office.desk.policy, "N-1", office.desk.today())
    assert [line for line in said.history if "found again in the ledger" in line] == list(
        said.history
    )
    assert len(said.history) == 3  # the reminder, the notice of the fee, the fee


def test_only_a_book_that_was_rebuilt_is_trusted_anew(an_office: Opens) -> None:
    office = an_office(*ONE, policy=policy(), today="2026-06-04")
    office.run()
    with office.desk.store.write() as conn, pytest.raises(UsageError, match="not rebuilt"):
        rebuilding.trust(conn, office.desk, actor=PERSON, reason="?")
    office.lose_the_database()
    office.run()
    with office.desk.store.write() as conn:
        rebuilding.trust(conn, office.desk, actor=PERSON, reason="compared with the mailbox")
    office.run()
    assert state(office) == "normal"
    with office.desk.store.read() as conn:
        (entry,) = audit.history(conn, events=("RecordsTrusted",))
        (found,) = audit.history(conn, events=("HistoryFoundAgain",))
    assert entry.actor == PERSON
    assert entry.payload is not None and entry.payload["reason"] == "compared with the mailbox"
    assert found.payload is not None and len(found.payload["notes"]) == 1


def test_a_note_that_somebody_edited_still_counts_as_a_contact(an_office: Opens) -> None:
    office = an_office(*ONE, policy=policy(), today="2026-06-04")
    office.run()
    (note,) = office.records.notes
    office.sandbox.ledger.change("note", note.id, text=note.text.replace("[arb1", "(arb1"))
    office.lose_the_database()
    plan = office.run().plan
    assert state(office) == "rebuilt"
    # The very same message is known by its mark.
    assert planned(office) == []
    assert {skip["code"] for skip in plan.view["skips"]} & {"already_done", "contact_budget"}
    assert len(office.mails) == 1


def test_a_fee_that_was_waived_is_not_charged_again(an_office: Opens) -> None:
    monthly = """
[[fee]]
id = "interest"
name = "Late interest"
type = "interest"
annual_rate = 18
post = { every = "7d" }
minimum_to_post = "1.00"
cap = { percent_of_original = 25 }
"""
    office = an_office(*ONE, policy=policy(fee=monthly), today="2026-06-04")
    for _ in office.days("2026-06-04", "2026-06-09"):
        office.run()
    (fee,) = office.records.fees
    with office.desk.store.write() as conn:
        chosen = to_waive(conn, office.desk, fee.number)
        waive(conn, office.desk, chosen, actor=PERSON, reason="a long-standing customer")
    office.run()
    office.lose_the_database()
    office.run()
    with office.desk.store.read() as conn:
        assert [w.document for w in waiver_store.listed(conn, office.desk.book_id)] == [fee.number]
        book = office.desk.load(conn, office.desk.today(), None, ())
    (known,) = book.fees
    assert known.amount == fee.amount
    with office.desk.store.write() as conn:
        rebuilding.trust(conn, office.desk, actor=PERSON, reason="fine")
    for _ in office.days("2026-06-10", "2026-06-18"):
        office.run()
    # Seven days accrued since; what was let off stays so, and its document is void.
    assert sorted(one.amount for one in office.records.fees) == [0, 345]


class Histories:
    """A connector whose ledger keeps notes apart for each invoice; it counts who asks for what."""

    def __init__(self, real: Any, problem: ConnectorError | None = None) -> None:
        self._real = real
        self.problem = problem
        self.asked: list[InvoiceId] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @property
    def capabilities(self) -> Capabilities:
        known: Capabilities = self._real.capabilities
        return msgspec.structs.replace(known, can_find_notes_in_bulk=False)

    def find_marks(self, invoices: Sequence[InvoiceId]) -> Sequence[Mark]:
        if self.problem is not None:
            raise self.problem
        self.asked += invoices
        found: Sequence[Mark] = self._real.find_marks(invoices)
        return found


def with_histories(office: Office, problem: ConnectorError | None = None) -> Histories:
    histories = Histories(office.desk.connector, problem)
    office.desk = replace(office.desk, connector=cast("Connector", histories))
    return histories


def test_the_notes_on_an_invoice_are_read_once_and_only_where_something_is_due(
    an_office: Opens,
) -> None:
    office = an_office(
        *ONE,
        customer("South"),
        invoice("S-1", "South", "2026-06-08"),
        policy=policy(),
        today="2026-06-04",
    )
    histories = with_histories(office)
    office.run()
    assert histories.asked == [office.invoice_id("N-1")]
    for _ in office.days("2026-06-05", "2026-06-16"):
        office.run()
    assert sorted(histories.asked) == sorted(map(office.invoice_id, ("N-1", "S-1")))
    assert state(office) == "normal"


def test_nothing_is_done_while_the_notes_cannot_be_read(an_office: Opens) -> None:
    office = an_office(*ONE, policy=policy(fee=NOTED), today="2026-06-04")
    office.run()
    before = counts(office)
    office.lose_the_database()
    histories = with_histories(office, TransientError("the ledger is busy"))
    (skip,) = [s for s in office.run().plan.view["skips"] if s["code"] == "history_unread"]
    assert "the ledger is busy" in skip["reasons"][0]["text"]
    assert counts(office) == before and office.rows() == []
    histories.problem = None
    office.run()
    assert state(office) == "rebuilt"
    assert counts(office) == before and planned(office) == []


def test_a_plan_reads_so_many_notes_and_the_rest_waits_for_the_next(an_office: Opens) -> None:
    names = [f"North{number}" for number in range(rebuilding.IN_A_PLAN // 50 + 1)]
    office = an_office(
        company(),
        *(customer(name) for name in names),
        *(
            invoice(f"{name}-{number}", name, "2026-06-01", "20.00")
            for name in names
            for number in range(50)
        ),
        policy=policy(),
        today="2026-06-04",
        mode="approve",
    )
    histories = with_histories(office)
    plan = office.run().plan
    assert len(histories.asked) == rebuilding.IN_A_PLAN
    assert len({row.customer for row in office.rows("planned")}) == len(names) - 1
    assert {s["customer"] for s in plan.view["skips"] if s["code"] == "history_unread"}
    office.run()
    assert len({row.customer for row in office.rows("planned")}) == len(names)
    assert len(histories.asked) == len(set(histories.asked)) == len(names) * 50
