"""Refusals in both spellings, and what each tells the caller to do."""

from datetime import UTC, datetime

import httpx
import pytest

from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    RateLimitedError,
    RefusedError,
    StaleError,
    SubscriptionEndedError,
    TransientError,
)
from connectors.quickbooks import wire
from connectors.quickbooks.answers import one, rows, rows_changed, uploaded
from connectors.quickbooks.faults import DIALECT, error_of, error_within, faults
from connectors.transport import Answer
from tests.connectors.quickbooks.canned import fault
from tests.shared_material import shared

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def as_answer(response: httpx.Response) -> Answer:
    return Answer(
        status=response.status_code,
        headers=response.headers,
        content=response.content,
        request_id=response.headers.get("intuit_tid", ""),
    )


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("120", 401, AuthorizationError),
        ("3100", 403, AuthorizationError),
        ("003100", 403, AuthorizationError),
        ("3200", 401, AuthorizationError),
        ("003200", 401, AuthorizationError),
        ("6190", 400, SubscriptionEndedError),
        ("610", 400, StaleError),
        ("5010", 400, StaleError),
        ("10000", 400, TransientError),
        ("500", 400, RefusedError),
        ("2010", 400, RefusedError),
        ("2020", 400, RefusedError),
        ("2050", 400, RefusedError),
        ("2170", 400, RefusedError),
        ("2210", 400, RefusedError),
        ("2500", 400, RefusedError),
        ("4000", 400, RefusedError),
        ("4001", 400, RefusedError),
        ("6000", 400, RefusedError),
        ("6070", 400, RefusedError),
        ("6540", 400, RefusedError),
        ("6140", 400, RefusedError),
        ("6210", 400, RefusedError),
        ("6240", 400, RefusedError),
        ("NO_NUMBER", 400, RefusedError),
        ("", 400, RefusedError),
    ],
)
def test_a_code_means_what_the_caller_must_do(
    code: str, status: int, kind: type[ConnectorError], lower: bool
) -> None:
    error = error_of(as_answer(fault(code, "No good", status=status, lower=lower)))
    assert type(error) is kind
    assert "No good, in detail" in str(error)
    assert str(error).endswith("(vendor request id tid-9)")


def test_a_refusal_keeps_code_problems_and_remedy() -> None:
    error = error_of(as_answer(fault("6210", "Account Period Closed")))
    assert isinstance(error, RefusedError)
    assert error.code == "6210" and "closed period" in error.problems[0]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Service Unavailable</html>",
        b"",
        b"[]",
        b'{"Fault":{"Error":[{"Message":"x"}]}}',
        b'{"Fault":{"Error":[{"Message":"x","code":7}]}}',
        b'{"Fault":{}}',
    ],
)
def test_whatever_the_body_it_is_one_of_our_errors(body: bytes) -> None:
    answer = Answer(status=400, headers=httpx.Headers(), content=body)
    assert isinstance(error_of(answer), RefusedError)


def test_a_fault_under_status_200_is_a_fault() -> None:
    assert isinstance(error_of(as_answer(fault("5010", "Stale", status=200))), StaleError)
    assert error_of(Answer(status=200, headers=httpx.Headers(), content=b"{}")) is None


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("code", ["3001", "003001"])
@pytest.mark.parametrize("status", [429, 400, 403, 503])
def test_throttling_is_known_by_code_or_status(code: str, status: int, lower: bool) -> None:
    answer = as_answer(fault(code, "ThrottleExceeded", status=status, lower=lower))
    throttle = DIALECT.throttle(answer, NOW)
    assert throttle is not None and throttle.seconds == 60


def test_throttling_takes_the_vendor_s_word_for_how_long() -> None:
    answer = Answer(status=429, headers=httpx.Headers({"Retry-After": "7"}), content=b"")
    throttle = DIALECT.throttle(answer, NOW)
    assert throttle is not None and throttle.seconds == 7
    assert DIALECT.throttle(as_answer(fault("6140", "Duplicate")), NOW) is None


def test_the_vendor_s_own_sample_of_a_fault() -> None:
    found = faults(shared("specs/quickbooks/samples/fault_shape.json").read_bytes())
    assert [(one.code, one.message) for one in found] == [("<code>", "<message>")]


CODES = (
    "120 3100 3200 500 610 2010 2020 2050 2170 2210 2500 4000 4001 5010 6000 6070 6140 6190 6210 "
    "6240 6540"
)


@pytest.mark.parametrize("code", CODES.split())
def test_every_known_code_says_what_to_do(code: str) -> None:
    plain = str(error_of(as_answer(fault("9999", "No good"))))
    words = str(error_of(as_answer(fault(code, "No good"))))
    remedy = words.removeprefix(plain.partition(" (vendor")[0]).partition(" (vendor")[0]
    assert remedy.startswith("; ") and len(remedy) > 20


@pytest.mark.parametrize("code", ["3001", "003001"])
def test_throttling_in_a_part_of_an_answer_says_how_long(code: str) -> None:
    error = error_within(as_answer(fault(code, "ThrottleExceeded", status=200)))
    assert isinstance(error, RateLimitedError) and error.retry_after == 60
    assert error_within(as_answer(httpx.Response(200, content=b'{"Invoice":{}}'))) is None


def test_an_answer_that_cannot_be_read_names_the_request() -> None:
    odd = as_answer(httpx.Response(200, content=b"<html>", headers={"intuit_tid": "tid-7"}))
    for read in (
        lambda: rows(odd, "Invoice"),
        lambda: one(odd, "Invoice", wire.WireInvoice),
        lambda: uploaded(odd),
        lambda: rows_changed(odd, ["Invoice"]),
    ):
        with pytest.raises(TransientError, match="tid-7"):
            read()
    empty = as_answer(httpx.Response(200, content=b"{}", headers={"intuit_tid": "tid-7"}))
    with pytest.raises(TransientError, match="tid-7"):
        rows(empty, "Invoice")
