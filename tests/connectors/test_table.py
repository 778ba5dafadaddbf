"""Connectors by name: imported when their book is opened, and not before."""

import subprocess
import sys

import pytest

from connectors.table import (
    CONNECTORS,
    CONSENTS,
    UnknownLedgerError,
    connector_factory,
    consent_of,
)

PROBE = """
import sys
from datetime import UTC, datetime
from ar_bridge.clock import VirtualClock
from connectors.table import BookConnection, oauth_app, open_connector

connection = BookConnection(
    company_id="1", clock=VirtualClock(datetime(2026, 3, 2, tzinfo=UTC)), client_id="c"
)
assert oauth_app("quickbooks", connection).client_id == "c"
assert "quickbooks" not in sys.modules and "xero_python" not in sys.modules
open_connector("quickbooks", connection).close()
assert "quickbooks" in sys.modules and "xero_python" not in sys.modules
"""


@pytest.mark.parametrize("ledger", sorted(CONNECTORS))
def test_every_line_of_the_table_names_a_factory(ledger: str) -> None:
    assert callable(connector_factory(ledger))


def test_what_can_be_connected_is_a_connector() -> None:
    assert set(CONSENTS) <= set(CONNECTORS)
    assert all(consent_of(ledger) is not None for ledger in CONSENTS)
    assert consent_of("bookfile") is None


def test_an_unknown_ledger_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownLedgerError, match=r"'quickbook'.*bookfile, quickbooks, xero"):
        connector_factory("quickbook")


def test_no_vendor_library_is_loaded_for_another_vendor_s_book() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
