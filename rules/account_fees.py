"""Late fees of whole accounts (`scope = "customer"`): one document for each account and currency,
with a line for each invoice that bears it.

What an invoice bears is found as if the fee were charged to it alone, and remembered by invoice:
whatever is paid, disputed or moved later, nothing is charged twice. A `flat` fee has no such
amounts: it is charged once for each slot, to the oldest invoice that is overdue. What the policy
says of a document (`minimum_to_post`, `minimum_per = "charge"`, `per_customer_month`) is asked of
the document as a whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from copy import copy
from datetime import date
from fractions import Fraction

import msgspec

from rules.account_day import AccountDay
from rules.account_slots import Occasion, next_occasion, occasion
from rules.accruing import assessed, note_document, note_part, was_cut_off
from rules.actions.keys import account_fee_item, fee_part_item
from rules.actions.late_fee import DerivationRow
from rules.aging import is_fee_document, is_open
from rules.charges import (
    Charge,
    ChargePart,
    hold_of_fee,
    is_recently_closed,
    not_yet,
    posted_on,
    within_month,
)
from rules.decision import Reason, Skip
from rules.dunning import DueStage
from rules.fee_rules import FeeRule
from rules.fees.assess import Assessment, in_words, less
from rules.fees.base import NOTHING, Accrued, MissingRateError, NoAmountError, rational
from rules.fees.caps import nominal
from rules.fees.slots import free_slot, slot_of
from rules.frame import ONE_DAY
from rules.model.fee_part import ALL_INVOICES
from rules.model.ids import ItemKey
from rules.model.invoice import Invoice
from rules.model.money import Minor, format_minor


def account_charges(day: AccountDay, due: Iterable[DueStage] = ()) -> Iterator[Charge | Skip]:
    """The fees of the account as a whole, in the order of the policy.

    `due` are the reminders that its invoices are served today, for fees posted with a stage.
    """
    owing: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in day.account.invoices:
        if is_fee_document(invoice) or invoice.due_on is None:
            continue
        if is_open(invoice) or is_recently_closed(day, invoice):
            owing[invoice.currency].append(invoice)
    if not owing:
        return
    stages = list(due)
    for rule in day.frame.account_fees:
        for currency, invoices in owing.items():
            yield from _Charging(day, rule, currency, invoices).decided(stages)


class _Charging:
    """One fee of one account in one currency, today."""

    def __init__(
        self, day: AccountDay, rule: FeeRule, currency: str, invoices: list[Invoice]
    ) -> None:
        self.day = day
        self.rule = rule
        self.of_invoice = _of_invoice(rule)
        self.currency = currency
        self.invoices = invoices
        self.charged_of_sum: Minor = 0
        """Of a sum whose rest is charged today."""
        self.posted = [
            fee
            for fee in day.account.fees
            if fee.fee in rule.ids and fee.currency == currency and fee.account_key is not None
        ]

    def decided(self, stages: list[DueStage]) -> Iterator[Charge | Skip]:
        found = occasion(self.day, self.rule, self.currency, self.invoices, self.posted, stages)
        now = found
        slot = None if found is None else free_slot(found.slot, self.posted)
        if slot is None and (rest := self._rest()) is not None:
            found, slot = rest, f"{rest.slot}.{self.day.today:%Y%m}"
        decisions: list[Charge | Skip] = []
        if found is not None and slot is not None:
            decisions = list(self._on(found, slot))
        yield from decisions
        if any(isinstance(one, Charge) or one.invoice is None for one in decisions):
            return
        following = next_occasion(self.day, self.rule, self.invoices, self.posted, now)
        if following is not None:
            yield self._skip("not_due", None, ("next_on", following.isoformat()), next_on=following)

    def _rest(self) -> Occasion | None:
        """What a monthly limit left over of the sum charged last, while anything is overdue."""
        day, charged = self.day, [fee for fee in self.posted if not fee.is_minimum]
        if self.rule.fee.type != "flat" or not was_cut_off(day, self.rule, charged):
            return None
        overdue = tuple(
            one
            for one in self.invoices
            if is_open(one) and one.due_on is not None and one.due_on < day.today
        )
        slot = slot_of(max(charged, key=lambda fee: fee.on).key)
        self.charged_of_sum = sum(
            fee.amount - fee.corrected for fee in charged if slot_of(fee.key) == slot
        )
        return Occasion(slot, day.today, is_flat=True, invoices=overdue) if overdue else None

    def _on(self, found: Occasion, slot: str) -> Iterator[Charge | Skip]:
        parts: list[ChargePart] = []
        for invoice in found.invoices or self.invoices:
            part = self._part(invoice, found, slot)
            if isinstance(part, Skip):
                yield part
            elif part is not None:
                parts.append(part)
                # What one invoice used of limits that it shares, the next no longer has.
                note_part(self.day, self.rule, invoice, part.assessment.to_post)
                if found.is_flat:
                    break
        if not parts:
            return
        yield self._document(parts, found, slot)

    def _part(self, invoice: Invoice, found: Occasion, slot: str) -> ChargePart | Skip | None:
        """What the invoice bears; None where that is nothing, or where it was charged before."""
        day, rule, fee = self.day, self.of_invoice, self.rule.fee
        assert invoice.due_on is not None
        if invoice.due_on >= found.through:
            return None
        since = fee.applies_to.issued_from
        if (since is not None and invoice.issued_on < since) or not day.applies(fee, invoice):
            return None
        key = fee_part_item(invoice.id, rule.id, slot)
        if not rule.has_basis:
            return self._skip("no_legal_basis", invoice, key=key, review_on=day.today)
        posted = posted_on(day, invoice, rule)
        try:
            debt, assessment = assessed(day, rule, invoice, found.through, posted)
            if found.is_flat:
                assessment = self._flat(found.through) if assessment.accrued > 0 else _NONE
        except NoAmountError:
            told = ("currency", self.currency)
            return self._skip("no_amount_for_currency", invoice, told, key=key, review_on=day.today)
        except MissingRateError as missing:
            return self._skip(
                "reference_rate_missing", invoice, *missing.facts, key=key, review_on=day.today
            )
        if assessment.to_post <= 0:
            return None
        hold = hold_of_fee(day, invoice, fee)
        if hold is not None:
            return Skip(
                customer=day.account.payer.id,
                invoice=invoice.id,
                fee=rule.id,
                key=key,
                code=hold.code,
                reasons=hold.reasons,
                next_on=hold.next_on,
                review_on=hold.review_on,
            )
        waits = not_yet(day, invoice, rule, debt, assessment, posted)
        if waits is not None:
            code, facts = waits
            return self._skip(code, invoice, *facts, key=key, next_on=day.today + ONE_DAY)
        return ChargePart(invoice, key, assessment, in_words(rule.fee, assessment, debt))

    def _flat(self, through: date) -> Assessment:
        """The sum itself: it is charged for the slot, whatever was charged before."""
        amount = self.rule.fee.amount
        assert amount is not None
        exact = amount.of(self.currency, self.day.frame.base_currency)
        if exact is None:
            raise NoAmountError(f"{self.rule.id} has no amount in {self.currency}")
        row = DerivationRow(
            kind="fixed", from_=through, to=through, exact=rational(Fraction(exact))
        )
        sum_of_it = nominal(exact, self.currency)
        accrual = Accrued(exact=Fraction(exact), rows=(row,))
        whole = Assessment(accrued=sum_of_it, posted=0, to_post=sum_of_it, accrual=accrual)
        return less(whole, "already_posted", self.charged_of_sum, self.currency)

    def _document(self, parts: list[ChargePart], found: Occasion, slot: str) -> Charge | Skip:
        day, rule, fee = self.day, self.rule, self.rule.fee
        customer = day.account.payer.id
        key = account_fee_item(customer, rule.id, slot)
        parts = _without(parts, self._unplaced, self.currency, "already_posted")
        try:
            parts += self._minimum(parts, slot)
        except NoAmountError:
            told = ("currency", self.currency)
            return self._skip("no_amount_for_currency", None, told, key=key, review_on=day.today)
        whole = _together(parts)
        least = fee.minimum_to_post
        if least is not None and whole.to_post < nominal(least, self.currency):
            amount = ("amount", format_minor(whole.to_post, self.currency))
            told = ("minimum", f"{least}")
            following = next_occasion(day, rule, self.invoices, self.posted, found)
            return self._skip("fee_too_small", None, amount, told, key=key, next_on=following)
        kept = within_month(day, rule, whole, self.currency)
        if kept.to_post < whole.to_post:
            parts = _without(parts, whole.to_post - kept.to_post, self.currency, "deferred")
            whole = _together(parts)
        if whole.to_post <= 0:
            following = (day.today.replace(day=1) + 31 * ONE_DAY).replace(day=1)
            return self._skip("fee_month_limit", None, key=key, next_on=following)
        note_document(day, rule, self.currency, whole.to_post)
        amount_told = f"{format_minor(whole.to_post, self.currency)} {self.currency}"
        reason = Reason(
            "fee_due",
            (
                ("fee", fee.name or fee.id),
                ("invoice", ", ".join(dict.fromkeys(part.invoice.number for part in parts))),
                ("amount", amount_told),
                ("through", found.through.isoformat()),
            ),
        )
        return Charge(
            rule=rule,
            invoice=parts[0].invoice,
            key=key,
            through=found.through,
            assessment=whole,
            text="; ".join(f"invoice {part.invoice.number}: {part.text}" for part in parts),
            reasons=(reason,),
            parts=tuple(parts),
        )

    @property
    def _unplaced(self) -> Minor:
        """Posted before for nobody knows which invoices: the lines of a document that was found
        again had been edited."""
        return sum(
            fee.amount - fee.corrected
            for fee in self.posted
            if fee.invoice == ALL_INVOICES and not fee.is_minimum
        )

    def _minimum(self, parts: list[ChargePart], slot: str) -> list[ChargePart]:
        """What raises the document to the minimum of each charge, as a line of its own."""
        fee = self.rule.fee
        if fee.minimum_charge is None or fee.minimum_per != "charge" or not parts:
            return []
        least = fee.minimum_charge.of(self.currency, self.day.frame.base_currency)
        if least is None:
            raise NoAmountError(f"the minimum of {fee.id} has no amount in {self.currency}")
        missing = nominal(least, self.currency) - sum(one.assessment.to_post for one in parts)
        if missing <= 0:
            return []
        raised = less(_NONE, "minimum", -missing, self.currency)
        head = parts[0].invoice
        key = fee_part_item(head.id, self.rule.id, f"{slot}.minimum")
        return [ChargePart(head, key, raised, "raised to the minimum", is_minimum=True)]

    def _skip(
        self,
        code: str,
        invoice: Invoice | None,
        *facts: tuple[str, str],
        key: ItemKey | None = None,
        next_on: date | None = None,
        review_on: date | None = None,
    ) -> Skip:
        about = invoice.number if invoice is not None else "the whole account"
        told = (("fee", self.rule.fee.name or self.rule.fee.id), ("invoice", about), *facts)
        return Skip(
            customer=self.day.account.payer.id,
            invoice=invoice.id if invoice is not None else None,
            fee=self.rule.id,
            key=key,
            code=code,
            reasons=(Reason(code, told),),
            next_on=next_on,
            review_on=review_on,
        )


_NONE = Assessment(accrued=0, posted=0, to_post=0, accrual=NOTHING)


def _without(parts: list[ChargePart], amount: Minor, currency: str, step: str) -> list[ChargePart]:
    """The parts with an amount taken off the last of them; parts that come to nothing go."""
    kept: list[ChargePart] = []
    for part in reversed(parts):
        taken = min(amount, part.assessment.to_post)
        amount -= taken
        if taken < part.assessment.to_post:
            smaller = less(part.assessment, step, taken, currency)
            kept.append(msgspec.structs.replace(part, assessment=smaller))
    return kept[::-1]


def _together(parts: list[ChargePart]) -> Assessment:
    """The document: its rows and steps are those of its parts, one after the other."""
    each = [part.assessment for part in parts]
    return Assessment(
        accrued=sum(one.accrued for one in each),
        posted=sum(one.posted for one in each),
        to_post=sum(one.to_post for one in each),
        accrual=Accrued(
            exact=sum((one.accrual.exact for one in each), Fraction(0)),
            rows=tuple(row for one in each for row in one.accrual.rows),
        ),
        steps=tuple(step for one in each for step in one.steps),
    )


def _of_invoice(rule: FeeRule) -> FeeRule:
    """The fee as it is found for each invoice: what the policy says of a document is asked of
    the document alone."""
    fee = rule.fee
    told: dict[str, object] = {}
    if fee.minimum_to_post is not None:
        told["minimum_to_post"] = None
    if fee.minimum_charge is not None and fee.minimum_per == "charge":
        told["minimum_charge"] = None
    if not told:
        return rule
    found = copy(rule)
    found.fee = fee.model_copy(update=told)
    return found
