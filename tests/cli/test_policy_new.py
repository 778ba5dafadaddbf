"""policy new: a few answers make a policy that is sound, tested and one's own."""

import tomllib
from itertools import product
from pathlib import Path

import pytest

from ar_bridge.cli.policy_new import in_full
from ar_bridge.errors import UsageError
from ar_bridge.policies import read_policy
from ar_bridge.policy_answers import QUESTIONS, answered, compose
from rules.policy.check import check
from rules.policy.load import load_policy
from rules.policy_tests import run_tests
from tests.cli.running import Program

TRADE = [
    *product(
        ("gentle", "standard", "firm"),
        ("1", "9"),
        ("0", "5"),
        (("none", ""), ("law", "GB-ENG"), ("law", "DE-BY"), ("law", "FR"), ("contract", "US-NY")),
        ("yes", "no"),
    )
]


@pytest.mark.parametrize(("tone", "first", "before", "fees", "looks"), TRADE)
def test_whatever_is_answered_the_policy_is_sound(
    tone: str, first: str, before: str, fees: tuple[str, str], looks: str
) -> None:
    given = {"tone": tone, "first": first, "before": before, "looks": looks}
    text = compose("own", answered({**given, "fees": fees[0], "region": fees[1]}))
    policy = load_policy(text)
    assert [str(one) for one in check(policy) if one.severity == "error"] == []
    results = run_tests(policy)
    assert len(results) == 2
    assert all(one.passed for one in results)
    ladder = {stage.id: stage for stage in policy.stage}
    assert str(ladder["first-reminder"].at) == f"due + {first}d"
    asks = [str(stage.at) for stage in policy.stage if str(stage.at).startswith("due - ")]
    assert asks == ([f"due - {before}d"] if before != "0" else [])
    assert [fee.type for fee in policy.fee] == {
        "none": [],
        "law": ["statutory"],
        "contract": ["percent"],
    }[fees[0]]
    assert (str(policy.mode) == "approve") is (looks == "yes")
    assert policy.calendar.region == fees[1]


def test_every_kind_of_business_has_a_policy() -> None:
    business = next(question for question in QUESTIONS if question.name == "business")
    for kind in business.choices:
        text = compose("own", answered({"business": kind}))
        assert tomllib.loads(text)["name"] == "own"


def test_every_wrong_answer_is_named_at_once() -> None:
    with pytest.raises(UsageError) as told:
        answered({"first": "soon", "regoin": "GB", "region": "XX-1", "percent": "2"})
    assert len(told.value.problems) == 4


def test_a_law_is_never_made_up() -> None:
    with pytest.raises(UsageError, match="No law of late payment is known"):
        compose("own", answered({"fees": "law", "region": "US-NY"}))


def test_a_script_answers_beforehand(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    made = program(
        *("policy", "new", str(file), "--answer", "fees=law"),
        *("--answer", "region=GB-ENG", "--answer", "first=5"),
    )
    assert made.code == 0, made.err
    assert program("policy", "test", str(file)).code == 0
    assert read_policy(file).fee[0].scheme == "uk"
    assert program("policy", "new", str(file), "--answer", "first=5").code == 2
    assert program("policy", "new", str(tmp_path / "x.toml"), "--answer", "first").code == 2
    assert not (tmp_path / "x.toml").exists()


def test_on_a_screen_each_choice_stands_apart_from_what_it_means() -> None:
    for question in QUESTIONS:
        rows = in_full(question).splitlines()[1:]
        for row, (name, what) in zip(rows, question.choices.items(), strict=True):
            words = row.split("  ")
            assert (words[1], words[-1].strip()) == (name, what) and len(words) > 2
