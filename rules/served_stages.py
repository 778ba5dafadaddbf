"""What was served of the procedure so far: by stage and kind, to one invoice or to one account."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from rules.frame import Frame
from rules.model.history import Served
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice
from rules.steps import Lane, Step

LANE_KINDS: Final[dict[Lane, frozenset[str]]] = {
    "reminder": frozenset({"reminder"}),
    "send": frozenset({"send_invoice"}),
    "hold": frozenset({"credit_hold", "credit_release"}),
    "internal": frozenset({"note", "task", "call", "notify", "write_off_proposal"}),
    "thanks": frozenset({"thanks"}),
    "letter": frozenset({"statement", "plan_offer"}),
}

_OF_ACCOUNT: Final = re.compile(r"[A-Z]{3}-\d{8}-(\d+)")


def slot_of(item: Served) -> int:
    """The slot at the end of an item key; 1 where the key has none."""
    tail = item.key.rsplit("/", 1)[-1]
    if tail.isdigit():
        return int(tail)
    found = _OF_ACCOUNT.fullmatch(tail)
    return int(found[1]) if found else 1


def currency_of(item: Served) -> str | None:
    """The currency whose ladder of the account an item belongs to; None where its key does not
    say, which counts for all."""
    tail = item.key.rsplit("/", 1)[-1]
    return tail[:3] if _OF_ACCOUNT.fullmatch(tail) else None


def counted_from(item: Served) -> date:
    """The day that the turns of a stage of the account's ladder count from: its key tells it,
    else the day of doing stands for it."""
    tail = item.key.rsplit("/", 1)[-1]
    if _OF_ACCOUNT.fullmatch(tail):
        try:
            return date.fromisoformat(tail[4:12])
        except ValueError:
            return item.on
    return item.on


def unit_of(item: Served) -> CustomerId:
    """The customer whom the key of an item about a whole account names."""
    return CustomerId(item.key.rsplit("/", 2)[0].removeprefix(f"{item.kind}/"))


def about_accounts(
    frame: Frame,
    items: Iterable[Served],
    invoice: Invoice,
    *,
    apart: bool,
    settled_on: date | None = None,
) -> list[Served]:
    """Stages of whole accounts that were served for the invoice too: those that are known to have
    covered it, and where that is not known, those of the days on which it was overdue. `apart`
    where each customer is written to apart from its payer; `settled_on` for a paid invoice."""
    return [
        item
        for item in items
        if item.stage is not None
        and (step := frame.step_of.get(item.stage)) is not None
        and step.is_account
        and invoice.due_on is not None
        and invoice.due_on < item.on
        and (settled_on is None or item.on <= settled_on)
        and (not item.covers or invoice.id in item.covers)
        and currency_of(item) in (None, invoice.currency)
        and (not apart or unit_of(item) == invoice.customer)
    ]


class Past:
    """What was done about one invoice or one account, by step."""

    def __init__(self, frame: Frame, items: Iterable[Served]) -> None:
        self.done: dict[tuple[int, str], tuple[int, date, date]] = {}
        """(step, kind) -> highest slot, first day, last day."""
        self._events: set[int] = set()
        for item in items:
            if item.state == "bounced" or item.stage is None:
                continue
            step = frame.step_of.get(item.stage)
            if step is None:
                continue
            if step.is_event:
                self._events.add(step.index)
            slot, key = slot_of(item), (step.index, item.kind)
            found = self.done.get(key)
            if found is None:
                self.done[key] = (slot, item.on, item.on)
            else:
                self.done[key] = (
                    max(found[0], slot),
                    min(found[1], item.on),
                    max(found[2], item.on),
                )

    def last(self, step: Step) -> date | None:
        """The day on which the stage was last served, by what makes it count as served."""
        days = [
            found[2]
            for kind in step.primary
            if (found := self.done.get((step.index, kind))) is not None
        ]
        return max(days, default=None)

    def before(self, frame: Frame, step: Step) -> date | None:
        """The day on which the last of the earlier stages of the same ladder was served."""
        for earlier in reversed(frame.steps[: step.index]):
            if earlier.is_event or earlier.is_account != step.is_account:
                continue
            found = self.last(earlier)
            if found is not None:
                return found
        return None

    def first(self, step: Step, kinds: Sequence[str]) -> date | None:
        """The first day on which one of the kinds was done at the stage."""
        days = [
            found[1] for kind in kinds if (found := self.done.get((step.index, kind))) is not None
        ]
        return min(days, default=None)

    def first_reminder(self, from_index: int) -> date | None:
        """The day of the first reminder at this step or a later one."""
        days = [
            found[1]
            for (index, kind), found in self.done.items()
            if kind == "reminder" and index >= from_index
        ]
        return min(days, default=None)

    @property
    def last_reminder(self) -> date | None:
        """The last day on which any stage reminded."""
        return max(
            (found[2] for (_, kind), found in self.done.items() if kind == "reminder"), default=None
        )

    def reminded_above(self, step: Step) -> date | None:
        """The last day on which a firmer stage reminded."""
        days = [
            found[2]
            for (index, kind), found in self.done.items()
            if kind == "reminder" and index > step.index
        ]
        return max(days, default=None)

    def highest(self, kinds: frozenset[str]) -> int:
        """The firmest step of the ladder that was served; what an event brought about (a returned
        payment, say) is no rung of it."""
        return max(
            (index for index, kind in self.done if kind in kinds and index not in self._events),
            default=-1,
        )

    def slot(self, step: Step, kinds: Sequence[str]) -> int:
        """Highest slot at which all of the kinds were done; 0 for never."""
        return min(
            (self.done.get((step.index, kind), (0, None, None))[0] for kind in kinds), default=0
        )
