"""Holidays by region: checked against days that are known from the calendar itself."""

from datetime import date

import pytest

from ar_bridge.holiday_sets import UnknownRegionError, holiday_set, region_advice


def test_england_has_its_own_days() -> None:
    found = holiday_set("GB-ENG", range(2026, 2028))
    assert date(2026, 4, 6) in found.dates  # Easter Monday
    assert date(2026, 12, 28) in found.dates  # Boxing Day, observed
    assert date(2027, 12, 27) in found.dates
    assert not [day for day in found.dates if day.year not in (2026, 2027)]
    assert found.weekend == {5, 6}
    assert found.source.startswith("holidays 0.")
    assert found.region == "GB-ENG"


def test_the_part_matters() -> None:
    assert date(2026, 6, 4) in holiday_set("DE-BY", range(2026, 2027)).dates  # Corpus Christi
    assert date(2026, 6, 4) not in holiday_set("DE-HH", range(2026, 2027)).dates
    assert "GB-ENG" in region_advice("GB")
    assert region_advice("GB-ENG") == region_advice("") == region_advice("IE") == ""


def test_weekends_come_with_the_country() -> None:
    assert holiday_set("SA", range(2026, 2027)).weekend == {4, 5}


def test_no_region_has_weekends_only() -> None:
    none = holiday_set("", range(2026, 2027))
    assert none.dates == frozenset()
    assert none.weekend == {5, 6}


def test_the_same_question_gives_the_same_value() -> None:
    assert holiday_set("us-ca", range(2026, 2027)) is holiday_set("US-CA", range(2026, 2027))


@pytest.mark.parametrize(
    ("region", "near"),
    [
        ("GB-ENGL", "GB-ENG"),
        ("UK", "did you mean GB?"),
        ("UK-ENG", "did you mean GB-ENG?"),
        ("DE-XX", "DE-"),
    ],
)
def test_an_unknown_region_is_met_with_the_nearest(region: str, near: str) -> None:
    with pytest.raises(UnknownRegionError) as unknown:
        holiday_set(region, range(2026, 2027))
    assert region in str(unknown.value)
    assert near in str(unknown.value)
