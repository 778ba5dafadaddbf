"""Trouble with an accounting system, named by what the caller must do.

    ConnectorError
    |-- TransientError(retry_after)     try the same again later
    |   `-- RateLimitedError            wait; every caller of this book waits
    |-- AuthorizationError              a person has to reconnect
    |   |-- SubscriptionEndedError      no: a person has to renew the subscription
    |   `-- NotPermittedError           and before that grant what the connection lacks
    |-- RefusedError(problems)          never retry: closed period, void document, bad reference
    |-- StaleError                      read again, decide again
    |   `-- CursorTooOldError           what changed cannot be told: read everything
    |-- OutcomeUnknownError             look for it before writing again
    |   `-- HalfDoneError(retry_after)  write the same again, however old: it goes on
    `-- UnsupportedError(effect)        fall back, or skip with a reason

The class docstring is the default message; `str()` ends with the vendor's request id.
"""

from collections.abc import Sequence
from datetime import datetime

from connectors.redaction import without_known_secrets


class ConnectorError(Exception):
    """The accounting system did not do what was asked."""

    def __init__(self, message: str = "", *, request_id: str = "") -> None:
        # The vendor's words may repeat what we sent: an error is stored, logged and shown.
        self.message = without_known_secrets(
            message or (type(self).__doc__ or "").strip().splitlines()[0]
        )
        self.request_id = request_id
        super().__init__(self.message)

    def __str__(self) -> str:
        if self.request_id:
            return f"{self.message} (vendor request id {self.request_id})"
        return self.message


class TransientError(ConnectorError):
    """The accounting system could not be reached or was busy; the same can be tried again."""

    def __init__(
        self, message: str = "", *, retry_after: float | None = None, request_id: str = ""
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after
        """Seconds to wait, where the vendor said so."""


class RateLimitedError(TransientError):
    """The accounting system asked us to slow down."""

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        request_id: str = "",
        until: datetime | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after, request_id=request_id)
        self.until = until
        """When the limit ends, where a whole day is used up."""


class AuthorizationError(ConnectorError):
    """The accounting system no longer lets us in: connect the book again."""


class SubscriptionEndedError(AuthorizationError):
    """The subscription of the accounting system ended: renew it. The connection stays good."""


class NotPermittedError(AuthorizationError):
    """The connection is good, but lacks the permission that this takes."""

    def __init__(self, message: str = "", *, permission: str = "", request_id: str = "") -> None:
        super().__init__(message, request_id=request_id)
        self.permission = permission
        """The vendor's name of what is lacking."""


class RefusedError(ConnectorError):
    """The accounting system refused this for good."""

    def __init__(
        self,
        message: str = "",
        *,
        problems: Sequence[str] = (),
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message or "; ".join(problems), request_id=request_id)
        self.problems = tuple(map(without_known_secrets, problems)) or (self.message,)
        self.code = code
        """The vendor's own error code, for a support call."""


class StaleError(ConnectorError):
    """The record changed in the meantime: read it again and decide again."""


class CursorTooOldError(StaleError):
    """The accounting system cannot tell all that changed since the last reading: read it whole."""


class OutcomeUnknownError(ConnectorError):
    """The answer to a write was lost: it may or may not have been done."""


class HalfDoneError(OutcomeUnknownError):
    """The first of two writes is there, the second is not."""

    def __init__(
        self, message: str = "", *, retry_after: float | None = None, request_id: str = ""
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after
        """Seconds to wait before the second is tried again, where the vendor said so."""


class UnsupportedError(ConnectorError):
    """This accounting system cannot do that."""

    def __init__(self, effect: str, message: str = "") -> None:
        super().__init__(message or f"this accounting system has no way to {effect}")
        self.effect = effect
