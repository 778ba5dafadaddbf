"""What a message says of a promise that was not kept, of an instalment, or of a payment that
came back."""

from ar_bridge.messages.formats import Formats
from ar_bridge.messages.view import InstalmentPart, PromisePart, ReturnedRow
from rules.actions.messages import SendReminder


def promise_part(action: SendReminder, formats: Formats) -> PromisePart | None:
    """The broken promise that the message speaks of; None for none."""
    told, currency = action.broken, action.currency
    if told is None:
        return None
    return PromisePart(
        promised_on=formats.long_day(told.promised_on),
        due_on=formats.long_day(told.due_on),
        promised=formats.money(told.promised, currency),
        paid=formats.money(told.paid, currency) if told.paid else "",
        missing=formats.money(told.missing, currency),
        nth=told.nth,
    )


def instalment_part(action: SendReminder, formats: Formats) -> InstalmentPart | None:
    """The instalment that the message asks for; None for none."""
    told, currency = action.part, action.currency
    if told is None:
        return None
    return InstalmentPart(
        due_on=formats.long_day(told.due_on),
        amount=formats.money(told.amount, currency),
        paid=formats.money(told.paid, currency) if told.paid else "",
        position=told.position,
        count=told.count,
        is_missed=told.is_missed,
    )


def returned_rows(action: SendReminder, formats: Formats) -> tuple[ReturnedRow, ...]:
    """The payments that came back and that the message tells of."""
    return tuple(
        ReturnedRow(
            amount=formats.money(told.amount, action.currency),
            paid_on=formats.long_day(told.paid_on),
            returned_on=formats.long_day(told.returned_on),
            is_sure=told.is_sure,
        )
        for told in action.returned
    )
