"""Corners of the fee types where a wrong turn would cost a customer, or us, money."""

from datetime import date, timedelta

from rules.fees.assess import Assessment, assess
from rules.fees.timeline import Debt
from rules.policy.fee import Fee
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
