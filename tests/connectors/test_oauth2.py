"""Connecting and staying connected: rotation, races, lost answers and ended connections."""

import base64
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from ar_bridge.clock import VirtualClock
from connectors.address import InsecureAddressError
from connectors.errors import AuthorizationError, TransientError
from connectors.oauth2 import (
    InvalidGrantError,
    OAuthApp,
    Tokens,
    challenge,
    client_credentials,
    consent,
    read_redirect,
    read_tokens,
    refresh,
)
from connectors.tokens import MemoryVault, TokenSource

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
APP = OAuthApp(
    client_id="client",
    client_secret="s3cret",
    authorize_url="https://id.example/authorize",
    token_url="https://id.example/token",
    scopes=("read", "write"),
)


class TokenServer:
    """Rotates refresh tokens the way the vendors do: the old one ends when the new one is given."""

    def __init__(self) -> None:
        self.number = 0
        self.forms: list[dict[str, list[str]]] = []
        self.before: list[httpx.Response | Exception] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        self.forms.append(form)
        if self.before:
            turn = self.before.pop(0)
            if isinstance(turn, Exception):
                raise turn
            return turn
        given = form.get("refresh_token", [""])[0]
        if form["grant_type"] == ["refresh_token"] and given != f"r{self.number}":
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.number += 1
        return httpx.Response(
            200,
            json={
                "access_token": f"a{self.number}",
                "refresh_token": f"r{self.number}",
                "expires_in": 3600,
                "x_refresh_token_expires_in": 8640000,
                "token_type": "bearer",
            },
        )


def tokens(number: int = 0, *, minutes: int = 60) -> Tokens:
    return Tokens(
        access_token=f"a{number}",
        refresh_token=f"r{number}",
        expires_at=START + timedelta(minutes=minutes),
        obtained_at=START,
    )


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def server() -> TokenServer:
    return TokenServer()


def a_source(server: TokenServer, vault: MemoryVault, clock: VirtualClock) -> TokenSource:
    http = httpx.Client(transport=httpx.MockTransport(server))
    return TokenSource(APP, vault, http=http, clock=clock)


def test_the_consent_address_carries_state_and_challenge() -> None:
    # Verifier and challenge are the example of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    url = consent(APP, redirect_uri="http://127.0.0.1:9/back", state="s1", verifier=verifier)
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
    assert query["scope"] == ["read write"] and query["state"] == ["s1"]
    assert query["redirect_uri"] == ["http://127.0.0.1:9/back"]
    assert challenge(verifier) == query["code_challenge"][0]


def test_a_redirect_is_read_whole_or_from_its_query() -> None:
    for text in ("http://127.0.0.1:9/back?code=c&state=s&realmId=7", "?code=c&state=s&realmId=7"):
        redirect = read_redirect(text, state="s")
        assert (redirect.code, redirect.realm_id) == ("c", "7")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("?error=access_denied&state=s", "not granted"),
        ("?code=c&state=other", "state differs"),
        ("?state=s", "no code"),
        ("nonsense", "state differs"),
    ],
)
def test_a_bad_redirect_says_what_is_wrong(address: str, words: str) -> None:
    with pytest.raises(AuthorizationError, match=words):
        read_redirect(address, state="s")


def test_client_id_and_secret_travel_as_the_vendor_wants() -> None:
    basic = refresh(APP, "r0")
    pair = base64.b64encode(b"client:s3cret").decode()
    assert ("Authorization", f"Basic {pair}") in basic.headers
    assert b"s3cret" not in basic.content
    form = client_credentials(msgspec.structs.replace(APP, client_auth="form"))
    fields = parse_qs(form.content.decode())
    assert fields["client_secret"] == ["s3cret"] and fields["scope"] == ["read write"]


def test_nothing_secret_is_printed() -> None:
    redirect = read_redirect("?code=c9&state=s", state="s")
    shown = f"{APP!r} {tokens()!r} {refresh(APP, 'r0')!r} {redirect!r}"
    for secret in ("s3cret", "a0", "r0", "c9"):
        assert secret not in shown.replace("expires_at", "")


def test_expiry_of_the_connection_itself_is_known() -> None:
    body = (
        b'{"access_token":"a","refresh_token":"r","expires_in":"3600",'
        b'"x_refresh_token_expires_in":8640000,"x_refresh_token_hard_expires_in":86400}'
    )
    read = read_tokens(body, now=START)
    assert read.expires_at == START + timedelta(hours=1)
    assert read.refresh_expires_at == START + timedelta(days=100)
    assert read.reconnect_by == START + timedelta(days=1)


@pytest.mark.parametrize("body", [b'{"error":"invalid_grant"}', b"<html>", b'{"access_token":""}'])
def test_a_body_without_token_never_replaces_good_ones(body: bytes) -> None:
    with pytest.raises(AuthorizationError):
        read_tokens(body, now=START, previous=tokens())


def test_an_answer_without_refresh_token_keeps_the_old_one() -> None:
    read = read_tokens(b'{"access_token":"a9"}', now=START, previous=tokens(4))
    assert (read.access_token, read.refresh_token) == ("a9", "r4")


def test_consent_becomes_stored_tokens(server: TokenServer, clock: VirtualClock) -> None:
    vault = MemoryVault()
    a_source(server, vault, clock).connect(
        code="c", redirect_uri="http://127.0.0.1:9/back", verifier="v"
    )
    assert server.forms[0]["code_verifier"] == ["v"]
    stored = vault.load()
    assert stored is not None and stored.refresh_token == "r1"


def test_a_fresh_token_is_used_as_it_is(server: TokenServer, clock: VirtualClock) -> None:
    assert a_source(server, MemoryVault(tokens()), clock).header() == "Bearer a0"
    assert server.forms == []


def test_a_token_is_refreshed_a_minute_early(server: TokenServer, clock: VirtualClock) -> None:
    source = a_source(server, MemoryVault(tokens()), clock)
    source.header()
    clock.advance(timedelta(minutes=59, seconds=1))
    assert source.header() == "Bearer a1"


class BrokenVault(MemoryVault):
    def store(self, tokens: Tokens) -> None:
        raise OSError("disk full")


def test_a_token_that_could_not_be_stored_is_not_used(
    server: TokenServer, clock: VirtualClock
) -> None:
    source = a_source(server, BrokenVault(tokens(minutes=0)), clock)
    with pytest.raises(OSError, match="disk full"):
        source.header()
    assert source._tokens is None


def test_many_threads_refresh_once(server: TokenServer, clock: VirtualClock) -> None:
    source = a_source(server, MemoryVault(tokens(minutes=0)), clock)
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(source.header())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert seen == ["Bearer a1"] * 8
    assert len(server.forms) == 1


def test_another_process_refreshed_first(server: TokenServer, clock: VirtualClock) -> None:
    vault = MemoryVault(tokens())
    source = a_source(server, vault, clock)
    source.header()
    vault.store(tokens(5))
    source.renew("Bearer a0")
    assert source.header() == "Bearer a5" and server.forms == []


class RacedVault(MemoryVault):
    """Someone without our lock stores theirs while we ask."""

    def __init__(self, first: Tokens, then: Tokens) -> None:
        super().__init__(first)
        self.then = then
        self.loads = 0

    def load(self) -> Tokens | None:
        self.loads += 1
        return self.then if self.loads > 1 else super().load()


def test_invalid_grant_looks_again_before_giving_up(
    server: TokenServer, clock: VirtualClock
) -> None:
    server.number = 1
    vault = RacedVault(tokens(0, minutes=0), tokens(1))
    assert a_source(server, vault, clock).header() == "Bearer a1"


def test_an_ended_connection_says_what_to_do(server: TokenServer, clock: VirtualClock) -> None:
    server.number = 9
    with pytest.raises(InvalidGrantError, match="connect the book again"):
        a_source(server, MemoryVault(tokens(minutes=0)), clock).header()
    assert len(server.forms) == 1


def test_a_lost_answer_is_asked_again_with_the_same_token(
    server: TokenServer, clock: VirtualClock
) -> None:
    server.before = [httpx.ReadTimeout("slow"), httpx.Response(503, content=b"<html>")]
    assert a_source(server, MemoryVault(tokens(minutes=0)), clock).header() == "Bearer a1"
    assert [form["refresh_token"] for form in server.forms] == [["r0"]] * 3


def test_a_token_address_that_stays_down_is_transient(
    server: TokenServer, clock: VirtualClock
) -> None:
    server.before = [httpx.ConnectError("refused")] * 3
    with pytest.raises(TransientError):
        a_source(server, MemoryVault(tokens(minutes=0)), clock).header()


def test_a_wrong_secret_is_named(server: TokenServer, clock: VirtualClock) -> None:
    server.before = [httpx.Response(401, json={"error": "invalid_client"})]
    with pytest.raises(AuthorizationError, match="client_secret"):
        a_source(server, MemoryVault(tokens(minutes=0)), clock).header()


def test_an_unconnected_book_says_so(server: TokenServer, clock: VirtualClock) -> None:
    with pytest.raises(AuthorizationError, match="not connected"):
        a_source(server, MemoryVault(), clock).header()


def test_a_custom_connection_asks_by_itself_again_and_again(
    server: TokenServer, clock: VirtualClock
) -> None:
    http = httpx.Client(transport=httpx.MockTransport(server))
    source = TokenSource(APP, MemoryVault(), http=http, clock=clock, has_own_grant=True)
    assert source.header() == "Bearer a1"
    clock.advance(timedelta(hours=1))
    assert source.header() == "Bearer a2"
    assert server.forms[0]["grant_type"] == ["client_credentials"]


def test_secrets_do_not_travel_in_plain(clock: VirtualClock, server: TokenServer) -> None:
    app = msgspec.structs.replace(APP, token_url="http://id.example/token")
    with pytest.raises(InsecureAddressError):
        TokenSource(app, MemoryVault(), http=httpx.Client(), clock=clock)
