"""The life of one invoice under a policy: what would happen on which day, if nobody ever paid."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.decision import Act
from rules.explain import sentence
from rules.model import HolidaySet, InvoiceId, format_minor
from rules.model.events import EventLog
from rules.policy.schema import Policy
from rules.replay import replay

CUSTOMER: Final = "customer"
INVOICE: Final = InvoiceId("invoice")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens."""

    on: date
    days_late: int
    """Days after the due date; negative before it."""
    kind: str
    title: str
    amount: str = ""
    """With its currency; empty where the step is not about money."""
    mode: str
    why: str


def timeline(
    policy: Policy,
    events: Sequence[Mapping[str, object]],
    invoice: InvoiceId,
    due_on: date,
    first: date,
    last: date,
    *,
    holidays: HolidaySet | None = None,
) -> list[Step]:
    """What the policy does about an invoice of these events from `first` to `last`."""
    steps: list[Step] = []
    names = {stage.id: stage.name or stage.id for stage in policy.stage}
    names |= {statement.id: statement.name or statement.id for statement in policy.statement}
    if policy.discount is not None:
        names[policy.discount.id] = policy.discount.name
    for played in replay(EventLog(events), policy, first, last, holidays=holidays):
        for act in played.acts:
            if invoice in act.action.about:
                steps.append(_step(act, max(act.send_on, played.day), due_on, names))
    return sorted(steps, key=lambda step: step.on)


def one_invoice(
    *,
    amount: str,
    currency: str,
    due_on: date,
    terms_days: int,
    timezone: str = "UTC",
    entity_type: str = "company",
) -> list[dict[str, Any]]:
    """A book that holds a single unpaid invoice."""
    issued = (due_on - timedelta(days=terms_days)).isoformat()
    return [
        {"t": "company", "id": "book", "base_currency": currency, "timezone": timezone},
        {
            **{"t": "customer", "id": CUSTOMER, "date": issued, "name": "Customer"},
            **{"email": "customer@example.com", "entity_type": entity_type},
        },
        {
            **{"t": "invoice", "id": INVOICE, "date": issued, "due": due_on.isoformat()},
            **{"customer": CUSTOMER, "currency": currency, "total": amount},
        },
    ]


def _step(act: Act, on: date, due_on: date, names: Mapping[str, str]) -> Step:
    action = act.action
    amount = ""
    title = names.get(action.stage or "", "")
    if isinstance(action, ChargeLateFee):
        amount = f"{format_minor(action.charge, action.currency)} {action.currency}"
        title = action.fee_name or action.fee_id
    elif isinstance(action, SendReminder):
        title = title or "Notice of a late fee"
        if action.is_formal:
            title += " (formal)"
        if action.claims:
            amount = f"{format_minor(action.claimed, action.currency)} {action.currency}"
            title += ", claiming interest and fees"
    else:
        title = f"{title}: {action.kind.replace('_', ' ')}" if title else action.kind
    return Step(
        on=on,
        days_late=(on - due_on).days,
        kind=action.kind,
        title=title,
        amount=amount,
        mode=str(act.mode),
        why=" ".join(sentence(reason) for reason in act.reasons),
    )
