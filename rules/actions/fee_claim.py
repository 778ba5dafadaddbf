"""What a formal message claims besides the figures of the ledger: interest to date, by the day."""

from datetime import date

import msgspec

from rules.actions.late_fee import Derivation
from rules.model.ids import FeeId, InvoiceId
from rules.model.money import Minor


class FeeClaim(msgspec.Struct, frozen=True, kw_only=True):
    """One fee that is claimed on one invoice and not posted."""

    invoice: InvoiceId
    fee: FeeId
    name: str
    amount: Minor
    """What it came to by `through`."""
    through: date
    per_day: str = "0/1"
    """What the next day adds: a rational `num/den` in major units."""
    derivation: Derivation = Derivation()
