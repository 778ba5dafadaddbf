"""A second death in each recovery: the whole product, which takes hours rather than seconds."""

import pytest

from tests.crashlab.company import LEDGERS
from tests.crashlab.lines import Walks, is_clean


@pytest.mark.soak
@pytest.mark.parametrize("ledger", LEDGERS)
def test_every_single_boundary(ledger: str) -> None:
    walks = Walks(f"--ledger={ledger}", "--every")
    assert is_clean(walks.of("ours")), walks.cases


@pytest.mark.soak
@pytest.mark.parametrize("ledger", LEDGERS)
def test_whatever_else_goes_wrong_at_every_place(ledger: str) -> None:
    walks = Walks(f"--ledger={ledger}", "--scenes=1")
    assert is_clean(walks.of("ours", "scenes")), walks.cases
    assert is_clean(walks.of("ours", "over a weekend")), walks.cases


@pytest.mark.soak
@pytest.mark.parametrize("ledger", LEDGERS)
def test_a_second_death_in_every_recovery(ledger: str) -> None:
    walks = Walks(f"--ledger={ledger}", "--double")
    assert is_clean(walks.of("ours", "double")), walks.cases
