"""Deaths on QuickBooks, and that the laboratory sees what sending before marking does."""

import pytest

from tests.crashlab.lines import Walks, is_clean


@pytest.fixture(scope="module")
def walks() -> Walks:
    return Walks(
        "--ledger=quickbooks",
        "--jobs=1",
        "--kinds",
        "--thin=12",
        "--double",
        "--stride=150",
        "--wrongs=5",
        "--scenes=200",
        "--protocol",
        "ours",
        "send-then-mark",
    )


def test_ours_does_nothing_twice_and_loses_nothing(walks: Walks) -> None:
    line = walks.of("ours")
    assert is_clean(line), walks.cases
    assert line["boundaries"] > 200 and line["n"] > 20
    assert 0 < line["killed"] < line["n"]
    # A mail that was on its way is told to a person, and so is a consent that was cut off.
    assert line["settled_by_a_person"] > 0 and line["new_consents"] == 1


def test_nor_where_the_next_process_dies_too(walks: Walks) -> None:
    line = walks.of("ours", "double")
    assert is_clean(line), walks.cases
    assert line["n"] >= 5


@pytest.mark.parametrize("walk", ["single", "double"])
def test_sending_before_marking_is_caught(walks: Walks, walk: str) -> None:
    line = walks.of("send-then-mark", walk)
    assert line["duplicates"] > 0
    assert walks.code == 1


def test_whatever_else_goes_wrong(walks: Walks) -> None:
    line = walks.of("ours", "scenes")
    assert is_clean(line), walks.cases
    assert line["n"] >= 18
    assert is_clean(walks.of("ours", "over a weekend")), walks.cases
