"""From whatever went wrong to one kind message and the exit code."""

import errno
import shlex
import sys

from ar_bridge.cli.invocation import Invocation
from ar_bridge.errors import ArBridgeError, LedgerError, SetupError


def report(error: Exception, call: Invocation) -> int:
    """Say what went wrong on standard error and return the exit code."""
    if call.is_debug:
        import traceback

        _say("".join(traceback.format_exception(error)).rstrip())
    known = known_failure(error, book=call.book_name)
    if known is not None:
        _say(f"ar-bridge: {known}")
        return known.exit_code
    _say(
        f"ar-bridge: something unexpected happened: {type(error).__name__}: {error}\n"
        f"  -> {_kept(error, call)}"
    )
    return ArBridgeError.exit_code


def _say(text: str) -> None:
    """On standard error, without the secrets that this process holds."""
    from connectors.redaction import without_known_secrets

    print(without_known_secrets(text), file=sys.stderr)


def _kept(error: Exception, call: Invocation) -> str:
    """Write the traceback to the log and say where that is."""
    import structlog

    try:
        call.start_log()
        structlog.get_logger("ar_bridge").error("unexpected error", exc_info=error)
    except (ArBridgeError, OSError):
        return "run it again with `ar-bridge --debug ...` to see where it came from"
    return f"the details are in {call.home.log}"


def known_failure(error: BaseException, *, book: str = "BOOK") -> ArBridgeError | None:
    """The error as a person should read it; None for one that nobody foresaw."""
    if isinstance(error, ArBridgeError):
        return error
    return _of_ledger(error, book) or _of_policy(error) or _of_database(error) or _of_files(error)


def _of_ledger(error: BaseException, book: str) -> ArBridgeError | None:
    from connectors.errors import (
        AuthorizationError,
        ConnectorError,
        NotPermittedError,
        OutcomeUnknownError,
        RefusedError,
        SubscriptionEndedError,
        TransientError,
    )

    if isinstance(error, SubscriptionEndedError):
        return LedgerError(str(error), remedy="renew the subscription, then run this again")
    if isinstance(error, NotPermittedError):
        return LedgerError(
            str(error),
            remedy=f"grant {error.permission} to the app at the vendor, then: "
            f"ar-bridge connect {shlex.quote(book)}",
        )
    if isinstance(error, AuthorizationError):
        return LedgerError(str(error), remedy=f"ar-bridge connect {shlex.quote(book)}")
    if isinstance(error, RefusedError):
        problems = error.problems if len(error.problems) > 1 else ()
        return LedgerError(
            str(error), problems=problems, remedy="mend it in the ledger, then run again"
        )
    if isinstance(error, TransientError):
        return ArBridgeError(str(error), remedy="nothing is lost: run the same command again later")
    if isinstance(error, OutcomeUnknownError):
        return ArBridgeError(
            str(error), remedy="run again: ar-bridge looks for it before it writes anything"
        )
    if isinstance(error, ConnectorError):
        return LedgerError(str(error), remedy="run again; `ar-bridge doctor` checks the connection")
    return None


def _of_policy(error: BaseException) -> ArBridgeError | None:
    # Only a command that read a policy can have failed on one.
    loader = sys.modules.get("rules.policy.load")
    if loader is None or not isinstance(error, loader.PolicyError):
        return None
    problems = [str(problem) for problem in error.problems]
    return SetupError(
        "The policy is wrong.",
        problems=problems,
        remedy="mend the file, then: ar-bridge policy check FILE",
    )


def _of_database(error: BaseException) -> ArBridgeError | None:
    # The store has said so already, but for what is opened beside it, as a backup is.
    loaded = sys.modules.get("ar_bridge.store.engine")
    if loaded is None or not loaded.is_of_the_machine(error):
        return None
    told: ArBridgeError = loaded.trouble("of ar-bridge", error)
    return told


def _of_files(error: BaseException) -> ArBridgeError | None:
    if not isinstance(error, OSError) or not error.filename:
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SetupError(
            f"The disk is full: {error.filename} cannot be written.",
            remedy="make room, then run the same command again",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SetupError(
            f"{error.filename} cannot be read or written: {error.strerror}.",
            remedy="check who owns it, and that this user may read and write it",
        )
    return None
