"""The figures of a statement of account, as text."""

from collections.abc import Sequence
from datetime import date

from ar_bridge.messages.formats import Formats, clean
from ar_bridge.messages.view import AgeRow, AsideRow, MovementRow, StatementPart
from rules.actions.statement import SendStatement
from rules.aging import BUCKETS, bucket, days_past_due
from rules.model.invoice import Invoice


def statement_part(
    action: SendStatement, listed: Sequence[Invoice], formats: Formats, on: date
) -> StatementPart:
    """What a statement shows besides its invoices."""
    currency = action.currency
    owed = sum(invoice.balance for invoice in listed)
    balance = owed - action.unapplied
    not_due = BUCKETS[0][0]
    ages = {name: 0 for name, _ in BUCKETS}
    aside = dict(action.set_aside)
    agreed = {invoice for invoice, _, _ in action.in_instalments}
    for invoice in listed:
        # What nobody asks for today is not late, and has a line of its own.
        age = not_due if invoice.id in agreed else bucket(days_past_due(invoice, on))
        ages[age] += invoice.balance - aside.get(invoice.id, 0)
    asked = sum(ages.values())
    overdue = asked - ages[not_due]
    period = action.period
    lines: list[MovementRow] = []
    running = period.opening if period is not None else 0
    for line in period.lines if period is not None else ():
        running += line.amount
        lines.append(
            MovementRow(
                on=formats.day(line.on),
                kind=line.kind,
                number=clean(line.number),
                amount=formats.money(line.amount, currency),
                balance=formats.money(running, currency),
            )
        )
    return StatementPart(
        name=clean(action.name),
        is_activity=period is not None,
        lists_not_due=action.lists_not_due,
        owed=formats.money(owed, currency),
        balance=formats.money(abs(balance), currency),
        is_in_credit=balance < 0,
        overdue=formats.money(overdue, currency) if overdue else "",
        contested=formats.money(action.contested, currency) if action.contested else "",
        asides=tuple(
            AsideRow(ground=ground, amount=formats.money(amount, currency))
            for ground, amount in _by_ground(action).items()
        ),
        ages=tuple(
            AgeRow(label=name, amount=formats.money(amount, currency))
            for name, amount in ages.items()
            if amount or name != not_due or action.lists_not_due
        )
        if asked
        else (),
        since=formats.long_day(period.since) if period is not None else "",
        through=formats.long_day(period.through) if period is not None else "",
        opening=formats.money(period.opening, currency) if period is not None else "",
        lines=tuple(lines),
        closing=formats.money(period.closing, currency) if period is not None else "",
        after=formats.money(period.after, currency) if period is not None and period.after else "",
    )


def _by_ground(action: SendStatement) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, ground, part in action.aside_as:
        found[ground] = found.get(ground, 0) + part
    return found
