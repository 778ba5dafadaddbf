"""Charging a late fee: always a document of its own, never a line on the invoice."""

from datetime import date, timedelta
from typing import ClassVar

import msgspec

from rules.actions.action import Action, EffectContext
from rules.actions.effects import Effect, PostCharge
from rules.actions.keys import charge_tag, effect_key, fee_number
from rules.model.ids import FeeId, InvoiceId, ItemKey
from rules.model.money import Minor


class DerivationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of how an amount came about. `exact` is a rational `num/den` in major units."""

    kind: str
    """segment, fixed, band or compounded."""
    from_: date | None = msgspec.field(name="from", default=None)
    to: date | None = None
    days: int | None = None
    base: Minor | None = None
    annual_rate: str | None = None
    exact: str


class DerivationStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step from the exact sum to the amount posted: rounding, minimum, cap, already_posted,
    waived. Rows plus steps equal `to_post`, exactly."""

    step: str
    amount: str
    """A rational `num/den` in major units."""


class Derivation(msgspec.Struct, frozen=True, kw_only=True):
    """How a fee came about, so that it can be checked with a pencil."""

    rows: tuple[DerivationRow, ...] = ()
    steps: tuple[DerivationStep, ...] = ()
    text: str = ""


class ChargeLateFee(Action, frozen=True, kw_only=True, tag="late_fee"):
    """Charge one fee for one invoice and one period slot."""

    kind: ClassVar[str] = "late_fee"
    is_customer_facing: ClassVar[bool] = True

    invoice: InvoiceId
    fee_id: FeeId
    fee_name: str
    charge: Minor
    through: date
    due_days: int = 0
    """Days from issue until the fee document itself is due."""
    description: str
    derivation: Derivation
    notice: ItemKey
    """Key of the message that tells the customer: the fee waits until that is approved too."""

    @property
    def amount(self) -> Minor | None:
        return self.charge

    @property
    def fee(self) -> FeeId | None:
        return self.fee_id

    def number(self, company_id: str) -> str:
        return fee_number(company_id, self.key)

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        return (
            PostCharge(
                key=effect_key(self.key, 0, "post_charge"),
                customer=self.customer,
                number=self.number(context.company_id),
                currency=self.currency,
                amount=self.charge,
                issued_on=context.today,
                due_on=context.today + timedelta(days=self.due_days),
                invoice=self.invoice,
                invoice_number=context.numbers.get(self.invoice, self.invoice),
                description=self.description,
                tag=charge_tag(self.invoice, self.fee_id, self.through, self.key),
                account=context.fee_account,
                tax=context.fee_tax,
                is_draft=context.is_draft,
            ),
        )
