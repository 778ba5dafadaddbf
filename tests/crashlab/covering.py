"""Which effects the company's day brings on each ledger, and for whom: around each of them
processes die.

An effect has several shapes where they are written in different ways. One that no ledger here and
no scene brings fails `test_covering`, so that a new one cannot come in without dying.
"""

import tempfile
from pathlib import Path

from ar_bridge.context import BookContext
from rules.actions.effects import EFFECT_NAMES, Effect, ReverseCharge, SendMessage, SetHold
from tests.crashlab.company import Company, LedgerName
from tests.crashlab.protocols import intent_first

SHAPES: dict[str, tuple[str, ...]] = {
    "reverse_charge": ("whole", "in part"),
    "set_hold": ("on", "off"),
}
"""Effects that are written in more than one way; a message is, on each of our channels."""


def shape(effect: Effect, *, is_draft: bool = False) -> str:
    """The name of an effect, and the way in which it is written."""
    name = EFFECT_NAMES[type(effect)]
    match effect:
        case ReverseCharge():
            return f"{name} {'whole' if effect.amount is None else 'in part'}"
        case SetHold():
            return f"{name} {'on' if effect.is_on else 'off'}"
        case SendMessage():
            return f"{name} {'eml' if is_draft else effect.channel}"
    return name


def _possible(desk: BookContext) -> set[str]:
    names = desk.connector.capabilities.effects
    ways = {**SHAPES, "send_message": tuple(desk.channels)}
    return {
        " ".join(filter(None, (name, way)))
        for name in (*names, "send_message")
        for way in ways.get(name, ("",))
    }


def covered(ledger: LedgerName) -> tuple[dict[str, list[str]], set[str]]:
    """Shapes with the customers for whom the day brings them, and all that are possible with this
    ledger and our channels."""
    possible: set[str] = set()

    def drive(desk: BookContext) -> None:
        possible.update(_possible(desk))
        intent_first(desk)

    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, row in Company(Path(folder), ledger).rehearse(drive):
            found.setdefault(shape(row.effect, is_draft=name == "Draft"), []).append(name)
    return found, possible
