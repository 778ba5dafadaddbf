"""The figures of a deposit request, as its template and layout show them."""

from datetime import date, timedelta

from ar_bridge.messages.formats import Formats, clean
from ar_bridge.messages.view import DepositPart
from rules.actions.deposit import RequestDeposit


def deposit_part(action: RequestDeposit, formats: Formats, on: date) -> DepositPart:
    """What the message says of the estimate, for the day on which it goes out."""
    due = on + timedelta(days=action.deadline_days) if action.deadline_days else None
    return DepositPart(
        estimate=clean(action.estimate_number),
        estimate_on=formats.long_day(action.estimate_on),
        estimate_total=formats.money(action.estimate_total, action.currency),
        percent=formats.rate(action.percent),
        amount=formats.money(action.total, action.currency),
        due_on=formats.long_day(due),
    )
