"""Letting ar-bridge in: which answer counts, which company is meant, what stays."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from ar_bridge import audit
from ar_bridge.clock import VirtualClock
from ar_bridge.company_facts import can_charge, company_of
from ar_bridge.connecting import Connected, connect
from ar_bridge.demo.stage import FEE_SETUP
from ar_bridge.errors import SetupError, UsageError
from ar_bridge.home import Home
from ar_bridge.loopback import expected_state, wait_on_loopback
from ar_bridge.settings import BookSettings
from ar_bridge.store import books
from ar_bridge.store.engine import Store, open_store
from ar_bridge.wiring import vault_of
from connectors.errors import AuthorizationError, NotPermittedError
from connectors.port import CompanyCheck, Finding
from connectors.sandbox.faults import FaultOrder
from connectors.sandbox.service import Sandbox
from rules.model import Company

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
EVENTS = [
    {"t": "company", "id": "elm", "name": "Elm Street Ltd", "base_currency": "GBP",
     "timezone": "Europe/London", "country": "GB"},
]  # fmt: skip
OTHER = "11111111-2222-3333-4444-555555555555"


class Consents(httpx.BaseTransport):
    """The sandbox, whose list of connections names more than its one organisation."""

    def __init__(self, sandbox: Sandbox, more: list[dict[str, str]]) -> None:
        self._inner = sandbox.transport()
        self._more = more

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if request.url.path == "/connections" and answer.status_code == 200:
            listed = [*json.loads(answer.read()), *self._more]
            return httpx.Response(200, json=listed, request=request)
        return answer


Answering: TypeAlias = Callable[[httpx.Request, httpx.Response], httpx.Response]


class Answered(httpx.BaseTransport):
    """A vendor whose answers are changed on their way."""

    def __init__(self, inner: httpx.BaseTransport, answering: Answering) -> None:
        self._inner = inner
        self._answering = answering

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        answer.read()
        return self._answering(request, answer)


class Office:
    """A home with one book that may be connected again and again."""

    def __init__(self, folder: Path, ledger: str = "xero") -> None:
        self.clock = VirtualClock(NOW)
        self.home = Home(folder / "home").create()
        self.store: Store = open_store(f"sqlite:///{self.home.database}")
        self.ledger = ledger
        self.sandbox = Sandbox(EVENTS, ledger=ledger, clock=self.clock)
        self.more: list[dict[str, str]] = []
        self.asked: list[dict[str, list[str]]] = []
        self.answering: Answering = lambda request, answer: answer

    def book(self, name: str = "elm", **more: Any) -> BookSettings:
        at = self.sandbox.addresses()
        account, tax = FEE_SETUP[self.ledger]
        return BookSettings.model_validate(
            {
                "name": name,
                "ledger": self.ledger,
                "policy": "standard",
                "customers": self.home.root / f"{name}.toml",
                "fee_account": account,
                "fee_tax": tax,
                "client_id": self.sandbox.client_id,
                "client_secret": self.sandbox.client_secret,
                "api_url": at.api_url,
                "authorize_url": at.authorize_url,
                "token_url": at.token_url,
                "connections_url": at.connections_url or None,
                **more,
            }
        )

    def agree(self, address: str, redirect_uri: str) -> str:
        """What a person does in the browser."""
        self.asked.append(parse_qs(urlsplit(address).query))
        with httpx.Client(transport=self.sandbox.transport()) as browser:
            answer = browser.get(address, follow_redirects=False)
        assert answer.headers["Location"].startswith(redirect_uri)
        return str(answer.headers["Location"])

    def connect(
        self,
        book: BookSettings | None = None,
        *,
        ask: Callable[[str, str], str] | None = None,
        **more: Any,
    ) -> Connected:
        return connect(
            self.store,
            book or self.book(),
            self.home,
            self.clock,
            ask=ask or self.agree,
            actor="test",
            inner=Answered(Consents(self.sandbox, self.more), self.answering),
            **more,
        )

    def has_tokens(self, company_id: str) -> bool:
        vault = vault_of(self.store, self.home, self.clock, self.ledger, company_id)
        return vault.load() is not None


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture
def at_quickbooks(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path, "quickbooks")
    yield opened
    opened.store.close()


def test_xero_gets_a_pkce_challenge_and_quickbooks_none(office: Office, tmp_path: Path) -> None:
    office.connect()
    (asked,) = office.asked
    assert asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43
    other = Office(tmp_path / "other", "quickbooks")
    other.connect()
    other.store.close()
    assert "code_challenge" not in other.asked[0]


def test_a_custom_connection_asks_nobody(office: Office) -> None:
    def nobody(address: str, redirect_uri: str) -> str:
        raise AssertionError("a browser was wanted")

    done = office.connect(office.book(grant="client_credentials"), ask=nobody)
    assert done.row.company_id == office.sandbox.company_id
    assert office.has_tokens(office.sandbox.company_id)


def test_what_is_kept_for_writes_is_for_connecting_too(office: Office) -> None:
    """A third of the day is kept for writes; a person who connects is not sent away for it."""

    def nearly_used_up(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if "X-DayLimit-Remaining" in answer.headers:
            answer.headers["X-DayLimit-Remaining"] = "75"
        return answer

    office.answering = nearly_used_up
    office.connect()
    assert office.connect().is_new is False


def test_a_consent_whose_first_look_failed_is_not_asked_for_again(office: Office) -> None:
    def nobody(address: str, redirect_uri: str) -> str:
        raise AssertionError("a browser was wanted")

    office.sandbox.faults.order(FaultOrder(name="day-limit", count=1))
    company = office.sandbox.company_id
    with pytest.raises(SetupError, match="the consent is given and kept") as trouble:
        office.connect()
    assert f"--company {company}" in trouble.value.remedy
    office.clock.advance(timedelta(days=2))
    done = office.connect(ask=nobody, company=company)
    assert (done.is_new, done.row.company_id) == (True, company)
    with pytest.raises(AssertionError):
        office.connect(ask=nobody)  # connected now: who connects again wants a new consent


def test_a_kept_consent_that_ended_is_asked_for_anew(office: Office) -> None:
    office.sandbox.faults.order(FaultOrder(name="day-limit", count=1))
    with pytest.raises(SetupError):
        office.connect()
    office.clock.advance(timedelta(days=90))
    assert office.connect(company=office.sandbox.company_id).is_new
    assert len(office.asked) == 2


def test_what_was_not_granted_is_told_at_once(office: Office) -> None:
    def without_payments(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("/token"):
            return answer
        said = answer.json()
        said["scope"] = said["scope"].replace("accounting.payments.read", "")
        return httpx.Response(200, json=said, request=request)

    office.answering = without_payments
    (finding,) = office.connect().permissions
    assert finding.level == "error" and "accounting.payments.read" in finding.text
    office.answering = lambda request, answer: answer
    assert [found.level for found in office.connect().permissions] == ["ok"]


def test_without_the_settings_connecting_names_what_it_lacks(office: Office) -> None:
    def refused(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("/Organisation"):
            return answer
        said = {"Title": "Unauthorized", "Status": 401, "Detail": "AuthorizationUnsuccessful"}
        return httpx.Response(401, json=said, request=request)

    office.answering = refused
    with pytest.raises(NotPermittedError, match=r"/Organisation: .* accounting\.settings\.read"):
        office.connect()


def test_connecting_again_keeps_history(office: Office) -> None:
    first = office.connect()
    office.clock.advance(timedelta(days=40))
    again = office.connect()
    assert (first.is_new, again.is_new) == (True, False)
    assert again.row.id == first.row.id
    assert again.row.connected_on == first.row.connected_on
    with office.store.read() as conn:
        entries = audit.history(conn, events=["BookConnected"])
    assert len(entries) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "another"}, "state differs"),
        ({"error": "access_denied", "code": ""}, "access was not granted: access_denied"),
        ({"code": ""}, "no code"),
        ({"code": "used-or-invented"}, "code of this consent is not valid"),
    ],
)
def test_an_answer_that_is_none_connects_nothing(
    office: Office, change: Mapping[str, str], words: str
) -> None:
    def ask(address: str, redirect_uri: str) -> str:
        there = parse_qs(urlsplit(office.agree(address, redirect_uri)).query)
        query = {name: values[0] for name, values in there.items()} | change
        return f"{redirect_uri}?{urlencode({k: v for k, v in query.items() if v})}"

    with pytest.raises(AuthorizationError, match=words):
        office.connect(ask=ask)
    with office.store.read() as conn:
        assert books.all_books(conn) == []
    assert not office.has_tokens(office.sandbox.company_id)


def test_an_answer_that_took_too_long_is_refused(office: Office) -> None:
    def ask(address: str, redirect_uri: str) -> str:
        found = office.agree(address, redirect_uri)
        office.clock.advance(timedelta(minutes=16))
        return found

    with pytest.raises(AuthorizationError, match="too old"):
        office.connect(ask=ask)


def test_several_companies_are_listed_by_name(office: Office) -> None:
    office.more = [
        {"id": "c2", "tenantId": OTHER, "tenantName": "Oak Ltd", "tenantType": "ORGANISATION"},
        {"id": "c3", "tenantId": "practice", "tenantName": "Ash & Co", "tenantType": "PRACTICE"},
    ]
    with pytest.raises(UsageError, match="covers 2 companies") as caught:
        office.connect()
    assert caught.value.problems == (
        f"{office.sandbox.company_id} (Elm Street Ltd)",
        f"{OTHER} (Oak Ltd)",
    )
    assert "--company" in caught.value.remedy
    done = office.connect(company="elm street ltd")
    assert done.row.company_id == office.sandbox.company_id
    with pytest.raises(UsageError, match='called "Pine"'):
        office.connect(office.book("pine"), company="Pine")


def test_a_person_at_the_terminal_may_choose(office: Office) -> None:
    office.more = [{"id": "c2", "tenantId": OTHER, "tenantName": "Oak Ltd", "tenantType": ""}]
    done = office.connect(choose=lambda companies: min(companies, key=lambda it: companies[it]))
    assert done.row.company_id == office.sandbox.company_id


def test_a_book_never_becomes_another_company(office: Office) -> None:
    office.more = [{"id": "c2", "tenantId": OTHER, "tenantName": "Oak Ltd", "tenantType": ""}]
    office.connect(company="Elm Street Ltd")
    with pytest.raises(SetupError, match="is the company") as caught:
        office.connect(company="Oak Ltd")
    assert "section of its own" in caught.value.remedy
    # Named by hand, a company that the consent does not cover.
    with pytest.raises(SetupError, match="the consent is for"):
        office.connect(office.book("fir", company_id="another"))


def test_quickbooks_names_the_company_itself(at_quickbooks: Office) -> None:
    done = at_quickbooks.connect()
    assert done.row.company_id == at_quickbooks.sandbox.company_id
    with pytest.raises(SetupError, match="the consent is for"):
        at_quickbooks.connect(at_quickbooks.book("fir", company_id="99"))


# the loopback address ----------------------------------------------------------------------------


class Callback:
    """Somebody waits on the loopback address; the browser is this test."""

    def __init__(self, state: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{port}/callback"
        self.arrived: list[str] = []
        self._thread = threading.Thread(
            target=lambda: self.arrived.append(wait_on_loopback(self.uri, state=state))
        )
        self._thread.start()

    def visit(self, path: str, **headers: str) -> httpx.Response:
        url = self.uri.removesuffix("/callback") + path
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=30) as browser:
            return browser.get(url, headers=headers)

    def ended(self) -> list[str]:
        self._thread.join(timeout=60)
        return self.arrived


def test_only_the_answer_of_this_attempt_counts_and_only_once() -> None:
    callback = Callback("right-state")
    for path, status in (
        ("/", 404),
        ("/favicon.ico", 404),
        ("/callback", 400),
        ("/callback?code=stolen-code&state=wrong", 400),
        ("/callback?error=access_denied", 400),
        ("/callback?state=right-state", 400),
    ):
        assert callback.visit(path).status_code == status, path
    ahead = callback.visit(
        "/callback?code=first-code&state=right-state", **{"Sec-Purpose": "prefetch;prerender"}
    )
    assert ahead.status_code == 503
    assert callback.arrived == []
    page = callback.visit("/callback?code=first-code&state=right-state")
    assert "close this window" in page.text and "first-code" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert callback.ended() == ["/callback?code=first-code&state=right-state"]


def test_a_person_who_declines_is_told_so_in_the_browser_too() -> None:
    callback = Callback("right-state")
    page = callback.visit("/callback?error=access_denied&state=right-state")
    assert "not granted" in page.text
    assert callback.ended() == ["/callback?error=access_denied&state=right-state"]


def test_nobody_coming_and_a_foreign_address_are_explained() -> None:
    with pytest.raises(SetupError, match="nobody came back"):
        wait_on_loopback("http://127.0.0.1:0/callback", state="s", seconds=0)
    with pytest.raises(SetupError, match="not on this machine"):
        wait_on_loopback("https://books.example/callback", state="s")
    assert expected_state("https://id.example/authorize?x=1&state=abc") == "abc"


# what the check leaves behind --------------------------------------------------------------------


def test_fees_wait_until_their_account_and_tax_were_seen() -> None:
    company = Company(id="elm", ledger="xero", base_currency="GBP")
    wrong = Finding(level="error", subject="fee account", text="no such account")
    good = company_of(CompanyCheck(company=company), "270", "NONE")
    bad = company_of(CompanyCheck(company=company, findings=[wrong]), "270", "NONE")
    assert can_charge(company, "270", "NONE")  # nobody has looked yet
    assert can_charge(good, "270", "NONE")
    assert not can_charge(good, "271", "NONE")  # changed since: to be looked at again
    assert not can_charge(bad, "270", "NONE")
    assert not can_charge(good, "", "NONE")


def test_connecting_sees_the_fee_set_up(office: Office) -> None:
    account, tax = FEE_SETUP["xero"]
    assert office.connect().row.company.fee_setup_seen == (account, tax)
    wrong = office.connect(office.book(fee_account="no-such-account")).row.company
    assert wrong.fee_setup_seen == ("", "")
