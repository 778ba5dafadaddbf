"""Several writes in one call: every member judged by itself, nothing done twice."""

import json
import re
from typing import Any

import httpx
import msgspec
import pytest

from ar_bridge.clock import VirtualClock
from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    StaleError,
    SubscriptionEndedError,
    UnsupportedError,
)
from connectors.port import Prepared, Receipt, WritesBatches
from connectors.quickbooks.client import QuickBooksConnector
from rules.actions.effects import PostNote
from rules.actions.keys import vendor_key
from tests.connectors.quickbooks.canned import CannedCompany, an_invoice, answer, connected
from tests.connectors.quickbooks.connected import Connected
from tests.connectors.quickbooks.test_rehearsal import TODAY, a_charge
from tests.connectors.quickbooks.test_write import CHARGE, HOLD, NOTE, a_company
from tests.sandbox.books import noon
from tests.shared_material import shared
from tests.vendor_schemas import check_quickbooks

VOID = Prepared(
    effect="reverse_charge",
    effect_key="fee_waiver/7/late#0:reverse_charge",
    method="POST",
    path="invoice",
    params=(("operation", "void"),),
    body=b'{"Id":"77","SyncToken":"3"}',
)


def opened(company: CannedCompany) -> QuickBooksConnector:
    return connected(company, fee_account="Late fee")


def members(connector: QuickBooksConnector) -> list[Prepared]:
    return [connector.prepare(effect, TODAY) for effect in (CHARGE, NOTE, HOLD)]


def sent(connector: QuickBooksConnector, parts: list[Prepared]) -> list[Any]:
    batch = connector.prepare_batch(parts)
    return list(connector.write_batch(batch, vendor_key(batch.effect_key, batch.body), parts))


def faulty(code: str, detail: str = "in detail") -> dict[str, Any]:
    error = {"Message": "Refused", "Detail": detail, "code": code}
    return {"Fault": {"Error": [error], "type": "ValidationFault"}}


def test_a_batch_is_what_the_schema_says() -> None:
    connector = opened(a_company())
    assert isinstance(connector, WritesBatches)
    batch = connector.prepare_batch([*members(connector), VOID])
    assert (batch.path, batch.method) == ("batch", "POST")
    body = json.loads(batch.body)
    assert list(body) == ["BatchItemRequest"]
    schema = shared("specs/quickbooks/IntuitRestServiceDef.xsd").read_text()
    request = schema[schema.index('complexType name="BatchItemRequest"') :]
    attributes = re.findall(
        r'attribute name="(\w+)"', request[: request.index("</xs:complexType>")]
    )
    operations = schema[schema.index('name="OperationEnum"') :]
    words = re.findall(r'enumeration value="(\w+)"', operations[: operations.index("</xs:simple")])
    for place, item in enumerate(body["BatchItemRequest"], 1):
        (entity,) = item.keys() - set(attributes)
        assert item["bId"] == str(place) and item["operation"] in words
        # Name and idempotency key may have 50 characters together.
        assert len(item["bId"]) + 32 <= 50
        op = "create" if item["operation"] == "create" else "delete"
        assert check_quickbooks(entity, item[entity], op) == []
    assert body["BatchItemRequest"][3]["operation"] == "void"


def test_the_bytes_of_a_member_travel_as_they_are() -> None:
    connector = opened(a_company())
    parts = members(connector)
    batch = connector.prepare_batch(parts)
    assert all(part.body in batch.body for part in parts)
    assert connector.prepare_batch(parts) == batch
    assert connector.prepare_batch(parts[:2]).effect_key != batch.effect_key


def test_one_call_under_one_key_and_a_receipt_for_each() -> None:
    company = a_company()
    connector = opened(company)
    parts = members(connector)
    company.requests.clear()
    fee, note, hold = sent(connector, parts)
    assert company.paths() == ["batch"]
    key = company.requests[0].url.params["requestid"]
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert (fee.id, fee.number, fee.request_id) == ("501", CHARGE.number, "tid-1")
    assert (note.id, hold.id) == ("502", "503")
    assert [entity for entity, _ in company.posted] == ["Invoice", "Attachable", "Attachable"]


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("2500", RefusedError, "inactive or gone"),
        ("6210", RefusedError, "closed period"),
        ("610", StaleError, "deleted or made inactive"),
        ("5010", StaleError, "same time"),
        ("003200", AuthorizationError, "connect the book again"),
        ("6190", SubscriptionEndedError, "subscription"),
        ("3001", RateLimitedError, "Refused"),
        ("10000", OutcomeUnknownError, "Refused"),
    ],
)
def test_a_refused_member_does_not_touch_the_others(
    code: str, error: type[ConnectorError], words: str
) -> None:
    company = a_company()
    usual = company.judge
    company.judge = lambda place, entity, body: (
        faulty(code) if place == 2 else usual(place, entity, body)
    )
    connector = opened(company)
    first, refused, last = sent(connector, members(connector))
    assert isinstance(first, Receipt) and isinstance(last, Receipt)
    assert type(refused) is error
    assert words in str(refused) and "tid-1" in str(refused)


def test_a_number_that_is_taken_by_ourselves_is_adopted() -> None:
    company = a_company()
    company.judge = lambda place, entity, body: faulty("6140")
    company.lists["Invoice"] = [
        an_invoice(77, DocNumber=CHARGE.number, PrivateNote=CHARGE.tag, TotalAmt=9.5, Balance=9.5)
    ]
    connector = opened(company)
    parts = members(connector)[:1]
    (receipt,) = sent(connector, parts)
    assert isinstance(receipt, Receipt)
    assert (receipt.id, receipt.amount, receipt.was_found) == ("77", 950, True)
    company.lists["Invoice"][0]["PrivateNote"] = "somebody else's"
    (refused,) = sent(connector, parts)
    assert isinstance(refused, RefusedError) and "not ours" in str(refused)
    company.next = [answer({}), *[httpx.Response(503)] * 5]
    company.next[0] = answer({"BatchItemResponse": [{**faulty("6140"), "bId": "1"}]})
    (unknown,) = sent(connector, parts)
    assert isinstance(unknown, OutcomeUnknownError)


def test_what_the_answer_leaves_out_is_not_known() -> None:
    company = a_company()
    usual = company.judge
    company.judge = lambda place, entity, body: None if place == 1 else usual(place, entity, body)
    connector = opened(company)
    unknown, *others = sent(connector, members(connector))
    assert isinstance(unknown, OutcomeUnknownError) and "tid-1" in str(unknown)
    assert all(isinstance(outcome, Receipt) for outcome in others)


@pytest.mark.parametrize("body", [{}, {"BatchItemResponse": "odd"}, {"QueryResponse": {}}])
def test_an_answer_that_cannot_be_read_proves_nothing(body: dict[str, Any]) -> None:
    company = a_company()
    connector = opened(company)
    parts = members(connector)
    company.next = [answer(body)]
    with pytest.raises(OutcomeUnknownError, match="tid-1"):
        sent(connector, parts)


def test_a_part_that_cannot_be_read_is_not_known() -> None:
    company = a_company()
    company.judge = lambda place, entity, body: {entity: {"Id": []}}
    connector = opened(company)
    outcomes = sent(connector, members(connector))
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknownError] * 3


def test_a_fee_that_is_void_already_is_taken_back() -> None:
    company = a_company()
    company.judge = lambda place, entity, body: faulty("5010")
    void = {"Id": "77", "DocNumber": "LF-1", "TotalAmt": 0, "Balance": 0, "PrivateNote": "Voided"}
    connector = opened(company)
    batch = connector.prepare_batch([VOID])
    part = answer({"BatchItemResponse": [{**faulty("5010"), "bId": "1"}]})
    company.next = [part, answer({"Invoice": void})]
    (receipt,) = connector.write_batch(batch, "k", [VOID])
    assert isinstance(receipt, Receipt) and receipt.was_found
    company.next = [
        answer({"BatchItemResponse": [{"Invoice": void, "bId": "1"}]}),
    ]
    (receipt,) = connector.write_batch(batch, "k", [VOID])
    assert isinstance(receipt, Receipt) and not receipt.was_found
    company.next = [part, answer({"Invoice": {**void, "TotalAmt": 5, "PrivateNote": ""}})]
    (stale,) = connector.write_batch(batch, "k", [VOID])
    assert isinstance(stale, StaleError)


def test_what_cannot_travel_is_refused_before_anything_is_sent() -> None:
    connector = opened(a_company())
    credit = msgspec.structs.replace(VOID, path="creditmemo", params=())
    mail = msgspec.structs.replace(VOID, path="invoice", params=(("sendTo", "a@b.example"),))
    for odd in (credit, mail):
        with pytest.raises(UnsupportedError):
            connector.prepare_batch([odd])
    with pytest.raises(UnsupportedError, match="30"):
        connector.prepare_batch([VOID] * 31)
    with pytest.raises(UnsupportedError):
        connector.prepare_batch([])
    assert connector.capabilities.write_batch == 30
    assert connector.capabilities.batch_effects == {"post_charge", "post_note", "set_hold"}


@pytest.mark.parametrize("fault", ["drop-after-commit=1", "http-500-after-commit=1"])
def test_an_answer_that_was_lost_on_the_way_doubles_nothing(fault: str) -> None:
    office = Connected(VirtualClock(noon("2026-03-10")), fault)
    connector = office.connector
    assert isinstance(connector, QuickBooksConnector)
    parts = [connector.prepare(a_charge(office, slot), TODAY) for slot in ("1", "2", "3")]
    outcomes = sent(connector, parts)
    assert office.sandbox.stats().faults, "the fault never struck"
    fees = office.sandbox.records().fees
    assert sorted(fee.id for fee in fees) == sorted(receipt.id for receipt in outcomes)
    assert len(fees) == 3


FORGETFUL = ("key-forgotten=99", "duplicate-not-refused=99")


@pytest.mark.parametrize("fault", ["drop-after-commit=9", "http-500-after-commit=9"])
def test_nothing_is_doubled_by_a_vendor_that_forgets_keys_and_takes_any_number(fault: str) -> None:
    office = Connected(VirtualClock(noon("2026-03-10")), fault, *FORGETFUL)
    connector = office.connector
    assert isinstance(connector, QuickBooksConnector)
    notes = [a_note(office, letter) for letter in "ABCD"]
    charges = [a_charge(office, slot) for slot in ("1", "2", "3")]
    parts = [connector.prepare(effect, TODAY) for effect in (*charges, *notes)]
    reads = office.sandbox.stats().reads
    outcomes = sent(connector, parts)
    assert all(isinstance(outcome, Receipt) and outcome.was_found for outcome in outcomes)
    assert office.sandbox.stats().writes == 1
    assert office.sandbox.stats().reads - reads == 2
    assert len(office.sandbox.records().fees) == 3
    for effect, receipt in zip((*charges, *notes), outcomes, strict=True):
        found = connector.find(effect)
        assert found is not None and found.id == receipt.id
    assert len(connector.find_marks([])) == 4
    # Single writes too, and the same again after the answer was lost for good.
    for effect in (a_charge(office, "4"), a_note(office, "E")):
        prepared = connector.prepare(effect, TODAY)
        first = connector.write(prepared, effect.key)
        assert connector.write(prepared, effect.key).id == first.id
    assert len(office.sandbox.records().fees) == 4 and len(connector.find_marks([])) == 5


def a_note(office: Connected, letter: str) -> PostNote:
    mark = f"[arb:ABCDEFGHIJK{letter}]"
    invoice = office.sandbox.vendor_id("invoice", "INV-1")
    customer = office.sandbox.vendor_id("customer", "C1")
    text = f"{mark} Reminder {letter}"
    return PostNote(key=letter, customer=customer, mark=mark, text=text, invoices=(invoice,))


def test_what_is_found_of_a_lost_batch_is_adopted_and_the_rest_is_not_sent_again() -> None:
    company = a_company()
    company.lists["Invoice"] = [an_invoice(77, DocNumber=CHARGE.number, PrivateNote=CHARGE.tag)]
    connector = opened(company)
    parts = members(connector)
    company.requests.clear()
    company.next = [httpx.ReadTimeout("slow")]
    fee, *others = sent(connector, parts)
    assert isinstance(fee, Receipt) and (fee.id, fee.was_found) == ("77", True)
    assert [type(outcome) for outcome in others] == [OutcomeUnknownError] * 2
    assert company.paths() == ["batch", "query", "query"]


def test_a_lost_batch_of_which_nothing_is_there_is_repeated_as_it_was() -> None:
    company = a_company()
    connector = opened(company)
    parts = members(connector)
    company.requests.clear()
    company.next = [httpx.Response(503), httpx.Response(503)]
    assert all(isinstance(outcome, Receipt) for outcome in sent(connector, parts))
    batches = [r for r in company.requests if r.url.path.endswith("batch")]
    assert len({(r.content, str(r.url)) for r in batches}) == 1 and len(batches) == 2


def test_what_cannot_be_looked_for_is_not_repeated() -> None:
    company = a_company()
    company.refuse = lambda entity, where: entity == "Invoice"
    connector = opened(company)
    parts = members(connector)
    company.requests.clear()
    company.next = [httpx.ReadTimeout("slow")]
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match="cannot be looked for"):
            sent(connector, parts)
    assert company.paths() == ["batch", "query", "query"]


def test_notes_that_cannot_be_asked_for_together_are_asked_for_one_by_one() -> None:
    company = a_company()
    company.refuse = lambda entity, where: entity == "Attachable" and "MetaData" in where
    connector = opened(company)
    parts = members(connector)
    company.queries.clear()
    company.next = [httpx.ReadTimeout("slow")]
    assert all(isinstance(outcome, Receipt) for outcome in sent(connector, parts))
    assert [query.split()[3] for query in company.queries] == ["Invoice", *["Attachable"] * 3]
