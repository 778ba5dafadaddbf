"""Webhooks: what is told, how it is signed, and that a receiver may call back."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from ar_bridge.clock import VirtualClock
from connectors.sandbox.service import Sandbox
from connectors.sandbox.webhooks import RETRIES, Delivery, Hook
from tests.sandbox.books import noon, wide_book
from tests.shared_material import shared

KEY = "verifier-token"


class Receiver:
    """Takes messages in place of HTTP, and answers as it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, Mapping[str, str]]] = []
        self.answers: list[int] = []
        self.before: Any = None

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.seen.append((body, headers))
        if self.before is not None:
            self.before()
        return self.answers.pop(0) if self.answers else 200

    def strict(self, header: str) -> "Receiver":
        """A receiver that checks signatures, as it must."""

        class Strict(Receiver):
            def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
                super().__call__(url, body, headers)
                return 200 if headers[header] == signed(body) else 401

        return Strict()


def signed(body: bytes) -> str:
    return base64.b64encode(hmac.new(KEY.encode(), body, hashlib.sha256).digest()).decode()


def rehearsal(
    ledger: str, receiver: Receiver, *, shape: str = "cloudevents", faults: tuple[str, ...] = ()
) -> tuple[Sandbox, VirtualClock]:
    clock = VirtualClock(noon("2026-02-05"))
    hook = Hook(url="https://hooks.example/in", key=KEY, shape=shape)
    sandbox = Sandbox(
        wide_book(),
        ledger=ledger,
        clock=clock,
        faults=faults,
        webhook=hook,
        post=receiver,
    )
    return sandbox, clock


def only(sandbox: Sandbox) -> Delivery:
    (delivery,) = sandbox.deliveries()
    return delivery


def test_cloudevents_of_quickbooks() -> None:
    receiver = Receiver()
    sandbox, _ = rehearsal("quickbooks", receiver)
    assert sandbox.deliveries() == ()
    payment = sandbox.people.pay("INV-1")
    assert sandbox.deliver() == 1
    body, headers = receiver.seen[0]
    assert headers["intuit-signature"] == signed(body)
    events = json.loads(body)
    told = {event["type"]: event for event in events}
    assert set(told) == {"qbo.payment.created.v1", "qbo.invoice.updated.v1"}
    assert told["qbo.payment.created.v1"]["intuitentityid"] == payment
    sample = json.loads(shared("specs/quickbooks/samples/webhook_cloudevents.json").read_text())[0]
    for event in events:
        assert set(event) == set(sample)
        assert event["intuitaccountid"] == sandbox.company_id


def test_the_shape_that_quickbooks_had_before() -> None:
    sandbox, _ = rehearsal("quickbooks", Receiver(), shape="legacy")
    sandbox.people.delete("INV-2")
    note = json.loads(only(sandbox).body)["eventNotifications"][0]
    sample = json.loads(shared("specs/quickbooks/samples/webhook_legacy.json").read_text())
    assert note["realmId"] == sandbox.company_id
    entities = note["dataChangeEvent"]["entities"]
    wanted = set(sample["eventNotifications"][0]["dataChangeEvent"]["entities"][0])
    assert all(set(entity) == wanted for entity in entities)
    gone = [entity for entity in entities if entity["operation"] == "Delete"]
    assert [entity["name"] for entity in gone] == ["Invoice"]


def schema() -> Draft202012Validator:
    document = yaml.safe_load(shared("specs/xero/xero-webhooks.yaml").read_text())
    return Draft202012Validator({**document, "$ref": "#/components/schemas/WebhookEvent"})


def test_xero_tells_of_invoices_contacts_and_credit_notes() -> None:
    sandbox, _ = rehearsal("xero", Receiver())
    sandbox.people.pay("INV-1")
    sandbox.people.rename("C2", "Southern Inc")
    sandbox.people.credit("C1", 10_00)
    bodies = [json.loads(delivery.body) for delivery in sandbox.deliveries()]
    events = [event for body in bodies for event in body["events"]]
    assert [(event["eventCategory"], event["eventType"]) for event in events] == [
        ("INVOICE", "UPDATE"),
        ("CONTACT", "UPDATE"),
        ("CREDITNOTE", "CREATE"),
    ]
    assert events[2]["data"] == {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}
    assert not events[0]["eventDateUtc"].endswith("Z")
    assert [(body["firstEventSequence"], body["lastEventSequence"]) for body in bodies] == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]
    assert len({body["entropy"] for body in bodies}) == 3
    assert all(list(schema().iter_errors(body)) == [] for body in bodies)
    for delivery in sandbox.deliveries():
        assert delivery.headers["x-xero-signature"] == signed(delivery.body)


def test_xero_tries_an_address_out() -> None:
    receiver = Receiver().strict("x-xero-signature")
    sandbox, _ = rehearsal("xero", receiver)
    assert sandbox.webhooks is not None
    assert sandbox.webhooks.shake_hands()
    assert [json.loads(body)["events"] for body, _ in receiver.seen] == [[]] * 4
    assert all(list(schema().iter_errors(json.loads(body))) == [] for body, _ in receiver.seen)
    sandbox.people.pay("INV-1")
    assert sandbox.deliver() == 1


def test_who_takes_bad_signatures_is_told_nothing() -> None:
    sandbox, _ = rehearsal("xero", Receiver())
    assert sandbox.webhooks is not None
    assert not sandbox.webhooks.shake_hands()
    sandbox.people.pay("INV-1")
    assert sandbox.deliveries() == ()


def test_a_refused_message_comes_again_later_and_later() -> None:
    receiver = Receiver()
    receiver.answers = [500, 0]
    sandbox, clock = rehearsal("quickbooks", receiver)
    sandbox.people.pay("INV-1")
    assert (sandbox.deliver(), sandbox.deliver()) == (1, 0)
    clock.advance(RETRIES[0])
    assert (sandbox.deliver(), sandbox.deliver()) == (1, 0)
    clock.advance(RETRIES[1])
    assert sandbox.deliver() == 1
    assert only(sandbox).statuses == [500, 0, 200]
    assert only(sandbox).state == "delivered"
    assert len({body for body, _ in receiver.seen}) == 1


def test_xero_gives_an_address_up() -> None:
    receiver = Receiver()
    receiver.answers = [500] * 5
    sandbox, clock = rehearsal("xero", receiver)
    sandbox.people.pay("INV-1")
    for _ in range(6):
        sandbox.deliver()
        clock.advance(3600)
    assert only(sandbox).state == "given_up"
    sandbox.people.pay("INV-2")
    assert len(sandbox.deliveries()) == 1


def test_what_the_client_writes_and_what_time_brings_is_told() -> None:
    sandbox, clock = rehearsal("quickbooks", Receiver())
    token = sandbox.oauth.grant()["access_token"]
    http = httpx.Client(transport=sandbox.transport(), headers={"Authorization": f"Bearer {token}"})
    base = f"https://sandbox.example/v3/company/{sandbox.company_id}"
    refs = [{"EntityRef": {"type": "Invoice", "value": "1"}}]
    http.post(f"{base}/attachable", json={"Note": "n", "AttachableRef": refs})
    assert sandbox.deliveries() == ()
    http.post(f"{base}/customer", json={"DisplayName": "East"})
    assert [e["type"] for e in json.loads(only(sandbox).body)] == ["qbo.customer.created.v1"]
    clock.advance(86_400 * 6)
    assert len(sandbox.deliveries()) == 2


@pytest.mark.parametrize(
    ("fault", "states", "is_good"),
    [
        ("webhook-lost", ["lost"], True),
        ("webhook-twice", ["delivered", "delivered"], True),
        ("webhook-forged", ["delivered"], False),
    ],
)
def test_messages_go_wrong_on_demand(fault: str, states: list[str], is_good: bool) -> None:
    sandbox, _ = rehearsal("quickbooks", Receiver(), faults=(f"{fault}=1",))
    sandbox.people.pay("INV-1")
    sandbox.deliver()
    assert [delivery.state for delivery in sandbox.deliveries()] == states
    for delivery in sandbox.deliveries():
        assert (delivery.headers["intuit-signature"] == signed(delivery.body)) is is_good


def test_a_receiver_may_call_back_at_once() -> None:
    receiver = Receiver()
    sandbox, _ = rehearsal("quickbooks", receiver)
    receiver.before = lambda: sandbox.people.rename("C1", "Renamed")
    sandbox.people.pay("INV-1")
    assert sandbox.deliver() == 1
    assert len(sandbox.deliveries()) == 2


def test_over_real_sockets() -> None:
    arrived = Event()
    seen: list[tuple[bytes, str]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((body, str(self.headers["intuit-signature"])))
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hook = Hook(url=f"http://127.0.0.1:{server.server_address[1]}/in", key=KEY)
    clock = VirtualClock(noon("2026-02-05"))
    sandbox = Sandbox(wide_book(), ledger="quickbooks", clock=clock, webhook=hook)
    running = sandbox.serve()
    try:
        sandbox.people.pay("INV-1")
        assert arrived.wait(timeout=30)
    finally:
        running.close()
        server.shutdown()
        server.server_close()
    assert seen[0][1] == signed(seen[0][0])
