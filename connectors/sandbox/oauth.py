"""OAuth 2 as the two vendors run it: consent, codes, rotating refresh tokens, expiry, revocation.

Consent is granted at once: the sandbox has nobody to ask. Tokens are numbered, not random, so a
run repeats exactly; they guard nothing but made-up books.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from connectors.port import Clock
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import (
    ConnectionDropped,
    Request,
    Response,
    json_response,
    text_response,
)
from connectors.sandbox.ids import uuid_from

CODE_LIFE = timedelta(minutes=5)


class OAuthTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What one vendor promises about its tokens."""

    authorize_path: str
    token_path: str
    revoke_path: str
    access_life: timedelta
    refresh_life: timedelta
    hard_life: timedelta | None = None
    """How long a consent lasts at most, however often its tokens are renewed."""
    grace: timedelta
    """How long a rotated refresh token still works; zero: not at all."""
    offline_scope: str = ""
    """Scope without which no refresh token is given; empty: always given."""
    refused_scopes: frozenset[str] = frozenset()
    realm_in_redirect: bool = False
    connections_path: str = ""


QUICKBOOKS_TERMS = OAuthTerms(
    authorize_path="/connect/oauth2",
    token_path="/oauth2/v1/tokens/bearer",
    revoke_path="/v2/oauth2/tokens/revoke",
    access_life=timedelta(minutes=60),
    refresh_life=timedelta(days=100),
    hard_life=timedelta(days=5 * 365),
    grace=timedelta(0),
    realm_in_redirect=True,
)

XERO_TERMS = OAuthTerms(
    authorize_path="/identity/connect/authorize",
    token_path="/connect/token",
    revoke_path="/connect/revocation",
    access_life=timedelta(minutes=30),
    refresh_life=timedelta(days=60),
    grace=timedelta(minutes=30),
    offline_scope="offline_access",
    # Apps made since 2 March 2026 only get the granular scopes.
    refused_scopes=frozenset({"accounting.transactions", "accounting.reports.read"}),
    connections_path="/connections",
)


class _Grant(msgspec.Struct):
    """One consent, with the tokens that came of it."""

    scope: str
    until: datetime | None = None
    """No refresh token of it lives longer, however often it is renewed."""
    refresh_tokens: list[str] = []


class _Token(msgspec.Struct):
    grant: _Grant
    until: datetime
    redirect_uri: str = ""
    challenge: str = ""


class OAuth:
    """Authorisation of one company with one app."""

    def __init__(
        self,
        terms: OAuthTerms,
        *,
        clock: Clock,
        faults: FaultPlan,
        client_id: str,
        client_secret: str,
        company_id: str,
        company_name: str,
        others: Mapping[str, str] | None = None,
    ) -> None:
        self.terms = terms
        self._clock = clock
        self._faults = faults
        self._client = (client_id, client_secret)
        self._company = (company_id, company_name)
        self._tenants = {company_id: company_name, **(others or {})}
        self._cut_off: set[str] = set()
        self._codes: dict[str, _Token] = {}
        self._access: dict[str, _Token] = {}
        self._refresh: dict[str, _Token] = {}
        self._made = 0
        self.is_connected = False

    def answer(self, request: Request) -> Response | None:
        """Answer on an OAuth address; None where the path is none of them."""
        terms = self.terms
        if request.path == terms.authorize_path:
            return self._authorize(request)
        if request.path == terms.token_path and request.method == "POST":
            return self._token(request)
        if request.path == terms.revoke_path and request.method == "POST":
            return self._revoke(request)
        if terms.connections_path and request.path.startswith(terms.connections_path):
            return self._connections(request)
        return None

    def is_valid(self, request: Request) -> bool:
        """The bearer token is one of ours and has not expired."""
        scheme, _, token = request.header("authorization").partition(" ")
        known = self._access.get(token.strip())
        return scheme.lower() == "bearer" and known is not None and self._clock.now() < known.until

    def scope_of(self, request: Request) -> str:
        """Scopes of the bearer token; empty for an unknown one."""
        known = self._access.get(request.header("authorization").partition(" ")[2].strip())
        return known.grant.scope if known else ""

    def grant(self, scope: str = "") -> Mapping[str, Any]:
        """Tokens without the ceremony, for tests and for a sandbox run alone."""
        return self._issue(_Grant(scope or self.terms.offline_scope))

    def reaches(self, company_id: str) -> bool:
        """The connection to this company has not been deleted."""
        return company_id not in self._cut_off

    def disconnect(self) -> None:
        """Every token of the app dies, as when the admin disconnects it."""
        for token in (*self._access.values(), *self._refresh.values()):
            self._end(token.grant)
        self.is_connected = False

    # --- addresses ----------------------------------------------------------------------------

    def _authorize(self, request: Request) -> Response:
        redirect = request.param("redirect_uri")
        if request.param("client_id") != self._client[0] or not redirect:
            return text_response("Unknown client_id, or no redirect_uri.", 400)
        back = {"state": request.param("state")} if request.param("state") else {}
        refused = self.terms.refused_scopes & set(request.param("scope").split())
        if request.param("response_type") != "code":
            back["error"] = "unsupported_response_type"
        elif refused:
            back["error"] = "invalid_scope"
        else:
            code = self._make("code")
            self._codes[code] = _Token(
                _Grant(request.param("scope")),
                self._clock.now() + CODE_LIFE,
                redirect,
                request.param("code_challenge"),
            )
            back["code"] = code
            if self.terms.realm_in_redirect:
                back["realmId"] = self._company[0]
        joint = "&" if "?" in redirect else "?"
        return Response(status=302, headers={"Location": f"{redirect}{joint}{urlencode(back)}"})

    def _token(self, request: Request) -> Response:
        form = request.form()
        if not self._is_client(request, form):
            return json_response({"error": "invalid_client"}, 401)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._redeem(form)
        if kind == "refresh_token":
            return self._rotate(request, form)
        if kind == "client_credentials" and self.terms.connections_path:
            # A Xero custom connection: one organisation, no refresh token.
            if self.terms.refused_scopes & set(form.get("scope", "").split()):
                return json_response({"error": "invalid_scope"}, 400)
            self._let_in_again()
            scopes = set(form.get("scope", "").split()) - {self.terms.offline_scope}
            return json_response(self._issue(_Grant(" ".join(sorted(scopes)))))
        return json_response({"error": "unsupported_grant_type"}, 400)

    def _redeem(self, form: Mapping[str, str]) -> Response:
        code = self._codes.pop(form.get("code", ""), None)
        if (
            code is None
            or self._clock.now() >= code.until
            or form.get("redirect_uri") != code.redirect_uri
            or not _proves(form.get("code_verifier", ""), code.challenge)
        ):
            return _invalid_grant()
        self._let_in_again()
        return json_response(self._issue(code.grant))

    def _let_in_again(self) -> None:
        self.is_connected = True
        self._cut_off.clear()

    def _rotate(self, request: Request, form: Mapping[str, str]) -> Response:
        if self._faults.strikes("refresh-dropped"):
            raise ConnectionDropped
        if self._faults.strikes("token-http-500"):
            return text_response("Internal Server Error", 500)
        old = form.get("refresh_token", "")
        known = self._refresh.get(old)
        is_late = known is not None and self._clock.now() >= known.until
        if known is None or is_late or self._faults.strikes("invalid-grant"):
            return _invalid_grant()
        is_current = known.grant.refresh_tokens[-1] == old
        issued = self._issue(known.grant)
        if request.header("x-include-refresh-token-hard-expires-in") == "true":
            left = known.grant.until - self._clock.now() if known.grant.until else None
            if left is not None:
                issued["x_refresh_token_hard_expires_in"] = int(left.total_seconds())
        if is_current:
            # Used once: it dies now, or when the grace for a lost answer is over.
            known.until = min(known.until, self._clock.now() + self.terms.grace)
        if self._faults.strikes("refresh-answer-lost"):
            raise ConnectionDropped
        return json_response(issued)

    def _revoke(self, request: Request) -> Response:
        content = request.header("content-type")
        try:
            form = request.json() if "json" in content else request.form()
        except ValueError:
            form = {}
        if not self._is_client(request, form):
            return json_response({"error": "invalid_client"}, 401)
        token = str(form.get("token", ""))
        known = self._refresh.get(token) or self._access.get(token)
        if known is not None:
            self._end(known.grant)
        return Response(status=200)

    def _connections(self, request: Request) -> Response:
        if not self.is_valid(request):
            return json_response({"Title": "Unauthorized", "Status": 401, "Detail": ""}, 401)
        shown = {
            uuid_from(f"connection|{company}"): (company, name)
            for company, name in self._tenants.items()
            if company not in self._cut_off
        }
        if request.method == "DELETE":
            key = request.path.removeprefix(self.terms.connections_path).strip("/")
            if key not in shown:
                return Response(status=404)
            self._cut_off.add(shown[key][0])
            if len(shown) == 1:
                self.disconnect()
            return Response(status=204)
        at = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.0000000")
        return json_response(
            [
                {
                    "id": key,
                    "authEventId": uuid_from(f"auth|{company}"),
                    "tenantId": company,
                    "tenantType": "ORGANISATION",
                    "tenantName": name,
                    "createdDateUtc": at,
                    "updatedDateUtc": at,
                }
                for key, (company, name) in shown.items()
            ]
        )

    # --- tokens -------------------------------------------------------------------------------

    def _is_client(self, request: Request, form: Mapping[str, Any]) -> bool:
        scheme, _, secret = request.header("authorization").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(secret).decode()
            except ValueError:
                return False
            return given == ":".join(self._client)
        return (form.get("client_id"), form.get("client_secret")) == self._client

    def _issue(self, grant: _Grant) -> dict[str, Any]:
        now = self._clock.now()
        access = self._make("access")
        self._access[access] = _Token(grant, now + self.terms.access_life)
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": int(self.terms.access_life.total_seconds()),
        }
        offline = self.terms.offline_scope
        if not offline or offline in grant.scope.split():
            refresh = self._make("refresh")
            grant.refresh_tokens.append(refresh)
            if grant.until is None and self.terms.hard_life is not None:
                grant.until = now + self.terms.hard_life
            until = now + self.terms.refresh_life
            self._refresh[refresh] = _Token(grant, min(until, grant.until or until))
            answer["refresh_token"] = refresh
            if not offline:
                answer["x_refresh_token_expires_in"] = int(self.terms.refresh_life.total_seconds())
        if grant.scope and offline:
            answer["scope"] = grant.scope
        return answer

    def _end(self, grant: _Grant) -> None:
        for table in (self._access, self._refresh):
            for token in [key for key, known in table.items() if known.grant is grant]:
                del table[token]

    def _make(self, what: str) -> str:
        self._made += 1
        text = f"{what}|{self._company[0]}|{self._made}"
        return f"{what}-{self._made}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _proves(verifier: str, challenge: str) -> bool:
    if not challenge:
        return True
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge


def _invalid_grant() -> Response:
    return json_response(
        {"error": "invalid_grant", "error_description": "Incorrect or invalid token"}, 400
    )
