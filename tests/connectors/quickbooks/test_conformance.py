"""The QuickBooks connector against the sandbox."""

from collections.abc import Iterator
from datetime import date

import pytest

from ar_bridge.clock import VirtualClock
from connectors.conformance import ConformanceSuite, Subject
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.quickbooks.connected import Connected
from tests.sandbox.books import noon


def on(connected: Connected) -> Subject:
    """What the suite needs to know of the small book."""
    invoice, credited, voided = (
        InvoiceId(connected.sandbox.vendor_id("invoice", id)) for id in ("INV-1", "INV-2", "INV-3")
    )
    return Subject(
        connector=connected.connector,
        today=date(2026, 3, 10),
        customer=CustomerId(connected.sandbox.vendor_id("customer", "C1")),
        invoice=invoice,
        others=(credited, voided),
        currency="USD",
        missing=InvoiceId("987654"),
        fee_account="Late fee",
        calls=lambda: connected.sandbox.stats().reads,
    )


def on_the_sandbox() -> Subject:
    """For `python -m connectors.conformance`, with this module's name before the colon."""
    return on(Connected(VirtualClock(noon("2026-03-10"))))


class TestQuickBooks(ConformanceSuite):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        connected = Connected(VirtualClock(noon("2026-03-10")))
        yield on(connected)
        connected.connector.close()
        assert connected.sandbox.stats().throttled == 0
