"""Xero's refusals become errors that say what to do, with every problem at once."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from connectors.errors import AuthorizationError, RefusedError, StaleError
from connectors.transport import Answer, Throttle
from connectors.xero import wire
from connectors.xero.faults import (
    check_answer,
    check_written,
    explain,
    remaining,
    throttle,
    windows,
)

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    return Answer(
        status=status,
        headers=httpx.Headers({name.replace("_", "-"): text for name, text in headers.items()}),
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
        request_id="corr-1",
    )


VALIDATION = {
    "ErrorNumber": 10,
    "Type": "ValidationException",
    "Message": "A validation exception occurred",
    "Elements": [
        {
            "InvoiceID": "0",
            "ValidationErrors": [
                {"Message": "Due Date cannot be empty"},
                {"Message": "Account code '9' is not a valid code"},
            ],
        },
        {"ValidationErrors": [{"Message": "Due Date cannot be empty"}]},
    ],
}


def test_a_validation_exception_names_every_problem_once() -> None:
    with pytest.raises(RefusedError) as refused:
        check_answer(answer(400, VALIDATION), "the late fee LF-1")
    error = refused.value
    assert len(error.problems) == 2
    assert error.problems[0] == "the late fee LF-1: Due Date cannot be empty"
    assert "fee_account" in error.problems[1]
    assert error.code == "ValidationException 10"
    assert str(error).endswith("(vendor request id corr-1)")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (403, AuthorizationError),
        (404, RefusedError),
        (405, RefusedError),
        (409, StaleError),
        (412, StaleError),
    ],
)
def test_statuses_become_what_the_caller_must_do(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised:
        check_answer(answer(status, b"<html>"), "the note")
    assert "the note" in str(raised.value)


def test_a_success_is_given_back() -> None:
    good = answer(204, b"")
    assert check_answer(good, "it") is good


@pytest.mark.parametrize(
    "element",
    [
        {"HasErrors": True, "ValidationErrors": [{"Message": "Invoice # must be unique."}]},
        {"StatusAttributeString": "ERROR", "ValidationErrors": []},
        {"HasValidationErrors": True},
        {"ValidationErrors": [{"Message": "no"}]},
    ],
)
def test_a_success_with_a_bad_element_is_a_refusal(element: dict[str, Any]) -> None:
    written = [wire.Written(invoice_id="1"), msgspec.convert(element, wire.Written)]
    with pytest.raises(RefusedError):
        check_written(answer(200), written, "the late fee")


def test_good_elements_pass() -> None:
    check_written(answer(200), [wire.Written(status_attribute="OK", has_errors=False)], "it")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X_Rate_Limit_Problem": "minute", "Retry_After": "21"}, 21.0),
        ({"X_Rate_Limit_Problem": "day", "Retry_After": "66975"}, 66975.0),
        ({"X_Rate_Limit_Problem": "day"}, 3600.0),
        ({"X_Rate_Limit_Problem": "concurrent"}, 1.0),
        ({}, 60.0),
    ],
)
def test_how_long_to_wait_after_a_429(headers: dict[str, str], seconds: float) -> None:
    limit = headers.get("X_Rate_Limit_Problem", "")
    assert throttle(answer(429, b"", **headers), NOW) == Throttle(seconds, limit)


def test_other_answers_throttle_nobody() -> None:
    assert throttle(answer(503, b"", Retry_After="5"), NOW) is None


def test_the_allowance_is_read_from_every_answer() -> None:
    headers = {"X-MinLimit-Remaining": "58", "X-DayLimit-Remaining": "901", "X-Other": "1"}
    assert remaining(headers) == {"minute": 58, "day": 901}
    assert remaining({"X-MinLimit-Remaining": "many"}) == {}
    assert {window.name for window in windows()} == {"minute", "day", "app minute"}


def test_xero_s_own_words() -> None:
    assert explain(answer(401, {"Title": "Unauthorized", "Detail": "TokenExpired"})) == (
        "Unauthorized: TokenExpired"
    )
    assert explain(answer(500, b"<html>")) == "" == explain(answer(500, [1]))


def test_a_starter_book_can_be_polled_every_quarter_of_an_hour() -> None:
    (day,) = [window for window in windows() if window.name == "day"]
    polls = 24 * 4 * 6
    assert polls < 1000 - 1000 * day.kept_share
    assert day.refuses
