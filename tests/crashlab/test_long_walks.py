"""What takes an hour or more: every boundary, whatever else goes wrong at many places, and second
deaths at an even sample of all spots of all recoveries."""

import pytest

from tests.crashlab.company import LEDGERS
from tests.crashlab.lines import Walks, is_clean

pytestmark = [pytest.mark.soak, pytest.mark.parametrize("ledger", LEDGERS)]


def test_every_single_boundary(ledger: str) -> None:
    walks = Walks(f"--ledger={ledger}", "--every")
    assert is_clean(walks.of("ours")), walks.cases


def test_every_process_is_killed(ledger: str) -> None:
    """Nothing is copied: the same comes out where all processes die."""
    walks = Walks(f"--ledger={ledger}", "--real=1")
    line = walks.of("ours")
    assert is_clean(line), walks.cases
    assert line["killed"] == line["n"]


def test_whatever_else_goes_wrong_at_many_places(ledger: str) -> None:
    walks = Walks(f"--ledger={ledger}", "--scenes=5")
    assert is_clean(walks.of("ours", "scenes")), walks.cases
    assert is_clean(walks.of("ours", "over a weekend")), walks.cases


def test_a_second_death_in_every_recovery(ledger: str) -> None:
    walks = Walks(f"--ledger={ledger}", "--double", "--stride=11")
    line = walks.of("ours", "double")
    assert is_clean(line), walks.cases
    assert line["n"] > 300


@pytest.mark.parametrize(
    ("protocol", "count"), [("send-then-mark", "duplicates"), ("mark-then-send", "lost")]
)
def test_second_deaths_show_what_a_wrong_protocol_does(
    ledger: str, protocol: str, count: str
) -> None:
    walks = Walks(f"--ledger={ledger}", "--protocol", protocol, "--double", "--stride=97")
    assert walks.of(protocol, "double")[count] > 0
