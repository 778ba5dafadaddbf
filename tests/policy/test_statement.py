"""`[[statement]]` tables: what they may say, and how mistakes are told."""

import pytest

from rules.policy.load import PolicyError, load_policy
from rules.policy_tests import run_tests
from rules.policy_text import policy_text

HEAD = 'schema = 1\n\n[[statement]]\nid = "monthly"\n'


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as wrong:
        load_policy(text)
    return [f"{one.line}: {one.message}" for one in wrong.value.problems]


def test_defaults_are_a_monthly_open_item_statement_on_the_first() -> None:
    (statement,) = load_policy(HEAD).statement
    assert (statement.kind, statement.day_of_month.day, str(statement.every)) == (
        "open_item",
        1,
        "1m",
    )


def test_last_business_day() -> None:
    text = HEAD + 'day_of_month = "last_business_day"\n'
    assert load_policy(text).statement[0].day_of_month.day is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("day_of_month = 32", "5: day_of_month: 32 is not a day of the month"),
        ('day_of_month = "last"', '5: day_of_month: "last" is not a day of the month'),
        ('every = "5m"', '5: every: "5m" is not a rhythm for statements'),
        ('every = "30d"', '5: every: "30d" is not a rhythm for statements'),
        ('only = ["vip"]', '5: only names the unknown segment "vip"'),
        (
            'when = { days_past_due = "> 3" }',
            "5: days_past_due is about one invoice, and a statement is about the customer",
        ),
    ],
)
def test_mistakes_are_told_with_their_line(line: str, said: str) -> None:
    assert problems(HEAD + line) == [said]


def test_an_id_is_given_once_and_never_that_of_a_stage() -> None:
    stage = '\n[[stage]]\nid = "monthly"\nat = "due + 3d"\ndo = ["task"]\n'
    again = '\n[[statement]]\nid = "monthly"\n'
    assert problems(HEAD + again + stage) == [
        '4: a stage has the id "monthly" too',
        '7: a stage has the id "monthly" too',
        '7: the statement id "monthly" is used twice; it is also in line 4',
    ]


def test_the_terms_name_the_discount() -> None:
    policy = load_policy('schema = 1\n\n[discount]\npercent = "2"\nwithin = "10d"\n')
    assert (
        "You may deduct 2 % of the invoice if your payment reaches us within 10 days of the day "
        "of issue." in policy_text(policy, "GBP")
    )


def test_a_test_inside_the_policy_speaks_of_statements_and_discounts() -> None:
    policy = load_policy(
        HEAD
        + """
[discount]
percent = 2

[[test]]
name = "statement and discount"
on = 2026-10-01
actions = [
    { kind = "discount", invoices = ["INV-1"], amount = "2.00" },
    { kind = "statement", stage = "monthly", amount = "2.00" },
]

[[test.events]]
t = "customer"
id = "C1"
date = 2026-01-05
name = "North Ltd"

[[test.events]]
t = "invoice"
id = "INV-1"
date = 2026-09-25
due = 2026-10-25
customer = "C1"
total = "100.00"

[[test.events]]
t = "payment"
id = "P1"
date = 2026-09-30
customer = "C1"
amount = "98.00"
alloc = [{ invoice = "INV-1", amount = "98.00" }]
"""
    )
    (result,) = run_tests(policy)
    assert result.passed, result.differences
