"""Two versions of a policy: a day under the terms in force that day, a sum by the invoice's day."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.actions.late_fee import ChargeLateFee
from rules.decide import decide
from rules.decision import Act
from rules.fees.assess import assess
from rules.fees.base import Accrued
from rules.fees.timeline import Debt
from rules.fees.versions import accrued_over_versions
from rules.model.events import fold
from rules.model.history import FeePosted
from rules.model.ids import InvoiceId
from rules.policy.fee import Fee
from rules.policy.load import load_policy
from rules.policy.schema import Policy, versioned
from rules.policy.versions import DatedPolicy, Terms
from rules.quote import Quote, quote
from tests.rules.test_fee_properties import DAYS, DUE, debts, fees, posted

DUE_ON = date(2026, 3, 31)
CHANGE = date(2026, 5, 1)
ON = date(2026, 5, 29)

INTEREST = """
[[fee]]
id = "interest"
type = "interest"
annual_rate = {rate}
legal_basis = "contract:terms"
"""


def policies(old: str, new: str, *, first: date = date(2026, 1, 1), on: date = ON) -> Policy:
    return versioned(
        [DatedPolicy(CHANGE, load_policy(new)), DatedPolicy(first, load_policy(old))], on
    )


def book(issued: date = date(2026, 3, 1), on: date = ON):
    events = [
        {"t": "company", "id": "acme", "base_currency": "GBP"},
        {"t": "customer", "id": "C1", "name": "North", "email": "ap@north.example"},
        {
            **{"t": "invoice", "id": "I1", "date": issued.isoformat(), "due": DUE_ON.isoformat()},
            **{"customer": "C1", "currency": "GBP", "total": "3650.00"},
        },
    ]
    folded = fold(events, on)
    assert not folded.problems
    return folded.book


def quoted(policy: Policy, on: date = ON, issued: date = date(2026, 3, 1)) -> Quote:
    return quote(book(issued, on), policy, InvoiceId("I1"), on)


def charged(policy: Policy, on: date = ON, issued: date = date(2026, 3, 1)) -> dict[str, int]:
    acts = [one.action for one in decide(book(issued, on), policy, on) if isinstance(one, Act)]
    return {str(one.fee): one.charge for one in acts if isinstance(one, ChargeLateFee)}


def test_a_day_accrues_at_the_rate_in_force_that_day() -> None:
    policy = policies(INTEREST.format(rate=10), INTEREST.format(rate=20))
    fee = quoted(policy).fees[0]
    assert [(row.from_, row.to, row.annual_rate) for row in fee.derivation] == [
        (date(2026, 4, 1), date(2026, 4, 30), "10"),
        (CHANGE, ON, "20"),
    ]
    assert fee.accrued == 30 * 100 + 29 * 200
    assert charged(policy) == {"interest": 8800}


def test_days_before_the_first_version_are_free() -> None:
    policy = policies(INTEREST.format(rate=10), INTEREST.format(rate=20), first=date(2026, 4, 21))
    assert quoted(policy).fees[0].accrued == 10 * 100 + 29 * 200


def test_a_fee_that_ended_still_owes_what_accrued_until_then() -> None:
    policy = policies(INTEREST.format(rate=10), "")
    assert [fee.fee for fee in quoted(policy).fees] == ["interest"]
    assert charged(policy) == {"interest": 3000}
    assert charged(policy, on=ON + timedelta(days=90)) == {"interest": 3000}


def test_a_fee_that_came_later_charges_nothing_of_the_days_before() -> None:
    policy = policies("", INTEREST.format(rate=10))
    assert quoted(policy).fees[0].accrued == 29 * 100


def test_a_fee_with_a_new_name_goes_on() -> None:
    renamed = INTEREST.format(rate=20).replace('"interest"', '"late"', 1) + 'was = ["interest"]\n'
    policy = policies(INTEREST.format(rate=10), renamed)
    fees = quoted(policy).fees
    assert [fee.fee for fee in fees] == ["late"]
    assert fees[0].accrued == 8800


def test_grace_base_and_day_count_are_those_of_the_day() -> None:
    old = INTEREST.format(rate=10) + 'day_count = "act/360"\n'
    new = INTEREST.format(rate=10) + 'grace = "90d"\ngrace_mode = "from_grace_end"\n'
    exact = Fraction(3650) * 10 / 100 * Fraction(30, 360)
    found = quoted(policies(old, new)).fees[0]
    assert sum(Fraction(row.exact) for row in found.derivation) == exact


FLAT = '[[fee]]\nid = "flat"\ntype = "flat"\namount = {amount}\nlegal_basis = "contract"\n'


def test_a_fixed_sum_is_that_of_the_version_of_the_invoices_date() -> None:
    policy = policies(FLAT.format(amount=10), FLAT.format(amount=25))
    assert quoted(policy).fees[0].accrued == 1000
    assert charged(policy) == {"flat": 1000}


def test_an_invoice_from_before_the_sum_was_agreed_does_not_owe_it() -> None:
    assert charged(policies("", FLAT.format(amount=25))) == {}
    assert charged(policies(FLAT.format(amount=25), "")) == {"flat": 2500}
    early = policies(FLAT.format(amount=25), FLAT.format(amount=25), first=date(2026, 3, 15))
    assert charged(early) == {}


def test_caps_and_rounding_are_todays() -> None:
    capped = INTEREST.format(rate=20) + 'cap = { per_invoice = "50" }\n'
    assert charged(policies(INTEREST.format(rate=10), capped)) == {"interest": 5000}


def test_a_fee_that_ended_keeps_the_limits_that_it_shared() -> None:
    group = '[[cap_group]]\nname = "late"\nper_invoice = "20"\n'
    policy = policies(group + INTEREST.format(rate=10) + 'cap_group = "late"\n', "")
    assert charged(policy) == {"interest": 2000}


def test_stages_are_todays() -> None:
    stage = '[[stage]]\nid = "s"\nat = "due + 1d"\ndo = ["remind"]\ntemplate = "overdue_1"\n'
    policy = policies(stage, "")
    assert [one for one in decide(book(), policy, ON) if isinstance(one, Act)] == []
    earlier = decide(book(on=CHANGE - timedelta(days=3)), policy, CHANGE - timedelta(days=3))
    assert [one.action.kind for one in earlier if isinstance(one, Act)] == ["reminder"]


def test_the_hash_tells_of_every_version() -> None:
    one = policies(INTEREST.format(rate=10), INTEREST.format(rate=20))
    other = policies(INTEREST.format(rate=11), INTEREST.format(rate=20))
    alone = load_policy(INTEREST.format(rate=20))
    assert len({one.hash, other.hash, alone.hash, one.on(date(2026, 2, 1)).hash}) == 4
    assert one.hash == policies(INTEREST.format(rate=10), INTEREST.format(rate=20)).hash


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 60).map(lambda days: date(2026, 4, 1) + timedelta(days=days)),
    st.integers(0, 90).map(lambda days: date(2026, 4, 1) + timedelta(days=days)),
    st.sampled_from(["act/365", "act/360", "act/act"]),
    st.integers(0, 20),
)
def test_a_version_that_changes_nothing_changes_no_amount(
    change: date, on: date, day_count: str, grace: int
) -> None:
    text = INTEREST.format(rate=12) + f'day_count = "{day_count}"\ngrace = "{grace}d"\n'
    terms = load_policy(text)
    twice = versioned(
        [DatedPolicy(date(2026, 1, 1), terms), DatedPolicy(change, load_policy(text))], on
    )
    assert quoted(twice, on).fees[0].accrued == quoted(terms, on).fees[0].accrued


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 60).map(lambda days: date(2026, 4, 1) + timedelta(days=days)),
    st.integers(0, 90).map(lambda days: date(2026, 4, 1) + timedelta(days=days)),
    st.sampled_from(["interest", "flat", "month", "tiers"]),
)
def test_nothing_accrues_under_terms_that_were_not_in_force(
    first: date, on: date, kind: str
) -> None:
    text = {
        "interest": INTEREST.format(rate=12),
        "flat": FLAT.format(amount=25),
        "month": '[[fee]]\nid = "m"\ntype = "percent"\npercent = 2\nper = "month"\n'
        'month_count = "started"\nlegal_basis = "c"\n',
        "tiers": '[[fee]]\nid = "t"\ntype = "tiered"\nlegal_basis = "c"\n'
        "tiers = [{ from_day = 1, daily_percent = 1 }, { from_day = 20, daily_percent = 2 }]\n",
    }[kind]
    policy = versioned([DatedPolicy(first, load_policy(text))], on)
    for fee in quoted(policy, on).fees:
        assert all(row.from_ is not None and row.from_ >= first for row in fee.derivation)
        assert kind != "flat" or fee.accrued == 0


@settings(deadline=None, max_examples=80)
@given(fees(), fees(), debts(), DAYS, st.lists(DAYS, min_size=1, max_size=4))
def test_over_versions_nothing_falls_or_depends_on_the_days_of_posting(
    old: Fee, new: Fee, debt: Debt, change: date, days: list[date]
) -> None:
    version = DatedPolicy(date(2026, 1, 1), Policy())
    terms = (
        Terms(date(2026, 1, 1), change - timedelta(days=1), old, version),
        Terms(change, date.max, new, version),
    )
    uncapped = new.model_copy(update={"cap": None})

    def accrue(through: date) -> Accrued:
        return accrued_over_versions(
            terms,
            debt,
            through,
            issued_on=DUE - timedelta(days=30),
            connected_on=None,
            base_currency="GBP",
        )

    history: list[FeePosted] = []
    accrued = 0
    for day in sorted(days):
        found = assess(
            uncapped, debt, day, history, from_day=None, base_currency="GBP", accrue=accrue
        )
        assert found.accrued >= accrued
        accrued = found.accrued
        digits = {"GBP": 2, "JPY": 0, "KWD": 3}[debt.currency]
        steps = sum((Fraction(step.amount) for step in found.steps), Fraction(0))
        assert found.accrual.exact + steps == Fraction(found.to_post, 10**digits)
        history.append(posted(found.to_post, day))
    at_once = assess(
        uncapped, debt, max(days), (), from_day=None, base_currency="GBP", accrue=accrue
    )
    assert sum(charge.amount for charge in history) == at_once.accrued
