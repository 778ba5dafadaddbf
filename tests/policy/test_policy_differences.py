"""What two policies say differently is told by meaning: ids, not places in the file."""

from rules.policy.differences import differences, vanished
from rules.policy.load import load_policy

BASE = """
schema = 1
legal_basis = "contract:terms"

[contact]
min_gap = "5d"

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second"
at = "due + 10d"
do = ["remind"]
template = "overdue_2"

[[fee]]
id = "late"
type = "flat"
amount = "25.00"
cap = { per_invoice = "25.00", posts = 1 }
"""


def told(old: str, new: str) -> list[str]:
    return [str(one) for one in differences(load_policy(old), load_policy(new))]


def test_the_same_policy_in_other_words_is_the_same() -> None:
    spelt = BASE.replace("5d", "5d").replace('amount = "25.00"', "amount = 25")
    assert told(BASE, spelt + '[[test]]\nname = "x"\non = 2026-01-01\nevents = []\n') == []


def test_changed_keys_are_told_old_and_new() -> None:
    new = (
        BASE.replace("5d", "7d").replace("due + 10d", "due + 14d").replace("posts = 1", "posts = 2")
    )
    assert told(BASE, new) == [
        "[contact]: min_gap was 5d, is 7d",
        "stage second: at was due + 10d, is due + 14d",
        "fee late: cap.posts was 1, is 2",
    ]


def test_a_stage_that_was_renamed_is_the_same_stage() -> None:
    new = BASE.replace('id = "second"', 'id = "firmer"\nwas = ["second"]')
    assert told(BASE, new) == ["stage firmer was called second"]
    assert not vanished(load_policy(BASE), load_policy(new))


def test_added_removed_and_moved() -> None:
    start, first, second, fee = BASE.replace("[[", "\0[[").split("\0")
    third = second.replace("second", "third")
    assert told(BASE, start + first + third + fee) == [
        "stage second is removed",
        "stage third is added",
    ]
    assert vanished(load_policy(BASE), load_policy(start + first + third)) == (
        ("stage", "second"),
        ("fee", "late"),
    )
    assert told(BASE, start + second + first + fee) == [
        "stage second stands after nothing, not after first"
    ]
