"""The Xero connector passes the suite that every connector passes."""

from datetime import date

import pytest

from connectors.conformance import ConformanceSuite, Subject
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero.sandboxed import Bench
from tests.sandbox.books import small_book


def on_the_sandbox() -> Subject:
    """`python -m connectors.conformance tests.connectors.xero.test_conformance:on_the_sandbox`."""
    bench = Bench(small_book(), "2026-03-05")
    return Subject(
        connector=bench.connector,
        today=date(2026, 3, 5),
        customer=CustomerId(bench.id("customer", "C1")),
        invoice=InvoiceId(bench.id("invoice", "INV-1")),
        currency="USD",
        missing=InvoiceId("00000000-0000-4000-8000-000000000000"),
        others=[InvoiceId(bench.id("invoice", name)) for name in ("INV-2", "INV-3")],
        fee_account="270",
        fee_tax="NONE",
        calls=lambda: bench.sandbox.stats().reads,
    )


class TestXero(ConformanceSuite):
    @pytest.fixture
    def subject(self) -> Subject:
        return on_the_sandbox()
