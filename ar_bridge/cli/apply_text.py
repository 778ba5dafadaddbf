"""What an apply came to, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ar_bridge.cli import console
from ar_bridge.dispatcher import ApplyReport
from ar_bridge.errors import ArBridgeError, LedgerError

NOUNS: Final = {
    "notify": "notification",
    "send_invoice": "mailed invoice",
    "thanks": "thank-you",
    "notice": "mail to a colleague",
}
"""Kinds of action whose name is no noun."""

OUTCOMES: Final = {
    "later": "not done yet",
    "unknown": "may or may not have been done",
    "parked": "stopped half way",
    "taken": "left to another run",
}
"""What became of an action, in words."""

SHOWN: Final = 5
"""So many keys stand under one message; --json lists them all."""


def report_view(book: str, reports: Sequence[ApplyReport]) -> dict[str, Any]:
    """As JSON."""
    return {
        "schema": 1,
        "book": book,
        "applied": _sum(reports, "applied"),
        "written": _sum(reports, "written"),
        "withdrawn": [
            {"key": key, "reason": reason} for report in reports for key, reason in report.withdrawn
        ],
        "problems": [
            {"key": key, "outcome": outcome, "text": text}
            for report in reports
            for key, outcome, text in report.problems
        ],
        "waiting": reports[-1].waiting if reports else 0,
        "next_at": reports[-1].next_at.isoformat() if reports and reports[-1].next_at else None,
        "limited_until": next(
            (each.limited_until.isoformat() for each in reports if each.limited_until), None
        ),
    }


def print_report(reports: Sequence[ApplyReport]) -> None:
    """As text."""
    applied = _sum(reports, "applied")
    withdrawn = [(f"withdrawn, {why}", key) for report in reports for key, why in report.withdrawn]
    problems = [
        (f"{OUTCOMES.get(outcome, outcome)}: {text}", key)
        for report in reports
        for key, outcome, text in report.problems
    ]
    if applied:
        console.say(f"done: {listed(applied)}")
    else:
        console.say("nothing was done" if withdrawn or problems else "nothing was due")
    for what, keys in _grouped([*withdrawn, *problems]).items():
        console.warn(what, *(f"    {key}" for key in keys[:SHOWN]))
        if len(keys) > SHOWN:
            console.warn(f"    and {len(keys) - SHOWN} more")
    if reports and reports[-1].waiting:
        waiting = console.counted(reports[-1].waiting, "approved action")
        begins = f" from {reports[-1].next_at:%Y-%m-%d %H:%M} UTC" if reports[-1].next_at else ""
        console.say(f"{waiting} still to be done: ar-bridge apply goes on{begins}")
    if withdrawn:
        console.say("ar-bridge plan shows what is right now in place of what was withdrawn")


def listed(applied: Mapping[str, int]) -> str:
    """How many of each kind of action: `4 reminders, 1 late fee`."""
    return ", ".join(
        console.counted(count, NOUNS.get(kind, kind.replace("_", " ")))
        for kind, count in applied.items()
    )


def exit_code(reports: Sequence[ApplyReport]) -> int:
    """4 where the ledger refused something for good, 1 where something else could not be done,
    else 0."""
    if any(report.ledger_refusals for report in reports):
        return LedgerError.exit_code
    return ArBridgeError.exit_code if any(report.problems for report in reports) else 0


def _grouped(told: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """One message for everything that has the same trouble."""
    groups: dict[str, list[str]] = {}
    for what, key in told:
        groups.setdefault(what, []).append(key)
    return groups


def _sum(reports: Sequence[ApplyReport], field: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for report in reports:
        for name, count in getattr(report, field).items():
            sums[name] = sums.get(name, 0) + count
    return sums
