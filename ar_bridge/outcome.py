"""What becomes of an action or an effect, and when it is tried again."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

from ar_bridge.store.actions import ActionRow
from connectors.errors import RateLimitedError, TransientError

REPEAT_WITHIN = timedelta(minutes=3)
"""The vendors' idempotency keys are good for minutes, not days."""
FIND_APART = timedelta(seconds=60)
FINDS = 2
BACKOFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
MOST_FAILURES = 10
"""After so many failures of its own an action is parked: it waits for a person."""

Fault: TypeAlias = Literal["", "own", "ledger"]
"""Whose failure it was: nobody's, the action's, or perhaps that of the ledger as a whole."""


class Outcome(StrEnum):
    """What became of an action in this run."""

    DONE = "done"
    LATER = "later"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    PARKED = "parked"
    STALE = "stale"
    TAKEN = "taken"
    WAITS = "waits"
    """Not begun, or not gone on with: a limit, a halt, a ledger that does not answer."""


class Performed(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one action with what was written and what went wrong."""

    row: ActionRow
    outcome: Outcome
    written: tuple[str, ...] = ()
    """Names of the effects written in this run."""
    problem: str = ""
    is_ledger_refusal: bool = False
    """Refused by the accounting system, not by a mail server."""
    limited_until: datetime | None = None
    """The accounting system takes no call at all before then."""
    is_halted: bool = False
    """Nothing at all goes out of the book at present."""


class StopError(Exception):
    """An effect did not succeed: how the action ends for now."""

    def __init__(
        self,
        outcome: Outcome,
        problem: str,
        *,
        try_after: datetime | None = None,
        is_ledger_refusal: bool = False,
        limited_until: datetime | None = None,
        fault: Fault = "",
        asked: timedelta | None = None,
    ) -> None:
        super().__init__(problem)
        self.outcome = outcome
        self.problem = problem
        self.try_after = try_after
        self.is_ledger_refusal = is_ledger_refusal
        self.limited_until = limited_until
        self.fault = fault
        self.asked = asked
        """How long the ledger asked everybody to wait."""


def later(
    row: ActionRow, problem: TransientError, now: datetime, *, fault: Fault = "ledger"
) -> StopError:
    """Nothing was done: the same can be tried again."""
    is_limit = isinstance(problem, RateLimitedError)
    wait = (
        timedelta(seconds=problem.retry_after)
        if problem.retry_after is not None
        else backoff(row.failures)
    )
    return StopError(
        Outcome.LATER,
        str(problem),
        try_after=now + wait,
        limited_until=problem.until if isinstance(problem, RateLimitedError) else None,
        # A limit is kept by the budget that all callers share.
        fault="" if is_limit else fault,
        asked=wait if problem.retry_after is not None and not is_limit else None,
    )


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return BACKOFF[min(attempts, len(BACKOFF) - 1)]
