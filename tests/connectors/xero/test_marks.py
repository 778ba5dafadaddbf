"""Our notes are found again where they are; invoices can be shown to the customer."""

from datetime import date
from typing import Any

import httpx
import pytest

from connectors.errors import AuthorizationError, TransientError
from rules.actions.effects import PostNote
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero import samples
from tests.connectors.xero.samples import CONTACT, INVOICE, OTHER
from tests.connectors.xero.sandboxed import Bench
from tests.connectors.xero.wires import Reply, Wire, ok
from tests.sandbox.books import small_book

HISTORY = {
    INVOICE: [
        {"Details": "[arb:BBBBBBBBBBBB] second", "DateUTC": "/Date(1782950400000+0000)/"},
        {"Details": "Amount changed, see [arb:CCCCCCCCCCCC]", "DateUTC": "/Date(1)/"},
        {"Details": None, "DateUTC": None},
    ],
    OTHER: [],
    CONTACT: [{"Details": "[arb:AAAAAAAAAAAA] first", "DateUTC": "2026-07-01T11:30:00"}],
}


def histories(request: httpx.Request) -> Reply:
    parts = request.url.path.split("/")
    if parts[-1] == "History":
        if parts[-2] not in HISTORY:
            return httpx.Response(404)
        return ok(HistoryRecords=HISTORY[parts[-2]])
    return ok(Invoices=[samples.invoice(), samples.invoice(InvoiceID=OTHER)])


def test_notes_of_ours_are_found_on_invoices_and_once_on_their_customer() -> None:
    wire = Wire(histories, Timezone="NEWZEALANDSTANDARDTIME")
    marks = wire.connector().find_marks(
        [InvoiceId(INVOICE), InvoiceId(OTHER), InvoiceId("gone"), InvoiceId(INVOICE)]
    )
    assert [(mark.text, mark.invoices, mark.customer, mark.on) for mark in marks] == [
        # In the ledger's own time: half past eleven in the evening there.
        ("[arb:AAAAAAAAAAAA] first", (), CONTACT, date(2026, 7, 1)),
        ("[arb:BBBBBBBBBBBB] second", (INVOICE,), None, date(2026, 7, 2)),
    ]
    read = [request.url.path.rpartition("/")[2] for request in wire.requests]
    assert read == ["Invoices", "History", "History", "History", "History"]


def test_no_invoices_cost_no_call() -> None:
    wire = Wire(histories)
    assert wire.connector().find_marks([]) == [] and wire.requests == []


def test_trouble_is_not_taken_for_no_notes() -> None:
    wire = Wire(lambda request: httpx.Response(403) if "History" in str(request.url) else ok())
    with pytest.raises(AuthorizationError):
        wire.connector().find_marks([InvoiceId(INVOICE)])


def test_what_was_written_in_the_sandbox_is_found() -> None:
    bench = Bench(small_book(), "2026-03-05")
    first, second = InvoiceId(bench.id("invoice", "INV-1")), InvoiceId(bench.id("invoice", "INV-2"))
    customer = CustomerId(bench.id("customer", "C1"))
    for number, about in enumerate(((first,), ())):
        mark = f"[arb:{'AB'[number] * 12}]"
        note = PostNote(
            key=f"n{number}", customer=customer, mark=mark, text=f"{mark} said", invoices=about
        )
        prepared = bench.connector.prepare(note, date(2026, 3, 5))
        bench.connector.write(prepared, f"key{number}")
    found = bench.connector.find_marks([first, second])
    assert sorted((mark.text[5], mark.invoices, mark.customer) for mark in found) == [
        ("A", (first,), None),
        ("B", (), customer),
    ]
    assert {mark.on for mark in found} == {date(2026, 3, 5)}


def shown(**replies: Any) -> Wire:
    """Answers by the last part of the address."""

    def script(request: httpx.Request) -> Reply:
        found: Reply = replies.get(request.url.path.rpartition("/")[2], httpx.Response(404))
        return found

    return Wire(script)


def test_a_link_is_asked_for_once() -> None:
    url = "https://in.xero.example/abc"
    wire = shown(OnlineInvoice=ok(OnlineInvoices=[{"OnlineInvoiceUrl": url}]))
    connector = wire.connector()
    assert [connector.online_link(InvoiceId(INVOICE)) for _ in range(3)] == [url] * 3
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "reply", [ok(OnlineInvoices=[]), ok(OnlineInvoices=[{}]), httpx.Response(404), ok()]
)
def test_an_invoice_without_a_link_has_none(reply: Reply) -> None:
    assert shown(OnlineInvoice=reply).connector().online_link(InvoiceId(INVOICE)) == ""


def test_trouble_is_not_taken_for_no_link() -> None:
    wire = shown(OnlineInvoice=httpx.Response(503))
    with pytest.raises(TransientError):
        wire.connector().online_link(InvoiceId(INVOICE))


def test_an_invoice_as_it_is_printed() -> None:
    pdf = httpx.Response(200, content=b"%PDF-1.4 ...")
    wire = shown(pdf=pdf)
    assert wire.connector().pdf(InvoiceId(INVOICE)) == b"%PDF-1.4 ..."
    (request,) = wire.requests
    assert request.headers["Accept"] == "application/pdf"
    # Where that address is not known, the invoice itself is asked for as a PDF.
    assert shown(**{INVOICE: pdf}).connector().pdf(InvoiceId(INVOICE)) == b"%PDF-1.4 ..."
    assert shown(pdf=ok(Invoices=[])).connector().pdf(InvoiceId(INVOICE)) == b""


def test_the_sandbox_shows_invoices() -> None:
    bench = Bench(small_book(), "2026-03-05")
    invoice = InvoiceId(bench.id("invoice", "INV-1"))
    assert bench.connector.online_link(invoice).startswith("https://")
    assert bench.connector.pdf(invoice).startswith(b"%PDF")
