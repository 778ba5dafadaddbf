"""Statutory interest by the dated rates that come along, and what happens where one is missing."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from rules.fees.assess import Assessment, assess, in_words
from rules.fees.base import MissingRateError, NoAmountError
from rules.fees.schemes import SCHEMES
from rules.fees.timeline import Debt
from rules.model.money import format_minor, parse_minor
from rules.policy.fee_tables import SCHEME_NAMES, DatedRate
from rules.policy.schema import Fee
from tests.rules.test_fee_cases import cases, debt

CASES = {
    "U01": "uk",
    "U03": "uk",
    "U05": "uk",
    "U07": "uk",
    "E01": "eu",
    "E03": "eu:FR",
    "R01": "de",
    "R03": "de",
}


def statutory(scheme: str, *, compensation: bool = False, **rates: str) -> Fee:
    return Fee(
        id="law",
        type="statutory",
        scheme=scheme,
        compensation=compensation,
        legal_basis="statute",
        rates=tuple(
            DatedRate(from_=date.fromisoformat(day[1:].replace("_", "-")), annual=Decimal(rate))
            for day, rate in rates.items()
        ),
    )


def owed(amount: str, due: str, currency: str = "GBP") -> Debt:
    return Debt(
        currency=currency,
        due_on=date.fromisoformat(due),
        original=parse_minor(amount, currency),
    )


def come_to(fee: Fee, debt_: Debt, on: str) -> Assessment:
    return assess(
        fee, debt_, date.fromisoformat(on), (), from_day=None, base_currency=debt_.currency
    )


@pytest.mark.parametrize("case_id", sorted(CASES))
def test_worked_case(case_id: str) -> None:
    (case,) = [one for one in cases() if one["id"] == case_id]
    given, expected = case["input"], case["expected"]
    found = come_to(statutory(CASES[case_id]), debt(given), given["as_of"])
    assert format_minor(found.accrued, given["currency"]) == expected["interest"]
    if "total_charge" in expected:
        both = statutory(CASES[case_id], compensation=True)
        total = come_to(both, debt(given), given["as_of"])
        assert format_minor(total.accrued, given["currency"]) == expected["total_charge"]


def test_the_policy_knows_every_scheme() -> None:
    assert set(SCHEMES) == set(SCHEME_NAMES)


def test_a_day_beyond_the_last_rate_is_never_charged_at_an_older_one() -> None:
    with pytest.raises(MissingRateError, match=r"Bank of England .* is not known for 2026-07-02"):
        come_to(statutory("uk"), owed("1000.00", "2026-07-01"), "2026-07-20")
    named = come_to(
        statutory("uk", d2026_07_01="3.75"), owed("1000.00", "2026-07-01"), "2026-07-11"
    )
    assert [row.annual_rate for row in named.accrual.rows] == ["11.75"]


def test_a_floating_rate_is_needed_until_the_debt_is_settled_and_no_longer() -> None:
    debt_ = owed("1000.00", "2025-12-01", "EUR")
    with pytest.raises(MissingRateError, match="Basiszinssatz is not known for 2026-01-31"):
        come_to(statutory("de"), debt_, "2026-01-31")
    paid = Debt(
        currency="EUR",
        due_on=debt_.due_on,
        original=debt_.original,
        changes=((date(2025, 12, 21), -100_000),),
    )
    assert come_to(statutory("de"), paid, "2026-01-31").accrued == 535  # 19 days at 10.27 %


def test_a_rate_that_nobody_compared_with_its_source_is_said_to_be_so() -> None:
    fee = statutory("uk")
    for due, is_said in (("2024-09-01", True), ("2025-09-01", False)):
        debt_ = owed("1000.00", due)
        words = in_words(fee, come_to(fee, debt_, "2025-10-01"), debt_)
        assert ("was not compared with its source" in words) is is_said


def test_a_series_without_publications_needs_the_policy_to_name_them() -> None:
    debt_ = owed("100000.00", "2026-01-15", "INR")
    with pytest.raises(MissingRateError, match="Reserve Bank of India"):
        come_to(statutory("in:msmed"), debt_, "2026-02-20")
    fee = statutory("in:msmed", d2026_01_16="6.50", d2026_03_16="6.25")
    assert format_minor(come_to(fee, debt_, "2026-04-15").accrued, "INR") == "4890.10"


def test_prompt_payment_compounds_after_thirty_days() -> None:
    debt_ = owed("10000.00", "2026-01-01", "USD")
    fee = statutory("us:prompt-payment", d2026_01_01="4.5")
    thirty = come_to(fee, debt_, "2026-01-31")
    assert thirty.accrued == 3750  # 10,000 x 4.5 % x 30/360
    rows = come_to(fee, debt_, "2026-03-04").accrual.rows
    assert {row.kind for row in rows} == {"compounded"}


def test_dutch_interest_is_added_after_a_full_year() -> None:
    fee = statutory("nl", d2026_01_01="2.00", d2026_07_01="2.00", d2027_01_01="2.00")
    rows = come_to(fee, owed("1000.00", "2025-12-31", "EUR"), "2027-01-10").accrual.rows
    assert rows[-1].base == 110_000 and rows[-1].annual_rate == "10"


def test_the_bound_of_a_band_is_the_law_s_own() -> None:
    for scheme, currency, amount, fixed in (
        ("uk", "GBP", "999.99", 4000),
        ("uk", "GBP", "1000.00", 7000),
        ("ie", "EUR", "1000.00", 4000),
        ("ie", "EUR", "1000.01", 7000),
    ):
        fee = statutory(scheme, compensation=True)
        found = come_to(fee, owed(amount, "2025-07-10", currency), "2025-07-11")
        (band,) = [row for row in found.accrual.rows if row.kind == "band"]
        assert Fraction(band.exact) * 100 == fixed


def test_a_fixed_sum_is_never_converted() -> None:
    with pytest.raises(NoAmountError):
        fee = statutory("uk", compensation=True)
        come_to(fee, owed("1000.00", "2025-07-10", "USD"), "2025-07-11")
