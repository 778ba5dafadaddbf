"""`allocation = "interest_first"`: a part payment settles what interest came to, then the debt.

The ledger books the whole payment on the invoice. Where terms or law say that it settles interest
first (Germany: BGB 367), so much of the debt goes on bearing interest. What the customer paid on
the fee's own documents, or was let off, is settled already and takes nothing of a payment. When
nothing is left on the invoice nothing accrues: what the ledger calls paid bears no interest, and
the rest is on the fee's own document.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from fractions import Fraction

import msgspec

from rules.fees.timeline import ONE_DAY, Debt
from rules.model.money import Minor, Rounding, round_minor


def split(payment: Minor, open_interest: Minor) -> tuple[Minor, Minor]:
    """(to the interest, to the debt) of a payment that settles interest first."""
    to_interest = min(payment, max(open_interest, 0))
    return to_interest, payment - to_interest


def interest_first(
    debt: Debt, through: date, came_to: Callable[[Debt, date], Fraction], rounding: Rounding
) -> Debt:
    """The debt as it bears interest up to `through`.

    `came_to` is the exact interest, in major units, on a debt by a day. A payment that comes back
    takes back what it settled.
    """
    changes: list[tuple[date, Minor]] = []
    settled_by: dict[Minor, list[Minor]] = defaultdict(list)
    in_ledger = bearing = debt.original
    settled = 0
    for counts_from, change in debt.changes:
        if counts_from > through:
            break
        in_ledger += change
        if change < 0:
            so_far = msgspec.structs.replace(debt, changes=tuple(changes))
            exact = came_to(so_far, counts_from - ONE_DAY)
            elsewhere = sum(part for day, part in debt.interest_settled if day <= counts_from)
            interest = round_minor(exact, debt.currency, rounding) - elsewhere - settled
            taken, _ = split(-change, interest)
            settled_by[-change].append(taken)
            settled += taken
        elif settled_by[change]:
            settled -= settled_by[change].pop()
        wanted = in_ledger + settled if in_ledger > 0 else 0
        changes.append((counts_from, wanted - bearing))
        bearing = wanted
    return msgspec.structs.replace(debt, changes=tuple(changes))
