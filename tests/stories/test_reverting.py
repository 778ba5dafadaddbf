"""What was done by mistake is undone by a plan that a person approves; the ledger shows both."""

import pytest

from ar_bridge import audit
from ar_bridge.errors import UsageError
from ar_bridge.reinstating import reinstate, to_reinstate
from ar_bridge.reverting import Reverted, revert
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox, runs
from ar_bridge.waiving import to_waive, waive
from ar_bridge.worklist import worklist
from connectors.sandbox.rows import Allocation, PaymentRow
from rules.actions.notes import read_note
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import PERSON, Office, text_of

TODAY = "2026-06-04"
BOOK = [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]
REASON = "charged under the wrong terms"

INTERNAL = """
[[stage]]
id = "on-hold"
at = "due + 4d"
do = ["hold_credit", "task", "note"]
"""


def charged(an_office: Opens, *, mode: str = "auto", **options: str) -> Office:
    """An office with one late fee of 25.00 in the ledger and a mail that announced it."""
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today=TODAY, mode=mode, **options)
    office.run(approve=office.approve_all if mode == "approve" else None)
    assert len(office.records.fees) == 1
    return office


def last_run(office: Office) -> str:
    with office.desk.store.read() as conn:
        (run,) = runs.latest(conn, office.desk.book_id, kind="run")
    return str(run.id)


def undo(office: Office, *targets: str, is_trial: bool = False) -> Reverted:
    return revert(office.desk, targets, actor=PERSON, reason=REASON, is_trial=is_trial)


def kinds(made: Reverted) -> list[str]:
    return sorted(row.kind for row in made.ordered.rows) if made.ordered is not None else []


def carry_through(office: Office, made: Reverted) -> None:
    assert made.ordered is not None
    office.approve(made.ordered.plan_id)
    report = office.apply()
    assert report.problems == []


def said(made: Reverted, verdict: str) -> str:
    return "; ".join(line.text for line in made.lines if line.verdict == verdict)


def pay_fee(office: Office, amount: int) -> None:
    (fee,) = office.records.fees
    books = office.sandbox.ledger
    books.add(
        "payment",
        PaymentRow(
            customer=office.customer_id("North"),
            currency="GBP",
            on=books.today,
            amount=amount,
            allocations=(Allocation(fee.id, amount),),
            **books.new_row("payment", by="person"),
        ),
    )


def corrections(office: Office) -> list[str]:
    found = [read_note(note.text) for note in office.records.notes if note.text]
    return [one.text for one in found if one is not None and one.facts.kind == "correction"]


def test_a_run_is_undone_by_a_plan_that_a_person_approves(an_office: Opens) -> None:
    office = charged(an_office)
    before = len(office.records.notes)
    made = undo(office, last_run(office))
    assert kinds(made) == ["apology", "fee_waiver", "note"]
    assert made.ordered is not None
    assert all(action["needs_approval"] for action in made.ordered.view["actions"])
    assert "cannot be called back" in said(made, "apologised")

    # Nothing of it goes by itself, and no plan takes it out.
    office.wake("2026-06-05")
    office.run()
    assert {row.state for row in made.ordered.rows} == {"planned"}
    assert len(office.rows("planned")) == 3
    assert [fee.status for fee in office.records.fees] == ["open"]
    assert (len(office.mails), len(office.records.notes)) == (1, before)

    carry_through(office, made)
    assert [fee.status for fee in office.records.fees] == ["void"]
    (correction,) = corrections(office)
    assert REASON in correction
    sorry = office.mails[-1]
    assert sorry.parsed()["Subject"] == "Our mistake: late fees of £25.00 are taken back"
    text = " ".join(text_of(sorry).split())
    (fee,) = office.records.fees
    assert f"On 4 June 2026 we charged you a late fee ({fee.number}, invoice N-1)." in text
    assert "£25.00 of it is taken back, and you do not owe it." in text
    assert "Please disregard that message." in text
    assert "Total to pay" not in text
    assert office.row("fee_waiver", "done").approved_by == PERSON


def test_undoing_twice_proposes_nothing_more_and_nothing_comes_again(an_office: Opens) -> None:
    office = charged(an_office)
    run = last_run(office)
    first = undo(office, run)
    again = undo(office, run)
    assert again.ordered is None
    assert "is planned already" in said(again, "left")
    carry_through(office, first)
    after = undo(office, run)
    assert after.ordered is None
    assert "void in the ledger already" in said(after, "left") or "was done" in said(after, "left")
    fees, mails = len(office.records.fees), len(office.mails)
    for _ in office.days("2026-06-05", "2026-06-07"):
        office.run(approve=office.approve_all)
    assert (len(office.records.fees), len(office.mails)) == (fees, mails)
    assert undo(office, run).ordered is None


def test_a_fee_that_was_undone_is_charged_again_only_after_it_is_reinstated(
    an_office: Opens,
) -> None:
    office = charged(an_office)
    (fee,) = office.records.fees
    carry_through(office, undo(office, fee.number))
    for _ in office.days("2026-06-22", "2026-06-24"):
        office.run(approve=office.approve_all)
    assert [one.status for one in office.records.fees] == ["void"]
    with office.desk.store.write() as conn:
        chosen = to_reinstate(conn, office.desk, fee.number)
        assert chosen.amount == 2500
        reinstate(conn, office.desk, chosen, actor=PERSON, reason="it was owed after all")
    for _ in office.days("2026-06-25", "2026-07-20"):
        office.run(approve=office.approve_all)
    assert sorted(one.status for one in office.records.fees) == ["open", "void"]


def test_of_a_fee_that_is_paid_in_part_the_rest_is_credited(an_office: Opens) -> None:
    office = charged(an_office)
    pay_fee(office, 1000)
    office.wake("2026-06-05")
    office.run()
    carry_through(office, undo(office, office.records.fees[0].number))
    (fee,) = office.records.fees
    ours = [row for row in office.sandbox.ledger.credits.values() if row.by == "client"]
    assert [(row.total, row.remaining) for row in ours] == [(1500, 0)]
    assert fee.status != "void"


@pytest.mark.parametrize("how", ["paid", "waived"])
def test_what_was_paid_or_waived_since_is_said(an_office: Opens, how: str) -> None:
    office = charged(an_office)
    (fee,) = office.records.fees
    if how == "paid":
        pay_fee(office, 2500)
        office.wake("2026-06-05")
        office.run()
    else:
        with office.desk.store.write() as conn:
            chosen = to_waive(conn, office.desk, fee.number)
            waive(conn, office.desk, chosen, actor=PERSON, reason="a good customer")
        office.apply()
    made = undo(office, fee.number)
    assert made.ordered is None
    assert ("refund" if how == "paid" else "waived before") in said(made, "left") or (
        "void in the ledger already" in said(made, "left")
    )


def test_a_dry_run_stores_nothing(an_office: Opens) -> None:
    office = charged(an_office)
    with office.desk.store.read() as conn:
        before = audit.head(conn)
    made = undo(office, last_run(office), is_trial=True)
    assert kinds(made) == ["apology", "fee_waiver", "note"]
    assert office.rows("planned") == []
    with office.desk.store.read() as conn:
        assert audit.head(conn) == before
    assert kinds(undo(office, last_run(office))) == kinds(made)


def test_what_was_turned_down_can_be_proposed_again(an_office: Opens) -> None:
    office = charged(an_office)
    made = undo(office, last_run(office))
    assert made.ordered is not None
    (sorry,) = (row.key for row in made.ordered.rows if row.kind == "apology")
    # The fee may be taken back without saying sorry by mail.
    office.reject(sorry)
    assert sorted(row.kind for row in office.rows("planned")) == ["fee_waiver", "note"]
    office.reject(made.ordered.plan_id)
    assert kinds(undo(office, last_run(office))) == kinds(made)


def test_holds_tasks_and_notes_are_taken_back(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(stage=INTERNAL), today=TODAY)
    for _ in office.days(TODAY, "2026-06-05"):
        office.run()
    north = office.customer_id("North")
    held = office.row("credit_hold", "done").key
    made = undo(office, last_run(office))
    assert kinds(made) == ["apology", "closing", "credit_release", "note"]
    carry_through(office, made)
    with office.desk.store.read() as conn:
        assert [one for one in worklist(conn, office.desk) if one.state == "open"] == []
    if office.ledger == "xero":
        assert not any(north in group.members for group in office.records.groups)
    assert len(corrections(office)) == 1
    assert "we stopped deliveries on credit" in " ".join(text_of(office.mails[-1]).split())
    for _ in office.days("2026-06-06", "2026-06-08"):
        office.run(approve=office.approve_all)
    assert [row.key for row in office.rows(kind="credit_hold")] == [held]
    again = undo(office, held)
    assert again.ordered is None
    assert "released since" in said(again, "left")


def test_a_hold_of_an_earlier_day_is_released_unless_the_ledger_says_that_it_was(
    an_office: Opens,
) -> None:
    office = an_office(*BOOK, policy=policy(stage=INTERNAL), today=TODAY)
    for _ in office.days(TODAY, "2026-06-08"):
        office.run()
    held = office.row("credit_hold", "done").key
    made = undo(office, held, is_trial=True)
    assert "credit_release" in kinds(made)
    if office.ledger == "xero":
        (group,) = office.sandbox.ledger.groups
        office.sandbox.ledger.change("group", group, members=frozenset())
        office.change_customer("North", email="new@north.example")
        office.wake("2026-06-10")
        office.run()
        assert "released since" in said(undo(office, held), "left")


def test_a_book_that_drafts_drafts_the_apology(an_office: Opens) -> None:
    office = charged(an_office, mode="approve")
    office.reopen(mode="draft")
    made = undo(office, last_run(office))
    assert made.ordered is not None
    office.wake("2026-06-05")
    office.run()
    assert {row.kind for row in office.rows("planned")} >= {"apology"}
    mails = len(office.mails)
    carry_through(office, made)
    assert len(office.mails) == mails
    drafted = [path.read_text(encoding="utf-8") for path in office.home.drafts.rglob("*.eml")]
    assert any("Our mistake" in text for text in drafted)


def test_a_customer_without_an_address_is_told_by_a_person(an_office: Opens) -> None:
    office = charged(an_office)
    office.change_customer("North", email="")
    office.wake("2026-06-05")
    office.run()
    made = undo(office, office.row("reminder", "done").key)
    assert kinds(made) == ["note", "task"]
    assert "no apology can be sent" in said(made, "left")


def test_what_is_unknown_is_settled_first_and_what_is_planned_is_rejected(
    an_office: Opens,
) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today=TODAY, mode="approve")
    office.run()
    made = undo(office, office.row("late_fee", "planned").key)
    assert made.ordered is None
    assert "ar-bridge reject" in said(made, "left")
    office.approve_all()
    office.crash("mail", 1, when="after")
    office.apply_to_crash()
    office.reopen()
    office.end_leases()
    office.apply()
    made = undo(office, office.row("reminder", "unknown").key)
    assert made.ordered is None
    assert "ar-bridge settle" in said(made, "left")


def test_an_unknown_target_changes_nothing(an_office: Opens) -> None:
    office = charged(an_office)
    with pytest.raises(UsageError, match="no run, plan, action or fee document"):
        undo(office, "LF-NONE")


def test_with_our_records_lost_what_was_undone_stays_undone(an_office: Opens) -> None:
    office = charged(an_office)
    carry_through(office, undo(office, last_run(office)))
    before = (len(office.records.fees), len(office.mails))
    office.lose_the_database()
    for _ in office.days("2026-06-08", "2026-06-10"):
        office.run(approve=office.approve_all)
    assert (len(office.records.fees), len(office.mails)) == before
    assert [fee.status for fee in office.records.fees] == ["void"]


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_undoing_that_is_interrupted_is_finished_once(an_office: Opens, nth: int) -> None:
    office = charged(an_office)
    made = undo(office, last_run(office))
    assert made.ordered is not None
    office.approve(made.ordered.plan_id)
    office.crash("ledger", nth, when="after")
    office.apply_to_crash()
    office.reopen()
    office.end_leases()
    office.apply()
    office.apply()
    assert [fee.status for fee in office.records.fees] == ["void"]
    assert len(corrections(office)) == 1
    assert [mail for mail in office.mails[1:] if "mistake" not in text_of(mail)] == []
    assert len(office.mails) == 2


def test_a_half_done_action_is_ended_by_undoing_it(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(), today=TODAY)
    office.crash("ledger", 1, when="before")
    office.run_to_crash()
    office.reopen()
    assert len(office.mails) == 1
    (reminder,) = office.rows("leased", kind="reminder")
    with office.desk.store.write() as conn:
        # As the ledger leaves it when it refuses the note for good after the mail went out.
        action_store.set_state(
            conn, [reminder.id], "parked", now=office.clock.now(), reason="the note was refused"
        )
        audit.append(
            conn,
            book_id=office.desk.book_id,
            at=office.clock.now(),
            actor=PERSON,
            event="ActionParked",
            subject=reminder.key,
            payload={"revision": reminder.revision, "state": "parked"},
        )
        outbox.set_effects(conn, reminder.id, [1], "refused", note="refused")
    made = undo(office, reminder.key)
    assert kinds(made) == ["apology"]
    assert "given up" in said(made, "undone")
    assert [row.key for row in office.rows("done", kind="reminder")] == [reminder.key]
    carry_through(office, made)
    assert len(office.mails) == 2


def test_an_apology_by_letter_is_posted_once(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North", email="", address=["2 Low Street", "York"]),
        invoice("N-1", "North", "2026-06-01"),
        policy=policy(fee=flat_fee(), contact='fallback = ["letter"]'),
        today=TODAY,
    )
    office.run()
    made = undo(office, last_run(office))
    (sorry,) = [row for row in made.ordered.rows if row.kind == "apology"] if made.ordered else []
    assert len(sorry.action.items) == 2
    carry_through(office, made)
    office.wake("2026-06-05")
    office.run()
    with office.desk.store.read() as conn:
        opened = [one.text for one in worklist(conn, office.desk) if "post the letter" in one.text]
    assert len([text for text in opened if "2026-06-04" in text]) == len(opened) == 2
