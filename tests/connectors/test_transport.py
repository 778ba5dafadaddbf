"""The one HTTP client: what it repeats, what it never repeats, and how it waits."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.address import InsecureAddressError, is_loopback
from connectors.budget import RateBudget, Window
from connectors.errors import (
    AuthorizationError,
    NotPermittedError,
    OutcomeUnknownError,
    RateLimitedError,
    TransientError,
)
from connectors.transport import Dialect, Transport, retry_after

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Wire = Callable[[httpx.Request], httpx.Response]


def a_transport(wire: Wire, clock: VirtualClock, **options: object) -> Transport:
    options.setdefault("budget", RateBudget(clock, [], concurrent=5))
    return Transport(
        "https://books.example/v3",
        clock=clock,
        inner=httpx.MockTransport(wire),
        **options,
    )


class Script:
    """Answers in turn; the last one for ever. Exceptions are raised."""

    def __init__(self, *turns: httpx.Response | Exception) -> None:
        self.turns = list(turns)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, Exception):
            raise turn
        return httpx.Response(turn.status_code, headers=turn.headers, content=turn.content)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


def test_a_query_in_the_path_survives_further_parameters(clock: VirtualClock) -> None:
    script = Script(httpx.Response(200))
    a_transport(script, clock).request(
        "POST", "/invoice/9/send?sendTo=a%40b.example", params={"minorversion": "75"}
    )
    assert dict(script.requests[0].url.params) == {"sendTo": "a@b.example", "minorversion": "75"}
    assert script.requests[0].url.path == "/v3/invoice/9/send"


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        httpx.Response(500),
        httpx.Response(503, content=b"<html>busy</html>"),
        httpx.Response(429),
        httpx.Response(408),
    ],
)
def test_a_read_is_repeated(clock: VirtualClock, trouble: httpx.Response | Exception) -> None:
    script = Script(trouble, httpx.Response(200, content=b"ok"))
    transport = a_transport(script, clock)
    assert transport.request("GET", "invoices").content == b"ok"
    assert transport.calls.read == 2 and transport.calls.write == 0


def test_a_read_that_stays_down_is_transient(clock: VirtualClock) -> None:
    script = Script(httpx.Response(503))
    with pytest.raises(TransientError) as caught:
        a_transport(script, clock).request("GET", "invoices")
    assert type(caught.value) is TransientError
    assert len(script.requests) == 5


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("slow"), httpx.Response(502)])
def test_a_lost_write_is_repeated_only_if_nothing_of_it_is_found(
    clock: VirtualClock, trouble: httpx.Response | Exception
) -> None:
    script = Script(trouble, httpx.Response(408), trouble, httpx.Response(200))
    transport = a_transport(script, clock)
    answers = iter([True, True, False])
    with pytest.raises(OutcomeUnknownError, match="some of it was done"):
        transport.request("POST", "invoice", vendor_key="k", before_repeat=lambda: next(answers))
    assert len(script.requests) == 3 and not list(answers)


def test_what_was_not_done_for_sure_is_not_looked_for(clock: VirtualClock) -> None:
    script = Script(httpx.ConnectError("refused"), httpx.Response(429), httpx.Response(200))
    transport = a_transport(script, clock)
    looked: list[bool] = []
    answer = transport.request(
        "POST", "invoice", vendor_key="k", before_repeat=lambda: bool(looked.append(True))
    )
    assert answer.status == 200 and not looked


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("slow"), httpx.Response(502)])
def test_a_write_without_key_is_never_repeated_blind(
    clock: VirtualClock, trouble: httpx.Response | Exception
) -> None:
    script = Script(trouble, httpx.Response(200))
    with pytest.raises(OutcomeUnknownError):
        a_transport(script, clock).request("PUT", "invoices", content=b"{}")
    assert len(script.requests) == 1


def test_a_write_that_never_left_is_repeated(clock: VirtualClock) -> None:
    script = Script(httpx.ConnectError("refused"), httpx.Response(429), httpx.Response(200))
    assert a_transport(script, clock).request("PUT", "invoices", content=b"{}").status == 200


def test_a_keyed_write_repeats_the_same_bytes_for_three_minutes(clock: VirtualClock) -> None:
    sent_at: list[float] = []

    def wire(request: httpx.Request) -> httpx.Response:
        sent_at.append(clock.monotonic())
        assert request.content == b'{"a":1}' and request.url.params["requestid"] == "k"
        raise httpx.ReadTimeout("slow")

    with pytest.raises(OutcomeUnknownError):
        a_transport(wire, clock).request(
            "POST", "invoice", params={"requestid": "k"}, content=b'{"a":1}', vendor_key="k"
        )
    assert len(sent_at) > 4
    assert sent_at[-1] < 180


def test_a_lost_write_stays_unknown_even_if_the_host_is_down_afterwards(
    clock: VirtualClock,
) -> None:
    script = Script(httpx.ReadTimeout("slow"), httpx.ConnectError("refused"))
    with pytest.raises(OutcomeUnknownError):
        a_transport(script, clock).request("POST", "invoice", content=b"{}", vendor_key="k")


def test_a_read_in_a_writing_verb_is_repeated_and_counted_as_a_read(clock: VirtualClock) -> None:
    script = Script(httpx.ReadTimeout("slow"), httpx.Response(200))
    transport = a_transport(script, clock)
    assert transport.request("POST", "query", content=b"select", idempotent=True).status == 200
    assert transport.calls.read == 2 and transport.calls.write == 0


def test_refusals_are_answers(clock: VirtualClock) -> None:
    script = Script(httpx.Response(400, content=b"no", headers={"intuit_tid": "t-1"}))
    transport = a_transport(script, clock, dialect=Dialect(request_id_header="intuit_tid"))
    answer = transport.request("POST", "invoice", content=b"{}")
    assert (answer.status, answer.request_id) == (400, "t-1")


def test_a_long_pause_is_reported_not_slept_through(clock: VirtualClock) -> None:
    script = Script(httpx.Response(429, headers={"Retry-After": "66975"}))
    transport = a_transport(script, clock)
    with pytest.raises(RateLimitedError):
        transport.request("GET", "invoices")
    with pytest.raises(RateLimitedError) as caught:
        transport.request("GET", "contacts")
    assert caught.value.until == START + timedelta(seconds=66975)
    assert len(script.requests) == 1 and clock.now() == START


def test_one_429_pauses_every_caller(clock: VirtualClock) -> None:
    seen: list[float] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(clock.monotonic())
        return httpx.Response(429 if len(seen) == 1 else 200, headers={"Retry-After": "30"})

    budget = RateBudget(clock, [])
    first = a_transport(wire, clock, budget=budget)
    first.request("GET", "a")
    assert seen[1] >= 30
    assert first.calls.throttled == 1


class Tokens:
    def __init__(self) -> None:
        self.number = 1

    def header(self) -> str:
        return f"Bearer t{self.number}"

    def renew(self, rejected: str) -> None:
        assert rejected == self.header()
        self.number += 1


def test_a_401_renews_once_and_then_asks_for_a_person(clock: VirtualClock) -> None:
    script = Script(httpx.Response(401), httpx.Response(200), httpx.Response(401))
    transport = a_transport(script, clock, auth=Tokens())
    assert transport.request("POST", "invoice", content=b"{}").status == 200
    assert script.requests[1].headers["Authorization"] == "Bearer t2"
    with pytest.raises(AuthorizationError, match="connect the book again"):
        transport.request("GET", "invoices")


@pytest.mark.parametrize("status", [401, 403])
def test_a_permission_that_lacks_is_named_with_its_endpoint(
    clock: VirtualClock, status: int
) -> None:
    dialect = Dialect(name="Books", lacking=lambda answer, path: f"to read {path[-8:]}")
    script = Script(httpx.Response(401), httpx.Response(status))
    transport = a_transport(script, clock, auth=Tokens(), dialect=dialect)
    with pytest.raises(NotPermittedError, match=r"GET .*/invoices.* to read invoices") as refusal:
        transport.request("GET", "invoices")
    assert refusal.value.permission == "to read invoices"


@pytest.mark.parametrize(
    "address", ["http://books.example/v3", "http://10.0.0.7/", "ftp://127.0.0.1/", "books.example"]
)
def test_plain_http_leaves_this_machine_never(clock: VirtualClock, address: str) -> None:
    with pytest.raises(InsecureAddressError):
        Transport(address, clock=clock, budget=RateBudget(clock, []))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:1", "http://localhost"]
)
def test_loopback_may_be_plain(address: str) -> None:
    assert is_loopback(address)


def test_a_token_goes_to_no_other_host(clock: VirtualClock) -> None:
    transport = a_transport(Script(httpx.Response(200)), clock, auth=Tokens())
    with pytest.raises(ValueError, match="does not belong"):
        transport.request("GET", "https://elsewhere.example/v3/invoices")


def test_the_log_holds_no_secret(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="connectors.transport")
    transport = a_transport(Script(httpx.Response(200)), clock, auth=Tokens())
    transport.request("POST", "send?sendTo=a%40b.example", content=b'{"secret":1}')
    assert "/v3/send" in caplog.text
    for secret in ("Bearer", "t1", "sendTo", "b.example", "secret"):
        assert secret not in caplog.text.replace("books.example", "")


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({"Retry-After": "7"}, START) == 7
    assert retry_after({"Retry-After": "Mon, 02 Mar 2026 09:01:00 GMT"}, START) == 60
    assert retry_after({"Retry-After": "soon"}, START) is None
    assert retry_after({}, START) is None


def most_in_any(times: list[float], seconds: float) -> int:
    return max(sum(1 for t in times if start <= t < start + seconds) for start in times)


def test_windows_hold_from_many_threads(clock: VirtualClock) -> None:
    times: list[float] = []
    running = 0
    highest = 0
    lock = threading.Lock()

    def wire(request: httpx.Request) -> httpx.Response:
        nonlocal running, highest
        with lock:
            running += 1
            highest = max(highest, running)
            times.append(clock.monotonic())
        clock.sleep(0.2)
        with lock:
            running -= 1
        return httpx.Response(200)

    budget = RateBudget(
        clock,
        [Window(name="second", calls=8, seconds=1), Window(name="minute", calls=60, seconds=60)],
        concurrent=5,
    )
    transport = a_transport(wire, clock, budget=budget)
    threads = [
        threading.Thread(target=lambda: [transport.request("GET", "x") for _ in range(15)])
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(times) == 150
    assert highest <= 5
    assert most_in_any(times, 60) <= 60 and most_in_any(times, 1) <= 8


def test_what_the_vendor_says_is_left_counts(clock: VirtualClock) -> None:
    times: list[float] = []

    def wire(request: httpx.Request) -> httpx.Response:
        times.append(clock.monotonic())
        return httpx.Response(200, headers={"X-Left": str(max(0, 2 - len(times)))})

    budget = RateBudget(clock, [Window(name="minute", calls=60, seconds=60)])
    transport = a_transport(
        wire,
        clock,
        budget=budget,
        dialect=Dialect(remaining=lambda headers: {"minute": int(headers["X-Left"])}),
    )
    for _ in range(3):
        transport.request("GET", "x")
    assert times[1] == 0.0
    assert times[2] >= 60


def test_a_used_up_day_keeps_its_reserve_for_writes(clock: VirtualClock) -> None:
    day = Window(name="day", calls=5, seconds=86400, kept_for_writes=2, refuses=True)
    transport = a_transport(Script(httpx.Response(200)), clock, budget=RateBudget(clock, [day]))
    for _ in range(3):
        transport.request("GET", "x")
    with pytest.raises(RateLimitedError) as caught:
        transport.request("GET", "x")
    assert caught.value.until == START + timedelta(days=1)
    for _ in range(2):
        transport.request("POST", "x", content=b"{}")
    with pytest.raises(RateLimitedError):
        transport.request("POST", "x", content=b"{}")
    clock.advance(timedelta(days=1))
    assert transport.request("GET", "x").status == 200
