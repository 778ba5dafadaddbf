"""What is due in one account, gathered invoice by invoice and then decided together."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import msgspec

from rules.account_day import AccountDay
from rules.account_fees import account_charges
from rules.account_ladder import AccountStage, account_standings, with_the_account
from rules.account_rules import AccountRule
from rules.actions.keys import stage_item
from rules.after_payment import after_payment
from rules.aging import is_fee_document
from rules.announcing import FeeToTell, unannounced
from rules.answer_tasks import answer_tasks
from rules.charges import (
    Charge,
    charges,
    charges_with_account,
    is_recently_closed,
    returned_charges,
)
from rules.commitment_messages import instalment_messages, promise_messages
from rules.commitment_tasks import commitment_tasks
from rules.consolidate import messages
from rules.contacting import ContactBudget
from rules.decision import Decision, Reason, Skip
from rules.dunning import DueStage, Standing, standing
from rules.frame import ONE_DAY, Dates
from rules.guards.base import REVIEW_AFTER, Case, Hold, Purpose
from rules.guards.disputes import uncontested
from rules.guards.table import first_hold
from rules.hand_off import hand_offs
from rules.internal import (
    Due,
    account_dues,
    hold_acts,
    internal_acts,
    sending_acts,
)
from rules.model.ids import StageId
from rules.model.invoice import Invoice
from rules.reminding import Reminding, account_reminders
from rules.stage_letters import letter_acts
from rules.thanks import thanks_acts
from rules.write_offs import write_off_acts

_LOOKED_AT_DAILY = frozenset({"condition", "requires"})


def held_skip(
    day: AccountDay,
    invoice: Invoice,
    hold: Hold,
    due: DueStage | None,
    kind: str = "reminder",
) -> Skip:
    return Skip(
        customer=day.account.payer.id,
        invoice=invoice.id,
        stage=due.step.id if due is not None else None,
        key=None if due is None else stage_item(kind, invoice.id, due.step.id, due.slot),
        code=hold.code,
        reasons=hold.reasons,
        next_on=hold.next_on,
        review_on=hold.review_on,
    )


def _leaves_open(skip: Skip) -> bool:
    """Whether a fee that is not charged leaves it open when somebody looks again."""
    return skip.fee is not None and skip.next_on is None and skip.review_on is None


class AccountWork:
    """What is due in one account on one day."""

    def __init__(self, day: AccountDay) -> None:
        self.day = day
        self.skips: list[Skip] = []
        self.reminders: list[Reminding] = []
        self.charges: list[Charge] = []
        self.silent: list[FeeToTell] = []
        self.internal: list[Due] = []
        self.holds: list[Due] = []
        self.sends: list[Due] = []
        self.thanks: list[Due] = []
        self.letters: list[Due] = []
        self.idle: list[tuple[Invoice, Standing, Dates]] = []
        """Of these nothing is due by itself: the ladder of the account may speak for them."""

    def closed(self, invoice: Invoice, was_due: bool) -> None:
        """A paid invoice owes what accrued until it was paid; its payment may be a stage."""
        if is_fee_document(invoice):
            return
        if self.day.frame.paid_steps:
            self._after_payment(invoice)
        if not self.day.frame.fees or not was_due or not is_recently_closed(self.day, invoice):
            return
        self._charge(invoice, self.day.frame.dates_of(invoice), None)

    def _after_payment(self, invoice: Invoice) -> None:
        found = after_payment(self.day, invoice)
        if "internal" in found.due:
            self.internal.append(Due(invoice, found.due["internal"]))
        if "thanks" in found.due:
            self.thanks.append(Due(invoice, found.due["thanks"]))
        if found.next_on is not None:
            self.skips.append(
                Skip(
                    customer=self.day.account.payer.id,
                    invoice=invoice.id,
                    code="not_due",
                    reasons=(Reason("not_due", (("next_on", found.next_on.isoformat()),)),),
                    next_on=found.next_on,
                )
            )

    def announce(self) -> None:
        """Fees that were posted and that no message told the customer of."""
        for found in unannounced(self.day):
            if isinstance(found, Skip):
                self.skips.append(found)
            else:
                self.silent.append(found)

    def returned(self) -> None:
        """Fees for payments that came back."""
        for found in returned_charges(self.day):
            if isinstance(found, Skip):
                self.skips.append(found)
            else:
                self.charges.append(found)

    def overdue(self, invoice: Invoice, dates: Dates) -> None:
        """An open invoice of which something may be due today."""
        day = self.day
        found = standing(day, invoice, dates)
        told, charged = len(self.skips), len(self.charges)
        is_acted_on = False
        reminder = found.due.get("reminder")
        if "internal" in found.due:
            self.internal.append(Due(invoice, found.due["internal"]))
            is_acted_on = True
        held = self._held(invoice, reminder, "reminder")
        if reminder is not None and held is None:
            plain = day.is_plain
            asked = invoice.balance if plain else uncontested(Case(day, invoice, "reminder"))
            self.reminders.append(Reminding(invoice, reminder, asked))
            is_acted_on = True
        if "letter" in found.due and self._held(invoice, found.due["letter"], "letter") is None:
            self.letters.append(Due(invoice, found.due["letter"]))
            is_acted_on = True
        if "send" in found.due:
            self._mail(invoice, found.due["send"])
            is_acted_on = True
        if "hold" in found.due and self._held(invoice, found.due["hold"], "hold") is None:
            self.holds.append(Due(invoice, found.due["hold"]))
            is_acted_on = True
        bears_fees = dates.charged or (day.frame.has_stage_fees and reminder is not None)
        if bears_fees and not is_fee_document(invoice):
            before = len(self.skips)
            self._charge(invoice, dates, reminder if held is None else None)
            self._bring_forward(before, found.next_on)
        if (
            not is_acted_on
            and charged == len(self.charges)
            and all(map(_leaves_open, self.skips[told:]))
        ):
            if day.frame.account_steps:
                self.idle.append((invoice, found, dates))
            else:
                self._nothing(invoice, found, dates)

    def _held(
        self, invoice: Invoice, due: DueStage | None, lane: Literal["reminder", "hold", "letter"]
    ) -> Hold | None:
        if due is None:
            return None
        purpose: Purpose = "hold" if lane == "hold" else "reminder"
        hold = first_hold(Case(self.day, invoice, purpose, due.step.stage))
        if hold is not None:
            kinds = {"hold": due.step.hold_kinds, "letter": due.step.letter_kinds}
            kind = kinds[lane][0] if lane in kinds else "reminder"
            self.skips.append(held_skip(self.day, invoice, hold, due, kind))
        return hold

    def _mail(self, invoice: Invoice, due: DueStage) -> None:
        """Every ground to wait holds but one: that it was never sent is what this mends."""
        as_if_sent = msgspec.structs.replace(invoice, sent=True)
        hold = first_hold(Case(self.day, as_if_sent, "hold", due.step.stage))
        if hold is None:
            self.sends.append(Due(invoice, due))
        else:
            self.skips.append(held_skip(self.day, invoice, hold, due, "send_invoice"))

    def _charge(self, invoice: Invoice, dates: Dates, reminder: DueStage | None) -> None:
        for found in charges(self.day, invoice, dates, reminder):
            if isinstance(found, Skip):
                self.skips.append(found)
            else:
                self.charges.append(found)

    def _charge_account(self) -> None:
        for found in account_charges(self.day, [each.due for each in self.reminders]):
            if isinstance(found, Skip):
                self.skips.append(found)
            else:
                self.charges.append(found)

    def _climb(self) -> None:
        """The ladder of the account: what is due of it, and what it says of invoices of which
        nothing is due by itself."""
        standings = list(account_standings(self.day)) if self.day.overdue else []
        for found in standings:
            self.skips += found.skips
            for lane, stage in found.due.items():
                if lane == "reminder":
                    self.reminders += account_reminders(stage)
                    self._charge_with(stage)
                elif lane == "hold":
                    self.holds += account_dues(stage)
                elif lane == "internal":
                    self.internal += account_dues(stage)
        for invoice, own, dates in self.idle:
            theirs = next((s for s in standings if invoice in s.overdue), None)
            if theirs is None or own.waiting:
                self._nothing(invoice, own, dates)
            else:
                self.skips += with_the_account(self.day, invoice, own.next_on, theirs)

    def _charge_with(self, stage: AccountStage) -> None:
        """Fees of single invoices that are posted with a stage of the account."""
        for invoice in stage.invoices if self.day.frame.fees else ():
            for found in charges_with_account(self.day, invoice, stage.due):
                if isinstance(found, Skip):
                    self.skips.append(found)
                else:
                    self.charges.append(found)

    def _bring_forward(self, since: int, next_on: date | None) -> None:
        """A fee that waits hides no stage that comes before it."""
        for place in range(since, len(self.skips)):
            known = self.skips[place].next_on
            if next_on is not None and (known is None or next_on < known):
                self.skips[place] = msgspec.structs.replace(self.skips[place], next_on=next_on)

    def _nothing(self, invoice: Invoice, found: Standing, dates: Dates) -> None:
        """Nothing is due: say what stands in the way, what comes next, or that nothing does."""
        day = self.day
        next_on = found.next_on
        if day.frame.fees:
            fee_on = dates.next_charge
            if fee_on is not None and (next_on is None or fee_on < next_on):
                next_on = fee_on
        if day.account.commitments or invoice.sent is not True or invoice.pays_by_itself:
            hold = first_hold(Case(day, invoice, "fee"))
            if hold is not None:
                self.skips.append(held_skip(day, invoice, hold, None))
                return
        code = "not_due"
        stage: StageId | None = None
        reasons: tuple[Reason, ...] = ()
        review_on = None
        if found.waiting:
            first = found.waiting[0]
            code, stage, reasons = first.code, first.step.id, first.reasons
            if code in _LOOKED_AT_DAILY:
                next_on = day.today + ONE_DAY
                if found.next_on is None:
                    # It may never hold, and nothing else is to come: a person looks too.
                    review_on = self._review(invoice)
        if next_on is None:
            if code == "not_due":
                code = "ladder_finished"
                reasons = (Reason(code, (("invoice", invoice.number),)),)
            review_on = self._review(invoice)
        self.skips.append(
            Skip(
                customer=day.account.payer.id,
                invoice=invoice.id,
                stage=stage,
                code=code,
                reasons=reasons or (Reason("not_due", (("next_on", str(next_on)),)),),
                next_on=next_on,
                review_on=review_on,
            )
        )

    def _review(self, invoice: Invoice) -> date:
        """A person looks 30 days after the last thing that we did, or after the due date."""
        assert invoice.due_on is not None
        last = max(
            (item.on for item in self.day.served.get(invoice.id, ())), default=invoice.due_on
        )
        return last + REVIEW_AFTER

    def decisions(self, wanted: Sequence[AccountRule]) -> list[Decision]:
        """Everything together: skips first, then fees and messages, then internal actions, then
        what is decided for the account as a whole."""
        budget = ContactBudget(self.day)
        if self.day.frame.account_steps:
            self._climb()
        if self.day.frame.account_fees:
            self._charge_account()
        found: list[Decision] = list(self.skips)
        if self.sends:
            found += sending_acts(self.day, self.sends)
        found += messages(self.day, self.reminders, self.charges, self.silent, budget=budget)
        if self.letters:
            found += letter_acts(self.day, self.letters, budget)
        if self.thanks:
            found += thanks_acts(self.day, self.thanks)
        if self.holds:
            found += hold_acts(self.day, self.holds)
            found += hand_offs(self.day, self.holds)
        if self.internal:
            found += internal_acts(self.day, self.internal)
            found += write_off_acts(self.day, self.internal)
        if self.day.account.commitments:
            reminded = {each.invoice.id for each in self.reminders}
            found += promise_messages(self.day, budget, reminded)
            found += instalment_messages(self.day, budget)
            found += commitment_tasks(self.day)
        if self.day.frame.answered:
            found += answer_tasks(self.day)
        for rule in wanted:
            found += rule.decide(self.day, budget)
        return found
