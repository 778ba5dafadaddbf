"""Deaths of processes whose records lie on a PostgreSQL server."""

import pytest

from tests.crashlab.lines import Walks, is_clean
from tests.store.postgresql import Server


def test_ours_does_nothing_twice_and_loses_nothing(postgresql: Server) -> None:
    """With `postgresql` it is skipped where no server can be started."""
    walks = Walks(
        "--postgresql", "--ledger=quickbooks", "--jobs=1", "--kinds", "--thin=100", "--firsts=9"
    )
    line = walks.of("ours")
    assert is_clean(line), walks.cases
    assert line["store"] == "postgresql" and line["killed"] == line["n"] >= 3


@pytest.mark.soak
@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_at_every_spot_and_some_twice(postgresql: Server, ledger: str) -> None:
    walks = Walks("--postgresql", f"--ledger={ledger}", "--double", "--stride=97")
    assert is_clean(walks.of("ours")), walks.cases
    assert is_clean(walks.of("ours", "double")), walks.cases
