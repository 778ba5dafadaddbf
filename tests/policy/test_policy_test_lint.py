"""What a `[[test]]` block names and that there never is, told without running it."""

import pytest

from rules.policy.load import load_policy
from rules.policy.positions import positions
from rules.policy_test_lint import findings_of_tests
from tests.policy.test_policy_tests import BOOK, POLICY

TEST = '[[test]]\nname = "one"\non = 2026-10-05\n'


def told(rows: str, book: str = BOOK) -> list[tuple[int, str, str]]:
    """Line within the test, message and hint of each finding."""
    text = POLICY + TEST + rows + "\n" + book
    before = POLICY.count("\n")
    lines = positions(text)
    found = findings_of_tests(load_policy(text))
    return [(lines.line(one.path) - before, one.message, one.hint) for one in found]


@pytest.mark.parametrize(
    ("rows", "said", "hint"),
    [
        ('actions = [{ kind = "remider" }]', 'kind of action "remider"', 'mean "reminder"?'),
        ('skips = [{ code = "disputd" }]', 'reason "disputd"', 'mean "disputed"?'),
        ('skips = [{ code = "stage_due" }]', 'reason "stage_due"', "not to wait"),
        ('skips = [{ stage = "frist" }]', 'stage "frist"', 'mean "first"?'),
        ('skips = [{ fee = "fixd" }]', 'fee "fixd"', 'mean "fixed"?'),
        ('actions = [{ mode = "atuo" }]', 'mode "atuo"', 'mean "auto"?'),
        ('actions = [{ customer = "C2" }]', 'customer "C2"', "C1"),
        ('actions = [{ invoices = ["INV-2"] }]', 'invoice "INV-2"', "INV-1"),
    ],
)
def test_a_word_that_nothing_ever_is(rows: str, said: str, hint: str) -> None:
    ((line, message, advice),) = told(rows)
    assert line == 4
    assert f"there is no {said}, so this test never passes" in message
    assert hint in advice


def test_events_that_cannot_be_used_with_their_line() -> None:
    book = BOOK.replace('t = "customer"', 't = "custmer"')
    unknown, lost = sorted(told("actions = []", book))
    assert unknown[0] == 7 and "'custmer' is no kind of event" in unknown[1]
    assert unknown[2] == 'did you mean "customer"?'
    assert lost[0] == 8 and "customer C1 is not in the book" in lost[1]


def test_what_is_right_is_not_told() -> None:
    rows = (
        'actions = [{ kind = "reminder", customer = "C1", invoices = ["INV-1"], stage = "first", '
        'mode = "auto" }, { stage = "broken-promise" }, { stage = "credit" }]\n'
        'skips = [{ code = "not_due", fee = "fixed" }]'
    )
    assert told(rows) == []
