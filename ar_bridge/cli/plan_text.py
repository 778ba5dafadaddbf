"""A plan as a person reads it in the terminal."""

from collections import Counter
from typing import Any

from ar_bridge.cli import console


def print_plan(view: dict[str, Any], *, limit: int = 40) -> None:
    """What would be done and why, then what is not done and why not."""
    actions, skips = view["actions"], view["skips"]
    console.say(
        f"Plan {view['plan']} for {view['book']} on {view['on']}, "
        f"policy {view['policy']['name']}, books as of {view['book_as_of']}",
        style="bold",
    )
    if not actions:
        console.say("Nothing to do.")
    else:
        console.print_table(
            ("what", "customer", "invoices", "stage or fee", "amount", "when", "why"),
            [_action(entry) for entry in actions[:limit]],
            right=("amount",),
        )
    if len(actions) > limit:
        console.say(f"... and {len(actions) - limit} more (--json lists them all)")
    waiting = sum(1 for entry in actions if entry["needs_approval"])
    if waiting:
        console.say(f"{waiting} of {len(actions)} wait for approval: ar-bridge approve PLAN")
    print_skips(skips)


def print_skips(skips: list[dict[str, Any]]) -> None:
    """Why nothing happens to overdue invoices: a line a reason with an example."""
    codes = Counter(skip["code"] for skip in skips)
    if not codes:
        return
    examples = {skip["code"]: skip for skip in reversed(skips)}
    console.print_table(
        ("not acted on", "why", "for example"),
        [
            (str(count), code.replace("_", " "), _sentences(examples[code]))
            for code, count in codes.most_common()
        ],
        right=("not acted on",),
    )


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
        entry["send_at"][:16].replace("T", " "),
        entry["reasons"][0]["text"] if entry["reasons"] else "",
    )


def _sentences(skip: dict[str, Any]) -> str:
    said = "; ".join(reason["text"] for reason in skip["reasons"])
    return f"{skip['invoice'] or skip['customer']}: {said}" if said else str(skip["invoice"] or "")
