"""Between a plan and what is done: a person approves a part of it, edits, or lets it wait."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ar_bridge import audit
from ar_bridge.applying import Fate, apply_told
from ar_bridge.approvals import with_companions
from ar_bridge.audit_gaps import gaps
from ar_bridge.choosing import Choice, Chosen, choose
from ar_bridge.editing import Edited, carrier, edit
from ar_bridge.errors import UsageError
from ar_bridge.expiry import expires_on
from ar_bridge.plan_seal import AlteredPlanError, stored_plan
from ar_bridge.store import actions as action_store
from ar_bridge.store import plans, tables
from ar_bridge.store.actions import ActionRow
from rules.actions.action import RenderedMessage
from rules.policy.load import load_policy
from rules.policy.schema import Policy
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import PERSON, Office, text_of

TODAY = "2026-06-04"
VIP = '[[segment]]\nname = "vip"\nwhen = { customer_name = "South Ltd" }\n'


def open_office(an_office: Opens, text: str = "", **options: Any) -> Office:
    """North owes 1,000.00; South, a vip, owes 300.00. Both are due a reminder and a late fee."""
    return an_office(
        company(),
        customer("North"),
        customer("South"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("S-1", "South", "2026-06-01", "300.00"),
        policy=policy(fee=flat_fee() + text),
        today=TODAY,
        **{"mode": "approve", **options},
    )


def message_of(office: Office, name: str, *states: str) -> ActionRow:
    return next(row for row in office.rows_of(name, *(states or ("planned",))) if row.message)


def edited(office: Office, row: ActionRow, text: str, subject: str = "", **more: Any) -> Edited:
    assert row.message is not None
    with office.desk.store.write() as conn:
        return edit(
            conn,
            office.desk,
            row,
            subject=subject or row.message.subject,
            text=text,
            actor=PERSON,
            reason="kinder",
            **more,
        )


def with_a_word(row: ActionRow, word: str = "Hope all is well with you.") -> str:
    assert row.message is not None
    greeting, _, rest = row.message.text.partition("\n\n")
    return f"{greeting}\n\n{word}\n\n{rest}"


def fates(office: Office, plan_id: str | None = None) -> dict[str, Fate]:
    plan = None
    if plan_id is not None:
        with office.desk.store.read() as conn:
            plan = stored_plan(conn, office.desk.book_id, plan_id)
    _, told = apply_told(office.desk, plan=plan)
    return {fate.key: fate for fate in told}


def events(office: Office, key: str) -> list[str]:
    with office.desk.store.read() as conn:
        return [entry.event for entry in audit.history(conn) if entry.subject == key]


# the plan as an artefact --------------------------------------------------------------------------


def test_a_plan_that_was_altered_is_refused(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    view = plan.view
    office.approve(plan.plan_id)
    body = msgspec.json.encode({**view, "on": "2026-06-05"}).decode()
    with office.desk.store.write() as conn:
        conn.execute(
            tables.plans.update().where(tables.plans.c.id == plan.plan_id).values(body=body)
        )
    with office.desk.store.read() as conn:
        altered = plans.plan_named(conn, office.desk.book_id, plan.plan_id)
        with pytest.raises(AlteredPlanError, match="was altered after it was stored"):
            stored_plan(conn, office.desk.book_id, plan.plan_id)
    with pytest.raises(AlteredPlanError):
        apply_told(office.desk, plan=altered)
    with pytest.raises(AlteredPlanError):
        office.reject(plan.plan_id)
    assert not office.mails and not office.records.fees
    # As it was, it is applied again.
    with office.desk.store.write() as conn:
        conn.execute(
            tables.plans.update()
            .where(tables.plans.c.id == plan.plan_id)
            .values(body=msgspec.json.encode(view).decode())
        )
    assert {fate.became for fate in fates(office, plan.plan_id).values()} == {"done"}
    is_matched(office)


def test_an_action_that_is_not_what_the_plan_shows_is_not_done(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    row = message_of(office, "North")
    assert row.message is not None

    def stored(message: RenderedMessage) -> None:
        with office.desk.store.write() as conn:
            conn.execute(
                tables.actions.update()
                .where(tables.actions.c.id == row.id)
                .values(message=msgspec.json.encode(message).decode())
            )

    stored(msgspec.structs.replace(row.message, to=("thief@elsewhere.example",)))
    office.approve(plan.plan_id)
    told = fates(office, plan.plan_id)
    assert told[row.key].became == "withdrawn"
    assert "stored to is not what plan" in told[row.key].reason
    assert [mail.recipients for mail in office.mails] == [("ap@south.example",)]
    with office.desk.store.read() as conn:
        assert row.key in {gap.subject for gap in gaps(conn, office.desk.book_id)}
    stored(row.message)


def test_every_action_of_an_applied_plan_is_accounted_for(an_office: Opens) -> None:
    office = open_office(an_office)
    first = office.run().plan
    south = office.rows_of("South", "planned")
    office.reject(south[0].key)
    north = message_of(office, "North")
    office.clock.advance(600)
    office.pay("North", 10_000, "N-1")
    second = office.run().plan
    office.approve(second.plan_id)
    # The first plan lists what was superseded and rejected since: nothing is done in its place.
    told = fates(office, first.plan_id)
    assert set(told) >= {row.key for row in south} | {north.key}
    assert {told[row.key].became for row in south} == {"rejected"}
    assert (told[north.key].became, told[north.key].reason) == ("superseded", "facts changed")
    assert (told[north.key].newer, told[north.key].newer_state) == (2, "approved")
    assert not office.mails and not office.records.fees
    told = fates(office, second.plan_id)
    assert {fate.became for fate in told.values()} == {"done"}
    assert {fate.revision for fate in told.values()} == {2}
    is_matched(office)


def test_what_drifted_and_what_waits_is_told_of_too(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    office.approve(*(row.key for row in office.rows_of("North", "planned")))
    office.pay("North", 100_000, "N-1", on="2026-06-01")
    told = fates(office, plan.plan_id)
    north = [fate for fate in told.values() if fate.customer == office.customer_id("North")]
    assert {fate.became for fate in north} == {"withdrawn"}
    assert any("N-1 is paid" in fate.reason for fate in north)
    south = [fate for fate in told.values() if fate.customer == office.customer_id("South")]
    assert {fate.became for fate in south} == {"waiting"}
    assert not office.mails


# approving a part ---------------------------------------------------------------------------------


def chosen(office: Office, **choice: Any) -> Chosen:
    with office.desk.store.read() as conn:
        rows = action_store.actions_in(conn, office.desk.book_id, ("planned",))
        rows = with_companions(conn, office.desk, rows)
        return choose(conn, office.desk, rows, Choice(**choice))


def names(office: Office, found: Chosen) -> set[str]:
    of = {office.customer_id(name): name for name in ("North", "South")}
    return {of[row.action.customer] for row in found.rows}


def test_a_part_of_a_plan_is_chosen_by_what_it_is(an_office: Opens) -> None:
    office = open_office(an_office, VIP)
    office.run()
    fees = chosen(office, kinds=("late_fee",), below=Decimal(500))
    assert {row.kind for row in fees.rows} == {"late_fee", "reminder"} and len(fees.rows) == 4
    small = chosen(office, kinds=("late_fee", "reminder"), below=Decimal(500))
    assert names(office, small) == {"South"} and len(small.rows) == 2
    assert {why for _, why in small.left} == {"1000.00 GBP is not below 500"} or all(
        "is not below 500" in why for _, why in small.left
    )
    assert names(office, chosen(office, above=Decimal(500))) == set()
    assert names(office, chosen(office, customers=("North Ltd",))) == {"North"}
    vip = chosen(office, segments=("vip",))
    assert names(office, vip) == {"South"}
    assert {why for _, why in vip.left} == {"not in vip"}
    # A fee never goes along with a message unless it was named.
    alone = chosen(office, kinds=("reminder",))
    assert not alone.rows and all("late fee" in why for _, why in alone.left)
    with pytest.raises(UsageError) as error:
        chosen(office, kinds=("fee",), segments=("vap",), customers=("Nobody",))
    assert len(error.value.problems) == 3


def test_the_policy_asks_for_a_person(an_office: Opens) -> None:
    asks = VIP + '[[approval.ask]]\nkinds = ["reminder"]\nonly = ["vip"]\nabove = 100\n'
    office = open_office(an_office, asks, mode="auto")
    report = office.run()
    # By rule the rest went; the fee of the vip waits with the message that announces it.
    assert [mail.recipients for mail in office.mails] == [("ap@north.example",)]
    waiting = office.rows_of("South", "planned")
    assert {row.kind for row in waiting} == {"late_fee", "reminder"}
    south = office.customer_id("South")
    shown = {one["kind"]: one for one in report.plan.view["actions"] if one["customer"] == south}
    told = {one["code"]: one["text"] for one in shown["reminder"]["reasons"]}
    assert shown["reminder"]["needs_approval"] and shown["late_fee"]["needs_approval"]
    assert told["needs_approval"] == (
        "Needs a person's approval because 300.00 GBP is above 100 and the customer belongs to vip."
    )
    office.approve(*(row.key for row in waiting))
    office.apply()
    assert len(office.mails) == 2
    is_matched(office)


# editing ------------------------------------------------------------------------------------------


def test_an_edited_message_is_a_new_revision_that_goes_as_it_was_edited(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    row = message_of(office, "North")
    done = edited(office, row, with_a_word(row, 'We <b>know</b> & "care".'), "A kind word")
    assert done.row.revision == 2 and done.row.state == "planned" and not done.lost
    assert done.row.edited_by == PERSON and "MessageEdited" in events(office, row.key)
    # Of the plan that was shown before, it is left, and said to be.
    office.approve(plan.plan_id)
    told = fates(office, plan.plan_id)
    assert told[row.key].became == "superseded" and PERSON in told[row.key].reason
    assert {tuple(mail.recipients) for mail in office.mails} == {("ap@south.example",)}
    # The next run keeps it word for word, and shows whose words they are.
    again = office.run().plan
    entry = next(one for one in again.view["actions"] if one["key"] == row.key)
    assert (entry["revision"], entry["edited_by"]) == (2, PERSON)
    assert entry["message"]["subject"] == "A kind word" and entry["needs_approval"]
    office.approve(done.plan_id)
    office.apply()
    (mail,) = office.mails_to("North")
    assert mail.subject == "A kind word" and 'We <b>know</b> & "care".' in text_of(mail)
    html = mail.parsed().get_body(("html",))
    assert html is not None
    assert "We &lt;b&gt;know&lt;/b&gt; &amp; &quot;care&quot;." in html.get_content()
    is_matched(office)


def test_an_edit_takes_an_approval_back(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    office.approve(plan.plan_id)
    row = message_of(office, "North", "approved")
    done = edited(office, row, with_a_word(row))
    assert {each.state for each in office.rows_of("North")} == {"superseded", "planned"}
    assert not office.apply().withdrawn
    assert not office.mails_to("North") and len(office.records.fees) == 1
    office.approve(done.plan_id)
    office.apply()
    assert len(office.mails_to("North")) == 1 and len(office.records.fees) == 2
    is_matched(office)


def test_figures_and_numbers_have_to_stay(an_office: Opens) -> None:
    office = open_office(an_office)
    office.run()
    row = message_of(office, "North")
    assert row.message is not None
    bare = row.message.text.replace("N-1", "your invoice").replace("1,000.00", "lots")
    with pytest.raises(UsageError) as error:
        edited(office, row, bare, "Please pay")
    assert "invoice number N-1" in error.value.problems
    assert "amount 1000.00 GBP" in error.value.problems
    for text, subject in (("  \n\n ", "Subject"), ("Text", " "), (row.message.text, "")):
        with pytest.raises(UsageError):
            edited(office, row, text, subject)
    done = edited(office, row, bare, "Please pay", anyway=True)
    assert "invoice number N-1" in done.lost
    fee = next(each for each in office.rows_of("North", "planned") if each.kind == "late_fee")
    with office.desk.store.read() as conn:
        assert carrier(conn, office.desk, fee).key == row.key
    with pytest.raises(UsageError, match="has no message"):
        edited(office, fee, "anything", "at all") if fee.message else _no_message(office, fee)


def _no_message(office: Office, row: ActionRow) -> None:
    with office.desk.store.write() as conn:
        edit(conn, office.desk, row, subject="S", text="T", actor=PERSON, reason="")


def test_an_edit_holds_over_days_and_its_figures_move_on(an_office: Opens) -> None:
    office = open_office(an_office, mode="approve")
    office.run()
    row = message_of(office, "North")
    edited(office, row, with_a_word(row))
    office.wake("2026-06-05")
    plan = office.run().plan
    entry = next(one for one in plan.view["actions"] if one["key"] == row.key)
    assert entry["edited_by"] == PERSON and entry["revision"] == 3
    assert "Hope all is well with you." in entry["message"]["text"]
    codes = [one["code"] for one in entry["reasons"]]
    assert "edit_kept" in codes and "waited" in codes
    # Everything but the person's line is what the template says today.
    now = message_of(office, "North")
    assert now.drafted is not None and now.message is not None
    assert now.message.text == with_a_word(msgspec.structs.replace(now, message=now.drafted))
    office.approve(plan.plan_id)
    office.apply()
    (mail,) = office.mails_to("North")
    assert "Hope all is well with you." in text_of(mail)
    is_matched(office)


def test_an_edit_is_dropped_when_the_facts_change_and_that_is_said(an_office: Opens) -> None:
    office = open_office(an_office)
    office.run()
    row = message_of(office, "North")
    done = edited(office, row, with_a_word(row))
    office.approve(done.plan_id)
    office.pay("North", 30_000, "N-1")
    office.clock.advance(600)
    told = fates(office, done.plan_id)
    assert told[row.key].became == "withdrawn"
    plan = office.run().plan
    entry = next(one for one in plan.view["actions"] if one["key"] == row.key)
    assert entry["edited_by"] is None and "Hope all is well" not in entry["message"]["text"]
    texts = {one["code"]: one["text"] for one in entry["reasons"]}
    assert texts["edit_dropped"] == f"The wording of {PERSON} is dropped: the facts have changed."


def test_in_mode_auto_an_edit_waits_for_a_person(an_office: Opens) -> None:
    limits = "mails_per_run = 0\nfirst_apply = 50"
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        policy=policy(limits=limits),
        today=TODAY,
        mode="auto",
    )
    office.run()
    row = message_of(office, "North")
    edited(office, row, with_a_word(row))
    office.new_policy(policy())
    office.run()
    assert not office.mails
    again = message_of(office, "North")
    assert again.edited_by == PERSON and again.mode == "approve"
    office.approve(again.key)
    office.apply()
    assert "Hope all is well" in text_of(office.mails[0])


# waiting ------------------------------------------------------------------------------------------


def read(text: str) -> Policy:
    return load_policy(text, source="p.toml", presets=())


def test_a_holiday_is_no_business_day_in_which_to_approve() -> None:
    text = """schema = 1
name = "own"
[calendar]
region = "GB-ENG"
[approval]
expires = "2bd"
"""
    asked_on = date(2026, 4, 2)  # the day before Good Friday; Easter Monday is one too
    assert expires_on(read(text), asked_on) == date(2026, 4, 8)
    assert expires_on(read(text.replace("GB-ENG", "")), asked_on) == date(2026, 4, 6)


def test_what_nobody_approves_expires_and_is_planned_anew(an_office: Opens) -> None:
    office = open_office(an_office, '[approval]\nexpires = "1d"\n')
    office.run()
    key = message_of(office, "North").key
    seen: dict[str, Any] = {}
    for day in office.days("2026-06-05", "2026-06-08"):
        for entry in office.run().plan.view["actions"]:
            if entry["key"] == key:
                seen[day.isoformat()] = entry
    assert not office.mails
    # On the weekend nothing goes out: that is no break in the waiting.
    assert list(seen) == ["2026-06-05", "2026-06-08"]
    assert {entry["waiting_since"][:10] for entry in seen.values()} == {TODAY}
    assert [entry["expires_on"] for entry in seen.values()] == ["2026-06-06", "2026-06-09"]
    expired = [row.ended_reason for row in office.rows("expired") if row.key == key]
    assert expired == ["nobody approved it within 1 day; it has waited since 2026-06-04"] * 2
    texts = [
        next(one["text"] for one in entry["reasons"] if one["code"] == "waited")
        for entry in seen.values()
    ]
    assert texts == [
        "It has waited for a person since 2026-06-04; nobody approved it by 2026-06-05.",
        "It has waited for a person since 2026-06-04; nobody approved it by 2026-06-06.",
    ]
    assert "ActionWithdrawn" in events(office, key)
    # What was approved late may still go, on the day it is approved for.
    office.approve(key)
    office.apply()
    assert len(office.mails_to("North")) == 1


def test_what_is_not_for_today_any_more_says_why(an_office: Opens) -> None:
    office = open_office(an_office)
    office.run()
    office.wake("2026-06-06")
    office.run()
    gone = office.rows("withdrawn")
    assert len(gone) == 4
    assert all("No messages go out today" in (row.ended_reason or "") for row in gone)


def test_an_approval_that_was_not_used_on_its_day_expires(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    office.approve(plan.plan_id)
    office.wake("2026-06-05")
    told = fates(office, plan.plan_id)
    assert {fate.became for fate in told.values()} == {"withdrawn"}
    office.wake("2026-06-08")
    plan = office.run().plan
    office.approve(plan.plan_id)
    office.wake("2026-06-09")
    again = office.run().plan
    expired = office.rows("expired")
    assert {row.ended_reason for row in expired} == {
        "approved, but not done on its day, 2026-06-08; planned again 2026-06-09"
    }
    assert {one["waiting_since"][:10] for one in again.view["actions"]} == {TODAY}
    assert not office.mails
