"""Consent, rotation, expiry: what the two vendors do with tokens."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.oauth2 import challenge
from connectors.sandbox.faults import FaultPlan, parse_faults
from connectors.sandbox.http import Request, Response
from connectors.sandbox.oauth import QUICKBOOKS_TERMS, XERO_TERMS, OAuth, OAuthTerms
from connectors.sandbox.server import InProcess
from tests.sandbox.books import noon

REDIRECT = "http://localhost:8477/callback"


class Vendor:
    """An authorisation server with a client that knows its secret."""

    def __init__(self, terms: OAuthTerms, *faults: str) -> None:
        self.clock = VirtualClock(noon("2026-02-05"))
        self.terms = terms
        self.oauth = OAuth(
            terms,
            clock=self.clock,
            faults=FaultPlan(parse_faults(faults)),
            client_id="id",
            client_secret="secret",
            company_id="123",
            company_name="Acme",
        )
        transport = InProcess(lambda request: self.oauth.answer(request) or Response(status=404))
        self.client = httpx.Client(transport=transport, base_url="https://login.example")

    def consent(self, scope: str = "offline_access accounting.invoices", **more: str) -> Any:
        query = {"client_id": "id", "response_type": "code", "scope": scope, "state": "s1",
                 "redirect_uri": REDIRECT, **more}  # fmt: skip
        answer = self.client.get(self.terms.authorize_path, params=query)
        assert answer.status_code == 302
        return parse_qs(urlsplit(answer.headers["Location"]).query)

    def token(self, auth: tuple[str, str] = ("id", "secret"), **form: str) -> httpx.Response:
        return self.client.post(self.terms.token_path, data=form, auth=auth)

    def connect(self) -> Any:
        code = self.consent()["code"][0]
        return self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT).json()

    def refresh(self, token: str) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=token)

    def is_let_in(self, access: str) -> bool:
        headers = {"authorization": f"Bearer {access}"}
        return self.oauth.is_valid(Request(method="GET", path="/", headers=headers))


def test_consent_comes_back_with_code_state_and_company() -> None:
    back = Vendor(QUICKBOOKS_TERMS).consent()
    assert back["state"] == ["s1"]
    assert back["realmId"] == ["123"]
    assert "realmId" not in Vendor(XERO_TERMS).consent()


def test_a_code_works_once_and_not_for_long() -> None:
    vendor = Vendor(QUICKBOOKS_TERMS)
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    code = vendor.consent()["code"][0]
    assert vendor.token(code=code, **form).status_code == 200
    assert vendor.token(code=code, **form).json()["error"] == "invalid_grant"
    late = vendor.consent()["code"][0]
    vendor.clock.advance(timedelta(minutes=5))
    assert vendor.token(code=late, **form).json()["error"] == "invalid_grant"
    other = vendor.consent()["code"][0]
    form["redirect_uri"] = "http://localhost/elsewhere"
    assert vendor.token(code=other, **form).json()["error"] == "invalid_grant"


def test_a_challenge_wants_its_verifier() -> None:
    vendor = Vendor(XERO_TERMS)
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    for verifier, status in (("right" * 10, 200), ("wrong" * 10, 400)):
        code = vendor.consent(code_challenge=challenge("right" * 10))["code"][0]
        assert vendor.token(code=code, code_verifier=verifier, **form).status_code == status


def test_a_stranger_is_no_client() -> None:
    vendor = Vendor(QUICKBOOKS_TERMS)
    answer = vendor.token(("id", "guess"), grant_type="refresh_token", refresh_token="x")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    body = {"client_id": "id", "client_secret": "secret", "grant_type": "refresh_token"}
    assert vendor.client.post(vendor.terms.token_path, data=body).status_code == 400
    query = {"client_id": "other", "response_type": "code", "redirect_uri": REDIRECT}
    assert vendor.client.get(vendor.terms.authorize_path, params=query).status_code == 400


@pytest.mark.parametrize(
    ("terms", "access", "refresh"),
    [
        (QUICKBOOKS_TERMS, timedelta(minutes=60), timedelta(days=100)),
        (XERO_TERMS, timedelta(minutes=30), timedelta(days=60)),
    ],
)
def test_tokens_end_on_the_clock(terms: OAuthTerms, access: timedelta, refresh: timedelta) -> None:
    vendor = Vendor(terms)
    tokens = vendor.connect()
    assert tokens["expires_in"] == access.total_seconds()
    vendor.clock.advance(access - timedelta(seconds=1))
    assert vendor.is_let_in(tokens["access_token"])
    vendor.clock.advance(timedelta(seconds=1))
    assert not vendor.is_let_in(tokens["access_token"])
    vendor.clock.advance(refresh - access)
    assert vendor.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_rotated_token_is_dead_at_once_with_quickbooks() -> None:
    vendor = Vendor(QUICKBOOKS_TERMS)
    old = vendor.connect()["refresh_token"]
    new = vendor.refresh(old).json()["refresh_token"]
    assert new != old
    assert vendor.refresh(old).json()["error"] == "invalid_grant"
    assert vendor.refresh(new).status_code == 200


def test_a_rotated_token_has_half_an_hour_with_xero() -> None:
    vendor = Vendor(XERO_TERMS)
    old = vendor.connect()["refresh_token"]
    vendor.refresh(old)
    vendor.clock.advance(timedelta(minutes=29))
    assert vendor.refresh(old).status_code == 200
    vendor.clock.advance(timedelta(minutes=1))
    assert vendor.refresh(old).json()["error"] == "invalid_grant"


def test_the_answer_of_a_refresh_can_be_lost() -> None:
    vendor = Vendor(XERO_TERMS, "refresh-answer-lost=1")
    old = vendor.connect()["refresh_token"]
    with pytest.raises(httpx.RemoteProtocolError):
        vendor.refresh(old)
    assert vendor.refresh(old).status_code == 200


def test_revoking_ends_the_whole_consent() -> None:
    vendor = Vendor(QUICKBOOKS_TERMS)
    tokens = vendor.connect()
    form = {"token": tokens["refresh_token"]}
    answer = vendor.client.post(vendor.terms.revoke_path, json=form, auth=("id", "secret"))
    assert answer.status_code == 200
    assert not vendor.is_let_in(tokens["access_token"])
    assert vendor.refresh(tokens["refresh_token"]).status_code == 400


def test_xero_lists_the_connection_and_ends_it() -> None:
    vendor = Vendor(XERO_TERMS)
    headers = {"Authorization": f"Bearer {vendor.connect()['access_token']}"}
    (found,) = vendor.client.get("/connections", headers=headers).json()
    assert (found["tenantId"], found["tenantType"]) == ("123", "ORGANISATION")
    assert vendor.client.get("/connections").status_code == 401
    gone = vendor.client.delete(f"/connections/{found['id']}", headers=headers)
    assert gone.status_code == 204
    assert vendor.client.get("/connections", headers=headers).status_code == 401


def test_xero_scopes() -> None:
    vendor = Vendor(XERO_TERMS)
    assert vendor.consent("accounting.transactions")["error"] == ["invalid_scope"]
    code = vendor.consent("accounting.invoices")["code"][0]
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code": code}
    assert "refresh_token" not in vendor.token(**form).json()
    own = vendor.token(grant_type="client_credentials", scope="accounting.invoices").json()
    assert "refresh_token" not in own
    assert vendor.is_let_in(own["access_token"])
