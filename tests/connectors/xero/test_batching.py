"""Several late fees in one call: each one's own answer counts, and none is made twice."""

import json
from datetime import date
from typing import Any

import httpx
import msgspec
import pytest

from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    OutcomeUnknownError,
    RefusedError,
    TransientError,
)
from connectors.port import Prepared, Receipt
from connectors.xero import batching, requests
from rules.actions.effects import ChargeLine, PostCharge
from rules.model.ids import CustomerId, InvoiceId
from tests.connectors.xero.samples import charge, note
from tests.connectors.xero.wires import Reply, Wire, answering, ok
from tests.vendor_schemas import check_xero

KEY = "0123456789abcdef0123456789abcdef"
IN_USE = "Invoice # must be unique."


def fee(number: int, **changes: Any) -> Prepared:
    named = {"number": f"LF-{number:016}", "key": f"late_fee/{number}#0:post_charge"}
    named["tag"] = f"arb1 inv=i fee=f through=2026-07-01 key=late_fee/{number}"
    return requests.charge(charge(**named, **changes), None)


def made(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "InvoiceID": f"id-{number}", "InvoiceNumber": f"LF-{number:016}", "Total": 40.1,
        "CurrencyCode": "NZD", "HasErrors": False, "StatusAttributeString": "OK",
        "Reference": f"arb1 inv=i fee=f through=2026-06-01 key=late_fee/{number}",
    } | changes  # fmt: skip


def refused(number: int, why: str = IN_USE) -> dict[str, Any]:
    return {
        "InvoiceNumber": f"LF-{number:016}", "HasErrors": True, "StatusAttributeString": "ERROR",
        "ValidationErrors": [{"Message": why}],
    }  # fmt: skip


def xero(answer: Reply, *there: dict[str, Any]) -> Wire:
    """Answers the batch so, and has those invoices when it is asked for numbers."""

    def script(request: httpx.Request) -> Reply:
        return answer if request.method == "PUT" else ok(Invoices=list(there))

    return Wire(script)


def sent(wire: Wire, *members: Prepared) -> list[Receipt | ConnectorError]:
    batch = batching.prepare_batch(members)
    outcomes = wire.connector().write_batch(batch, KEY, members)
    assert len(outcomes) == len(members)
    return list(outcomes)


def test_a_batch_holds_the_very_bytes_of_its_members() -> None:
    members = [fee(1, amount=4010), fee(2, currency="JPY", amount=77), fee(3)]
    batch = batching.prepare_batch(members)
    assert (batch.method, batch.path) == ("PUT", "Invoices")
    assert batch.params == (("summarizeErrors", "false"),)
    one = [each.body.removeprefix(b'{"Invoices":[').removesuffix(b"]}") for each in members]
    assert batch.body == b'{"Invoices":[' + b",".join(one) + b"]}"
    assert b'"UnitAmount":40.10,' in batch.body
    assert check_xero("Invoices", batch.body) == []
    assert len(batch.effect_key) <= 64


def test_what_does_not_belong_together_is_not_sent_together() -> None:
    with pytest.raises(ValueError, match="only new late fees"):
        batching.prepare_batch([fee(1), requests.note(note("x"))])
    for members in ([], [fee(n) for n in range(batching.MOST + 1)]):
        with pytest.raises(ValueError, match="1 to 50"):
            batching.prepare_batch(members)
    with pytest.raises(RefusedError, match="bytes"):
        batching.prepare_batch([fee(n, description="x" * 100_000) for n in range(40)])


def test_the_batch_carries_one_key_and_each_member_its_receipt() -> None:
    wire = xero(ok(Invoices=[made(2), made(1)]))
    first, second = sent(wire, fee(1), fee(2))
    assert isinstance(first, Receipt) and isinstance(second, Receipt)
    assert (first.id, first.number, first.amount) == ("id-1", "LF-0000000000000001", 4010)
    assert second.id == "id-2" and not second.was_found
    assert [request.headers["Idempotency-Key"] for request in wire.requests] == [KEY]


def test_a_refused_member_is_refused_alone() -> None:
    wire = xero(ok(Invoices=[made(1), refused(2, "The lock date is set to 31 July"), made(3)]))
    first, second, third = sent(wire, fee(1), fee(2), fee(3))
    assert isinstance(first, Receipt) and isinstance(third, Receipt)
    assert isinstance(second, RefusedError) and "lock date" in str(second)
    # Looked for once, by number: it might have been there.
    assert len(wire.requests) == 2
    assert wire.requests[1].url.params["InvoiceNumbers"] == "LF-0000000000000002"


def test_members_that_are_there_already_are_adopted() -> None:
    wire = xero(ok(Invoices=[refused(1), refused(2)]), made(1), made(2, Reference="Mine, sorry"))
    mine, taken = sent(wire, fee(1), fee(2))
    assert isinstance(mine, Receipt) and mine.was_found and mine.id == "id-1"
    assert isinstance(taken, RefusedError) and "not ours" in str(taken)


def test_a_member_that_the_answer_leaves_out_is_unknown() -> None:
    wire = xero(ok(Invoices=[made(1), made(3, InvoiceID=None)]))
    first, second, third = sent(wire, fee(1), fee(2), fee(3))
    assert isinstance(first, Receipt)
    assert isinstance(second, OutcomeUnknownError) and isinstance(third, OutcomeUnknownError)


def test_a_batch_that_is_refused_whole_names_the_members_at_fault() -> None:
    body = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception",
            "Elements": [refused(2, "Account code '999' is not a valid code")]}  # fmt: skip
    wire = xero(httpx.Response(400, json=body))
    first, second = sent(wire, fee(1), fee(2))
    assert isinstance(first, TransientError) and "another one" in str(first)
    assert isinstance(second, RefusedError) and "fee_account" in str(second)
    wire = xero(httpx.Response(400, json={"Message": "JSON was malformed"}))
    with pytest.raises(RefusedError, match="malformed"):
        sent(wire, fee(1), fee(2))


def test_a_refusal_that_cannot_be_looked_into_is_unknown() -> None:
    answers = iter([ok(Invoices=[made(1), refused(2)])])
    wire = Wire(lambda request: next(answers, httpx.Response(403)))
    first, second = sent(wire, fee(1), fee(2))
    assert isinstance(first, Receipt) and isinstance(second, OutcomeUnknownError)


def test_trouble_with_the_call_is_trouble_with_all() -> None:
    with pytest.raises(AuthorizationError):
        sent(answering(httpx.Response(403)), fee(1))
    with pytest.raises(OutcomeUnknownError):
        sent(answering(httpx.ReadTimeout("gone")), fee(1))
    with pytest.raises(OutcomeUnknownError):
        sent(answering(httpx.Response(200, content=b"<html>")), fee(1))


def test_the_connector_says_what_it_takes() -> None:
    capabilities = answering(ok()).connector().capabilities
    assert capabilities.write_batch == 50
    assert capabilities.batch_effects == {"post_charge"}
    first = answering(ok()).connector().prepare(charge(), date(2026, 7, 1))
    body = json.loads(batching.prepare_batch([first]).body)
    assert body == msgspec.json.decode(first.body)


def test_a_fee_of_a_whole_account_has_a_line_for_each_invoice() -> None:
    lines = (
        ChargeLine(invoice=InvoiceId("A"), amount=600, description="On 107 [arb1 inv=A sum=600]"),
        ChargeLine(invoice=InvoiceId("B"), amount=350, description="On 108 [arb1 inv=B sum=350]"),
    )
    effect = PostCharge(
        key="late_fee/C/late/2026-02-GBP#0:post_charge",
        customer=CustomerId("2f3c6f1e-0000-4000-8000-000000000001"),
        number="LF-ABCDEFGHIJKLMNOP",
        currency="GBP",
        amount=950,
        issued_on=date(2026, 3, 2),
        due_on=date(2026, 3, 16),
        invoice=InvoiceId("A"),
        invoice_number="107",
        description="Late fee",
        lines=lines,
        tag="arb1 inv=* fee=late through=2026-02-28 key=late_fee/C/late/2026-02-GBP",
        account="200",
        tax="NONE",
    )
    prepared = requests.charge(effect, None)
    assert check_xero("Invoices", prepared.body) == []
    (made,) = json.loads(prepared.body)["Invoices"]
    assert [(line["UnitAmount"], line["Description"]) for line in made["LineItems"]] == [
        (6.0, "On 107 [arb1 inv=A sum=600]"),
        (3.5, "On 108 [arb1 inv=B sum=350]"),
    ]
