"""Tests that a policy carries, run by `policy test`."""

from rules.policy.load import load_policy
from rules.policy_tests import run_tests

POLICY = """
name = "ours"
legal_basis = "contract:terms"

[[stage]]
id = "first"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[fee]]
id = "fixed"
type = "flat"
amount = "25.00"
grace = "10d"
"""

BOOK = """
events = [
  { t = "customer", id = "C1", date = 2026-01-05, name = "North", email = "a@n.example" },
  { t = "invoice", id = "INV-1", date = 2026-09-01, due = 2026-10-01, customer = "C1", total = 99 },
]
"""


def results(tests: str) -> list[tuple[str, ...]]:
    return [result.differences for result in run_tests(load_policy(POLICY + tests))]


def test_a_test_that_comes_true_passes() -> None:
    told = (
        '[[test]]\nname = "first reminder"\non = 2026-10-05\n'
        'actions = [{ kind = "reminder", invoices = ["INV-1"], stage = "first", amount = 99 }]\n'
    )
    assert results(told + BOOK) == [()]


def test_what_differs_is_said_and_hides_no_other_test() -> None:
    wrong = '[[test]]\nname = "too early"\non = 2026-10-02\nactions = [{ kind = "reminder" }]\n'
    surplus = '[[test]]\nname = "silent"\non = 2026-10-05\nactions = []\n'
    skip = '[[test]]\nname = "held"\non = 2026-10-05\nskips = [{ code = "disputed" }]\n'
    early, loud, held = results(wrong + BOOK + surplus + BOOK + skip + BOOK)
    assert early == ("expected kind reminder; there was nothing",)
    assert len(loud) == 1 and loud[0].startswith("nobody expected kind reminder, customer C1")
    assert len(held) == 1 and held[0].startswith("expected to be left undone: code disputed; ")


def test_several_actions_are_matched_each_once_in_any_order() -> None:
    told = (
        '[[test]]\nname = "both"\non = 2026-10-13\nconnected = 2026-01-01\nactions = ['
        '{ kind = "reminder", formal = false }, '
        '{ kind = "late_fee", fee = "fixed", amount = "25" }]\n'
    )
    assert results(told + BOOK) == [()]
    twice = told.replace("late_fee", "reminder").replace(', fee = "fixed", amount = "25"', "")
    (found,) = results(twice + BOOK)
    assert any("late_fee" in said for said in found)


def test_events_that_cannot_be_read_fail_the_test_with_the_reason() -> None:
    told = '[[test]]\nname = "odd"\non = 2026-10-05\nevents = [{ t = "invoise", id = "I" }]\n'
    (found,) = results(told)
    assert found and "invoise" in found[0]


def test_tests_do_not_change_what_was_approved() -> None:
    plain = load_policy(POLICY)
    tested = load_policy(POLICY + '[[test]]\nname = "x"\non = 2026-10-05\nevents = []\n')
    assert plain.hash == tested.hash
