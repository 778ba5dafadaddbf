"""Bundles of hand-offs that were approved in a plan: made once they are done."""

from pathlib import Path

from ar_bridge.context import BookContext
from ar_bridge.errors import ArBridgeError
from ar_bridge.hand_off.bundle import Made, bundle, folder_name, is_bundled
from ar_bridge.hand_off.giving import placements


def bundle_pending(desk: BookContext, home: Path) -> tuple[list[Made], list[str]]:
    """Make the bundle of every placement that stands and has none; what could not be made is
    said and tried again the next time."""
    with desk.store.read() as conn:
        lacking = [
            one for one in placements(conn, desk) if not is_bundled(conn, desk.book_id, one.id)
        ]
    made: list[Made] = []
    problems: list[str] = []
    for placement in lacking:
        try:
            made.append(bundle(desk, placement, home / folder_name(placement), actor=desk.worker))
        except (ArBridgeError, LookupError) as problem:
            problems.append(f"the bundle of {placement.id}: {problem}")
    return made, problems
