"""What somebody changes in the database beside the chain is named, row by row."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, func, select, text

from ar_bridge import audit
from ar_bridge.audit_erasing import erase_customer
from ar_bridge.audit_gaps import Gap, gaps
from ar_bridge.plan_seal import digest_of_body, digest_of_plan
from ar_bridge.settling import settle
from ar_bridge.store.tables import action_items, actions, effects, plans
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.stage import PERSON, Office, opened

BOOK = [
    company(),
    customer("North"),
    customer("South"),
    invoice("N-1", "North", "2026-06-01"),
    invoice("S-1", "South", "2026-06-20"),
]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A fee and its reminder are done; of the second customer they are approved, not yet done.
    Each test takes its changes back."""
    root = tmp_path_factory.mktemp("beside")
    options = {"policy": policy(fee=flat_fee()), "today": "2026-06-04", "mode": "approve"}
    with opened(root, "xero", BOOK, **options) as office:
        office.run(approve=office.approve_all)
        office.wake("2026-06-23")
        office.run()
        office.approve_all()
        assert {row.state for row in office.rows()} == {"done", "approved"}
        yield office


def changed(office: Office, change: Callable[[Connection], object]) -> list[Gap]:
    """What is found after a change, which is then taken back."""
    with office.desk.store.write() as conn:
        transaction = conn.begin_nested()
        if conn.dialect.name == "sqlite":
            conn.execute(text("PRAGMA defer_foreign_keys = ON"))
        change(conn)
        assert audit.verify(conn) == []
        found = gaps(conn, office.desk.book_id)
        transaction.rollback()
    return found


def key_of(office: Office, kind: str, state: str) -> str:
    return office.rows(state, kind=kind)[-1].key


def test_nothing_is_named_of_what_nobody_changed(office: Office) -> None:
    assert changed(office, lambda conn: None) == []


@pytest.mark.parametrize("was", ["1,000.00", "first-reminder", "skips"])
def test_an_altered_plan_is_named(office: Office, was: str) -> None:
    with office.desk.store.read() as conn:
        ids = conn.execute(select(plans.c.id).where(plans.c.body.contains(was))).scalars().all()
    becomes = was[:-1] + "x"
    alter = plans.update().values(body=func.replace(plans.c.body, was, becomes))
    found = changed(office, lambda conn: conn.execute(alter))
    assert {gap.subject for gap in found if gap.kind == "plan"} >= set(ids)


def test_a_plan_that_is_sealed_again_does_not_fit_the_record(office: Office) -> None:
    def forge(conn: Connection) -> None:
        row = conn.execute(select(plans).where(plans.c.body.contains("LF-"))).first()
        assert row is not None
        body = msgspec.json.decode(row.body)
        body["actions"][0]["amount"] = "99.00"
        written = msgspec.json.encode(body).decode()
        one = plans.update().where(plans.c.id == row.id)
        conn.execute(one.values(body=written, digest=digest_of_plan(body)))

    found = changed(office, forge)
    assert any("another digest" in gap.text for gap in found)


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("amount", 2600, "action"),
        ("number", "LF-AAAAAAAAAAAAAAAA", "action"),
        ("customer", "C-99", "action"),
        ("approved_by", "somebody", "approval"),
        ("approved_by", None, "approval"),
        ("facts", '{"fee":["LF-1",1,"2026-06-04"]}', "approval"),
        ("facts_digest", "0" * 64, "approval"),
        ("policy_hash", "0" * 64, "approval"),
        ("state", "rejected", "state"),
    ],
)
@pytest.mark.parametrize("state", ["done", "approved"])
def test_an_altered_action_is_named(
    office: Office, column: str, value: object, kind: str, state: str
) -> None:
    key = key_of(office, "late_fee", state)
    alter = actions.update().where(actions.c.key == key).values({column: value})
    found = changed(office, lambda conn: conn.execute(alter))
    assert {gap.subject for gap in found} == {key}
    assert kind in {gap.kind for gap in found}


def test_an_altered_message_is_named(office: Office) -> None:
    key = key_of(office, "reminder", "approved")
    said = func.replace(actions.c.message, ".example", ".other.example")
    alter = actions.update().where(actions.c.key == key).values(message=said)
    found = changed(office, lambda conn: conn.execute(alter))
    assert [(gap.kind, gap.subject) for gap in found] == [("action", key)]
    assert "its to is not what plan" in found[0].text


@pytest.mark.parametrize("state", ["pending", "sending", "unknown", "refused"])
def test_what_was_done_and_no_longer_is_would_be_done_again(office: Office, state: str) -> None:
    key = key_of(office, "late_fee", "done")
    (row,) = (one for one in office.rows("done") if one.key == key)
    alter = effects.update().where(effects.c.action_id == row.id).values(state=state)
    found = changed(office, lambda conn: conn.execute(alter))
    assert {(gap.kind, gap.subject) for gap in found} == {("effect", key)}
    assert f"is {state} there" in found[0].text


@pytest.mark.parametrize("state", ["done", "approved"])
def test_a_removed_effect_is_named(office: Office, state: str) -> None:
    key = key_of(office, "reminder", state)
    (row,) = (one for one in office.rows(state) if one.key == key)
    first = effects.c.position == 0
    remove = effects.delete().where(effects.c.action_id == row.id, first)
    found = changed(office, lambda conn: conn.execute(remove))
    assert {gap.subject for gap in found} == {key}
    assert "approval" in {gap.kind for gap in found}


@pytest.mark.parametrize("state", ["done", "approved"])
def test_an_altered_outbox_is_named(office: Office, state: str) -> None:
    key = key_of(office, "late_fee", state)
    (row,) = (one for one in office.rows(state) if one.key == key)
    said = func.replace(effects.c.body, "25", "26")
    alter = effects.update().where(effects.c.action_id == row.id).values(body=said)
    found = changed(office, lambda conn: conn.execute(alter))
    assert [(gap.kind, gap.subject) for gap in found] == [("approval", key)]


@pytest.mark.parametrize("state", ["done", "approved"])
def test_a_removed_action_is_named(office: Office, state: str) -> None:
    key = key_of(office, "late_fee", state)
    (row,) = (one for one in office.rows(state) if one.key == key)

    def remove(conn: Connection) -> None:
        conn.execute(effects.delete().where(effects.c.action_id == row.id))
        conn.execute(action_items.delete().where(action_items.c.action_id == row.id))
        conn.execute(actions.delete().where(actions.c.id == row.id))

    found = changed(office, remove)
    assert {gap.subject for gap in found} == {key}
    assert {"revision 1 was approved, and is gone"} <= {gap.text for gap in found}


def test_an_action_that_no_plan_showed_is_named(office: Office) -> None:
    key = key_of(office, "late_fee", "done")

    def add(conn: Connection) -> None:
        stored = conn.execute(select(actions).where(actions.c.key == key)).mappings().one()
        other = {**stored, "id": None, "key": f"{key}-b", "state": "planned"}
        other |= {"approved_by": None, "approved_at": None}
        conn.execute(actions.insert().values(**other))

    found = changed(office, add)
    assert [(gap.kind, gap.subject) for gap in found] == [("action", f"{key}-b")]


def test_a_removed_plan_is_named(office: Office) -> None:
    with office.desk.store.read() as conn:
        plan_id = conn.execute(select(plans.c.id).order_by(plans.c.made_at)).scalars().first()
    remove = plans.delete().where(plans.c.id == plan_id)
    found = changed(office, lambda conn: conn.execute(remove))
    assert [gap.subject for gap in found if gap.text == "it was made, and is gone"] == [plan_id]


def test_after_an_erasure_only_what_was_erased_may_differ(office: Office) -> None:
    north = office.customer_id("North")

    def erase(conn: Connection) -> None:
        desk = office.desk
        erase_customer(conn, desk, north, actor=PERSON, reason="asked to", is_trial=False)

    assert changed(office, erase) == []
    erased = plans.c.body.contains('"erased":true')
    alter = plans.update().where(erased).values(body=func.replace(plans.c.body, "25.00", "26.00"))
    key = key_of(office, "late_fee", "done")
    forge = actions.update().where(actions.c.key == key).values(amount=1)
    for change, kind in ((alter, "plan"), (forge, "action")):
        found = changed(office, lambda conn, change=change: (erase(conn), conn.execute(change)))
        assert {gap.kind for gap in found} == {kind}


def test_progress_reaches_its_end(office: Office) -> None:
    steps: list[tuple[int, int]] = []
    with office.desk.store.read() as conn:
        gaps(conn, office.desk.book_id, progress=lambda done, total: steps.append((done, total)))
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1203])
def test_the_digest_of_a_text_is_that_of_the_plan(count: int) -> None:
    plan = {
        "plan": "2026-06-04-abc",
        "schema": 1,
        "policy": {"name": "é\u2028", "hash": "b"},
        "actions": [],
        "skips": [{"z": place, "a": [1, {"d": None, "c": 1.5}]} for place in range(count)],
    }
    text_of_it = msgspec.json.encode(plan)
    assert digest_of_body(text_of_it) == digest_of_plan(plan)
    assert digest_of_body(text_of_it.decode()) == digest_of_plan(plan)


def test_what_a_person_said_to_have_happened_stays_done(tmp_path: Path) -> None:
    options = {"policy": policy(), "today": "2026-06-04"}
    with opened(tmp_path, "xero", BOOK[:2] + BOOK[3:4], **options) as office:
        office.crash("mail", 1, when="after")
        office.run_to_crash()
        office.reopen()
        office.end_leases()
        office.apply()
        row = office.row("reminder", "unknown")
        with office.desk.store.write() as conn:
            settle(conn, office.desk, row, happened=True, actor=PERSON, reason="it is in Sent")
        assert changed(office, lambda conn: None) == []
        again = effects.update().where(effects.c.action_id == row.id, effects.c.state == "done")
        found = changed(office, lambda conn: conn.execute(again.values(state="pending")))
        assert [gap.subject for gap in found] == [row.key]
        assert "is pending there" in found[0].text
