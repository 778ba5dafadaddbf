"""Estimates and quotes: what a customer may come to owe, and the deposit asked of them."""

from datetime import date
from typing import Literal, TypeAlias

import msgspec

from rules.model.ids import CustomerId, EstimateId
from rules.model.money import Minor

EstimateStatus: TypeAlias = Literal["open", "accepted", "declined", "expired", "invoiced", "void"]


class Estimate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One estimate or quote. Amounts are minor units of `currency`, tax included in `total`."""

    id: EstimateId
    number: str = ""
    customer: CustomerId
    currency: str
    on: date
    expires_on: date | None = None
    total: Minor
    status: EstimateStatus = "open"
    """open: sent or not yet answered; invoiced: an invoice was made of it."""
    deposit: Minor = 0
    """Asked of the customer before work begins, where the ledger tells."""
