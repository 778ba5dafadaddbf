"""Thanks for payments: one message for all that a stage thanks for on a day."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.courtesy import SendThanks
from rules.actions.keys import message_key, stage_item
from rules.decision import Act, Decision, Reason, Skip
from rules.guards.base import Hold
from rules.guards.whole_account import account_held
from rules.internal import Due

THANKS_TEMPLATE = "thanks"


def thanks_acts(day: AccountDay, found: Sequence[Due]) -> Iterator[Decision]:
    """A message for each stage and currency. It uses up no contact budget, but goes out on days
    with sending only, and never where everything stopped."""
    together: dict[tuple[int, str], list[Due]] = defaultdict(list)
    for one in found:
        together[one.due.step.index, one.invoice.currency].append(one)
    for (_, currency), same in sorted(together.items()):
        yield from _thank(day, currency, same)


def _thank(day: AccountDay, currency: str, same: Sequence[Due]) -> Iterator[Decision]:
    payer = day.account.payer
    held = account_held(day)
    send_on = day.frame.send_day(payer)
    if held is None and send_on > day.today:
        reason = Reason("not_send_day", (("next_on", send_on.isoformat()),))
        held = Hold(code=reason.code, reasons=(reason,), next_on=send_on)
    step = same[0].due.step
    items = tuple(
        Item(
            key=stage_item("thanks", one.invoice.id, step.id, one.due.slot),
            kind="thanks",
            invoice=one.invoice.id,
            stage=step.id,
        )
        for one in same
    )
    if held is not None:
        for item in items:
            yield Skip(
                customer=payer.id,
                invoice=item.invoice,
                stage=step.id,
                key=item.key,
                code=held.code,
                reasons=held.reasons,
                next_on=held.next_on,
                review_on=held.review_on,
            )
        return
    received, received_on = _received(day, same)
    owed, overdue = day.totals[currency]
    stage = step.stage
    yield Act(
        action=SendThanks(
            key=message_key(payer.id, [item.key for item in items]),
            customer=payer.id,
            currency=currency,
            items=items,
            stage=step.id,
            template=stage.template or THANKS_TEMPLATE,
            channel=stage.channels[0],
            roles=stage.to,
            cc_roles=stage.cc,
            signed_by=stage.signed_by,
            qualified=tuple(one.invoice.id for one in same),
            total=0,
            received=received,
            received_on=received_on,
            still_open=owed,
            still_overdue=overdue,
        ),
        reasons=tuple(reason for one in same for reason in one.due.reasons),
        send_on=day.today,
        mode=step.mode,
    )


def _received(day: AccountDay, same: Sequence[Due]) -> tuple[int, date]:
    """What the payments of these invoices put to them, and the day of the last one."""
    paid = [
        (part.on or payment.on, part.amount)
        for one in same
        for payment in day.payments_of(one.invoice)
        if payment.reversed_on is None
        for part in payment.allocations
        if part.invoice == one.invoice.id
    ]
    return sum(amount for _, amount in paid), max((on for on, _ in paid), default=day.today)
