"""The suite that ar-bridge ships, on this connector, opened as ar-bridge opens it."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ar_bridge.clock import VirtualClock
from connectors.conformance import ConformanceSuite, Subject
from connectors.table import BookConnection, open_connector
from rules.model.ids import CustomerId, InvoiceId

BOOKS = {
    "company": {"id": "oak", "name": "Oak Ltd", "base_currency": "GBP", "timezone": "UTC"},
    "customers": [{"id": "C1", "name": "North Ltd"}, {"id": "C2", "name": "South Ltd"}],
    "invoices": [
        {"id": "7", "customer": "C1", "issued": "2026-01-02", "due": "2026-02-01", "of": "120.00",
         "to_pay": "100.00"},
        {"id": "8", "customer": "C2", "issued": "2026-01-03", "due": "2026-02-02", "of": "9.99",
         "to_pay": "0.00"},
    ],
}  # fmt: skip


class TestTinyLedger(ConformanceSuite):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        file = tmp_path / "books.json"
        file.write_text(json.dumps(BOOKS))
        clock = VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        return Subject(
            connector=open_connector("tinyledger", BookConnection(clock=clock, file=file)),
            today=date(2026, 3, 2),
            customer=CustomerId("C1"),
            invoice=InvoiceId("7"),
            currency="GBP",
            missing=InvoiceId("9"),
            others=[InvoiceId("8")],
        )
