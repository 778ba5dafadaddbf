"""Asking a new customer for a deposit before work begins."""

from datetime import date
from typing import ClassVar

from rules.actions.messages import SendReminder
from rules.model.ids import EstimateId
from rules.model.money import Minor


class RequestDeposit(SendReminder, frozen=True, kw_only=True, tag="deposit_request"):
    """A message that asks for a part of an estimate before work begins. It names no invoice:
    `total` is the deposit."""

    kind: ClassVar[str] = "deposit_request"
    sums_invoices: ClassVar[bool] = False

    estimate: EstimateId
    estimate_number: str
    estimate_on: date
    estimate_total: Minor
    percent: str
    """As the policy writes it."""

    @property
    def what(self) -> str:
        return f"deposit request for estimate {self.estimate_number}"
