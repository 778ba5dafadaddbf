"""Every fee type there is."""

from typing import Final

from rules.fees.base import FeeType
from rules.fees.flat import flat
from rules.fees.interest import interest
from rules.fees.percent import percent

FEE_TYPES: Final[dict[str, FeeType]] = {
    "flat": flat,
    "percent": percent,
    "interest": interest,
}
"""Adding one: a module beside these, a line here, and its cases in the tests."""
