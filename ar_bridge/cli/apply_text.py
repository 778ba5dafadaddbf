"""What an apply came to, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ar_bridge.cli import console
from ar_bridge.dispatcher import ApplyReport

NOUNS: Final = {"notify": "notification", "thanks": "thank-you"}
"""Kinds of action whose name is no noun."""


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
    }


def print_report(reports: Sequence[ApplyReport]) -> None:
    """As text."""
    applied = _sum(reports, "applied")
    if applied:
        console.say(f"done: {listed(applied)}")
    else:
        console.say("nothing was due")
    for report in reports:
        for key, reason in report.withdrawn:
            console.warn(f"withdrawn {key}: {reason}")
        for key, outcome, text in report.problems:
            console.warn(f"{outcome} {key}: {text}")
    if reports and reports[-1].waiting:
        console.say(f"{reports[-1].waiting} approved and waiting for their time")


def listed(applied: Mapping[str, int]) -> str:
    """How many of each kind of action: `4 reminders, 1 late fee`."""
    return ", ".join(
        console.counted(count, NOUNS.get(kind, kind.replace("_", " ")))
        for kind, count in applied.items()
    )


def exit_code(reports: Sequence[ApplyReport]) -> int:
    """1 where something could not be done, else 0."""
    return 1 if any(report.problems for report in reports) else 0


def _sum(reports: Sequence[ApplyReport], field: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for report in reports:
        for name, count in getattr(report, field).items():
            sums[name] = sums.get(name, 0) + count
    return sums
