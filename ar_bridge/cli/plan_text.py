"""A plan as a person reads it in the terminal."""

from collections import Counter
from textwrap import fill
from typing import Any, Final

from ar_bridge.cli import console

TO_KNOW: Final = ("needs_approval", "waited", "edit_kept", "edit_dropped")
"""Reasons that are shown besides the first."""

ROOM_FOR_REASONS: Final = 140
"""Columns from which the reasons stand in the table; below, each action is a short paragraph."""


def print_plan(
    view: dict[str, Any],
    *,
    limit: int = 40,
    is_past: bool = False,
    nothing: str = "Nothing to do.",
) -> None:
    """What would be done and why, then what is not done and why not.

    Of a plan that is past only the actions are shown, and nobody is asked to approve it.
    """
    actions, skips = view["actions"], view["skips"]
    name = f"Plan {view['plan']}" if view["plan"] else "Plan"
    console.say(f"{name} for {view['book']} on {view['on']}", style="bold")
    console.say(f"Policy {view['policy']['name']}, books as of {_moment(view['book_as_of'])}")
    for warning in () if is_past else view.get("warnings", ()):
        console.warn(f"{warning['text']}", f"  -> {warning['remedy']}")
    if not actions:
        console.say(nothing)
    elif console.out().width >= ROOM_FOR_REASONS:
        console.print_table(
            ("what", "customer", "invoices", "stage or fee", "amount", "when (UTC)", "why"),
            [(*_action(entry), _why(entry)) for entry in actions[:limit]],
            right=("amount",),
            whole=("what", "stage or fee", "when (UTC)"),
        )
    else:
        console.say("")
        for entry in actions[:limit]:
            _print_action(entry)
    if len(actions) > limit:
        rest = "" if is_past else " (--json lists them all)"
        console.say(f"... and {len(actions) - limit} more{rest}", "")
    if is_past:
        return
    waiting = sum(1 for entry in actions if entry["needs_approval"])
    if waiting and view["plan"]:
        console.say(
            f"{waiting} of {len(actions)} wait for approval: ar-bridge approve {view['plan']}"
        )
    _print_calls(view.get("calls"))
    print_skips(skips)


def print_skips(skips: list[dict[str, Any]]) -> None:
    """Why nothing happens to overdue invoices: a line a reason with an example."""
    # One line of the book may wait for the same ground with its reminder and with its fee.
    about = {(skip["code"], skip["invoice"] or skip["customer"]) for skip in skips}
    codes = Counter(code for code, _ in sorted(about))
    if not codes:
        return
    examples = {skip["code"]: skip for skip in reversed(skips)}
    console.print_table(
        ("", "not acted on", "for example"),
        [
            (str(count), code.replace("_", " "), _sentences(examples[code]))
            for code, count in codes.most_common()
        ],
        right=("",),
    )


def _print_action(entry: dict[str, Any]) -> None:
    what, customer, invoices, step, amount, when = _action(entry)
    head = " ".join(part for part in (what, step) if part)
    room = max(console.out().width - len(head) - len(when) - 4, len(amount))
    console.say(f"{head}  {amount:>{room}}  {when}", style="bold")
    room = console.out().width
    for text in (f"{customer}{': ' if invoices else ''}{invoices}", _why(entry)):
        console.say(fill(text, room, initial_indent="  ", subsequent_indent="  "))
    console.say("")


def _action(entry: dict[str, Any]) -> tuple[str, ...]:
    numbers = list(dict.fromkeys(i["invoice_number"] for i in entry["items"] if i["invoice"]))
    shown = ", ".join(numbers[:3]) + (f" +{len(numbers) - 3}" if len(numbers) > 3 else "")
    amount = f"{entry['amount']} {entry['currency']}" if entry["amount"] else ""
    return (
        entry["kind"].replace("_", " "),
        entry["customer_name"],
        shown,
        entry["fee"] or entry["stage"] or "",
        amount,
        _moment(entry["send_at"]).removesuffix(" UTC"),
    )


def _why(entry: dict[str, Any]) -> str:
    """The first reason, and what a person has to know before they approve it."""
    told = [
        reason["text"]
        for number, reason in enumerate(entry["reasons"])
        if number == 0 or reason["code"] in TO_KNOW
    ]
    return " ".join(told)


def _print_calls(calls: dict[str, Any] | None) -> None:
    """What the plan costs, where the ledger counts calls of a day or the plan takes any."""
    if not calls or not (calls["total"] or calls["deferred"]):
        return
    left = f"; {calls['left']} are left of the day" if calls["left"] is not None else ""
    extras = f", {calls['extras']} more for links to pay" if calls["extras"] else ""
    console.say(f"It takes {console.counted(calls['total'], 'call')} to the ledger{extras}{left}")
    if calls["deferred"]:
        console.say(
            f"{console.counted(calls['deferred'], 'item')} deferred to another day: the calls "
            "of this one are not enough"
        )


def _sentences(skip: dict[str, Any]) -> str:
    said = "; ".join(reason["text"] for reason in skip["reasons"])
    about = skip["invoice_number"] or skip["customer_name"]
    return f"{about}: {said}" if said else str(about)


def _moment(iso: str) -> str:
    """`2026-03-10T09:31:00+00:00` as people write it; a date stays a date."""
    return f"{iso[:16].replace('T', ' ')} UTC" if "T" in iso else iso
