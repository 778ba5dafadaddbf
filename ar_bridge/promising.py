"""How far ahead a promise may lie, whoever takes it down: by command or on a call."""

from datetime import date

from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from rules.frame import Frame
from rules.model import Book


def takes_consent(desk: BookContext, due_on: date, *, consent: bool) -> bool:
    """Whether a promise is longer than the policy takes by itself, which a person agreed to.

    Raises UsageError where it is and nobody did.
    """
    today, policy = desk.today(), desk.policy
    frame = Frame(Book(company=desk.company, as_of=today), policy, today)
    longest = frame.calendar.shift(today, policy.commitments.max_promise)
    if due_on <= longest:
        return False
    if not consent:
        raise UsageError(
            f"{due_on} is more than {policy.commitments.max_promise} ahead, the longest promise "
            "that the policy takes.",
            remedy=f"agree on a day up to {longest}, or say --consent",
        )
    return True
