"""Every effect that there is, on every ledger that takes it, is one around which processes die."""

import pytest

from rules.actions.effects import EFFECT_NAMES
from tests.crashlab.company import LEDGERS
from tests.crashlab.covering import covered


@pytest.fixture(scope="module")
def days() -> dict[str, tuple[dict[str, list[str]], set[str]]]:
    return {ledger: covered(ledger) for ledger in LEDGERS}


@pytest.mark.parametrize("ledger", LEDGERS)
def test_the_day_brings_every_effect_that_the_ledger_and_our_channels_take(
    days: dict[str, tuple[dict[str, list[str]], set[str]]], ledger: str
) -> None:
    found, possible = days[ledger]
    assert set(found) == possible


def test_there_is_no_effect_that_nobody_takes(
    days: dict[str, tuple[dict[str, list[str]], set[str]]],
) -> None:
    found = {shape.partition(" ")[0] for shapes, _ in days.values() for shape in shapes}
    assert found == set(EFFECT_NAMES.values())
