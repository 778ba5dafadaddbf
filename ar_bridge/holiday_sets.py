"""Public holidays by region, frozen so that a decision can be replayed.

The dates come from the `holidays` package, which is loaded only when a region is asked for
(a tenth of a second). One-off days proclaimed after its release are added by the policy.
"""

import difflib
from functools import lru_cache
from importlib import metadata

from ar_bridge.errors import SetupError
from rules.model.book import HolidaySet


class UnknownRegionError(SetupError):
    """There is no holiday calendar for that region."""


def holiday_set(region: str, years: range) -> HolidaySet:
    """The holidays of a region such as GB-ENG, US-CA or DE-BY in these years.

    An empty region has weekends and no holidays. The same question gives the same value.
    Raises UnknownRegionError with the nearest region that exists.
    """
    return _cached(region.strip().upper(), years.start, years.stop)


def region_advice(region: str) -> str:
    """Why a bare country is not enough, where its holidays differ by part; else empty.

    Great Britain without a part has no Easter Monday, Canada five days instead of ten.
    Raises UnknownRegionError.
    """
    country, _, part = _checked(region.strip().upper()) if region else ("", "", "")
    parts = _supported().get(country, ())
    if part or not parts:
        return ""
    shown = ", ".join(f"{country}-{each}" for each in list(parts)[:4])
    return f"holidays in {country} differ by part: write one of {shown}, ... instead of {country}"


@lru_cache(maxsize=256)
def _cached(region: str, first: int, end: int) -> HolidaySet:
    if not region:
        return HolidaySet(region="", source="none")
    country, _, part = _checked(region)
    import holidays

    version = metadata.version("holidays")
    found = holidays.country_holidays(country, subdiv=part or None, years=range(first, end))
    return HolidaySet(
        region=region,
        dates=frozenset(day for day in found if first <= day.year < end),
        weekend=frozenset(found.weekend),
        source=f"holidays {version}",
    )


def _checked(region: str) -> tuple[str, str, str]:
    country, dash, part = region.partition("-")
    supported = _supported()
    if country in supported and (not part or part in supported[country]):
        return country, dash, part
    if country in supported:
        candidates = [f"{country}-{each}" for each in supported[country]]
    elif dash:
        candidates = [f"{each}-{sub}" for each, subs in supported.items() for sub in subs]
    else:
        candidates = list(supported)
    # The United Kingdom is GB to ISO 3166, and people write UK.
    asked = region.replace("UK", "GB", 1) if country == "UK" else region
    near = difflib.get_close_matches(asked, candidates, 1, cutoff=0.4)
    raise UnknownRegionError(
        f"there is no holiday calendar for region {region!r}",
        remedy=(
            (f"did you mean {near[0]}? " if near else "")
            + "A region is a country, or a country and its part: IE, GB-ENG, US-CA, DE-BY"
        ),
    )


@lru_cache(maxsize=1)
def _supported() -> dict[str, tuple[str, ...]]:
    import holidays

    listed = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(parts) for country, parts in listed.items()}
