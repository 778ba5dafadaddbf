"""The whole path of somebody with books of their own, on either ledger, command by command."""

import json
from collections import Counter

import pytest

from tests.cli.contract import is_plan, is_quote
from tests.cli.newcomer import Newcomer
from tests.store.opening import on_both


@pytest.mark.parametrize(
    ("ledger", "backend"),
    [("quickbooks", "sqlite"), ("xero", "sqlite"), ("xero", "postgresql")],
)
def test_from_nothing_to_reminders_and_a_late_fee(newcomer: Newcomer) -> None:
    call = newcomer.done
    assert "ar-bridge connect" in call("init").out
    newcomer.configure()
    assert "not connected yet" in call("status").out
    connected = newcomer.connect()
    assert "elm is connected: Elm Street Ltd (GBP, Europe/London)" in connected.out
    assert "Next: ar-bridge sync" in connected.out

    looked = call("doctor", "--json").json["findings"]
    # Nothing is wrong; that nobody reads the answers is worth a word.
    assert [finding["subject"] for finding in looked if finding["level"] != "ok"] == [
        "incoming mail"
    ]
    read = call("sync", "--json").json
    assert (read["full"], read["read"]["customers"], read["read"]["invoices"]) == (True, 6, 6)

    # The first plan: everybody who was late before starts with the earliest reminder.
    plan = call("plan", "--json").json
    is_plan(plan)
    assert [action["kind"] for action in plan["actions"]] == ["reminder"] * 4
    assert all(action["needs_approval"] for action in plan["actions"])
    assert newcomer("plan", "--check").code == 2
    assert "nothing was due" in call("apply").out
    assert newcomer.mails == []

    approved = call("approve", plan["plan"], "--reason", "read it", "--json").json["approved"]
    assert sorted(approved) == sorted(action["key"] for action in plan["actions"])
    done = call("apply", plan["plan"], "--json").json
    assert done["applied"] == {"reminder": 4}
    assert done["written"] == {"send_message": 4, "post_note": 4}
    assert (len(newcomer.mails), newcomer.left_in_ledger) == (4, (4, 0))

    for _ in range(2):
        again = call("run", "--json").json
        is_plan(again["plan"])
        assert (again["applied"], again["written"], again["problems"]) == ({}, {}, [])
    assert newcomer("plan", "--check").code == 0
    assert (len(newcomer.mails), newcomer.left_in_ledger) == (4, (4, 0))

    # Two days on, the fifth is three days late: the fee and the mail that announces it.
    newcomer.tomorrow(2)
    call("sync")
    plan = call("plan", "--json").json
    is_plan(plan)
    assert [action["kind"] for action in plan["actions"]] == ["late_fee", "reminder"]
    fee = plan["actions"][0]
    assert (fee["amount"], fee["currency"], fee["fee"]) == ("25.00", "GBP", "late")
    assert fee["number"].startswith("LF-")
    # Either of the two takes the other along.
    assert len(call("approve", fee["key"], "--json").json["approved"]) == 2
    assert "done: " in call("apply").out
    assert (len(newcomer.mails), newcomer.left_in_ledger) == (5, (5, 1))
    charged = newcomer.sandbox.records().fees[0]
    assert (charged.number, charged.amount, charged.customer) == (
        fee["number"],
        2500,
        newcomer.sandbox.vendor_id("customer", "Birch"),
    )

    call("sync")
    quote = call("quote", "INV-7", "--on", "2026-04-01", "--json").json
    is_quote(quote)
    assert (quote["original"], quote["outstanding"]) == ("400.00", "400.00")
    assert [(f["posted"], f["to_post"]) for f in quote["fees"]] == [("25.00", "0.00")]
    said = call("explain", "INV-7").out
    assert "Invoice INV-7 of Birch Ltd" in said
    assert "Late fees" in said
    assert call("explain", "INV-7", "--json").json["schema"] == 1
    assert "Birch Ltd" in call("explain", "Birch Ltd").out

    standing = call("status", "--json").json["books"][0]
    assert standing["actions"] == {"done": 6}
    assert "waiting" not in call("status").out


def test_the_audit_holds_every_step(newcomer: Newcomer) -> None:
    call = newcomer.settle().done
    plan = call("plan", "--json").json["plan"]
    call("approve", plan, "--reason", "looked at it")
    call("apply")
    shown = call("audit", "show", "--json").json["entries"]
    assert Counter(entry["event"] for entry in shown) == {
        "BookConnected": 1,
        "EffectWritten": 8,
        "SyncCompleted": 1,
        "PlanMade": 1,
        "ActionApproved": 4,
        "ReminderSent": 4,
    }
    approvals = [entry for entry in shown if entry["event"] == "ActionApproved"]
    assert {entry["payload"]["reason"] for entry in approvals} == {"looked at it"}
    key = approvals[0]["subject"]
    about = call("audit", "show", key, "--json").json["entries"]
    assert {entry["event"] for entry in about} == {
        "ActionApproved",
        "EffectWritten",
        "ReminderSent",
    }
    assert key in call("audit", "show").out
    assert "unbroken" in call("audit", "verify").out
    verified = call("audit", "verify", "--json").json
    assert (verified["entries"], verified["problems"]) == (19, [])
    lines = [json.loads(line) for line in call("audit", "export").out.splitlines()]
    exported = [line for line in lines if "seq" in line and "event" in line]
    assert [entry["seq"] for entry in exported] == list(range(1, 20))
    assert exported[-1]["hash"] == verified["head"]


def test_what_people_say_holds_from_the_next_plan_on(newcomer: Newcomer) -> None:
    call = newcomer.settle().done

    def plan() -> tuple[set[str], set[str]]:
        made = call("plan", "--json").json
        is_plan(made)
        return (
            {action["customer_name"] for action in made["actions"]},
            {skip["code"] for skip in made["skips"]},
        )

    assert plan()[0] == {"North Ltd", "South Ltd", "East Ltd", "West Ltd"}
    said = call("promise", "--invoice", "INV-1", "--on", "2026-03-20", "--reason", "by telephone")
    assert "North Ltd promised to pay on 2026-03-20" in said.out
    call("dispute", "--invoice", "INV-3", "--reason", "short delivery")
    call("pause", "--customer", "East Ltd", "--until", "2026-03-13")
    call("stop-customer", "West Ltd", "--because", "insolvency", "--reason", "court notice")
    names, codes = plan()
    assert names == {"West Ltd"}  # a task: the proof of debt
    assert {"promised", "disputed", "paused", "stopped"} <= codes
    assert "short delivery" in call("explain", "INV-3").out

    call("dispute", "--invoice", "INV-3", "--won-by", "us")
    call("resume", "East Ltd")
    call("resume", "West Ltd", "--reason", "sold to somebody else")
    assert plan()[0] == {"South Ltd", "East Ltd", "West Ltd"}
    events = Counter(e["event"] for e in call("audit", "show", "--json").json["entries"])
    assert events["CommitmentEnded"] == 3
    assert [events[f"{kind}Recorded"] for kind in ("Promise", "Dispute", "Pause", "Stop")] == [
        1
    ] * 4


def test_a_reminder_that_waits_is_withdrawn_when_the_customer_disputes(
    newcomer: Newcomer,
) -> None:
    call = newcomer.settle().done
    plan = call("plan", "--json").json
    call("approve", plan["plan"])
    call("dispute", "--invoice", "INV-3")
    done = call("apply", "--json").json
    assert done["applied"] == {"reminder": 3, "note": 1}
    assert [gone["reason"] for gone in done["withdrawn"]]
    assert "ap@south.example" not in {
        address for mail in newcomer.mailbox.messages for address in mail.recipients
    }


def test_what_is_rejected_is_not_done(newcomer: Newcomer) -> None:
    call = newcomer.settle().done
    plan = call("plan", "--json").json
    no = next(a for a in plan["actions"] if a["customer_name"] == "West Ltd")
    assert call("reject", no["key"], "--reason", "I call them", "--json").json["rejected"] == [
        no["key"]
    ]
    call("approve", plan["plan"])
    assert call("apply", "--json").json["applied"] == {"reminder": 3}
    assert "West Ltd" not in {a["customer_name"] for a in call("plan", "--json").json["actions"]}


def test_a_book_in_mode_auto_needs_nobody(newcomer: Newcomer) -> None:
    newcomer.done("init")
    newcomer.configure(mode="auto")
    newcomer.connect()
    done = newcomer.done("run", "--json").json
    assert done["applied"] == {"reminder": 4}
    assert newcomer.done("run", "--json").json["applied"] == {}
    assert (len(newcomer.mails), newcomer.left_in_ledger) == (4, (4, 0))


READING = [
    ("books",),
    ("doctor",),
    ("status",),
    ("sync",),
    ("sync", "--full"),
    ("plan",),
    ("explain", "INV-1"),
    ("explain", "North Ltd"),
    ("quote", "INV-1", "--on", "2026-05-01"),
    ("audit", "show"),
    ("audit", "verify"),
    ("policy", "presets"),
    ("policy", "check", "standard"),
]


@on_both
def test_every_reading_command_speaks_json_and_text(settled: Newcomer) -> None:
    for command in READING:
        told = settled.done(*command, "--json")
        assert told.json["schema"] == 1, command
        assert settled.done(*command).out.strip(), command


@pytest.mark.parametrize("width", [80, 120])
def test_what_people_read_fits_the_screen(settled: Newcomer, width: int) -> None:
    plan = settled.done("plan", "--json").json["plan"]
    settled.width = width
    commands = [
        ("books",),
        ("status",),
        ("plan",),
        ("explain", "INV-3"),
        ("quote", "INV-3", "--on", "2026-05-01"),
        ("audit", "show"),
        ("policy", "presets"),
        ("approve", plan),
        ("run",),
    ]
    for command in commands:
        said = settled.done(*command).out
        too_long = [line for line in said.splitlines() if len(line.rstrip()) > width]
        assert too_long == [], command
