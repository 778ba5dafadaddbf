"""Policies over the past of a connected book, on both ledgers, and a policy against another."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ar_bridge.channels.local_mailbox import LocalMailbox
from tests.cli.newcomer import LEDGERS, POLICY, TODAY, LedgerName, Newcomer
from tests.cli.running import Program


@pytest.fixture(params=LEDGERS)
def person(
    request: pytest.FixtureRequest,
    program: Program,
    mailbox: LocalMailbox,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Newcomer]:
    ledger: LedgerName = request.param
    found = Newcomer(program.home, capsys, ledger, mailbox)
    yield found.settle()
    found.close()


def _played(person: Newcomer, days: int, *more: str) -> dict[str, Any]:
    first = (TODAY - timedelta(days=days)).isoformat()
    call = ("backtest", "--book", "elm", "--from", first, "--to", TODAY.isoformat(), "--json")
    told: dict[str, Any] = person.done(*call, *more).json
    return told


def test_the_past_of_a_connected_book(person: Newcomer) -> None:
    told = _played(person, 9)
    (own,) = told["policies"]
    assert own["policy"] == "own"
    # Four customers are late by three days or more; the fifth has been late for one.
    assert own["reminders"] == {"first": 4}
    assert own["fees"] == {"late": 4} and own["fee_totals"] == {"GBP": "100.00"}
    lacks = " ".join(told["lacks"])
    assert "connected on 2026-03-10" in lacks and "void" in lacks


def test_what_was_done_meanwhile_is_not_the_policys(person: Newcomer) -> None:
    person.tomorrow(2)
    person.done("sync")
    last = (TODAY + timedelta(days=2)).isoformat()
    call = ("backtest", "--to", last, "--json", "--from")
    before = person.done(*call, "2026-03-01").json["policies"]
    plan = person.done("plan", "--json").json["plan"]
    person.done("approve", plan)
    person.done("apply")
    person.done("sync")
    assert person.left_in_ledger[1] == 1
    assert person.done(*call, "2026-03-01").json["policies"] == before
    # The same day once more: what was sent on it is not history of its own morning.
    (again,) = person.done(*call, last).json["policies"]
    assert again["messages"] > 0
    person.tomorrow()
    (tomorrow,) = person.done(
        "backtest", "--from", "2026-03-13", "--to", "2026-03-13", "--json"
    ).json["policies"]
    assert tomorrow["reminders"] == {}


def test_days_to_come_cannot_be_played(person: Newcomer) -> None:
    ended = person("backtest", "--from", "2026-03-01", "--to", "2026-04-01")
    assert ended.code == 2 and "has not come yet" in ended.err


def test_a_policy_against_another_on_a_connected_book(person: Newcomer) -> None:
    new = person.home / "new.toml"
    new.write_text(POLICY.replace("due + 3d", "due + 8d").replace("25.00", "30.00"))
    person.tomorrow(2)
    person.done("sync")
    call = ("policy", "diff", str(person.policy), str(new), "--book", "elm")
    found = person.done(*call, "--json").json
    assert found["on"] == (TODAY + timedelta(days=2)).isoformat()
    # Only one invoice comes out of the grace after the connection: nothing reaches back.
    assert found["fee_totals"] == {"GBP": {"old": "25.00", "new": "30.00"}}
    gone = {one["old"]["invoice"] for one in found["actions"] if one["what"] == "gone"}
    assert "INV-1" in gone and "INV-5" not in gone
    assert person(*call, "--check").code == 2
    new.write_text(POLICY)
    assert "both do the same" in person.done(*call, "--check").out
    assert person.left_in_ledger == (0, 0)
