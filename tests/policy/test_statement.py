"""`[[statement]]` tables: what they may say, and how mistakes are told."""

import pytest

from rules.policy.load import PolicyError, load_policy

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
