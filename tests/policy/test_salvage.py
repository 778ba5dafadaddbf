"""Mistakes do not hide one another: what can be read is looked over beside what cannot."""

import pytest

from rules.policy.load import PolicyError, load_policy

FLAPS = "[credit]\nlimit = 5000\nhold_above = 80\nrelease_below = 90\n"
NOTE = '[[stage]]\nid = "{}"\nat = "due + 3d"\ndo = ["note"]\n'
CIRCLE = NOTE.format("b") + 'requires = ["c"]\n' + NOTE.format("c") + 'requires = ["b"]\n'
UNREAD = '[[stage]]\nid = "a"\nat = "deu"\ndo = ["note"]\n'
NO_BASIS = '[[fee]]\nid = "f"\ntype = "flat"\namount = 5\n'


def told(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PolicyError) as refused:
        load_policy(text)
    return [(one.line, one.message) for one in refused.value.problems]


def lines(text: str) -> list[int]:
    return [line for line, _ in told(text)]


def test_what_can_be_read_and_never_works_is_told_beside_mistakes() -> None:
    assert lines('nmae = "x"\n' + FLAPS + NO_BASIS) == [1, 5, 6]


def test_rows_keep_their_lines_when_an_earlier_one_cannot_be_read() -> None:
    found = told(UNREAD + CIRCLE)
    assert [line for line, _ in found] == [3, 5, 10]
    assert "never reached" in found[1][1]


def test_nothing_is_said_of_what_rests_on_a_mistake() -> None:
    assert lines("legal_basis = 7\n" + NO_BASIS) == [1]
    assert lines(FLAPS.replace("5000", '"x"')) == [2]
    previous = NOTE.format("b").replace("due + 3d", "previous + 3d")
    assert lines(UNREAD + previous) == [3]
    assert lines('legal_bassis = "clause 7"\n' + NO_BASIS) == [1]


def test_a_file_of_nothing_but_mistakes_is_told_as_one() -> None:
    assert lines("stage = 1\nfee = [1, 2]\ncalendar = []\n[contact]\nunit = 3\n") == [1, 2, 2, 3, 5]
