"""The faults that the sandbox can be asked for."""

from typing import Final, Literal, TypeAlias

import msgspec

ValueKind: TypeAlias = Literal["count", "date", "seconds"]


class Fault(msgspec.Struct, frozen=True):
    """A fault that can be ordered. `value` says what stands after the equals sign."""

    name: str
    value: ValueKind
    sentence: str

    @property
    def usage(self) -> str:
        """The order as it is typed, such as `http-500=N`."""
        return f"{self.name}={_WORDS[self.value]}"


_WORDS: Final[dict[ValueKind, str]] = {"count": "N", "date": "DATE", "seconds": "SECONDS"}

FAULTS: Final = (
    # --- the way there and back
    Fault("drop-before-commit", "count", "N writes: the connection ends and nothing was written."),
    Fault("drop-after-commit", "count", "N writes are done, but the answer is lost."),
    Fault("half-answer", "count", "N reads: the connection ends in the middle of the answer."),
    Fault("half-answer-after-commit", "count", "N writes are done; half of the answer arrives."),
    Fault("http-500-after-commit", "count", "N writes are done, but the answer is an HTTP 500."),
    Fault("http-500", "count", "N requests are answered with an HTTP 500; nothing was done."),
    Fault("down", "count", "N requests get a gateway's HTTP 503 page in HTML."),
    Fault("gateway-html", "count", "N requests get a gateway's HTTP 502 page in HTML."),
    Fault("gateway-after-commit", "count", "N writes are done; a gateway answers 504 in HTML."),
    Fault("unreachable", "count", "N requests find nobody listening."),
    Fault("slow", "seconds", "Every answer takes this many seconds of the sandbox's clock."),
    # --- limits
    Fault("throttle-next", "count", "N requests get HTTP 429, in both spellings of the body."),
    Fault("throttle-other-status", "count", "N requests: ThrottleExceeded as 400, on Xero a 503."),
    Fault("throttle-concurrent", "count", "N requests: too many at once, with no time to wait."),
    Fault("throttle-app", "count", "N requests: the app as a whole is over its limit a minute."),
    Fault("day-limit", "count", "N requests: the limit of the day is reached."),
    Fault("plan-quota", "count", "N approvals exceed the invoices that the Xero plan allows."),
    # --- who may
    Fault("unauthorized", "count", "N requests are refused as if the access token had expired."),
    Fault("no-access", "count", "N requests: whoever connected has left (120 with HTTP 401, 403)."),
    Fault("wrong-company", "count", "N requests: no right to this company, HTTP 403."),
    Fault("subscription-ended", "count", "N requests: the subscription has ended (6190, 403)."),
    Fault("token-revoked", "count", "An admin disconnects the app; every token dies."),
    Fault("invalid-grant", "count", "N token refreshes are refused though the token is good."),
    Fault("refresh-dropped", "count", "N token refreshes: the connection ends, nothing is done."),
    Fault("refresh-answer-lost", "count", "N token refreshes are done, but the answer is lost."),
    Fault("token-http-500", "count", "N token refreshes are answered with an HTTP 500."),
    # --- rows and pages
    Fault("page-101", "count", "N full pages hold one row more than was asked for."),
    Fault("null-due-date", "count", "N invoices are served without a due date."),
    Fault("null-string", "count", "N invoices are served with null where text belongs."),
    Fault("unknown-enum", "count", "N invoices carry a status that the contract does not list."),
    Fault("missing-keys", "count", "N invoices lack every key that may be missing."),
    Fault("long-name", "count", "N customers have a name of 300 characters."),
    Fault("malformed-row", "count", "N invoices carry an amount and a date that nobody can read."),
    Fault("old-synctoken-in-list", "count", "N invoices have an older SyncToken in lists."),
    Fault("cdc-fault", "count", "N entities of a CDC answer are a Fault inside the 200."),
    Fault("watermark-ignored", "count", "N incremental answers hold everything there is."),
    # --- writes
    Fault("stale-synctoken", "count", "N updates find that somebody else was faster."),
    Fault("closed-period", "date", "The books are closed through DATE."),
    Fault("part-paid", "count", "N changes find that the customer has just paid a part."),
    Fault("merged-contact", "count", "N new documents find their customer merged into another."),
    Fault("duplicate-number", "count", "N new documents find their number taken by a person's."),
    Fault("duplicate-not-refused", "count", "N numbers that are taken are accepted all the same."),
    Fault("key-forgotten", "count", "N repeats under a known key are carried out again."),
    Fault("has-errors", "count", "N documents are refused inside a 200 (Xero), or in a batch."),
    # --- webhooks
    Fault("webhook-lost", "count", "N webhook deliveries never leave."),
    Fault("webhook-twice", "count", "N webhook deliveries are sent twice."),
    Fault("webhook-forged", "count", "N webhook deliveries carry a signature that is wrong."),
)
