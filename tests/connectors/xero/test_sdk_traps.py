"""What xero-python does wrong as shipped, and what happens here instead.

Each trap is one that a user of the library has lost data, money or hours to.
"""

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from connectors.errors import OutcomeUnknownError, RateLimitedError, RefusedError, TransientError
from connectors.port import Page, Prepared
from connectors.xero import reads
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero import samples
from tests.connectors.xero.samples import CONTACT, INVOICE, charge, hold, note
from tests.connectors.xero.wires import TENANT, Wire, answering, ok

DROPPED = httpx.RemoteProtocolError("Server disconnected without sending a response.")
KEY = "0123456789abcdef0123456789abcdef"


def everything_empty(request: httpx.Request) -> httpx.Response:
    return ok(Nothing=[])


def pulled(wire: Wire) -> list[Page]:
    return list(wire.connector().pull())


def invoices_answer(*rows: dict[str, Any]) -> Wire:
    def script(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Invoices"):
            return httpx.Response(200, content=samples.page("Invoices", *rows))
        return ok(Nothing=[])

    return Wire(script)


@pytest.mark.parametrize("effect", [note(INVOICE), charge()])
def test_a_put_whose_connection_drops_is_sent_once_without_a_key(effect: Any) -> None:
    """As shipped, urllib3 repeats a PUT three times, and PUT creates: four late fees."""
    wire = answering(DROPPED)
    connector = wire.connector()
    prepared = connector.prepare(effect, charge().issued_on)
    with pytest.raises(OutcomeUnknownError):
        connector.write(prepared, "")
    assert [request.method for request in wire.requests] == ["PUT"]


def test_a_put_with_a_key_is_repeated_with_the_same_bytes_and_key_only() -> None:
    wire = answering(DROPPED, ok(HistoryRecords=[{"Details": "x"}]))
    connector = wire.connector()
    prepared = connector.prepare(note(INVOICE), charge().issued_on)
    connector.write(prepared, KEY)
    assert {request.headers["Idempotency-Key"] for request in wire.requests} == {KEY}
    assert {request.content for request in wire.requests} == {prepared.body}


def test_a_keyed_put_is_not_repeated_after_three_minutes() -> None:
    wire = answering(DROPPED)
    connector = wire.connector()
    with pytest.raises(OutcomeUnknownError):
        connector.write(connector.prepare(charge(), charge().issued_on), KEY)
    assert wire.seconds_waited < 180 + 60


def test_no_sleep_is_hidden_and_a_spent_day_is_said_at_once() -> None:
    """As shipped, urllib3 sleeps for Retry-After unseen, up to six hours, three times."""
    headers = {"X-Rate-Limit-Problem": "day", "Retry-After": "66975"}
    wire = answering(httpx.Response(429, headers=headers))
    with pytest.raises(RateLimitedError):
        pulled(wire)
    assert len(wire.requests) == 1 and wire.seconds_waited == 0


def test_a_short_wait_is_on_the_clock_that_was_handed_in() -> None:
    headers = {"X-Rate-Limit-Problem": "minute", "Retry-After": "21"}
    wire = answering(httpx.Response(429, headers=headers), ok(Nothing=[]))
    pulled(wire)
    assert wire.seconds_waited >= 21


def test_a_null_due_date_costs_nothing() -> None:
    """As shipped: ValueError, and the page is lost."""
    wire = invoices_answer(samples.invoice(DueDate=None, DueDateString=None))
    (invoice,) = [record for page in pulled(wire) for record in page.records]
    assert invoice.due_on is None


def test_a_null_reference_is_not_the_word_none() -> None:
    """As shipped: the text "None"."""
    wire = invoices_answer(samples.invoice(Reference=None))
    (invoice,) = [record for page in pulled(wire) for record in page.records]
    assert invoice.reference == ""


def test_an_unknown_enum_and_a_long_name_cost_nothing() -> None:
    """As shipped: ValueError, and the page is lost."""

    def script(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Contacts"):
            return httpx.Response(
                200,
                content=samples.page(
                    "Contacts",
                    samples.contact(Name="n" * 256, EmailAddress="e" * 300 + "@long.example"),
                    samples.contact(ContactID="2", ContactStatus="RESTING", DefaultCurrency=""),
                    samples.contact(ContactID="3", TaxNumberType="TAXNUMBERTYPE/SSN"),
                ),
            )
        return ok(Nothing=[])

    pages = pulled(Wire(script))
    assert [record.id for record in pages[0].records] == [CONTACT, "2", "3"]
    assert all(not page.quarantined for page in pages)


def test_an_empty_header_is_never_sent() -> None:
    """An empty Idempotency-Key is taken for a key by Xero."""
    wire = answering(ok(HistoryRecords=[{}]))
    connector = wire.connector(tenant_id="")
    connector.write(connector.prepare(note(INVOICE), charge().issued_on), "")
    (request,) = wire.requests
    assert "Idempotency-Key" not in request.headers and "xero-tenant-id" not in request.headers


def test_a_delete_takes_no_key() -> None:
    groups = {"ContactGroups": [{"ContactGroupID": "g", "Name": "CREDIT HOLD"}]}
    wire = answering(ok(**groups), httpx.Response(204))
    connector = wire.connector()
    connector.write(connector.prepare(hold(is_on=False), charge().issued_on), KEY)
    listed, deleted = wire.requests
    assert (listed.method, deleted.method) == ("GET", "DELETE")
    assert deleted.url.path.endswith(f"/ContactGroups/g/Contacts/{CONTACT}")
    assert "Idempotency-Key" not in deleted.headers


def test_stored_bytes_go_out_as_they_are() -> None:
    """As shipped, amounts pass through a float and read-only fields are added."""
    wire = answering(ok(Invoices=[{"InvoiceID": "1", "InvoiceNumber": charge().number,
                                   "Total": 40.10, "CurrencyCode": "NZD"}]))  # fmt: skip
    connector = wire.connector()
    prepared = connector.prepare(charge(), charge().issued_on)
    receipt = connector.write(prepared, KEY)
    (request,) = wire.requests
    assert request.content == prepared.body
    assert request.url.query == b"summarizeErrors=false"
    assert request.headers["xero-tenant-id"] == TENANT
    assert request.headers["Content-Type"] == "application/json"
    assert (receipt.id, receipt.number, receipt.amount) == ("1", charge().number, 4010)


def test_an_open_invoice_is_asked_for_as_the_contract_says() -> None:
    wire = Wire(everything_empty)
    pulled(wire)
    asked = {
        request.url.path.rpartition("/")[2]: request.url.params
        for request in wire.requests
        if "searchTerm" not in request.url.params
    }
    assert dict(asked["Invoices"]) == {
        "where": 'Type=="ACCREC"',
        "Statuses": "AUTHORISED",
        "order": "InvoiceID ASC",
        "page": "1",
        "pageSize": "1000",
    }
    assert asked["Contacts"]["includeArchived"] == "true"
    assert asked["CreditNotes"]["where"] == 'Type=="ACCRECCREDIT"'


def test_a_service_that_does_not_search_costs_one_call_and_hides_nothing() -> None:
    closed = [samples.invoice(InvoiceID=str(n), Status="PAID", AmountDue=0) for n in range(1000)]

    def script(request: httpx.Request) -> httpx.Response:
        if "searchTerm" in request.url.params:
            pages = {"page": 1, "pageSize": 1000, "pageCount": 9, "itemCount": 9000}
            return httpx.Response(200, content=samples.page("Invoices", *closed, pagination=pages))
        return ok(Nothing=[])

    wire = Wire(script)
    assert [record for page in pulled(wire) for record in page.records] == []
    assert len(wire.requests) == 8


def test_changed_invoices_are_asked_for_whatever_their_status() -> None:
    wire = Wire(everything_empty)
    connector = wire.connector()
    cursor = list(connector.pull())[-1].cursor
    wire.requests.clear()
    list(connector.pull(cursor))
    for request in wire.requests:
        assert request.headers["If-Modified-Since"] == "2026-07-01T08:55:00Z"
        assert "Statuses" not in request.url.params
    assert len(wire.requests) == 3


def test_an_unreadable_answer_to_a_read_may_be_tried_again() -> None:
    wire = answering(httpx.Response(200, content=b"<html>maintenance</html>"))
    with pytest.raises(TransientError):
        pulled(wire)


def test_an_unreadable_answer_to_a_write_is_an_unknown_outcome() -> None:
    for content in (b"<html>", b"{}", b'{"Invoices": []}'):
        wire = answering(httpx.Response(200, content=content))
        connector = wire.connector()
        with pytest.raises(OutcomeUnknownError):
            connector.write(connector.prepare(charge(), charge().issued_on), KEY)


NOT_UNIQUE = ok(
    Invoices=[
        {
            "InvoiceID": "00000000-0000-0000-0000-000000000000",
            "HasErrors": True,
            "StatusAttributeString": "ERROR",
            "ValidationErrors": [{"Message": "Invoice # must be unique."}],
        }
    ]
)


def existing(reference: str) -> httpx.Response:
    row = samples.invoice(InvoiceNumber=charge().number, Reference=reference, Total=40.1)
    return httpx.Response(200, content=samples.page("Invoices", row))


def test_a_number_that_is_in_use_by_the_same_fee_is_adopted() -> None:
    wire = answering(NOT_UNIQUE, existing(charge().tag))
    connector = wire.connector()
    receipt = connector.write(connector.prepare(charge(), charge().issued_on), KEY)
    assert receipt.was_found and (receipt.id, receipt.amount) == (INVOICE, 4010)
    assert wire.requests[1].url.params["InvoiceNumbers"] == charge().number


def test_a_number_that_is_in_use_by_somebody_else_is_refused() -> None:
    wire = answering(NOT_UNIQUE, existing("Order 7"))
    connector = wire.connector()
    with pytest.raises(RefusedError) as refused:
        connector.write(connector.prepare(charge(), charge().issued_on), KEY)
    assert "not ours" in str(refused.value) and "Order 7" in str(refused.value)


def test_another_refusal_stays_what_it_was() -> None:
    refusal = json.loads(NOT_UNIQUE.content)
    refusal["Invoices"][0]["ValidationErrors"] = [
        {"Message": "You have reached the limit of invoices you can approve"}
    ]
    wire = answering(ok(**refusal), ok(Invoices=[]))
    connector = wire.connector()
    with pytest.raises(RefusedError) as refused:
        connector.write(connector.prepare(charge(), charge().issued_on), KEY)
    assert "reached the limit" in str(refused.value) and "draft" in str(refused.value)


def test_the_hold_group_is_made_where_there_is_none() -> None:
    wire = answering(
        ok(ContactGroups=[{"ContactGroupID": "old", "Name": "Credit hold", "Status": "DELETED"}]),
        ok(ContactGroups=[{"ContactGroupID": "new", "Name": "Credit hold"}]),
        ok(Contacts=[{"ContactID": CONTACT}]),
    )
    connector = wire.connector()
    prepared: Prepared = connector.prepare(hold(), charge().issued_on)
    connector.write(prepared, KEY)
    _, made, joined = wire.requests
    assert json.loads(made.content) == {"ContactGroups": [{"Name": "Credit hold"}]}
    assert joined.url.path.endswith("/ContactGroups/new/Contacts")
    assert joined.content == prepared.body
    keys = {made.headers["Idempotency-Key"], joined.headers["Idempotency-Key"]}
    assert len(keys) == 2 and KEY in keys


def test_nobody_is_released_where_there_is_no_group() -> None:
    wire = answering(ok(ContactGroups=[]))
    connector = wire.connector()
    receipt = connector.write(connector.prepare(hold(is_on=False), charge().issued_on), KEY)
    assert receipt.was_found and len(wire.requests) == 1


def test_a_batch_names_no_more_ids_than_a_query_takes() -> None:
    wire = answering(ok(Invoices=[]))
    ids = [InvoiceId(f"{number:08d}-0000-0000-0000-000000000000") for number in range(120)]
    reading = wire.connector().read([*ids, *ids])
    assert list(reading.missing) == ids
    assert [len(r.url.params["IDs"].split(",")) for r in wire.requests] == [50, 50, 20]
    assert all("Statuses" not in r.url.params for r in wire.requests)


def test_credits_of_other_customers_are_left_out() -> None:
    def script(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Payments"):
            return httpx.Response(200, content=samples.page("Payments", samples.payment()))
        return ok(Nothing=[])

    wire = Wire(script)
    connector = wire.connector()
    since = wire.clock.now()
    assert len(connector.read_credits([CustomerId(CONTACT)], since)) == 1
    assert connector.read_credits([CustomerId("somebody-else")], since) == []


def test_the_library_is_loaded_with_the_connector_and_not_before() -> None:
    program = (
        "import sys, connectors.table, connectors.xero.opening;"
        "assert 'xero_python' not in sys.modules;"
        "import connectors.xero.client;"
        "assert 'xero_python' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_page_size_is_the_largest_that_xero_gives() -> None:
    assert reads.PAGE_SIZE == 1000
