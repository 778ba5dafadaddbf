"""Stages of whole accounts and stages after a payment: what they cannot say is told."""

from datetime import date

import pytest

from ar_bridge.insights.timeline import INVOICE as SUBJECT
from ar_bridge.insights.timeline import one_invoice, timeline
from rules.policy.load import PolicyError, load_policy
from rules.policy_tests import run_tests

INVOICE = """
[[stage]]
id = "first"
at = "due + 3d"
do = ["note"]
deadline = "7d"
"""
ACCOUNT = """
[[stage]]
id = "account"
at = "due + 9d"
do = ["note"]
scope = "customer"
"""


def stage(at: str, do: str, *more: str) -> str:
    return "\n".join(["[[stage]]", 'id = "s"', f'at = "{at}"', f"do = {do}", *more, ""])


def test_what_belongs_together_is_read() -> None:
    policy = load_policy(
        INVOICE
        + ACCOUNT
        + stage("paid + 1d", '["task", "note"]')
        + stage("returned", '["task"]').replace('"s"', '"r"')
        + stage("field(work_date) + 20d", '["task"]').replace('"s"', '"f"')
    )
    assert [str(one.at) for one in policy.stage][2:] == [
        "paid + 1d",
        "returned",
        "field(work_date) + 20d",
    ]
    assert [one.scope for one in policy.stage][:2] == ["invoice", "customer"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (stage("paid", '["note"]', 'scope = "customer"'), "cannot count from"),
        (stage("field(day)", '["note"]', 'scope = "customer"'), "cannot count from"),
        (stage("due + 1d", '["send_invoice"]', 'scope = "customer"'), "about single invoices"),
        (stage("paid + 1d", '["remind"]', 'template = "overdue_1"'), "asks for what is settled"),
        (stage("paid + 1d", '["hold_credit"]'), "asks for what is settled"),
        (ACCOUNT + stage("due + 5d", '["note"]', 'requires = ["account"]'), "whole accounts"),
        (
            INVOICE + stage("deadline(first) + 1d", '["note"]', 'scope = "customer"'),
            "single invoices",
        ),
    ],
)
def test_what_does_not_is_told(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(text)
    assert any(message in problem.message for problem in caught.value.problems)


def test_a_fee_goes_with_a_stage_of_the_account() -> None:
    policy = load_policy(
        ACCOUNT + '[[fee]]\nid = "f"\ntype = "flat"\namount = 5\nlegal_basis = "terms"\n'
        'requires = ["account"]\npost = { with_stage = "account" }\n'
    )
    assert policy.fee[0].post.stage == "account"


TESTED = """
schema = 1
name = "tested"

[[stage]]
id = "account-first"
name = "Account reminder"
at = "due + 5d"
do = ["remind"]
template = "overdue_1"
scope = "customer"

[[test]]
name = "one message for all that is overdue"
on = 2026-10-07
events = [
    { t = "customer", id = "C1", date = 2026-01-01 },
    { t = "invoice", id = "I1", date = 2026-09-01, customer = "C1", due = 2026-10-01, total = 100 },
    { t = "invoice", id = "I2", date = 2026-09-01, customer = "C1", due = 2026-10-04, total = 50 },
]
actions = [
    { kind = "reminder", stage = "account-first", invoices = ["I1", "I2"], amount = "150.00" },
]
"""


def test_policy_tests_and_the_timeline_know_the_account() -> None:
    policy = load_policy(TESTED)
    assert [result.differences for result in run_tests(policy)] == [()]
    due_on = date(2026, 10, 1)
    events = one_invoice(amount="100.00", currency="GBP", due_on=due_on, terms_days=30)
    steps = timeline(policy, events, SUBJECT, due_on, date(2026, 9, 1), date(2026, 11, 1))
    assert [(step.on, step.title) for step in steps] == [(date(2026, 10, 6), "Account reminder")]
