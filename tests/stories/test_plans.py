"""A plan is an artefact: it stays what it was, and what it lists is all that it does."""

from typing import Any

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from ar_bridge import audit
from ar_bridge.dispatcher import apply
from ar_bridge.messages.late import filled_text
from ar_bridge.planner import make_plan
from ar_bridge.store import actions as action_store
from ar_bridge.store import plans, tables
from ar_bridge.store.actions import ActionRow
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens, on_both_databases
from tests.stories.evidence import is_matched
from tests.stories.stage import PERSON, LedgerName, Office

TODAY = "2026-06-04"


@pytest.fixture(params=["xero"])
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """What is asked here is the same whatever the ledger is."""
    chosen: LedgerName = request.param
    return chosen


def open_office(an_office: Opens, **options: Any) -> Office:
    return an_office(
        company(),
        customer("North"),
        customer("South"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("S-1", "South", "2026-06-01"),
        policy=policy(fee=flat_fee()),
        today=TODAY,
        mode="approve",
        **options,
    )


def in_state(office: Office, row: ActionRow, state: str) -> None:
    """Move an action, with an entry that says so."""
    now = office.clock.now()
    with office.desk.store.write() as conn:
        if state == row.state:
            return
        action_store.set_state(conn, [row.id], state, now=now)
        audit.append(
            conn,
            book_id=office.desk.book_id,
            at=now,
            actor=PERSON,
            event="OutcomeSettled",
            subject=row.key,
            payload={"revision": row.revision, "state": state},
        )


def planned_again(office: Office, row: ActionRow, revision: int) -> None:
    """Put the same action in once more, as if two planners had run at once."""
    columns = {
        name: getattr(row, name)
        for name in ("book_id", "plan_id", "key", "kind", "mode", "customer", "number")
    }
    with office.desk.store.write() as conn:
        action_store.insert_actions(
            conn,
            [
                {
                    **columns,
                    "revision": revision,
                    "state": "planned",
                    "send_on": row.send_on.isoformat(),
                    "send_at": row.send_at.isoformat(),
                    "body": msgspec.json.encode(row.action).decode(),
                    "reasons": "[]",
                    "facts": "{}",
                    "facts_digest": "",
                    "policy_hash": "",
                    "items": row.action.items,
                }
            ],
        )


def taken_out(office: Office, key: str, revision: int) -> None:
    """Remove what `planned_again` put in: no plan shows it, so the audit would name it."""
    (added,) = (row for row in office.rows() if (row.key, row.revision) == (key, revision))
    items, actions = tables.action_items, tables.actions
    with office.desk.store.write() as conn:
        conn.execute(items.delete().where(items.c.action_id == added.id))
        conn.execute(actions.delete().where(actions.c.id == added.id))


@on_both_databases
@pytest.mark.parametrize("state", ["planned", "approved", "unknown", "parked", "done"])
def test_a_live_item_is_there_once_whatever_the_code_believes(an_office: Opens, state: str) -> None:
    office = open_office(an_office)
    office.run()
    row = office.rows("planned", kind="late_fee")[0]
    in_state(office, row, state)
    with pytest.raises(IntegrityError):
        planned_again(office, row, revision=2)
    assert len([each for each in office.rows() if each.key == row.key]) == 1


@pytest.mark.parametrize("state", ["superseded", "withdrawn", "rejected", "expired", "refused"])
def test_what_ended_without_being_begun_frees_its_key(an_office: Opens, state: str) -> None:
    office = open_office(an_office)
    office.run()
    row = office.rows("planned", kind="late_fee")[0]
    in_state(office, row, state)
    planned_again(office, row, revision=2)
    with pytest.raises(IntegrityError):
        planned_again(office, row, revision=2)
    assert [each.revision for each in office.rows() if each.key == row.key] == [1, 2]
    taken_out(office, row.key, revision=2)


@on_both_databases
def test_each_change_of_the_facts_is_one_more_revision(an_office: Opens) -> None:
    office = open_office(an_office)
    office.run()
    for _ in range(3):
        office.clock.advance(600)
        office.pay("North", 10_000, "N-1")
        office.run()
    message = [row for row in office.rows_of("North") if row.kind == "reminder"]
    assert [row.revision for row in message] == [1, 2, 3, 4]
    assert [row.state for row in message] == ["superseded"] * 3 + ["planned"]
    # The same facts planned again stay the revision that they are.
    office.run()
    assert len([row for row in office.rows_of("North") if row.kind == "reminder"]) == 4


def test_a_plan_never_changes(an_office: Opens) -> None:
    office = open_office(an_office)
    first = office.run().plan
    stored = the_plan(office, first.plan_id)
    office.clock.advance(600)
    office.pay("North", 10_000, "N-1")
    second = office.run().plan
    assert second.plan_id != first.plan_id
    office.approve(second.plan_id)
    office.apply()
    assert the_plan(office, first.plan_id) == stored
    with office.desk.store.write() as conn:
        plans.insert_plan(
            conn,
            id=first.plan_id,
            book_id=office.desk.book_id,
            on=TODAY,
            book_as_of=TODAY,
            policy_name="other",
            policy_hash="",
            made_at=TODAY,
            body="{}",
            digest="",
        )
    assert the_plan(office, first.plan_id) == stored


def test_a_plan_that_is_applied_does_only_what_it_lists(an_office: Opens) -> None:
    office = open_office(an_office)
    first = office.run().plan
    office.approve(*(row.key for row in office.rows_of("North", "planned")))
    office.approve(*(row.key for row in office.rows_of("South", "planned")))
    # A plan in which only South is listed: North was superseded by a payment meanwhile.
    listed = the_plan(office, first.plan_id)
    mine = [e for e in listed.body["actions"] if e["customer"] == office.customer_id("South")]
    only = msgspec.structs.replace(listed, body={**listed.body, "actions": mine})
    report = apply(office.desk, plan=only)
    assert report.applied == {"late_fee": 1, "reminder": 1}
    assert len(office.mails_to("South")) == 1 and not office.mails_to("North")
    assert {row.state for row in office.rows_of("North")} == {"approved"}
    is_matched(office)


def test_the_plan_shows_what_is_sent_word_for_word(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    shown = {
        tuple(entry["message"]["to"]): entry["message"]
        for entry in plan.view["actions"]
        if entry["message"]
    }
    office.approve(plan.plan_id)
    office.apply()
    for mail in office.mails:
        message = shown[mail.recipients]
        assert mail.subject == message["subject"]
        body = mail.parsed().get_body(("plain",))
        assert body is not None
        # Of the late slots only the links to pay online are in the text.
        sent = [
            line
            for line in body.get_content().splitlines()
            if "://" not in line and line.strip() != "Pay online:"
        ]
        assert " ".join(sent).split() == filled_text(message["text"], ()).split()
    numbers = {entry["number"] for entry in plan.view["actions"] if entry["number"]}
    assert {fee.number for fee in office.records.fees} == numbers


@on_both_databases
def test_planning_twice_at_the_same_moment_is_the_same_plan(an_office: Opens) -> None:
    office = open_office(an_office)
    first = office.run().plan
    again = make_plan(office.desk)
    assert again.planned == 0 and again.kept == 4
    assert again.view["actions"] == first.view["actions"]


def the_plan(office: Office, plan_id: str) -> plans.PlanRow:
    with office.desk.store.read() as conn:
        found = plans.plan_named(conn, office.desk.book_id, plan_id)
    assert found is not None
    return found


def test_the_index_is_there_under_its_name(an_office: Opens) -> None:
    """The last word on uniqueness is the database's."""
    office = open_office(an_office)
    with office.desk.store.read() as conn:
        found = conn.exec_driver_sql(
            "select sql from sqlite_master where type = 'index' and tbl_name = ?",
            (tables.action_items.name,),
        ).scalars()
        unique = [sql for sql in found if sql and "UNIQUE" in sql]
    assert any("WHERE" in sql for sql in unique)
