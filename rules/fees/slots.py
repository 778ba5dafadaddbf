"""Which slot of the schedule a charge takes, and when the same slot may be charged again.

A slot is charged once. What a correction of ours took back, or a waiver that was reinstated, may
be charged again: under the slot with the day of that (`1.20261122`), a key of its own and so a
document of its own. So may what a payment leaves that came back after the charge, where the fee
counts it as never paid (`reversal = "void"`). What a monthly limit deferred of a sum is charged
under the slot with the later month (`1.202612`).
"""

from collections.abc import Iterable, Sequence
from datetime import date

from rules.model.history import FeePosted
from rules.model.ids import ItemKey


def slot_of(key: ItemKey) -> str:
    """The slot of the schedule that a charge was for."""
    return _tail(key).partition(".")[0]


def free_slot(slot: str, posted: Sequence[FeePosted]) -> str | None:
    """The slot under which a charge may be made; None where it was made already.

    `posted`: what was charged of the same fee to the same invoice or account.
    """
    used = [charge for charge in posted if slot_of(charge.key) == slot]
    if not used:
        return slot
    days = [one.corrected_on for one in used if one.corrected and one.corrected_on is not None]
    if not days:
        return None
    again = f"{slot}.{max(days):%Y%m%d}"
    return None if any(_tail(charge.key).startswith(again) for charge in used) else again


def slot_of_the_rest(
    slot: str, through: date, posted: Sequence[FeePosted], today: date
) -> str | None:
    """The slot under which what was deferred of a charged slot may be charged on a later occasion;
    None where there was none yet, or where that was done this month."""
    rest = f"{slot}.{today:%Y%m}"
    for charge in posted:
        if slot_of(charge.key) == slot and (charge.through >= through or _tail(charge.key) == rest):
            return None
    return rest


def slot_after_return(
    slot: str, posted: Sequence[FeePosted], returned_on: Iterable[date]
) -> str | None:
    """The slot under which a fee is charged that counts a returned payment as never paid, where
    the payment came back after the charge; None where none did, or where that was charged."""
    last = max((charge.on for charge in posted if slot_of(charge.key) == slot), default=None)
    back = max((day for day in returned_on if last is not None and day >= last), default=None)
    if back is None:
        return None
    again = f"{slot}.{back:%Y%m%d}"
    return None if any(_tail(charge.key).startswith(again) for charge in posted) else again


def is_rest(key: ItemKey) -> bool:
    """Whether a charge was of what a monthly limit had deferred."""
    return len(_tail(key).partition(".")[2]) == len("202612")


def _tail(key: ItemKey) -> str:
    return key.rsplit("/", 1)[-1]
