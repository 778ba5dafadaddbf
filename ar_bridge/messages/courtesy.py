"""What thanks, acknowledgements, apologies and offers of instalments say, as text."""

from collections.abc import Sequence

from ar_bridge.messages.formats import Formats, clean
from ar_bridge.messages.view import ApologyPart, PlanRow, ThanksPart, WordPart, WrongRow
from rules.actions.apology import SendApology
from rules.actions.courtesy import Acknowledge, OfferPlan, SendThanks
from rules.actions.messages import SendReminder
from rules.model.book import Account
from rules.model.money import Minor


def thanks_part(action: SendReminder, account: Account, formats: Formats) -> ThanksPart | None:
    """Of thanks for a payment; None for other messages."""
    if not isinstance(action, SendThanks):
        return None
    currency = action.currency
    fees = _open_fees(action, account)
    return ThanksPart(
        received=formats.money(action.received, currency),
        received_on=formats.long_day(action.received_on),
        still_open=formats.money(action.still_open, currency) if action.still_open > 0 else "",
        still_overdue=formats.money(action.still_overdue, currency)
        if action.still_overdue > 0
        else "",
        open_fees=formats.money(fees, currency) if fees else "",
    )


def _open_fees(action: SendThanks, account: Account) -> Minor:
    """Late fees on the settled invoices, as far as they are open in the ledger."""
    documents = {
        fee.document
        for fee in account.fees
        if fee.invoice in action.qualified and fee.currency == action.currency
    }
    return sum(
        invoice.balance
        for invoice in account.invoices
        if invoice.status == "open"
        and (invoice.number in documents or invoice.fee_of in action.qualified)
    )


def word_part(action: SendReminder, formats: Formats) -> WordPart | None:
    """Of an acknowledgement; None for other messages."""
    if not isinstance(action, Acknowledge):
        return None
    amount = action.said_amount
    return WordPart(
        kind=action.word,
        said_on=formats.long_day(action.said_on),
        amount=formats.money(amount, action.currency) if amount is not None else "",
        until=formats.long_day(action.until),
        waits_until=formats.long_day(action.waits_until),
        owner=clean(action.owner),
        answer_by=formats.long_day(action.answer_by),
    )


def apology_part(action: SendReminder, formats: Formats) -> ApologyPart | None:
    """Of an apology; None for other messages."""
    if not isinstance(action, SendApology):
        return None
    currency = action.currency
    fees = sum(wrong.amount or 0 for wrong in action.wrongs if wrong.kind == "fee")
    return ApologyPart(
        wrongs=tuple(
            WrongRow(
                kind=wrong.kind,
                on=formats.long_day(wrong.on),
                what=clean(wrong.what),
                amount=formats.money(wrong.amount, currency) if wrong.amount else "",
                numbers=tuple(clean(number) for number in wrong.numbers),
            )
            for wrong in action.wrongs
        ),
        fees_total=formats.money(fees, currency) if fees else "",
        has_fees=any(wrong.kind == "fee" for wrong in action.wrongs),
    )


def plan_rows(action: SendReminder, formats: Formats) -> tuple[Sequence[PlanRow], str]:
    """The instalments of a message and their sum; nothing for other messages."""
    if not isinstance(action, Acknowledge | OfferPlan) or not action.parts:
        return (), ""
    rows = tuple(
        PlanRow(
            position=position,
            due_on=formats.long_day(part.due_on),
            amount=formats.money(part.amount, action.currency),
        )
        for position, part in enumerate(action.parts, start=1)
    )
    return rows, formats.money(sum(part.amount for part in action.parts), action.currency)
