"""Refusals in both spellings, and what each tells the caller to do."""

from datetime import UTC, datetime

import httpx
import pytest

from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    RefusedError,
    StaleError,
    TransientError,
)
from connectors.quickbooks.faults import DIALECT, error_of, faults
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
        ("6190", 400, AuthorizationError),
        ("610", 400, StaleError),
        ("5010", 400, StaleError),
        ("10000", 400, TransientError),
        ("500", 400, RefusedError),
        ("2010", 400, RefusedError),
        ("2500", 400, RefusedError),
        ("6000", 400, RefusedError),
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
