"""What a refusal of QuickBooks Online means, in both spellings that it comes in.

    {"Fault": {"Error": [{"Message", "Detail", "code"}], "type"}}     the service
    {"fault": {"error": [{"message", "detail", "code"}], "type"}}     the gateway before it

Codes come as text, sometimes with leading zeros, sometimes not numeric at all. The HTTP status
alone does not tell: throttling has been seen under other statuses than 429.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    RateLimitedError,
    RefusedError,
    StaleError,
    SubscriptionEndedError,
    TransientError,
)
from connectors.transport import Answer, Dialect, Throttle, retry_after

DUPLICATE_NUMBER: Final = "6140"
NOT_FOUND: Final = "610"
QUERY_REFUSED: Final = frozenset({"4000", "4001"})

_THROTTLED: Final = "3001"
_PAUSE: Final = 60.0
"""Seconds that QuickBooks asks a throttled caller to wait."""

_CLASSES: Final[dict[str, type[ConnectorError]]] = {
    "120": AuthorizationError,  # the administrator who connected has left
    "3100": AuthorizationError,  # wrong company or scope
    "3200": AuthorizationError,  # token expired or withdrawn
    "6190": SubscriptionEndedError,
    NOT_FOUND: StaleError,  # deleted or made inactive since we read it
    "5010": StaleError,  # changed since we read it
    _THROTTLED: RateLimitedError,  # inside a batch: this one was not done
    "10000": TransientError,  # application error
}
"""Any other code is a refusal for good."""

_REMEDIES: Final[dict[str, str]] = {
    "120": "the user who connected no longer has access: an administrator connects the book again",
    "500": "QuickBooks does not offer this operation for this company",
    NOT_FOUND: "it was deleted or made inactive in the meantime",
    "2010": "QuickBooks does not know a field or value that was sent: please report it",
    "2020": "something that QuickBooks needs was not sent: please report it",
    "2050": "a text is longer than QuickBooks takes: shorten it",
    "2170": "QuickBooks does not know a value that was sent: please report it",
    "2210": "an e-mail address is not one that QuickBooks takes: correct it in the ledger",
    "2500": "a customer, item or tax code is inactive or gone: check fee_account and fee_tax",
    "3100": "the connection is for another company or lacks the accounting scope",
    "3200": "connect the book again",
    "4000": "QuickBooks does not understand a query: please report it",
    "4001": "QuickBooks does not take a condition of a query: please report it",
    "5010": "somebody changed it at the same time: it is read again and decided again",
    "6000": "a rule of the company's books does not allow it: see the words of QuickBooks",
    "6070": "the amounts do not add up: please report it",
    DUPLICATE_NUMBER: "another document has this number",
    "6190": "the QuickBooks subscription has ended: renew it in QuickBooks, then run again",
    "6210": "the date lies in a closed period: move the closing date or date it later",
    "6240": "another product, customer or account has this name",
    "6540": "it is part of a bank deposit: a person has to take it out of the deposit first",
}
"""What to do about a code, in the words of a bookkeeper."""


class FaultError(msgspec.Struct, frozen=True):
    """One complaint."""

    code: str
    message: str
    detail: str

    @property
    def sentence(self) -> str:
        words = self.message.rstrip(". ")
        if self.detail and self.detail != self.message:
            words = f"{words}: {self.detail}" if words else self.detail
        remedy = _REMEDIES.get(self.code, "")
        return "; ".join(part for part in (words or "no reason given", remedy) if part)


class _Error(msgspec.Struct):
    upper_message: str | None = msgspec.field(name="Message", default=None)
    message: str | None = None
    upper_detail: str | None = msgspec.field(name="Detail", default=None)
    detail: str | None = None
    code: str | int | None = None


class _Fault(msgspec.Struct):
    upper_errors: list[_Error] | None = msgspec.field(name="Error", default=None)
    errors: list[_Error] | None = msgspec.field(name="error", default=None)


class _Uploaded(msgspec.Struct):
    upper: _Fault | None = msgspec.field(name="Fault", default=None)


class _Body(msgspec.Struct):
    uploaded: list[_Uploaded] | None = msgspec.field(name="AttachableResponse", default=None)
    """Each file of an upload has its own answer, a fault perhaps, under the status 200."""
    upper: _Fault | None = msgspec.field(name="Fault", default=None)
    lower: _Fault | None = msgspec.field(name="fault", default=None)


_decoder: Final = msgspec.json.Decoder(_Body)


def faults(content: bytes) -> tuple[FaultError, ...]:
    """The complaints in an answer; none where it holds none or is no JSON."""
    try:
        body = _decoder.decode(content)
    except msgspec.DecodeError:
        return ()
    of_file = next((each.upper for each in body.uploaded or () if each.upper), None)
    fault = body.upper or body.lower or of_file
    if fault is None:
        return ()
    return tuple(
        FaultError(
            code=str(error.code if error.code is not None else "").strip().lstrip("0"),
            message=error.upper_message or error.message or "",
            detail=error.upper_detail or error.detail or "",
        )
        for error in fault.upper_errors or fault.errors or ()
    )


def error_of(answer: Answer) -> ConnectorError | None:
    """What the answer means to the caller; None for success. A fault under status 200 counts."""
    found = faults(answer.content) if not answer.is_success or _may_be_fault(answer) else ()
    if answer.is_success and not found:
        return None
    return judged(found, answer.status, answer.request_id)


def error_within(answer: Answer) -> ConnectorError | None:
    """What one part of an answer means that holds several, each with a fault of its own."""
    found = faults(answer.content)
    return judged(found, answer.status, answer.request_id) if found else None


def judged(found: Sequence[FaultError], status: int, request_id: str) -> ConnectorError:
    """Complaints and a status, as an error by what the caller must do."""
    kinds = [_CLASSES[fault.code] for fault in found if fault.code in _CLASSES]
    kind = kinds[0] if kinds else None
    problems = tuple(fault.sentence for fault in found)
    words = f"QuickBooks: {'; '.join(problems)}" if problems else ""
    if kind is None and status in (401, 403):
        kind = AuthorizationError
    if kind is RateLimitedError:
        return RateLimitedError(words, retry_after=_PAUSE, request_id=request_id)
    if kind is not None:
        return kind(words, request_id=request_id)
    return RefusedError(
        words or f"QuickBooks answered {status} without a reason",
        problems=problems,
        code=next((fault.code for fault in found if fault.code), str(status)),
        request_id=request_id,
    )


def _may_be_fault(answer: Answer) -> bool:
    # A page of a thousand invoices is not decoded twice to look for this.
    return b'"fault"' in answer.content[:200].lower()


def _throttle(answer: Answer, now: datetime) -> Throttle | None:
    if answer.is_success:
        return None
    if answer.status == 429 or any(f.code == _THROTTLED for f in faults(answer.content)):
        return Throttle(retry_after(answer.headers, now) or _PAUSE)
    return None


def _explain(answer: Answer) -> str:
    return "; ".join(fault.sentence for fault in faults(answer.content))


DIALECT: Final = Dialect(
    name="QuickBooks", request_id_header="intuit_tid", throttle=_throttle, explain=_explain
)
