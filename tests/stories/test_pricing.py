"""A plan says what it costs in calls, and what exceeds the day waits for the next one."""

from typing import Any

import pytest

from ar_bridge.brief.making import make_brief
from ar_bridge.brief.model import Brief
from ar_bridge.reconciling import sync_book
from ar_bridge.shared_budget import SharedBudget
from connectors.allowance import WindowUse
from connectors.transport import Calls
from rules.model import Promise
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import Office

TODAY = "2026-06-04"
NAMES = ("North", "South", "West")
NOTING = policy(fee=flat_fee()).replace('do = ["remind"]', 'do = ["remind", "note"]', 1)


def open_office(an_office: Opens, text: str = NOTING, **options: Any) -> Office:
    """Three customers, each due a reminder, a note and a late fee; West's debt is the oldest,
    and was late before the book was connected: it bears no fee."""
    days = {"North": "2026-06-01", "South": "2026-06-01", "West": "2026-05-29"}
    return an_office(
        company(),
        *(customer(name) for name in NAMES),
        *(invoice(f"{name[0]}-1", name, days[name]) for name in NAMES),
        policy=text,
        **{"mode": "approve", "today": TODAY, **options},
    )


def calls_made(office: Office) -> int:
    calls: Calls = vars(office.desk.connector)["_transport"].calls
    return calls.read + calls.write


def leave(office: Office, calls: int) -> None:
    """As if the vendor had just said that so many calls are left of the day."""
    now = office.clock.now().timestamp()
    for folder in (office.home.root / "budgets").iterdir():
        with SharedBudget(folder).changing() as use:
            use.windows["day"] = WindowUse(left=calls, size=5000, since=now)


def test_a_plan_costs_about_what_it_says(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    told = plan.view["calls"]
    assert told["total"] == told["writes"] + told["checks"] and told["deferred"] == 0
    assert {entry["kind"]: entry["calls"] for entry in plan.view["actions"]} == {
        "late_fee": 1,
        "note": 1,
        "reminder": 1,  # its note
    }
    office.approve(plan.plan_id)
    before = calls_made(office)
    office.apply()
    made = calls_made(office) - before
    assert len(office.mails) == 3 and len(office.records.notes) == 6
    assert made <= told["total"] + told["extras"]
    # Nothing costs twice what was said: the plan would defer what could go.
    assert 2 * made >= told["total"]
    is_matched(office)


def read_but_not_planned(an_office: Opens, calls: int) -> Office:
    """Something changed everywhere and is read, and then so many calls are left of the day."""
    office = open_office(an_office)
    office.run()
    office.clock.advance(600)
    for name in NAMES:
        office.pay(name, 10_000, f"{name[0]}-1")
    sync_book(office.desk)
    office.desk = office.desk.renewed()
    leave(office, calls)
    return office


def brief_of(office: Office) -> Brief:
    with office.desk.store.read() as conn:
        return make_brief(conn, office.desk)


def of(office: Office, entries: list[dict[str, Any]], kind: str) -> set[str]:
    names = {office.customer_id(name): name for name in NAMES}
    return {names[one["customer"]] for one in entries if one["kind"] == kind}


@pytest.mark.parametrize("ledger", ["xero"])
def test_what_exceeds_the_day_goes_on_the_next(an_office: Opens) -> None:
    office = read_but_not_planned(an_office, 11)
    plan = office.plan()
    told = plan.view["calls"]
    # Two batches of the second look and five calls around it, a batch of fees, and three notes:
    # both of West, whose debt is the oldest, and one more.
    assert (told["left"], told["total"], told["checks"]) == (11, 11, 7)
    entries = plan.view["actions"]
    assert of(office, entries, "note") == {"West"}
    sent = of(office, entries, "reminder")
    assert len(sent) == 2 and sent == {"West", *of(office, entries, "late_fee")}
    skips = [skip for skip in plan.view["skips"] if skip["code"] == "calls_deferred"]
    assert told["deferred"] == len({skip["key"] for skip in skips}) > 0
    assert {skip["next_on"] for skip in skips} == {"2026-06-05"}
    assert skips[0]["reasons"][0]["text"].startswith(
        "It would take more calls than xero lets through today ("
    )
    waiting = {skip["customer"] for skip in skips}
    assert [one.text for one in brief_of(office).stuck] == [
        f"What is due for {len(waiting)} customers waits until 2026-06-05: the ledger lets no "
        "more calls through before."
    ]
    # The next day has calls again, and nothing was lost.
    office.wake("2026-06-05")
    plan = office.run().plan
    assert plan.view["calls"]["deferred"] == 0
    for kind in ("reminder", "note"):
        assert of(office, plan.view["actions"], kind) == set(NAMES)
    assert brief_of(office).stuck == ()


@pytest.mark.parametrize("ledger", ["xero"])
def test_fees_and_their_message_wait_together(an_office: Opens) -> None:
    office = read_but_not_planned(an_office, 8)
    plan = office.plan()
    # The batch of fees or a message with its note would fit, not both: neither is planned.
    assert of(office, plan.view["actions"], "reminder") == {"West"}
    assert of(office, plan.view["actions"], "late_fee") == set()


@pytest.mark.parametrize("ledger", ["xero"])
def test_what_is_approved_is_counted_first(an_office: Opens) -> None:
    office = open_office(an_office)
    plan = office.run().plan
    north = office.customer_id("North")
    office.approve(*(one["key"] for one in plan.view["actions"] if one["customer"] == north))
    office.hear(
        Promise(
            id="p1",
            customer=office.customer_id("South"),
            invoices=(office.invoice_id("S-1"),),
            on=office.desk.today(),
            due_on=office.desk.today().replace(day=20),
        )
    )
    office.pay("West", 10_000, "W-1")
    sync_book(office.desk)
    leave(office, 10)
    view = office.plan().view
    # Two notes and the fees of North, and the second look: nothing is left for West's.
    assert "West" not in of(office, view["actions"], "reminder")
    assert {row.state for row in office.rows_of("North")} == {"approved"}


@pytest.mark.parametrize("ledger", ["quickbooks"])
def test_a_ledger_that_counts_no_day_defers_nothing(an_office: Opens) -> None:
    office = read_but_not_planned(an_office, 1)
    told = office.plan().view["calls"]
    assert told["left"] is None and told["deferred"] == 0 and told["total"] > 0
