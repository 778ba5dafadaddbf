"""Charging a late fee: always a document of its own, never a line on the invoice."""

from datetime import date, timedelta
from typing import ClassVar

import msgspec

from rules.actions.action import Action, EffectContext
from rules.actions.effects import ChargeLine, Effect, PostCharge
from rules.actions.keys import charge_tag, effect_key, fee_number
from rules.model.fee_part import ALL_INVOICES, part_line
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


class ChargedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one invoice bears of a fee that is charged to a whole account."""

    key: ItemKey
    invoice: InvoiceId
    amount: Minor
    description: str
    derivation: Derivation
    is_minimum: bool = False
    """What raises the document to its minimum, beside what the invoice itself bears."""


class ChargeLateFee(Action, frozen=True, kw_only=True, tag="late_fee"):
    """Charge one fee for one period slot: for one invoice, or for the invoices of an account."""

    kind: ClassVar[str] = "late_fee"
    is_customer_facing: ClassVar[bool] = True

    invoice: InvoiceId
    """Of a whole account: the oldest of them."""
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
    parts: tuple[ChargedPart, ...] = ()
    """What each invoice bears of a fee of the whole account; their sum is `charge`."""

    @property
    def itemised(self) -> "tuple[ChargeLateFee, ...]":
        """The charge as a customer reads it: one row for each invoice that bears it."""
        return tuple(
            msgspec.structs.replace(
                self,
                invoice=part.invoice,
                charge=part.amount,
                description=part.description,
                derivation=part.derivation,
                parts=(),
            )
            for part in self.parts
        ) or (self,)

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
                lines=tuple(
                    ChargeLine(
                        invoice=part.invoice,
                        amount=part.amount,
                        description=part_line(
                            part.description,
                            part.invoice,
                            part.amount,
                            is_minimum=part.is_minimum,
                        ),
                    )
                    for part in self.parts
                ),
                tag=charge_tag(
                    ALL_INVOICES if self.parts else self.invoice,
                    self.fee_id,
                    self.through,
                    self.key,
                ),
                account=context.fee_account,
                tax=context.fee_tax,
                is_draft=context.is_draft,
            ),
        )
