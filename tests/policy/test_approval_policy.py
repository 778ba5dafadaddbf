"""`[approval]`: what the table may say, what is wrong with it, and what it makes of acts."""

from datetime import date

import pytest

from rules.actions.table import ACTIONS
from rules.decide import acts, decide
from rules.explain import sentence
from rules.model.events import fold
from rules.policy.approval import KINDS
from rules.policy.load import PolicyError, load_policy

HEAD = 'schema = 1\nname = "x"\n[[segment]]\nname = "vip"\nwhen = { tags = "vip" }\n'


def test_kinds_are_those_that_the_rules_decide() -> None:
    assert set(KINDS) <= {action.kind for action in ACTIONS}
    assert len(set(KINDS)) == len(KINDS)


def test_the_table_is_read_and_is_part_of_the_hash() -> None:
    plain = load_policy(HEAD, source="p.toml", presets=())
    assert plain.approval.ask == () and str(plain.approval.expires) == "5d"
    text = (
        HEAD + '[approval]\nexpires = "2bd"\n[[approval.ask]]\nkinds = ["late_fee"]\nabove = 99.5\n'
    )
    asking = load_policy(text, source="p.toml", presets=())
    assert asking.approval.ask[0].kinds == ("late_fee",)
    assert str(asking.approval.expires) == "2bd" and asking.hash != plain.hash


def test_every_mistake_is_said_at_once_with_its_line() -> None:
    text = HEAD + (
        '[approval]\nexpires = "soon"\n[[approval.ask]]\nkinds = ["late_fees"]\n'
        'only = ["vap"]\nabove = -1\nwhen = { invoice_balanse = ">= 20" }\n'
    )
    with pytest.raises(PolicyError) as error:
        load_policy(text, source="p.toml", presets=())
    told = "\n".join(str(problem) for problem in error.value.problems)
    for said in (
        "p.toml:7:",
        'did you mean "late_fee"',
        'did you mean "vip"',
        'did you mean "invoice_balance"',
        "p.toml:11:",
    ):
        assert said in told


STAGE = """
[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"
"""

CASES = {
    "above": ("above = 500", {"Y"}, "1000.00 GBP is above 500"),
    "not above itself": ("above = 1000", set(), ""),
    "only": ('only = ["vip"]', {"X"}, "the customer belongs to vip"),
    "skip": ('skip = ["vip"]', {"Y"}, "everything is"),
    "when": ("when = { invoice_total = 50 }", {"X"}, "invoice_total is 50"),
    "unless": ('unless = { customer = "X" }', {"Y"}, "everything is"),
    "kinds": ('kinds = ["reminder"]\nabove = 10', {"X", "Y"}, "above 10"),
    "other kinds": ('kinds = ["late_fee"]', set(), ""),
    "all of it": ('only = ["vip"]\nabove = 500', set(), ""),
    "why": ('above = 500\nwhy = "the owner wants to see it."', {"Y"}, "the owner wants to see it"),
}


@pytest.mark.parametrize("case", CASES)
def test_whom_it_asks_about_and_why(case: str) -> None:
    rule, asked, why = CASES[case]
    policy = load_policy(f"{HEAD}{STAGE}[[approval.ask]]\n{rule}\n", source="p", presets=())
    events: list[dict[str, object]] = [
        {"t": "company", "id": "a", "base_currency": "GBP", "timezone": "Europe/London"}
    ]
    for name, tags, total in (("X", ["vip"], "50.00"), ("Y", [], "1000.00")):
        shared = {"currency": "GBP", "date": "2026-01-05"}
        events += [
            {"t": "customer", "id": name, "name": name, "email": "a@b.example", "tags": tags}
            | shared,
            {"t": "invoice", "id": name, "number": name, "customer": name, "total": total}
            | shared
            | {"due": "2026-02-04"},
        ]
    today = date(2026, 2, 10)
    found = acts(decide(fold(events, today).book, policy, today))
    assert len(found) == 2
    marked = {act.action.customer: act for act in found if act.mode == "approve"}
    assert set(marked) == asked
    assert {act.mode for act in found} <= {"approve", "auto"}
    for act in marked.values():
        told = [sentence(reason) for reason in act.reasons if reason.code == "needs_approval"]
        assert len(told) == 1 and why in told[0]
