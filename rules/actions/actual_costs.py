"""Charging what collecting cost: a court, an agency, a bank. The sum is what was paid, so it is
a person's word with its evidence, not a rule of the policy."""

from typing import Final, Literal, TypeAlias

from rules.actions.action import EffectContext
from rules.actions.effects import AttachFile, Effect
from rules.actions.keys import effect_key
from rules.actions.late_fee import ChargeLateFee

CostKind: TypeAlias = Literal["court", "agency", "bank", "other"]
COST_NAMES: Final[dict[str, str]] = {
    "court": "Court costs",
    "agency": "Collection costs",
    "bank": "Bank charges",
    "other": "Costs of collection",
}
COST_FEE: Final = "cost-"
"""What the id of such a fee begins with: `cost-court`."""


def name_of_costs(fee: str) -> str:
    """What people call a fee of this kind; the id itself for any other."""
    return COST_NAMES.get(fee.removeprefix(COST_FEE), fee) if fee.startswith(COST_FEE) else fee


class ChargeActualCosts(ChargeLateFee, frozen=True, kw_only=True, tag="actual_costs"):
    """A document of its own for costs that were paid, with the evidence on the invoice."""

    filename: str
    content_type: str
    content: bytes

    def effects(self, context: EffectContext) -> tuple[Effect, ...]:
        return (
            *super().effects(context),
            AttachFile(
                key=effect_key(self.key, 1, "attach_file"),
                customer=self.customer,
                invoice=self.invoice,
                filename=self.filename,
                content_type=self.content_type,
                content=self.content,
            ),
        )
