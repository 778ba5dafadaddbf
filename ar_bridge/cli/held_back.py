"""What is held back, and why, for people who look at a plan or at the end of a run."""

from typing import TYPE_CHECKING, Any

from ar_bridge.cli import console

if TYPE_CHECKING:
    from ar_bridge.context import BookContext


def held_back(desk: "BookContext") -> dict[str, Any]:
    """As JSON: why everything is stopped, and why which number of actions waits."""
    from ar_bridge.admission import halted_because
    from ar_bridge.store import counters

    with desk.store.read() as conn:
        return {
            "halted": halted_because(conn, desk) or None,
            "waits": [
                {"reason": why, "actions": count}
                for why, count in counters.waiting(conn, desk.book_id).items()
            ],
        }


def print_held_back(held: dict[str, Any]) -> None:
    """As text, in the order in which the actions were planned."""
    if held["halted"]:
        console.warn(held["halted"], 'ar-bridge start --reason "..." ends that')
    for one in held["waits"]:
        console.warn(f"{console.counted(one['actions'], 'action')} held back: {one['reason']}")
        if one["reason"].startswith("out of the ordinary"):
            console.warn(
                '    look at it, then approve what is right, or ar-bridge start --reason "..."'
            )
