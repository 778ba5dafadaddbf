"""Replies that nobody dealt with, and messages that did not arrive: tasks once their time is up.
Mail that a person has to see at once is a task on its day; it decides nothing by itself."""

from collections.abc import Iterator, Mapping
from typing import Final

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
from rules.model.history import REPLIED, WROTE, Served
from rules.model.ids import StageId
from rules.model.own_stages import BOUNCE, MAIL, REPLY
from rules.owners import owner_text, person_in_charge
from rules.stand_ins import account_as_invoice

WHY: Final[Mapping[str, str]] = {
    "mail-wrote": "wrote on {on}, not in answer to a message of ours: read it",
    "mail-complaint": "called our mail of before {on} unwanted: read the complaint at once",
    "mail-moved": "says since {on} that nobody reads this address any more: find out who does",
    "mail-half_bounce": "has an address from which mail came back on {on}: correct it",
}
"""What a person is told of mail that came in, by its stage."""
URGENT: Final = 'wrote of "{word}" on {on}: read it at once'


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
        elif item.kind == WROTE:
            stage, ends, said = MAIL, item.on, "wrote"
            word = str(item.stage or "").removeprefix("mail-")
            what = WHY.get(str(item.stage), URGENT).replace("{word}", word)
        else:
            continue
        if ends > day.today:
            ahead.append(ends)
            continue
        act = _task(day, item, stage, what.replace("{on}", str(item.on)), said)
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
