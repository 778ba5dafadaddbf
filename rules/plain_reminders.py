"""The usual case of an account that something is due of: reminders of invoices that nobody ever
said or did anything about, and nothing else.

Most of what falls due on a day is this. What takes the long way most of its time is asking after
words, credit, fees, letters and firmer stages that such an account does not have; here that is
seen from its few rows. Wherever anything else is in play, this says nothing and the long way
decides. It may only say what that would have said.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, TypeAlias

from rules.account_day import AccountDay
from rules.actions.action import Item
from rules.actions.keys import message_key, stage_item
from rules.decision import Act, Decision, Reason
from rules.frame import Dates, Frame
from rules.guards.answers import bounces, replies
from rules.guards.base import Check, is_plain_invoice
from rules.guards.budget import is_long_ago
from rules.guards.credits import covering_credits, fresh_payments, small_balances
from rules.guards.documents import inactive_payers
from rules.guards.formal import live_firm_stages
from rules.guards.placements import placements
from rules.guards.table import checks_of
from rules.invoice_facts import InvoiceFacts
from rules.listed import open_beside
from rules.model.book import Account
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.reminding import of_stage, plain_message
from rules.selecting import is_selected, unmet
from rules.steps import Step

_SEEN_HERE: Final[frozenset[Check]] = frozenset(
    {
        placements,  # a hand-off among what was done
        inactive_payers,
        replies,  # who answered is looked at as a whole
        bounces,
        covering_credits,  # unused money
        fresh_payments,
        small_balances,
        live_firm_stages,  # a firm stage among what was done
    }
)
"""Grounds to wait that are looked for here. Where the policy has any other, the long way asks."""

_Fact: TypeAlias = tuple[str, str]
_Candidate: TypeAlias = tuple[Step, tuple[_Fact, ...], tuple[_Fact, ...]]
"""A stage, and what the reason says before and after it names the invoice."""


class PlainReminders:
    """What is asked of such accounts in one run, with what is the same for many worked out once."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        checks = checks_of(frame, "reminder", False, True, True, True, False)
        self._is_usual = (
            _SEEN_HERE.issuperset(checks)
            and frame.is_one_message
            and not frame.is_per_customer
            and not frame.account_steps
            and not frame.has_stage_fees
            and not frame.has_returned_stages
            and not frame.has_discount
        )
        """Whether the policy leaves anything to be decided here."""
        self._firm = frozenset(
            name for step in frame.steps if step.formal or step.is_account for name in step.ids
        )
        self._candidates: dict[Dates, tuple[_Candidate, ...]] = {}
        self._is_long_ago: dict[date, bool] = {}

    def decided(
        self, account: Account, due: Sequence[tuple[Invoice, Dates]]
    ) -> list[Decision] | None:
        """The message about the invoices of an account of which something is due; None where the
        account takes a closer look.

        Of the account it is known that nobody's word stands and that nothing came back.
        Raises NoOpenDayError.
        """
        if not self._is_usual or not account.payer.is_active:
            return None
        about = [invoice for invoice, _ in due]
        qualified = tuple([invoice.id for invoice in about])
        if not self._may_be_written_to(account, qualified):
            return None
        frame, currency = self._frame, about[0].currency
        least = frame.least(currency)
        day = AccountDay(frame, account)
        step: Step | None = None
        reasons: list[Reason] = []
        for invoice, dates in due:
            if (
                invoice.currency != currency
                or invoice.balance < least
                or not is_plain_invoice(invoice)
            ):
                return None
            found = self._first(day, invoice, dates)
            if found is None or (step is not None and step is not found[0]):
                return None
            step, before, after = found
            reasons.append(Reason("stage_due", (*before, ("invoice", invoice.number), *after)))
        if step is None or frame.send_day(account.payer) > frame.today:
            return None
        items = tuple([_item(name, step) for name in qualified])
        message = plain_message(
            account.payer.id,
            step,
            message_key(account.payer.id, [item.key for item in items]),
            items,
            currency=currency,
            qualified=qualified,
            also_open=tuple([one.id for one in open_beside(account, currency, qualified)]),
            total=sum([invoice.balance for invoice in about]),
            rarer=of_stage(frame, step),
        )
        if len(reasons) > 1:
            reasons = list(dict.fromkeys(reasons))
        return [Act(action=message, reasons=tuple(reasons), send_on=frame.today, mode=step.mode)]

    def _may_be_written_to(self, account: Account, qualified: Sequence[InvoiceId]) -> bool:
        """Whether nothing was done about these invoices before, nor anything to the account that
        may stand in the way today, and no money of the customer is unused."""
        for payment in account.payments:
            if payment.unapplied > 0:
                return False
        for credit in account.credits:
            if credit.remaining > 0:
                return False
        firm, due = self._firm, frozenset(qualified)
        last: date | None = None
        for item in account.served:
            if item.invoice in due or item.kind == "hand_off" or item.stage in firm:
                return False
            if (last is None or item.on > last) and item.is_contact:
                last = item.on
        if last is None:
            return True
        is_free = self._is_long_ago.get(last)
        if is_free is None:
            frame = self._frame
            is_free = is_long_ago(last, frame.today, frame.contact, frame.calendar)
            self._is_long_ago[last] = is_free
        return is_free

    def _first(self, day: AccountDay, invoice: Invoice, dates: Dates) -> _Candidate | None:
        """The firmest reminder that is for the invoice and whose conditions hold."""
        candidates = self._candidates.get(dates)
        if candidates is None:
            candidates = self._candidates[dates] = self._candidates_of(invoice, dates)
        for found in candidates:
            step = found[0]
            if step.is_selective or step.has_conditions:
                facts = InvoiceFacts(day, invoice)
                if not is_selected(step, self._frame.segments, facts) or unmet(step, facts):
                    continue
            return found
        return None

    def _candidates_of(self, invoice: Invoice, dates: Dates) -> tuple[_Candidate, ...]:
        """The reminders that are due of invoices of these dates, firmest first; none where they
        are due anything else, or a firm one."""
        if dates.charged or not all(lane == "reminder" for _, lane, _ in dates.fresh):
            return ()
        if any(step.formal or step.attach for step, _, _ in dates.fresh):
            return ()
        assert invoice.due_on is not None
        late = str((self._frame.today - invoice.due_on).days)
        return tuple(
            (
                step,
                (("stage", step.name),),
                (("trigger", trigger.isoformat()), ("days_past_due", late)),
            )
            for step, _, trigger in dates.fresh
        )


def _item(invoice: InvoiceId, step: Step) -> Item:
    key = stage_item("reminder", invoice, step.id, 1)
    return Item(key=key, kind="reminder", invoice=invoice, stage=step.id)
