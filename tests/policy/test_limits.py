"""Limits that nobody has set, and what a policy decides by."""

import pytest

from rules.policy.limits import acting_hash, fees_on_a_day, mails_on_a_day, mails_to_one
from rules.policy.load import load_policy
from rules.policy.schema import Policy

STAGE = '[[stage]]\nid = "a"\nat = "due + 3d"\ndo = ["remind"]\ntemplate = "overdue_1"\n'


def loaded(text: str) -> Policy:
    return load_policy(text, source="test", presets={})


def test_the_limits_of_a_day_grow_with_those_of_a_run() -> None:
    small, large = loaded(""), loaded("[limits]\nmails_per_run = 900\nfees_per_run = 300\n")
    assert (mails_on_a_day(small.limits), fees_on_a_day(small.limits)) == (500, 200)
    assert (mails_on_a_day(large.limits), fees_on_a_day(large.limits)) == (1800, 600)
    own = loaded("[limits]\nmails_per_day = 3\nfees_per_day = 0\nfees_per_run = 0\n")
    assert (mails_on_a_day(own.limits), fees_on_a_day(own.limits)) == (3, 0)


def test_a_customer_may_get_a_little_more_than_the_budget() -> None:
    assert mails_to_one(loaded("[contact]\nper_customer_per_day = 2\n")) == 4
    assert mails_to_one(loaded("[limits]\nmails_per_customer_per_day = 1\n")) == 1


@pytest.mark.parametrize(
    ("text", "is_alike"),
    [
        (f'name = "other"\n{STAGE}[limits]\nfirst_apply = 9\n', True),
        (f"# a remark\n{STAGE}", True),
        (STAGE.replace("3d", "4d"), False),
        (f'mode = "approve"\n{STAGE}', False),
        (f"[contact]\nper_customer_per_week = 3\n{STAGE}", False),
    ],
)
def test_what_a_policy_decides_by(text: str, is_alike: bool) -> None:
    assert (acting_hash(loaded(text)) == acting_hash(loaded(STAGE))) is is_alike
