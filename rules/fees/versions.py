"""What a fee accrued under several versions of the policy.

What grows with the days is the sum over the versions, each with its own rate, base, day count and
grace for the days that it was in force. A fixed sum (flat, a percentage charged once or again,
compensation, a scale, steps in percent or amounts) is that of the version of the invoice's date:
an invoice from before the fee was agreed does not owe it. Interest of an earlier version bears no
interest under a later one.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from rules.actions.late_fee import DerivationRow
from rules.fees.base import Accrued, total_of
from rules.fees.statutory import fixed_sum
from rules.fees.table import FEE_TYPES
from rules.fees.timeline import ONE_DAY, Debt
from rules.policy.fee import Fee
from rules.policy.versions import Terms

_BY_DAY: Final = frozenset({"interest", "statutory"})


def grows_by_day(fee: Fee) -> bool:
    """Whether the fee accrues day by day or month by month, other than in fixed sums."""
    if fee.type == "percent":
        return fee.per == "month"
    return fee.type in _BY_DAY or fee.is_daily_tiers


def accrued_over_versions(
    terms: Sequence[Terms],
    debt: Debt,
    through: date,
    *,
    issued_on: date,
    connected_on: date | None,
    base_currency: str,
) -> Accrued:
    """The sum over the versions by `through`. Raises NoAmountError, MissingRateError."""
    rows: list[DerivationRow] = []
    is_cut = False
    agreed_on, before = date.min, date.min
    for term in terms:
        is_agreed = term.first <= issued_on <= term.last
        if before == date.min or term.first > before + ONE_DAY:
            agreed_on = term.first
        before = term.last
        parts: list[tuple[Fee, Debt]] = []
        if grows_by_day(term.fee):
            growing = term.fee.model_copy(update={"compensation": False})
            within = msgspec.structs.replace(
                debt, window=(term.first, term.last), agreed_on=agreed_on
            )
            parts.append((growing, within))
        elif is_agreed:
            parts.append((term.fee, debt))
        for fee, on in parts:
            found = FEE_TYPES[fee.type](
                fee,
                on,
                through,
                from_day=fee.from_ or connected_on,
                base_currency=base_currency,
            )
            rows += found.rows
            is_cut = is_cut or found.is_cut
        if is_agreed and term.fee.compensation:
            rows += fixed_sum(term.fee, debt, through, term.fee.from_ or connected_on)
    return total_of(rows, is_cut=is_cut)
