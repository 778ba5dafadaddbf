"""What went wrong with a job, as /healthz may say it: a closed list, nothing personal.

The error itself, which may quote a customer or a document, goes to the log only.
"""

import errno
from datetime import datetime
from typing import Final

import msgspec

from ar_bridge.errors import ArBridgeError, DatabaseError, SetupError
from connectors.errors import (
    AuthorizationError,
    ConnectorError,
    NotPermittedError,
    RateLimitedError,
    SubscriptionEndedError,
    TransientError,
)

SENTENCES: Final = {
    "subscription": "the subscription to the accounting system has ended",
    "permission": "the accounting system does not permit what is needed",
    "authorization": "the accounting system lets nobody in: the book has to be connected again",
    "limited": "the accounting system takes no more calls for now",
    "unreachable": "the accounting system cannot be reached or does not answer properly",
    "refused": "the accounting system refused",
    "mail": "the mail server takes nothing at present",
    "database": "the database cannot be used at present",
    "backup": "no backup could be made: the log says why",
    "disk": "the disk is full",
    "home": "a file of the home directory cannot be read or written",
    "setup": "the set-up of this book is wrong",
    "policy": "the policy is wrong",
    "worker": "the worker process ended before its time",
    "stuck": "it took too long and was ended",
    "unexpected": "something unexpected happened",
    "problems": "some actions could not be done",
}
"""Code -> sentence."""


class MailAwayError(Exception):
    """What was to be mailed is mailed later."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed."""

    code: str
    reason: str
    is_ledger: bool = False
    rests_until: datetime | None = None


def trouble_of(error: BaseException) -> Trouble:
    """The error by what has to be done about it."""
    code, is_ledger, until = _sorted(error)
    reason = SENTENCES[code]
    if isinstance(error, SetupError):
        # Set-up is told of as it stands: it names files and keys of the operator's own.
        reason = one_line(error.message, error.remedy)
    return Trouble(code=code, reason=reason, is_ledger=is_ledger, rests_until=until)


def one_line(message: str, remedy: str) -> str:
    """What is wrong and what to do about it, as a reason."""
    told = " ".join(message.split())
    return f"{told.rstrip('.')}: {remedy}" if remedy else told


def is_foreseen(error: BaseException) -> bool:
    """Whether its words say all that there is to say: no trace of calls helps anybody."""
    return _sorted(error)[0] != "unexpected"


def _sorted(error: BaseException) -> tuple[str, bool, datetime | None]:
    if isinstance(error, SubscriptionEndedError):
        return "subscription", True, None
    if isinstance(error, NotPermittedError):
        return "permission", False, None
    if isinstance(error, AuthorizationError):
        return "authorization", True, None
    if isinstance(error, RateLimitedError):
        return "limited", True, error.until
    if isinstance(error, TransientError):
        return "unreachable", True, None
    if isinstance(error, ConnectorError):
        return "refused", False, None
    if isinstance(error, MailAwayError):
        return "mail", False, None
    if isinstance(error, DatabaseError):
        return "database", False, None
    if isinstance(error, SetupError):
        return "setup", False, None
    if type(error).__name__ == "PolicyError":
        return "policy", False, None
    if type(error).__name__ == "BackupError":
        return "backup", False, None
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk", False, None
    if isinstance(error, PermissionError) or getattr(error, "errno", 0) == errno.EROFS:
        return "home", False, None
    if isinstance(error, ArBridgeError):
        return "setup", False, None
    return "unexpected", False, None
