"""Webhooks over real HTTP: what is believed, what is noted down, and what is answered."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import text

from ar_bridge.clock import VirtualClock
from ar_bridge.store import books, nudges
from ar_bridge.store.engine import Store
from ar_bridge.web.app import web_app
from ar_bridge.web.serving import listening, serving
from ar_bridge.web.webhooks import MOST_BYTES
from connectors.quickbooks import webhook as quickbooks
from connectors.webhooks import MalformedWebhookError, Nudge, is_signed
from connectors.xero import webhook as xero
from rules.model import Company
from tests.shared_material import shared
from tests.store.opening import on_both

KEYS = {"quickbooks": "verifier-token", "xero": "webhooks-key"}
HEADERS = {"quickbooks": "intuit-signature", "xero": "x-xero-signature"}
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def signed(body: bytes, key: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def event(realm: str, entity: str, record: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{realm}-{record}",
        "source": "intuit.x",
        "type": f"qbo.{entity}.updated.v1",
        "time": "2026-11-02T09:30:00Z",
        "intuitentityid": record,
        "intuitaccountid": realm,
        "data": {},
    }


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def address(store: Store, clock: VirtualClock) -> Iterator[str]:
    """Two connected companies and the web application on a socket."""
    with store.write() as conn:
        for ledger, name in (("quickbooks", "310687"), ("xero", "tenant-1")):
            company = Company(id=name, ledger=ledger, base_currency="GBP")
            books.register(conn, company, name=ledger, connected_on=NOW.date())
    app = web_app(store, clock, webhook_keys=KEYS)
    with serving(app, listening("127.0.0.1", 0)) as url:
        yield url


def post(address: str, ledger: str, message: Any, *, key: str | None = None) -> httpx.Response:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    signature = signed(body, KEYS[ledger] if key is None else key)
    return httpx.post(
        f"{address}/webhooks/{ledger}", content=body, headers={HEADERS[ledger]: signature}
    )


def waiting(store: Store, ledger: str, company: str) -> list[tuple[str, str]]:
    with store.read() as conn:
        found = nudges.waiting(conn, ledger, company)
    return [(one.entity, one.record_id) for one in found]


@on_both
def test_events_of_several_companies_in_one_message(address: str, store: Store) -> None:
    message = [
        event("310687", "invoice", "130"),
        event("310687", "invoice", "130"),
        event("310687", "creditmemo", "7"),
        event("310687", "account", "1"),
        event("999", "invoice", "5"),
    ]
    answer = post(address, "quickbooks", message)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "set-cookie" not in answer.headers and "server" not in answer.headers
    assert waiting(store, "quickbooks", "310687") == [("invoices", "130"), ("credits", "7")]
    assert waiting(store, "quickbooks", "999") == []


def test_xero_tells_of_invoices_contacts_and_credit_notes(address: str, store: Store) -> None:
    def told(category: str, record: str, **more: Any) -> dict[str, Any]:
        return {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/{record}",
            "resourceId": record,
            "eventDateUtc": "2026-11-02T09:30:00.000",
            "eventType": "UPDATE",
            "eventCategory": category,
            "tenantId": "tenant-1",
            "tenantType": "ORGANISATION",
            **more,
        }

    message = {
        "events": [
            told("INVOICE", "i-1"),
            told("CONTACT", "c-1"),
            told("CREDITNOTE", "n-1", data={"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}),
            told("CREDITNOTE", "n-2", data={"Type": "ACCPAYCREDIT", "Status": "PAID"}),
            told("SUBSCRIPTION", "s-1"),
            told("SOMETHING_NEW", "x-1"),
        ],
        "firstEventSequence": 1,
        "lastEventSequence": 6,
        "entropy": "S0m3r4Nd0mt3xt",
    }
    answer = post(address, "xero", message)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "set-cookie" not in answer.headers
    assert waiting(store, "xero", "tenant-1") == [
        ("invoices", "i-1"),
        ("customers", "c-1"),
        ("credits", "n-1"),
    ]


def test_intent_to_receive(address: str) -> None:
    message = {"events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": "E"}
    assert post(address, "xero", message).status_code == 200
    refused = post(address, "xero", message, key="forged")
    assert (refused.status_code, refused.content) == (401, b"")


def test_what_is_not_signed_is_not_believed(address: str, store: Store) -> None:
    message = [event("310687", "invoice", "130")]
    assert post(address, "quickbooks", message, key="forged").status_code == 401
    body = json.dumps(message).encode()
    assert httpx.post(f"{address}/webhooks/quickbooks", content=body).status_code == 401
    other = {HEADERS["quickbooks"]: signed(body, KEYS["quickbooks"])}
    # The same signature under another body, or for another vendor.
    assert (
        httpx.post(f"{address}/webhooks/quickbooks", content=body + b" ", headers=other).status_code
        == 401
    )
    assert httpx.post(f"{address}/webhooks/xero", content=body, headers=other).status_code == 401
    assert waiting(store, "quickbooks", "310687") == []


def test_without_a_key_nothing_is_believed(store: Store, clock: VirtualClock) -> None:
    app = web_app(store, clock, webhook_keys={"quickbooks": ""})
    with serving(app, listening("127.0.0.1", 0)) as url:
        assert post(url, "quickbooks", [], key="").status_code == 401
        assert post(url, "xero", {"events": []}).status_code == 401
    assert not is_signed(b"", signed(b"", ""), "")


def test_only_what_is_named_is_served(address: str) -> None:
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{address}/").status_code == 404
    assert httpx.post(f"{address}/webhooks/sage", content=b"{}").status_code == 404
    assert httpx.get(f"{address}/webhooks/xero").status_code == 405


def test_a_message_beyond_all_measure_is_not_read(address: str) -> None:
    answer = post(address, "quickbooks", b" " * (MOST_BYTES + 1))
    assert answer.status_code == 413

    def parts() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 50_000 + 2):
            yield b" " * 50_000

    answer = httpx.post(f"{address}/webhooks/quickbooks", content=parts())
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"nonsense", b'{"events": 1}', b"[1, null]", b'"text"'])
@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_a_signed_message_that_says_nothing_is_taken_all_the_same(
    address: str, ledger: str, body: bytes
) -> None:
    assert post(address, ledger, body).status_code == 200


@on_both
def test_what_cannot_be_noted_down_is_sent_again(clock: VirtualClock, store: Store) -> None:
    company = Company(id="310687", ledger="quickbooks", base_currency="USD")
    app = web_app(store, clock, webhook_keys=KEYS)
    with serving(app, listening("127.0.0.1", 0)) as url:
        with store.write() as conn:
            books.register(conn, company, name="shop", connected_on=NOW.date())
            conn.execute(text("DROP TABLE nudges"))
        answer = post(url, "quickbooks", [event("310687", "invoice", "130")])
    assert (answer.status_code, answer.content) == (503, b"")


@on_both
def test_what_comes_in_while_the_ledger_is_read_stays(
    address: str, store: Store, clock: VirtualClock
) -> None:
    post(address, "quickbooks", [event("310687", "invoice", name) for name in ("1", "2")])
    clock.advance(timedelta(minutes=1))
    began = clock.now()
    clock.advance(timedelta(seconds=1))
    post(address, "quickbooks", [event("310687", "invoice", "2")])
    with store.write() as conn:
        assert nudges.settle(conn, "quickbooks", "310687", until=began) == 1
    assert waiting(store, "quickbooks", "310687") == [("invoices", "2")]


def test_the_vendors_samples_are_read() -> None:
    samples = shared("specs/quickbooks/samples")
    for name in ("webhook_cloudevents.json", "webhook_legacy.json"):
        sample = (samples / name).read_text(encoding="utf-8")
        assert quickbooks.nudges(sample.encode()) == []  # an account: nothing to us
        about = sample.replace("account.created", "invoice.created").replace(
            '"Account"', '"Invoice"'
        )
        assert quickbooks.nudges(about.encode()) == [
            Nudge(company_id="310687", entity="invoices", record_id="1234")
        ]
    spec = yaml.safe_load(shared("specs/xero/xero-webhooks.yaml").read_text(encoding="utf-8"))
    example = spec["components"]["responses"]["200WebhookDataReceivedOk"]["content"][
        "application/json"
    ]["schema"]["example"]
    (told,) = xero.nudges(json.dumps(example, default=str).encode())
    assert (told.entity, told.record_id) == ("customers", "717f2bfc-c6d4-41fd-b238-3f2f0c0cf777")


def test_shapes_that_are_none() -> None:
    for reads, body in (
        (quickbooks.nudges, b'{"something": 1}'),
        (quickbooks.nudges, b"{"),
        (xero.nudges, b"[]"),
        (xero.nudges, b""),
    ):
        with pytest.raises(MalformedWebhookError):
            reads(body)
