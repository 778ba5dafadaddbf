"""Credit limits, deposits, write-offs and people: what is refused, and what is found odd."""

import pytest

from rules.policy.check import check
from rules.policy.load import PolicyError, load_policy
from rules.policy_text import policy_text

SEGMENT = '[[segment]]\nname = "vip"\nwhen = { tags = "vip" }\n'
ANN = '[[person]]\nid = "ann"\nroles = ["collector"]\n'
CALL = '[[stage]]\nid = "ring"\nat = "due + 3d"\ndo = ["call"]\n'


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (ANN + CALL + 'owner = "anne"\n', 8, 'the owner "anne" is neither', 'did you mean "ann"?'),
        (ANN + CALL + 'owner = "colector"\n', 8, "neither a person", 'did you mean "collector"?'),
        (
            ANN + 'absent = { until = 2026-08-21, deputy = "an" }\n',
            4,
            'the deputy "an" is nobody',
            'did you mean "ann"?',
        ),
        (
            ANN + 'absent = { until = 2026-08-21, deputy = "ann" }\n',
            4,
            "cannot stand in for themselves",
            "name somebody else",
        ),
        (SEGMENT + ANN + 'segments = ["vup"]\n', 7, 'no segment "vup"', 'did you mean "vip"?'),
        (ANN + ANN, 5, 'the person id "ann" is used twice', "give each person an id"),
        (ANN + '[credit]\nlimit = 5\nowner = "bob"\n', 6, 'the owner "bob"', "ann"),
        (SEGMENT + '[credit]\nlimit = 5\nskip = ["vop"]\n', 6, 'no segment "vop"', "vip"),
        (
            SEGMENT + '[[credit.segment_limit]]\nsegment = "vp"\nlimit = 5\n',
            5,
            'no segment "vp"',
            "vip",
        ),
        ("[credit]\nlimit = -5\n", 2, "negative", "5"),
        ("[credit]\ndeposit = { percent = 0 }\n", 2, "percent", ""),
        ('[person]\nid = "ann"\n', 1, "person", ""),
        (
            CALL + 'script = "Ask {custmer} for {total}."\n',
            5,
            'unknown blank "{custmer}"',
            'did you mean "{customer}"?',
        ),
        (ANN + 'email = "ann at story"\n', 4, "email", ""),
    ],
)
def test_what_is_refused_says_where_and_what_was_meant(
    text: str, line: int, message: str, hint: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy(text)
    (problem,) = refused.value.problems
    assert (problem.line, message in problem.message) == (line, True), str(problem)
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("text", "code", "severity"),
    [
        ("[credit]\n", "credit_idle", "warning"),
        ("[credit]\nlimit = 5\nhold_above = 80\nrelease_below = 90\n", "credit_flaps", "error"),
        (
            '[credit]\nhold_overdue = "30d"\nrelease_overdue = "30d"\n',
            "credit_flaps",
            "error",
        ),
        ("[credit]\nlimit = 5\nwarn_at = 120\n", "credit_warns_late", "warning"),
        (
            '[credit]\nlimit = 5\n[[stage]]\nid = "r"\nat = "due + 3d"\ndo = ["release_credit"]\n',
            "credit_twice",
            "warning",
        ),
        ('[credit]\ndeposit = { percent = 50, mode = "auto" }\n', "deposit_auto", "warning"),
        ("[credit]\ndeposit = { percent = 100 }\n", "deposit_whole", "info"),
        ('[write_off]\nolder_than = "30d"\n', "write_off_idle", "warning"),
        (ANN + CALL.replace("call", "notify"), "person_without_mail", "info"),
    ],
)
def test_what_is_odd_is_found(text: str, code: str, severity: str) -> None:
    found = {finding.code: finding.severity for finding in check(load_policy(text))}
    assert found.get(code) == severity


def test_a_sound_policy_has_nothing_odd() -> None:
    text = SEGMENT + ANN.replace("[", "[", 1) + 'email = "ann@story.example"\n' + CALL
    text += '[credit]\nlimit = 5000\nwarn_at = 80\nhold_overdue = "60d"\nowner = "ann"\n'
    text += "[write_off]\nsmall_balance = 2\n"
    assert check(load_policy(text)) == ()


def test_terms_tell_new_customers_of_the_deposit() -> None:
    text = policy_text(load_policy('[credit]\ndeposit = { percent = 30, due_in = "7d" }\n'), "GBP")
    assert "New customers pay a deposit of 30 % of the estimate" in text
    assert "within 7 days of our request" in text


def test_deposits_alone_hold_nobodys_credit() -> None:
    rules = load_policy("[credit]\ndeposit = { percent = 30 }\n").credit
    assert rules is not None and not rules.has_limits
