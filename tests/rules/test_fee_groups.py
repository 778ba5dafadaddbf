"""Limits that several fees share, day by day over an account: never exceeded."""

from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.actions.late_fee import ChargeLateFee
from rules.decide import decide
from rules.decision import Act
from rules.model.book import Book
from rules.model.company import Company
from rules.model.customer import Customer
from rules.model.history import FeePosted, Waiver
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.policy.load import load_policy
from rules.policy.schema import Policy
from rules.replay import fees_of, served_by

START = date(2026, 3, 2)

POLICY = """
legal_basis = "contract:terms"

[contact]
per_customer_per_day = 50
per_customer_per_week = 100
min_gap = "0d"

[calendar]
send_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

[[cap_group]]
name = "late"
{limits}

[[fee]]
id = "flat"
type = "flat"
amount = "10"
grace = "5d"
cap_group = "late"

[[fee]]
id = "interest"
type = "interest"
annual_rate = 30
post = {{ every = "20d" }}
cap_group = "late"

[[fee]]
id = "monthly"
type = "percent"
percent = 3
per = "month"
cap_group = "late"
"""


def policy(limits: str) -> Policy:
    return load_policy(POLICY.format(limits=limits))


def book(totals: list[int], order: list[int]) -> Book:
    invoices = [
        Invoice(
            id=InvoiceId(f"I{n}"),
            number=f"I{n}",
            customer=CustomerId("C"),
            currency="GBP",
            issued_on=START - timedelta(days=60),
            due_on=START - timedelta(days=30 - n),
            total=total,
            balance=total,
            sent=True,
        )
        for n, total in enumerate(totals)
    ]
    return Book(
        company=Company(id="acme", base_currency="GBP"),
        as_of=START,
        customers={CustomerId("C"): Customer(id=CustomerId("C"), name="C", entity_type="company")},
        invoices=[invoices[n] for n in order if n < len(invoices)],
    )


def charged(rules: Policy, known: Book, days: list[date]) -> list[FeePosted]:
    """What is charged when decisions are taken on these days."""
    fees: list[FeePosted] = []
    served: list[object] = []
    for day in days:
        today = msgspec.structs.replace(known, as_of=day, fees=fees, served=served)
        done = [one.action for one in decide(today, rules, day) if isinstance(one, Act)]
        for action in done:
            served = [*served, *served_by(action, day)]
            if isinstance(action, ChargeLateFee):
                fees = [*fees, *fees_of(action, day, "acme")]
    return fees


DAYS = st.lists(st.integers(0, 150), min_size=1, max_size=6, unique=True).map(
    lambda days: [START + timedelta(days=day) for day in sorted(days)]
)
TOTALS = st.lists(st.integers(1_000, 200_000), min_size=1, max_size=3)


@settings(deadline=None, max_examples=40)
@given(TOTALS, st.permutations([0, 1, 2]), DAYS)
def test_shared_limits_are_never_exceeded(
    totals: list[int], order: list[int], days: list[date]
) -> None:
    rules = policy('per_invoice = "30"\npercent_of_original = 10\nper_customer_month = "40"')
    fees = charged(rules, book(totals, order), days)
    assert fees == charged(rules, book(totals, [0, 1, 2]), days)
    for n, total in enumerate(totals):
        on_invoice = sum(fee.amount for fee in fees if fee.invoice == f"I{n}")
        assert on_invoice <= min(3_000, total // 10)
    for month in {(fee.on.year, fee.on.month) for fee in fees}:
        assert sum(f.amount for f in fees if (f.on.year, f.on.month) == month) <= 4_000


@settings(deadline=None, max_examples=30)
@given(TOTALS, DAYS)
def test_a_group_makes_no_more_documents_than_it_may(totals: list[int], days: list[date]) -> None:
    fees = charged(policy("posts = 2"), book(totals, [0, 1, 2]), days)
    for n in range(len(totals)):
        assert sum(1 for fee in fees if fee.invoice == f"I{n}") <= 2


@settings(deadline=None, max_examples=30)
@given(TOTALS, DAYS, st.integers(0, 2))
def test_what_was_waived_is_never_charged_again(
    totals: list[int], days: list[date], number: int
) -> None:
    """A waiver leaves what was charged as it is: neither that fee nor another takes its place."""
    rules = policy('per_invoice = "30"')
    known = book(totals, [0, 1, 2])
    before = charged(rules, known, days[:1])
    waived = [
        Waiver(on=days[0], document=fee.document, amount=fee.amount)
        for place, fee in enumerate(before)
        if place % 3 >= number
    ]
    told = msgspec.structs.replace(known, fees=before, waivers=waived)
    for day in days:
        again = decide(msgspec.structs.replace(told, as_of=day), rules, day)
        more = [one.action for one in again if isinstance(one, Act)]
        more = [action for action in more if isinstance(action, ChargeLateFee)]
        for n in range(len(totals)):
            on_invoice = sum(a.charge for a in more if a.invoice == f"I{n}")
            on_invoice += sum(fee.amount for fee in before if fee.invoice == f"I{n}")
            assert on_invoice <= 3_000


def test_the_order_is_due_date_then_id_and_the_rest_waits_for_the_next_month() -> None:
    rules = policy('per_customer_month = "25"')
    known = book([100_000, 100_000, 100_000], [2, 1, 0])
    first = charged(rules, known, [START])
    assert (first[0].invoice, first[0].amount) == ("I0", 1_000)
    assert sum(fee.amount for fee in first) == 2_500
    assert {fee.invoice for fee in first} == {"I0"}
    later = charged(rules, known, [START, START + timedelta(days=31)])
    assert sum(fee.amount for fee in later) == 5_000


def test_the_rest_of_a_sum_that_was_deferred_in_part_is_charged_the_next_month() -> None:
    text = POLICY.format(limits="posts = 9").partition("[[cap_group]]")[0]
    rules = load_policy(
        text
        + """
[[fee]]
id = "once"
type = "flat"
amount = 25
cap = { per_customer_month = 40 }
"""
    )
    days = [START + timedelta(days=day) for day in range(62)]
    fees = charged(rules, book([100_000, 100_000, 100_000], [0, 1, 2]), days)
    assert [(fee.invoice, fee.amount, fee.on.month) for fee in fees] == [
        ("I0", 2_500, 3),
        ("I1", 1_500, 3),
        ("I1", 1_000, 4),
        ("I2", 2_500, 4),
    ]
    assert len({fee.key for fee in fees}) == 4
