"""Every time zone of the contract is one that the machine knows."""

import json
from zoneinfo import ZoneInfo

import pytest

from connectors.xero.timezones import IANA_ZONES, iana_zone
from tests.shared_material import shared


def test_the_table_has_exactly_the_names_of_the_contract() -> None:
    schemas = json.loads(shared("specs/xero/xero_schemas_trimmed.json").read_text())
    assert set(IANA_ZONES) == set(schemas["components"]["schemas"]["TimeZone"]["enum"])


@pytest.mark.parametrize("zone", sorted(set(IANA_ZONES.values())))
def test_every_zone_exists(zone: str) -> None:
    assert ZoneInfo(zone).key == zone


def test_names_may_be_spelt_as_windows_does() -> None:
    assert iana_zone("New Zealand Standard Time") == "Pacific/Auckland"
    assert iana_zone("W. Europe Standard Time") == "Europe/Berlin"
    assert iana_zone("MARSSTANDARDTIME") == ""
