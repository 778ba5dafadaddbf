"""A fee and the message that only announces it are shown, approved and applied as one thing."""

from ar_bridge.dispatcher import apply
from ar_bridge.planner import PlanResult
from ar_bridge.store import plans
from tests.cli.contract import is_plan
from tests.stories.books import company, customer, flat_fee, invoice, payment, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import is_matched
from tests.stories.stage import Office

PAID_LATE = [
    company(),
    customer("North"),
    invoice("N-1", "North", "2026-06-01"),
    invoice("N-2", "North", "2026-06-01"),
    payment("P-1", "North", "2026-06-05", "2000.00", N_1="1000.00", N_2="1000.00"),
]


def on_the_monday_after(an_office: Opens) -> tuple[Office, PlanResult]:
    """Connected before the invoices were due, asleep while they were paid late."""
    office = an_office(
        *PAID_LATE, policy=policy(fee=flat_fee()), today="2026-05-25", mode="approve"
    )
    office.run()
    office.wake("2026-06-08")
    return office, office.run().plan


def test_a_plan_shows_the_fee_with_its_message_and_applies_both(an_office: Opens) -> None:
    office, plan = on_the_monday_after(an_office)
    is_plan(plan.view)
    first, second = plan.view["actions"]
    assert [first["kind"], second["kind"]] == ["late_fee", "late_fee"]
    assert first["effects"] == ["post_charge", "send_message", "post_note"]
    assert first["message"]["to"] == ["ap@north.example"]
    for fee in (first, second):
        assert fee["number"] in first["message"]["text"]
    assert second["message"] is None and second["effects"] == ["post_charge"]
    office.approve(plan.plan_id)
    with office.desk.store.read() as conn:
        stored = plans.plan_named(conn, office.desk.book_id, plan.plan_id)
    apply(office.desk, plan=stored)
    assert len(office.records.fees) == 2 and len(office.mails) == 1
    is_matched(office)


def test_approving_one_of_the_fees_takes_the_whole_along(an_office: Opens) -> None:
    office, plan = on_the_monday_after(an_office)
    office.approve(plan.view["actions"][1]["key"])
    assert {row.state for row in office.rows()} == {"approved"}
    assert len(office.rows()) == 3
