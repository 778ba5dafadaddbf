"""Deaths on Xero, and that the laboratory sees what marking before sending does."""

import pytest

from tests.crashlab.lines import Walks, is_clean

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def walks() -> Walks:
    return Walks(
        "--ledger=xero",
        "--jobs=1",
        "--kinds",
        "--thin=24",
        "--double",
        "--stride=300",
        "--wrongs=6",
        "--scenes=400",
        "--protocol",
        "ours",
        "mark-then-send",
    )


def test_ours_does_nothing_twice_and_loses_nothing(walks: Walks) -> None:
    line = walks.of("ours")
    assert is_clean(line), walks.cases
    assert line["boundaries"] > 350 and line["n"] > 25
    assert 0 < line["killed"] < line["n"]
    assert line["settled_by_a_person"] > 0
    # The vendor honours a refresh token whose answer was lost.
    assert line["new_consents"] == 0


def test_nor_where_the_next_process_dies_too(walks: Walks) -> None:
    line = walks.of("ours", "double")
    assert is_clean(line), walks.cases
    assert line["n"] >= 5


@pytest.mark.parametrize("walk", ["single", "double"])
def test_marking_before_sending_is_caught(walks: Walks, walk: str) -> None:
    line = walks.of("mark-then-send", walk)
    assert line["lost"] > 0 and line["audit_gaps"] > 0
    assert walks.code == 1


def test_whatever_else_goes_wrong(walks: Walks) -> None:
    line = walks.of("ours", "scenes")
    assert is_clean(line), walks.cases
    assert line["n"] >= 18
    assert is_clean(walks.of("ours", "over a weekend")), walks.cases
