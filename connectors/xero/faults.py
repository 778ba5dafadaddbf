"""Xero's refusals as our errors, and Xero's own ways on the wire.

200 with HasErrors, StatusAttributeString ERROR or ValidationErrors in an element
                                   RefusedError: a 200 alone proves nothing
400 ValidationException            RefusedError with the message of every element
403                                AuthorizationError: scope or organisation not granted
404                                RefusedError: it is not there
409, 412                           StaleError
401, 408, 429, 5xx                 the transport's business, and with it what a permission lacks
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from connectors.budget import Remaining, Window
from connectors.errors import AuthorizationError, ConnectorError, RefusedError, StaleError
from connectors.transport import Answer, Dialect, Throttle, retry_after
from connectors.xero import wire
from connectors.xero.permissions import permission_for

_REMAINING: Final = {
    "X-MinLimit-Remaining": "minute",
    "X-DayLimit-Remaining": "day",
    "X-AppMinLimit-Remaining": "app minute",
}
_ANY_DAY: Final = 5000
_FREE_DAY: Final = 1000
"""Calls a day of an organisation: the free Starter tier has the smaller allowance."""
_REMEDIES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        re.compile(r"limit of invoices you can approve", re.I),
        "the Xero plan's monthly number of approved invoices is used up: "
        "use the mode draft, or a larger plan",
    ),
    (
        re.compile(r"lock date", re.I),
        "the period is locked in Xero: the fee is dated after the lock date on the next run",
    ),
    (
        re.compile(r"account code .* not", re.I),
        "set fee_account of the book to a code of the chart of accounts",
    ),
    (
        re.compile(r"\bcontact\b.* archived", re.I),
        "the contact was archived or merged into another one: the next run goes by the contact "
        "that is left; an archived one can be restored in Xero",
    ),
    (re.compile(r"tax ?type", re.I), "set fee_tax of the book to a tax type of the organisation"),
)


def calls_a_day(left: int) -> int:
    """The allowance that what is left belongs to, as far as it can be told."""
    return _ANY_DAY if left > _FREE_DAY else _FREE_DAY


def windows(calls_per_day: int = _ANY_DAY) -> tuple[Window, ...]:
    """Xero's allowance per organisation: 60 calls a minute and 5,000 a day (1,000 on the free
    Starter tier, which the answers' headers tell); 10,000 a minute for the application.

    A third of the day is kept for writes and the reads that serve them: what is left is twice
    what polling every quarter of an hour takes on the Starter tier, so a poll never fails for
    it, and a full read that went wrong cannot keep the approved work from being done."""
    return (
        Window(name="minute", calls=60, seconds=60.0),
        Window(
            name="day",
            calls=calls_per_day,
            seconds=86_400.0,
            kept_share=1 / 3,
            sizes=(1000, 5000),
            refuses=True,
        ),
        Window(name="app minute", calls=10_000, seconds=60.0),
    )


CONCURRENT: Final = 5
"""Calls that one organisation may have running at once."""


def throttle(answer: Answer, now: datetime) -> Throttle | None:
    """How long to wait after a 429, by the limit that was hit."""
    if answer.status != 429:
        return None
    problem = answer.headers.get("X-Rate-Limit-Problem", "").lower()
    asked = retry_after(answer.headers, now)
    if asked is None:
        asked = {"concurrent": 1.0, "day": 3600.0}.get(problem, 60.0)
    return Throttle(asked, problem)


def remaining(headers: Mapping[str, str]) -> Remaining:
    """Calls left, as every answer of Xero's says."""
    return {
        window: int(headers[name])
        for name, window in _REMAINING.items()
        if headers.get(name, "").isdigit()
    }


def calls_left_today(answer: Answer | None) -> int | None:
    """What an answer says is left of the day's calls; None where it does not say."""
    return remaining(answer.headers).get("day") if answer is not None else None


def explain(answer: Answer) -> str:
    """Xero's own words in an error answer: every validation message, or title and detail."""
    return "; ".join(_messages(answer.content))


def lacking(answer: Answer, path: str) -> str:
    """The permission that the endpoint takes, where Xero says that it is this one that the token
    lacks (`AuthorizationUnsuccessful`) and not that the token is none."""
    said = f"{explain(answer)} {answer.headers.get('WWW-Authenticate', '')}".casefold()
    if "authorizationunsuccessful" in said or "insufficient_scope" in said:
        return permission_for(path)
    return ""


DIALECT: Final = Dialect(
    name="Xero",
    request_id_header="Xero-Correlation-Id",
    throttle=throttle,
    remaining=remaining,
    explain=explain,
    lacking=lacking,
)


def check_answer(answer: Answer, what: str) -> Answer:
    """The answer, if it is a success. Raises the error that says what to do; `what` is what
    was asked for, in a person's words."""
    if answer.is_success:
        return answer
    raise _error(answer, what)


def check_written(answer: Answer, elements: Sequence[wire.Written], what: str) -> None:
    """Look at each element of the answer to a write. Raises RefusedError with all problems."""
    problems: list[str] = []
    for element in elements:
        said = _texts(element.validation_errors)
        is_error = (
            element.has_errors
            or element.has_validation_errors
            or element.status_attribute == "ERROR"
        )
        if said or is_error:
            problems.extend(said or ["Xero marked it as an error without saying why"])
    if problems:
        raise RefusedError(
            problems=[f"{what}: {_with_remedy(problem)}" for problem in problems],
            code="ValidationException",
            request_id=answer.request_id,
        )


def _error(answer: Answer, what: str) -> ConnectorError:
    said = _messages(answer.content)
    if answer.status == 403:
        return AuthorizationError(
            f"{what}: Xero does not allow it ({'; '.join(said) or 'no reason given'}); connect "
            "the book again with the permissions that ar-bridge asks for",
            request_id=answer.request_id,
        )
    if answer.status in (409, 412):
        return StaleError(
            f"{what}: it changed in Xero in the meantime", request_id=answer.request_id
        )
    if answer.status == 404:
        problems = [f"{what}: Xero has no such record" + (f" ({said[0]})" if said else "")]
    else:
        problems = [f"{what}: {_with_remedy(words)}" for words in said] or [
            f"{what}: Xero answered {answer.status}"
        ]
    return RefusedError(
        problems=problems, code=_code(answer) or str(answer.status), request_id=answer.request_id
    )


def _with_remedy(words: str) -> str:
    for pattern, remedy in _REMEDIES:
        if pattern.search(words):
            return f"{words} ({remedy})"
    return words


def _texts(messages: Iterable[wire.XeroMessage] | None) -> list[str]:
    return [message.message for message in messages or () if message.message]


def _decoded(content: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(content)
    except msgspec.MsgspecError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _messages(content: bytes) -> list[str]:
    body = _decoded(content)
    found: list[str] = []
    elements = body.get("Elements")
    for element in elements if isinstance(elements, list) else ():
        errors = element.get("ValidationErrors") if isinstance(element, dict) else None
        for error in errors if isinstance(errors, list) else ():
            if isinstance(error, dict) and error.get("Message"):
                found.append(str(error["Message"]))
    if found:
        return list(dict.fromkeys(found))
    said = [str(body[name]) for name in ("Title", "Detail", "Message") if body.get(name)]
    return [": ".join(said)] if said else []


def _code(answer: Answer) -> str:
    body = _decoded(answer.content)
    kind, number = body.get("Type"), body.get("ErrorNumber")
    return " ".join(str(part) for part in (kind, number) if part)
