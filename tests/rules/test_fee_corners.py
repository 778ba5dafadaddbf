"""Corners of the fee types where a wrong turn would cost a customer, or us, money."""

from datetime import date, timedelta

import pytest

from rules.calendar import add_months
from rules.fees.assess import Assessment, assess
from rules.fees.timeline import Debt
from rules.fees.versions import accrued_over_versions
from rules.policy.fee import Fee
from rules.policy.load import load_policy
from rules.policy.versions import DatedPolicy, Terms
from tests.rules.test_fee_properties import DUE

DAY = timedelta(days=1)
OWED = Debt(currency="GBP", due_on=DUE, original=100_000)


def fee_of(**keys: object) -> Fee:
    return Fee.model_validate({"id": "fee", "legal_basis": "contract", **keys})


def comes_to(fee: Fee, debt: Debt, on: date, *, from_day: date | None = None) -> Assessment:
    return assess(fee, debt, on, [], from_day=from_day, base_currency="GBP")


# steps ------------------------------------------------------------------------------------


def test_of_steps_without_a_mode_only_the_highest_counts() -> None:
    steps = [
        {"from_day": 1, "percent": 1},
        {"from_day": 30, "percent": 2},
        {"from_day": 60, "percent": 3},
    ]
    told = fee_of(type="tiered", tiers=steps, tier_mode="replace")
    silent = fee_of(type="tiered", tiers=steps)
    for late, amount in ((1, 1000), (30, 2000), (60, 3000)):
        on = DUE + DAY * late
        assert comes_to(silent, OWED, on).accrued == comes_to(told, OWED, on).accrued == amount
    added = fee_of(type="tiered", tiers=steps, tier_mode="additive")
    assert comes_to(added, OWED, DUE + DAY * 60).accrued == 6000


# grace ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "days"), [("retroactive", 3 + 70), ("from_grace_end", 70)])
def test_a_payment_within_the_grace_that_came_back_settled_nothing(mode: str, days: int) -> None:
    back = DUE + DAY * 20
    bounced = Debt(
        currency="GBP",
        due_on=DUE,
        original=100_000,
        changes=((DUE + DAY * 4, -100_000), (back + DAY, 100_000)),
    )
    fee = fee_of(type="interest", annual_rate="36.5", grace="5d", grace_mode=mode)
    assert comes_to(fee, bounced, back).accrued == 0
    assert comes_to(fee, bounced, back + DAY * 70).accrued == days * 100
    settled = Debt(
        currency="GBP", due_on=DUE, original=100_000, changes=((DUE + DAY * 4, -100_000),)
    )
    assert comes_to(fee, settled, back + DAY * 70).accrued == 0


# months -----------------------------------------------------------------------------------


def test_a_month_that_was_under_way_when_the_fee_began_is_not_charged() -> None:
    fee = fee_of(type="percent", percent=2, per="month")
    months = [add_months(DUE, count) for count in range(4)]
    from_day = months[1] - DAY * 2
    assert comes_to(fee, OWED, months[1], from_day=from_day).accrued == 0
    assert comes_to(fee, OWED, months[2], from_day=from_day).accrued == 2000
    on_its_first_day = months[1] + DAY
    assert comes_to(fee, OWED, months[2], from_day=on_its_first_day).accrued == 2000


def test_a_month_that_began_in_the_grace_is_charged_at_its_end() -> None:
    fee = fee_of(type="percent", percent=2, per="month", grace="5d", grace_mode="from_grace_end")
    assert comes_to(fee, OWED, add_months(DUE, 1)).accrued == 2000


def test_a_month_under_two_versions_is_charged_and_one_before_the_first_is_not() -> None:
    fee = fee_of(type="percent", percent=2, per="month")
    newer = fee_of(type="percent", percent=1, per="month")
    first, change = DUE + DAY * 10, DUE + DAY * 40
    version = DatedPolicy(first, load_policy("schema = 1"))
    terms = (
        Terms(first, change - DAY, fee, version),
        Terms(change, date.max, newer, version),
    )
    found = accrued_over_versions(
        terms,
        OWED,
        add_months(DUE, 3),
        issued_on=DUE - DAY * 30,
        connected_on=None,
        base_currency="GBP",
    )
    # The month of the first version's day is free, the one of the change is charged at its end.
    assert [(row.to, row.exact) for row in found.rows] == [
        (add_months(DUE, 2), "10/1"),
        (add_months(DUE, 3), "10/1"),
    ]
