"""What an apply came to, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ar_bridge.cli import console
from ar_bridge.dispatcher import ApplyReport
from ar_bridge.errors import ArBridgeError, LedgerError

if TYPE_CHECKING:
    from ar_bridge.applying import Fate
    from ar_bridge.store.plans import PlanRow

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


def report_view(
    book: str,
    reports: Sequence[ApplyReport],
    plan: "PlanRow | None" = None,
    fates: "Sequence[Fate] | None" = None,
) -> dict[str, Any]:
    """As JSON. `actions` tells of each action of the plan, or of each that was approved, what
    became of it."""
    told = (
        {} if fates is None else {"plan": plan.id if plan else None, "actions": fates_view(fates)}
    )
    return {
        "schema": 1,
        "book": book,
        **told,
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
        "waits": [
            {"key": key, "reason": reason} for report in reports for key, reason in report.waits
        ],
        "halted": next((each.halted for each in reports if each.halted), None),
        "waiting": reports[-1].waiting if reports else 0,
        "next_at": reports[-1].next_at.isoformat() if reports and reports[-1].next_at else None,
        "limited_until": next(
            (each.limited_until.isoformat() for each in reports if each.limited_until), None
        ),
    }


def fates_view(fates: "Sequence[Fate]") -> list[dict[str, Any]]:
    """What became of each action, as JSON."""
    return [
        {
            "key": fate.key,
            "revision": fate.revision,
            "kind": fate.kind,
            "customer": fate.customer,
            "became": fate.became,
            "reason": fate.reason or None,
            "newer": fate.newer,
            "newer_state": fate.newer_state,
            "at": fate.at.isoformat() if fate.at else None,
        }
        for fate in fates
    ]


def print_report(reports: Sequence[ApplyReport]) -> None:
    """As text."""
    applied = _sum(reports, "applied")
    withdrawn = [(f"withdrawn, {why}", key) for report in reports for key, why in report.withdrawn]
    problems = [
        (f"{OUTCOMES.get(outcome, outcome)}: {text}", key)
        for report in reports
        for key, outcome, text in report.problems
    ]
    waits = [(f"waits: {why}", key) for report in reports for key, why in report.waits]
    for halted in dict.fromkeys(report.halted for report in reports if report.halted):
        console.warn(halted, 'ar-bridge start --reason "..." ends that')
    if applied:
        console.say(f"done: {listed(applied)}")
    else:
        console.say("nothing was done" if withdrawn or problems or waits else "nothing was due")
    for what, keys in _grouped([*withdrawn, *problems, *waits]).items():
        console.warn(what, *(f"    {key}" for key in keys[:SHOWN]))
        if len(keys) > SHOWN:
            console.warn(f"    and {len(keys) - SHOWN} more")
    if reports and reports[-1].waiting:
        waiting = console.counted(reports[-1].waiting, "approved action")
        begins = f" from {reports[-1].next_at:%Y-%m-%d %H:%M} UTC" if reports[-1].next_at else ""
        console.say(f"{waiting} still to be done: ar-bridge apply goes on{begins}")
    if withdrawn:
        console.say("ar-bridge plan shows what is right now in place of what was withdrawn")


ELSEWHERE: Final = ("done", "withdrawn", "later", "unknown", "parked", "refused", "leased")
"""What became of an action in ways that the report of the work tells of already."""


def print_fates(fates: Sequence["Fate"]) -> None:
    """What of the plan was not even tried, and why: nothing is left out in silence."""
    told: list[tuple[str, str]] = []
    for fate in fates:
        if fate.became in ELSEWHERE and not (fate.became == "withdrawn" and fate.newer):
            continue
        newer = f"; revision {fate.newer} is {fate.newer_state}" if fate.newer else ""
        reason = f": {fate.reason}" if fate.reason else ""
        told.append((f"of this plan not done, {fate.became}{reason}{newer}", fate.key))
    for what, keys in _grouped(told).items():
        console.say(what, *(f"    {key}" for key in keys[:SHOWN]))
        if len(keys) > SHOWN:
            console.say(f"    and {len(keys) - SHOWN} more")


def listed(applied: Mapping[str, int]) -> str:
    """How many of each kind of action: `4 reminders, 1 late fee`."""
    return ", ".join(
        console.counted(count, NOUNS.get(kind, kind.replace("_", " ")))
        for kind, count in applied.items()
    )


def exit_code(reports: Sequence[ApplyReport]) -> int:
    """4 where the ledger refused something for good, 1 where something else could not be done or
    everything is stopped, else 0."""
    if any(report.ledger_refusals for report in reports):
        return LedgerError.exit_code
    was_left = any(report.problems or report.halted for report in reports)
    return ArBridgeError.exit_code if was_left else 0


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
