"""Every fee type there is."""

from typing import Final

from rules.fees.base import FeeType
from rules.fees.compensation import compensation, scale
from rules.fees.flat import flat
from rules.fees.flat_then_percent import flat_then_percent
from rules.fees.interest import interest
from rules.fees.percent import percent
from rules.fees.statutory import statutory
from rules.fees.tiered import tiered

FEE_TYPES: Final[dict[str, FeeType]] = {
    "flat": flat,
    "percent": percent,
    "flat_then_percent": flat_then_percent,
    "tiered": tiered,
    "interest": interest,
    "statutory": statutory,
    "compensation": compensation,
    "scale": scale,
}
"""Adding one: a module beside these, a line here, and its cases in the tests."""
