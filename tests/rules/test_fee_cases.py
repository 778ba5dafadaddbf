"""Worked fee cases: every one that flat, percent and simple interest cover has to come out."""

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from rules.actions.late_fee import DerivationRow
from rules.fees.assess import Assessment, assess, less
from rules.fees.timeline import Debt, Quiet
from rules.model.history import FeePosted
from rules.model.money import Rounding, format_minor, parse_minor, round_minor
from rules.policy.fee_tables import Band, Cap, DatedRate, Slice, Tier
from rules.policy.schema import Fee, Policy
from rules.policy.values import Duration, MoneyTable, Repeat
from rules.policy_text import policy_text
from tests.shared_material import shared

FILES = (
    "flat_percent_monthly.json",
    "interest.json",
    "payments_disputes.json",
    "rounding.json",
    "statutory.json",
    "tiered_caps_grace.json",
)

UK_BANDS = tuple(
    Band(from_=least, amount=MoneyTable.parse(amount))
    for least, amount in (("0", "40.00"), ("1000", "70.00"), ("10000", "100.00"))
)

EU_BANDS = (Band(from_="0", amount=MoneyTable.parse("40.00")),)

NOT_APPLICABLE = {
    "N11": "a counter-example: rounding each segment is not offered, we round once",
}


def cases() -> list[dict[str, Any]]:
    """All cases, or none where the shared material is absent (the tests then say so)."""
    found: list[dict[str, Any]] = []
    for name in FILES:
        found += json.loads(shared(f"cases/{name}").read_text(encoding="utf-8"))["cases"]
    return found


def _cases() -> list[Any]:
    try:
        return [pytest.param(case, id=case["id"]) for case in cases()]
    except pytest.skip.Exception as absent:
        return [pytest.param(None, marks=pytest.mark.skip(reason=str(absent)))]


def debt(case: dict[str, Any], known_on: date | None = None) -> Debt:
    """The case's principal, payments, credit notes and pauses as a debt."""
    currency = case.get("currency", "USD")
    principal = parse_minor(case["principal"], currency)
    changes: list[tuple[date, int]] = []
    quiet: list[Quiet] = []
    for event in case.get("events", ()):
        known = date.fromisoformat(event.get("known_from", event.get("date", "1900-01-01")))
        if known_on is not None and known > known_on:
            continue
        if event["type"] == "pause":
            quiet.append(Quiet(date.fromisoformat(event["from"]), date.fromisoformat(event["to"])))
            continue
        amount = parse_minor(event["amount"], currency)
        if event["type"] == "credit_note":
            principal -= amount
        else:
            on = date.fromisoformat(event["date"])
            changes.append((on + timedelta(days=1), -amount))
    tax = parse_minor(case.get("tax_included", "0"), currency)
    return Debt(
        currency=currency,
        due_on=date.fromisoformat(case.get("due_date", "2026-01-01")),
        original=principal,
        changes=tuple(sorted(changes)),
        quiet=tuple(quiet),
        net_share=Fraction(principal - tax, principal),
    )


def fee(case: dict[str, Any]) -> Fee:
    """The case's rule as it would stand in a policy."""
    keys: dict[str, Any] = {"id": "case", "legal_basis": "contract"}
    rule = case.get("rule", "simple_interest")
    if rule.startswith("flat"):
        keys |= {"type": "flat", "amount": MoneyTable.parse({case["currency"]: case["flat"]})}
        if rule == "flat_repeat":
            keys["repeat"] = Repeat(Duration(case["every_days"], "d"), case["max_periods"])
    elif rule in ("percent_once", "monthly_percent", "compound_monthly"):
        keys |= {"type": "percent", "percent": case.get("percent") or case["monthly_pct"]}
        if rule != "percent_once":
            keys |= {"per": "month", "month_count": case["month_count"]}
        if rule == "compound_monthly":
            keys["compounding"] = "monthly"
    elif rule.startswith("tiered"):
        word = {"tiered_percent": "percent", "tiered_flat": "amount"}.get(rule, "daily_percent")
        keys |= {
            "type": "tiered",
            "tier_mode": case["mode"],
            "tiers": tuple(
                Tier(from_day=day, **{word: MoneyTable.parse(of) if word == "amount" else of})
                for day, of in case["tiers"]
            ),
        }
    elif rule == "marginal_scale":
        keys |= {
            "type": "scale",
            "scale": tuple(Slice(width=width, percent=of) for width, of in case["scale"]),
            "minimum": MoneyTable.parse(case["minimum"]),
        }
    elif rule == "uk_fixed_sum":
        keys |= {"type": "compensation", "bands": UK_BANDS}
    elif rule in ("compound_monthly_stub_simple", "in_msmed"):
        keys |= {"type": "interest", "compounding": "monthly"}
        if rule == "in_msmed":
            keys["rates"] = tuple(
                DatedRate(from_=date(2026, month, 16), annual=3 * Decimal(of))
                for month, (_, of) in enumerate(case["bank_rates"], 1)
            )
        else:
            keys |= {"annual_rate": case["annual_pct"], "day_count": case["stub_day_count"]}
    else:
        assert rule == "simple_interest", rule
        keys |= {"type": "interest", "day_count": case["day_count"]}
        rates = case.get("rates", case.get("annual_pct"))
        if isinstance(rates, str):
            keys["annual_rate"] = rates
        else:
            keys["rates"] = tuple(
                DatedRate(from_=date.fromisoformat(rate["from"]), annual=rate["annual_pct"])
                for rate in rates
            )
    if case.get("base") == "outstanding_tax_exclusive":
        keys["base"] = "outstanding_ex_tax"
    if case.get("rate_fix"):
        keys["rate_fix"] = case["rate_fix"]
    if case.get("grace_days"):
        keys["grace"] = Duration(case["grace_days"], "d")
        keys["grace_mode"] = case.get("grace_mode", "retroactive")
    cap = case.get("cap", {})
    if case.get("maximum"):
        cap = {"absolute": case["maximum"]}
    if cap:
        keys["cap"] = Cap(
            per_invoice=MoneyTable.parse(cap["absolute"]) if "absolute" in cap else None,
            percent_of_original=cap.get("percent_of_original"),
            days=cap.get("max_days"),
        )
    return Fee(**keys)


def come_to(case: dict[str, Any], as_of: str | None = None) -> Assessment:
    through = date.fromisoformat(as_of or case.get("as_of", "2026-01-02"))
    currency = case.get("currency", "USD")
    return assess(fee(case), debt(case), through, (), from_day=None, base_currency=currency)


@pytest.mark.parametrize("case", _cases())
def test_worked_case(case: dict[str, Any]) -> None:
    if case["id"] in NOT_APPLICABLE:
        pytest.skip(f"not applicable: {NOT_APPLICABLE[case['id']]}")
    if case["id"] in BY_HAND:
        BY_HAND[case["id"]](case["input"], case["expected"])
        return
    given, expected = case["input"], case["expected"]
    currency = given.get("currency", "USD")
    if "runs" in given:
        check_runs(given, expected)
        return
    if "days" in given and "due_date" not in given:
        day = date(2026, 1, 1)
        given = given | {
            "due_date": day.isoformat(),
            "as_of": (day + timedelta(days=given["days"])).isoformat(),
        }
    if given.get("rule") == "in_msmed":
        given = given | {"due_date": "2026-01-15", "as_of": "2026-04-15"}
    if given.get("rule") == "uk_fixed_sum":
        each = [
            format_minor(come_to(given | {"principal": owed}).accrued, currency)
            for owed in given["invoices"]
        ]
        assert each == expected["fixed"]
        return
    if "as_of_list" in given:
        amounts = [
            format_minor(come_to(given, day).accrued, currency) for day in given["as_of_list"]
        ]
        assert amounts == expected["fee"]
        return
    found = come_to(given)
    total = format_minor(found.accrued, currency)
    assert adds_up(found, currency)
    if "half_up" in expected:
        for mode in ("half_up", "half_even", "down", "up"):
            if mode in expected:
                rounded = round_minor(found.accrual.exact, currency, Rounding(mode))
                assert format_minor(rounded, currency) == expected[mode]
        return
    if "minimum_charge_to_post" in given:
        assert total == expected["accrued"]
        assert found.to_post < parse_minor(given["minimum_charge_to_post"], currency)
        carried = less(found, "carried", found.to_post, currency)
        assert format_minor(carried.to_post, currency) == expected["fee"]
        assert adds_up(carried, currency)
        return
    assert total == expected.get("interest", expected.get("fee", expected.get("rounded_once")))
    if "fixed_compensation" in expected:
        fixed = assess(
            Fee(
                id="fixed",
                type="compensation",
                legal_basis="statute",
                bands=UK_BANDS if currency == "GBP" else EU_BANDS,
            ),
            debt(given),
            date.fromisoformat(given["as_of"]),
            (),
            from_day=None,
            base_currency=currency,
        )
        assert format_minor(fixed.accrued, currency) == expected["fixed_compensation"]
    if "interest_exact" in expected:
        assert found.accrual.exact == Fraction(expected["interest_exact"])
    if "segments" in expected:
        assert [segment(row, currency) for row in found.accrual.rows] == [
            (
                row["first_day"],
                row["last_day"],
                row["days"],
                row["balance"],
                Decimal(row["annual_pct"]),
                Fraction(row["interest_exact"]),
            )
            for row in expected["segments"]
        ]


def segment(row: DerivationRow, currency: str) -> tuple[object, ...]:
    assert row.base is not None and row.annual_rate is not None
    return (
        str(row.from_),
        str(row.to),
        row.days,
        format_minor(row.base, currency),
        Decimal(row.annual_rate),
        Fraction(row.exact),
    )


def adds_up(found: Assessment, currency: str) -> bool:
    """Rows plus steps are what is posted, exactly."""
    rows = sum((Fraction(row.exact) for row in found.accrual.rows), Fraction(0))
    steps = sum((Fraction(step.amount) for step in found.steps), Fraction(0))
    return rows + steps == Fraction(format_minor(found.to_post, currency))


def check_runs(given: dict[str, Any], expected: dict[str, Any]) -> None:
    currency = given["currency"]
    posted: list[FeePosted] = []
    for run in expected["runs"]:
        day = date.fromisoformat(run["run"])
        found = assess(
            fee(given), debt(given, day), day, posted, from_day=None, base_currency=currency
        )
        assert format_minor(found.accrued, currency) == run["cumulative"]
        assert format_minor(found.to_post, currency) == run["delta"]
        assert adds_up(found, currency)
        posted.append(
            FeePosted(
                on=day,
                invoice="I",
                customer="C",
                fee="case",
                amount=found.to_post,
                currency=currency,
                through=day,
                key="k",
                document="D",
            )
        )


def check_split(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """A payment on the invoice lowers the debt by all of it, or first settles the interest."""
    currency, due_on = given["currency"], date(2026, 1, 1)
    paid_on = due_on + timedelta(days=100)
    principal = parse_minor(given["principal"], currency)
    annual = Fraction(given["accrued_interest"]) / Fraction(given["principal"]) * 36500 / 100
    keys = {"id": "case", "type": "interest", "annual_rate": Decimal(str(float(annual)))}
    before = Debt(currency=currency, due_on=due_on, original=principal)
    rule = Fee(**keys, allocation=given["allocation"])
    interest = assess(rule, before, paid_on, (), from_day=None, base_currency=currency)
    assert format_minor(interest.accrued, currency) == given["accrued_interest"]
    payment = (paid_on + timedelta(days=1), -parse_minor(given["payment"], currency))
    after = msgspec.structs.replace(before, changes=(payment,))
    later = paid_on + timedelta(days=10)
    left = assess(rule, after, later, (), from_day=None, base_currency=currency)
    assert format_minor(left.accrual.rows[-1].base or 0, currency) == expected["principal_left"]
    to_principal = principal - (left.accrual.rows[-1].base or 0)
    assert format_minor(to_principal, currency) == expected["to_principal"]
    to_interest = -payment[1] - to_principal
    assert format_minor(to_interest, currency) == expected["to_interest"]


def check_no_annual_rate(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """A monthly rate whose yearly equivalent was not agreed: a cap of so much a year, and terms
    that always name the yearly rate."""
    assert not given["annual_equivalent_stated"]
    rule = Fee(
        id="case",
        type="percent",
        percent=Decimal(given["stated"].split("%")[0]),
        per="month",
        cap=Cap(annual_percent=Decimal(5)),
        legal_basis="contract",
    )
    on = date.fromisoformat(given["as_of"])
    found = assess(rule, debt(given), on, (), from_day=None, base_currency=given["currency"])
    assert format_minor(found.accrued, given["currency"]) == expected["interest"]
    assert found.capped_by == "annual_percent"
    assert (on - debt(given).due_on).days == expected["days"]
    assert adds_up(found, given["currency"])
    terms = policy_text(Policy(fee=(rule,)), given["currency"])
    assert expected["warning"] == "annual_rate_missing" and "24 % a year" in terms


def check_flat_sum(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """The sum is net; the tax on it is the ledger's, by the tax code of the fee."""
    rule = Fee(id="case", type="flat", amount=MoneyTable.parse(given["fee"]), legal_basis="c")
    owed = Debt(currency=given["currency"], due_on=date(2026, 1, 1), original=100_000)
    found = assess(rule, owed, date(2026, 1, 2), (), from_day=None, base_currency=given["currency"])
    assert format_minor(found.to_post, given["currency"]) == expected["net"]


def check_with_tax(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """The base of interest includes the tax of the invoice."""
    currency = given["currency"]
    total = parse_minor(given["net"], currency) + parse_minor(given["vat"], currency)
    assert format_minor(total, currency) == expected["base"]
    rule = Fee(
        id="case",
        type="interest",
        annual_rate=Decimal(given["rates"]),
        day_count=given["day_count"],
        legal_basis="statute",
    )
    due_on = date(2026, 1, 1)
    owed = Debt(currency=currency, due_on=due_on, original=total)
    on = due_on + timedelta(days=given["days"])
    found = assess(rule, owed, on, (), from_day=None, base_currency=currency)
    assert format_minor(found.to_post, currency) == expected["interest"]


BY_HAND = {
    "S09": check_split,
    "E05": check_no_annual_rate,
    "V01": check_flat_sum,
    "V03": check_with_tax,
}
"""Cases that are told in words of their own."""


def test_the_list_of_cases_that_do_not_apply_is_exact() -> None:
    known = {case["id"] for case in cases()}
    assert set(NOT_APPLICABLE) | set(BY_HAND) <= known
