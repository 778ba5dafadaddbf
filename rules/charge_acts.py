"""From a charge to the act of charging it."""

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.late_fee import ChargedPart, ChargeLateFee
from rules.charges import Charge, ChargePart
from rules.decision import Act
from rules.model.ids import ItemKey
from rules.model.money import format_minor


def charge_act(day: AccountDay, charge: Charge, notice: ItemKey) -> Act:
    """Charging it, announced by the message of that key."""
    fee = charge.rule.fee
    name = fee.name or fee.id
    return Act(
        action=ChargeLateFee(
            key=charge.key,
            customer=day.account.payer.id,
            currency=charge.invoice.currency,
            items=(
                Item(
                    key=charge.key,
                    kind="late_fee",
                    invoice=charge.invoice.id,
                    fee=charge.rule.id,
                ),
                *(
                    Item(key=part.key, kind="late_fee", invoice=part.invoice.id, fee=charge.rule.id)
                    for part in charge.parts
                ),
            ),
            invoice=charge.invoice.id,
            fee_id=charge.rule.id,
            fee_name=name,
            charge=charge.assessment.to_post,
            through=charge.through,
            due_days=fee.due_in.count if fee.due_in is not None else 0,
            description=f"{name} on invoice {charge.invoice.number} to {charge.through}"
            if not charge.parts
            else f"{name} to {charge.through}",
            derivation=charge.assessment.derivation(charge.text),
            notice=notice,
            parts=tuple(
                ChargedPart(
                    key=part.key,
                    invoice=part.invoice.id,
                    amount=part.assessment.to_post,
                    description=_of_part(charge, part),
                    derivation=part.assessment.derivation(part.text),
                    is_minimum=part.is_minimum,
                )
                for part in charge.parts
            ),
        ),
        reasons=charge.reasons,
        send_on=day.today,
        mode=charge.rule.mode,
    )


def _of_part(charge: Charge, part: ChargePart) -> str:
    """What the line of one invoice says: its number, and the base and days of its last row."""
    fee, invoice = charge.rule.fee, part.invoice
    name = fee.name or fee.id
    if part.is_minimum:
        return f"{name}: raised to the minimum"
    text = f"{name} on invoice {invoice.number} to {charge.through}"
    rows = [row for row in part.assessment.accrual.rows if row.days and row.base]
    if not rows or part.assessment.posted:
        return text
    days = sum(row.days or 0 for row in rows)
    base = format_minor(rows[-1].base or 0, invoice.currency)
    return f"{text}: {days} days, last on {invoice.currency} {base}"
