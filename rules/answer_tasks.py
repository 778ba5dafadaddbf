"""Replies that nobody dealt with, and messages that did not arrive: tasks once their time is up."""

from collections.abc import Iterator

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.internal import OpenTask
from rules.actions.keys import account_item
from rules.decision import Act, Decision, Reason, Skip
from rules.guards.answers import (
    bounce_ends,
    is_bounce,
    is_dealt_with,
    reply_ends,
)
from rules.model.history import REPLIED, Served
from rules.model.ids import StageId
from rules.model.own_stages import BOUNCE, REPLY
from rules.owners import owner_text, person_in_charge
from rules.stand_ins import account_as_invoice


def answer_tasks(day: AccountDay) -> Iterator[Decision]:
    """One task for each day on which something came back, and the next day there is one."""
    done = {item.key for item in day.account.served}
    ahead = []
    for item in sorted(day.account.served, key=lambda item: (item.on, item.key)):
        if item.kind == REPLIED and not is_dealt_with(day, item):
            stage, ends, said = REPLY, reply_ends(day, item), "replied"
            what = "replied on {on} and waits for an answer"
        elif is_bounce(item):
            stage, ends, said = BOUNCE, bounce_ends(day, item), "bounced"
            what = "did not get the message of {on}: correct the address"
        else:
            continue
        if ends > day.today:
            ahead.append(ends)
            continue
        act = _task(day, item, stage, what.format(on=item.on), said)
        if act.action.key not in done:
            done.add(act.action.key)
            yield act
    if ahead:
        reason = Reason("not_due", (("next_on", min(ahead).isoformat()),))
        yield Skip(
            customer=day.account.payer.id, code="not_due", reasons=(reason,), next_on=min(ahead)
        )


def _task(day: AccountDay, item: Served, stage: StageId, text: str, code: str) -> Act:
    customer = day.account.members.get(item.customer, day.account.payer)
    named = day.frame.policy.commitments.owner
    person = person_in_charge(day, named, account_as_invoice(day, day.frame.base_currency))
    key = account_item("task", item.customer, stage, int(f"{item.on:%Y%m%d}"))
    return Act(
        action=OpenTask(
            key=key,
            customer=day.account.payer.id,
            items=(Item(key=key, kind="task", invoice=item.invoice, stage=stage),),
            stage=stage,
            text=f"{customer.name} {text}.",
            due_on=day.today,
            owner=owner_text(person, named),
        ),
        reasons=(Reason(f"{code}_task", (("on", item.on.isoformat()),)),),
        send_on=day.today,
        mode=day.frame.policy.mode,
    )
