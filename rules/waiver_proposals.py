"""Late fees to be taken back, proposed to a person: what was charged too much, and what the
policy lets a customer off once the invoice itself is paid.

Too much was charged where what is known today (a payment that came earlier, a credit note, an
invoice that was void, a dispute that the customer won) makes a fee less than what was posted of
it. That is our own mistake: what is taken back may be charged again where it is owed after all.
What was paid of it already is given back by a person, with a credit note or a refund.

What a person waived, or took back in the ledger by hand, is not proposed again.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from rules.account_day import AccountDay
from rules.accruing import assessed
from rules.actions.action import Item
from rules.actions.fee_waiver import WaiveLateFee
from rules.actions.internal import OpenTask
from rules.charges import posted_on
from rules.decision import Act, Decision, Reason, Skip
from rules.fee_rules import FeeRule
from rules.fees.assess import in_words
from rules.fees.base import MissingRateError, NoAmountError
from rules.fees_left import left_over, parts_of
from rules.model.history import FeePosted
from rules.model.ids import ItemKey
from rules.model.invoice import Invoice
from rules.model.money import Minor, format_minor
from rules.policy.values import Mode, strictest
from rules.surely_owed import all_surely_owed, surely_owed

_DEAD: Final = ("void", "deleted")
_VOID_WORDS: Final = "the invoice is {status}: nothing is owed on it"


def waiver_proposals(day: AccountDay) -> Iterable[Decision]:
    """Acts for a person to approve, and skips for what cannot be taken back as things stand."""
    if not day.account.fees or (not day.frame.proposes_waivers and all_surely_owed(day)):
        return ()
    return _Proposing(day).decided()


class _Proposing:
    def __init__(self, day: AccountDay) -> None:
        self.day = day
        self.payer = day.account.payer.id
        self.documents = {one.number: one for one in day.account.invoices if one.is_fee}
        self.charged = parts_of(day.account.fees)
        self.waived: dict[str, Minor] = {}
        for waiver in day.account.waivers:
            self.waived[waiver.document] = self.waived.get(waiver.document, 0) + waiver.amount
        self.taken: dict[str, Minor] = {}
        """Proposed today, by document."""
        self.done = {item.key for item in day.account.served if item.state != "bounced"}

    def decided(self) -> Iterator[Decision]:
        for invoice in self.day.account.invoices:
            if invoice.id not in self.day.fees:
                continue
            for rule in self.day.frame.all_fees:
                if not (rule.fee.scope == "customer" and rule.fee.type == "flat"):
                    yield from self._charged_too_much(invoice, rule)
        for document in self.documents.values():
            if left_over(self.day, document) == "propose_waiver":
                yield from self._left(document)

    # charged too much ---------------------------------------------------------------------

    def _charged_too_much(self, invoice: Invoice, rule: FeeRule) -> Iterator[Decision]:
        posted = posted_on(self.day, invoice, rule)
        if not posted or any(charge.state != "done" for charge in posted):
            return
        if surely_owed(self.day, rule, invoice, posted):
            return
        standing = {charge.key: self._standing(charge) for charge in posted}
        found = self._owed(invoice, rule, posted)
        if found is None:
            return
        owed, why = found
        over = sum(standing.values()) - owed
        for charge in sorted(posted, key=lambda one: (one.on, one.key), reverse=True):
            part = min(over, standing[charge.key])
            if part > 0:
                over -= part
                yield from self._take_back(charge, invoice, rule, part, owed, why())

    def _owed(
        self, invoice: Invoice, rule: FeeRule, posted: list[FeePosted]
    ) -> tuple[Minor, Callable[[], str]] | None:
        """What the fee comes to by today, and how to say it; None where nobody can tell."""
        if invoice.status in _DEAD:
            return 0, partial(_VOID_WORDS.format, status=invoice.status)
        if invoice.due_on is None or invoice.status == "draft":
            return None
        try:
            debt, found = assessed(self.day, rule, invoice, self.day.today, posted)
        except (NoAmountError, MissingRateError):
            return None
        if not found.accrued:
            return 0, partial(str, "nothing accrued")
        return found.accrued, partial(in_words, rule.fee, found, debt)

    def _standing(self, charge: FeePosted) -> Minor:
        """What of a charge still burdens the customer: neither corrected, waived, nor taken back
        in the ledger by hand."""
        document = self.documents.get(charge.document)
        if document is not None and document.status in _DEAD:
            return 0
        left = charge.amount - charge.corrected
        gone = self._gone(charge.document)
        for part in self.charged[charge.document]:
            whole = part.amount - part.corrected
            if part.key == charge.key:
                return left - min(gone, whole)
            gone -= min(gone, whole)
        return left

    def _gone(self, number: str) -> Minor:
        """Waived of a document, or credited to it in the ledger by hand."""
        waived = self.waived.get(number, 0)
        document = self.documents.get(number)
        if document is None:
            return waived
        ours = waived + sum(part.corrected for part in self.charged[number])
        return waived + max(self.day.credited_to(document) - ours, 0)

    def _take_back(
        self,
        charge: FeePosted,
        invoice: Invoice,
        rule: FeeRule,
        part: Minor,
        owed: Minor,
        why: str,
    ) -> Iterator[Decision]:
        document = self.documents.get(charge.document)
        money = f"{charge.currency} {format_minor(part, charge.currency)}"
        reason = Reason(
            "fee_charged_too_much",
            (
                ("fee", rule.fee.name or rule.fee.id),
                ("invoice", invoice.number),
                ("document", charge.document),
                ("amount", money),
                ("owed", f"{charge.currency} {format_minor(owed, charge.currency)}"),
                ("why", why),
            ),
        )
        key = ItemKey(
            f"fee_waiver/{charge.document}/{charge.invoice}"
            f"/{charge.corrected + self.waived.get(charge.document, 0)}"
        )
        if document is None:
            yield self._skip("fee_document_missing", charge, key, reason)
            return
        left = document.balance - self.taken.get(document.number, 0)
        open_part = min(part, max(left, 0)) if document.status == "open" else 0
        mode = strictest(rule.mode, Mode.APPROVE)
        if open_part and key not in self.done:
            yield self._proposal(document, charge, key, open_part, reason, mode, True)
        if open_part:
            self.taken[document.number] = self.taken.get(document.number, 0) + open_part
        paid = part - open_part
        task = ItemKey(f"task/{key}")
        if paid and task not in self.done:
            yield self._give_back(charge, invoice, task, paid, reason, mode)

    def _proposal(
        self,
        document: Invoice,
        charge: FeePosted,
        key: ItemKey,
        amount: Minor,
        reason: Reason,
        mode: Mode,
        is_correction: bool,
    ) -> Act:
        charged = sum(part.amount - part.corrected for part in self.charged[document.number])
        is_untouched = document.balance == document.total and not self._gone(document.number)
        action = WaiveLateFee(
            key=key,
            customer=self.payer,
            currency=charge.currency,
            items=(Item(key=key, kind="fee_waiver", invoice=charge.invoice, fee=charge.fee),),
            invoice=charge.invoice,
            document=document.number,
            document_id=document.id,
            waived=amount,
            is_whole=is_untouched and amount == charged,
            reason="charged too much" if is_correction else "the invoice itself is paid",
            is_correction=is_correction,
        )
        return Act(action=action, reasons=(reason,), send_on=self.day.today, mode=mode)

    def _give_back(
        self,
        charge: FeePosted,
        invoice: Invoice,
        key: ItemKey,
        amount: Minor,
        reason: Reason,
        mode: Mode,
    ) -> Act:
        money = f"{charge.currency} {format_minor(amount, charge.currency)}"
        return Act(
            action=OpenTask(
                key=key,
                customer=self.payer,
                currency=charge.currency,
                items=(Item(key=key, kind="task", invoice=charge.invoice, fee=charge.fee),),
                text=f"Late fee {charge.document} on invoice {invoice.number} was paid, and "
                f"{money} of it was charged too much: issue a credit note over {money}, or give "
                "the money back.",
                due_on=self.day.today,
            ),
            reasons=(reason,),
            send_on=self.day.today,
            mode=mode,
        )

    # left over ----------------------------------------------------------------------------

    def _left(self, document: Invoice) -> Iterator[Decision]:
        charged = self.charged[document.number]
        head = charged[0]
        amount = document.balance - self.taken.get(document.number, 0)
        key = ItemKey(f"fee_waiver/{document.number}/left/{self.waived.get(document.number, 0)}")
        if amount <= 0 or key in self.done:
            return
        rule = next(rule for rule in self.day.frame.all_fees if head.fee in rule.ids)
        reason = Reason(
            "fee_left_over",
            (
                ("document", document.number),
                ("amount", f"{document.currency} {format_minor(amount, document.currency)}"),
            ),
        )
        mode = strictest(rule.mode, Mode.APPROVE)
        yield self._proposal(document, head, key, amount, reason, mode, False)

    def _skip(self, code: str, charge: FeePosted, key: ItemKey, reason: Reason) -> Skip:
        return Skip(
            customer=self.payer,
            invoice=charge.invoice,
            fee=charge.fee,
            key=key,
            code=code,
            reasons=(Reason(code, reason.facts), reason),
            review_on=self.day.today,
        )
