"""The QuickBooks connector against the sandbox."""

from collections.abc import Iterator

import pytest

from ar_bridge.clock import VirtualClock
from connectors.conformance import ConformanceSuite, Subject
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.quickbooks.connected import Connected
from tests.sandbox.books import noon


class TestQuickBooks(ConformanceSuite):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        clock = VirtualClock(noon("2026-03-10"))
        connected = Connected(clock)
        invoice, credited, voided = (
            InvoiceId(connected.sandbox.vendor_id("invoice", id))
            for id in ("INV-1", "INV-2", "INV-3")
        )
        yield Subject(
            connector=connected.connector,
            today=clock.now().date(),
            customer=CustomerId(connected.sandbox.vendor_id("customer", "C1")),
            invoice=invoice,
            others=(credited, voided),
            currency="USD",
            missing=InvoiceId("987654"),
            fee_account="Late fee",
        )
        connected.connector.close()
        assert connected.sandbox.stats().throttled == 0
