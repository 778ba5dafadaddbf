"""One account on one day: what the rules ask about it, worked out when first asked."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial

import msgspec

from rules.account_facts import AccountFacts
from rules.aging import is_fee_document, is_open, net_balances, unapplied_credit, unused_money
from rules.episodes import last_payments, overdue_since, returns, settlements
from rules.fees.timeline import Debt, ReversalKind, debt_of
from rules.fees_left import left_over
from rules.frame import Frame
from rules.invoice_facts import InvoiceFacts
from rules.keeping import (
    PlanStanding,
    PromiseStanding,
    credit_awaited,
    free_days,
    plan_standing,
    promise_standing,
    superseded,
)
from rules.lazily import lazily
from rules.live_stages import LiveStage, live_stages
from rules.model.book import Account
from rules.model.commitment import (
    Commitment,
    CreditExpected,
    Instalments,
    Placement,
    Promise,
)
from rules.model.credit import CreditNote
from rules.model.customer import Customer
from rules.model.history import FeePosted, Served
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.model.payment import Payment
from rules.netting import NettedShare, netted_shares, with_netted
from rules.placed import placed_invoices
from rules.policy.conditions import Conditions
from rules.selecting import Selective, in_any, is_selected, unmet
from rules.served_stages import about_accounts
from rules.won_disputes import with_credits_to_come


class AccountDay:
    """The account's history, credit and totals, by invoice and by currency."""

    def __init__(self, frame: Frame, account: Account) -> None:
        self.frame = frame
        if account.commitments and frame.policy.do_not_chase.dispute == "hold":
            rules = frame.policy
            review = partial(frame.calendar.shift, length=rules.commitments.review_after)
            account = with_credits_to_come(account, frame.today, review)
        self.account = account
        self.today = frame.today
        self.is_credit_moved = False
        """Whether something decided today holds or releases the customer's credit."""

    @lazily
    def fee_total_this_run(self) -> dict[str, Minor]:
        """Charged today, by currency."""
        return defaultdict(int)

    @lazily
    def group_total_this_run(self) -> dict[tuple[str, str], Minor]:
        """Charged today, by cap group and invoice, or by cap group and currency."""
        return defaultdict(int)

    def customer_of(self, invoice: Invoice) -> Customer:
        """The customer on the invoice; the payer where the ledger did not return it."""
        return self.account.members.get(invoice.customer, self.account.payer)

    @lazily
    def invoices(self) -> Mapping[InvoiceId, Invoice]:
        """The invoices of the account by id."""
        return {invoice.id: invoice for invoice in self.account.invoices}

    @lazily
    def served(self) -> Mapping[InvoiceId | None, list[Served]]:
        """What was done, by invoice; None: to the account."""
        found: dict[InvoiceId | None, list[Served]] = defaultdict(list)
        for item in self.account.served:
            found[item.invoice].append(item)
        return found

    def served_about(self, invoice: Invoice) -> list[Served]:
        """What was done about the invoice, by itself or with the whole account."""
        own = self.served.get(invoice.id, [])
        if not self.frame.account_steps:
            return own
        apart = self.frame.is_per_customer
        settled_on = None if is_open(invoice) else self.settled_on.get(invoice.id)
        return own + about_accounts(
            self.frame, self.served.get(None, ()), invoice, apart=apart, settled_on=settled_on
        )

    @lazily
    def fees(self) -> Mapping[InvoiceId, list[FeePosted]]:
        """Late fees posted, by invoice."""
        found: dict[InvoiceId, list[FeePosted]] = defaultdict(list)
        for fee in self.account.fees:
            found[fee.invoice].append(fee)
        return found

    @lazily
    def credit(self) -> dict[str, Minor]:
        """Unapplied credit per currency."""
        account = self.account
        if not (account.payments or account.credits) or not self.frame.nets_credit:
            return {}
        return unapplied_credit(account)

    @lazily
    def unused_money(self) -> Sequence[tuple[str, date]]:
        """(currency, day on which it was known) of money that is not applied, or not all of it."""
        return unused_money(self.account)

    @lazily
    def net(self) -> dict[InvoiceId, Minor]:
        """Open balances once unapplied credit has settled the oldest."""
        return net_balances(
            (
                invoice
                for invoice in self.account.invoices
                if not is_fee_document(invoice) or self.is_chased_fee(invoice)
            ),
            self.credit,
        )

    def net_of(self, invoice: Invoice) -> Minor:
        """What is owed on the invoice, credit deducted."""
        return self.net.get(invoice.id, 0) if self.credit else invoice.balance

    def is_chased_fee(self, document: Invoice) -> bool:
        """Whether a fee document has a procedure of its own: its invoices are paid, and the policy
        chases what is left."""
        return self.frame.chases_fees and left_over(self, document) == "chase"

    def told(self, invoice: Invoice) -> Iterator[Commitment]:
        """Commitments that bind the invoice and stand today."""
        for commitment in self.account.commitments:
            if (
                commitment.stands_on(self.today)
                and commitment.binds(invoice.id)
                and (commitment.invoices or self._is_for(commitment, invoice))
            ):
                yield commitment

    def _is_for(self, commitment: Commitment, invoice: Invoice) -> bool:
        """What a payer tells holds for all that it pays; a child's word for its own invoices."""
        return commitment.customer in (self.account.payer.id, invoice.customer)

    def told_ever(self, invoice: Invoice) -> list[Commitment]:
        """Commitments that bind the invoice, ended ones included."""
        return [
            commitment
            for commitment in self.account.commitments
            if commitment.on <= self.today
            and commitment.binds(invoice.id)
            and (commitment.invoices or self._is_for(commitment, invoice))
        ]

    def promise_ends(self, promise: Promise) -> date:
        """Last day on which a promise holds, grace included; one of more than `max_promise` ahead
        that nobody agreed to holds no longer than that."""
        rules = self.frame.policy
        shift = self.frame.calendar.shift
        longest = shift(promise.on, rules.commitments.max_promise)
        named = promise.due_on if promise.consented else min(promise.due_on, longest)
        return shift(named, rules.do_not_chase.promise_grace)

    def promise_standing(self, promise: Promise) -> PromiseStanding:
        """What became of a promise so far."""
        return promise_standing(self.account, promise, self.promise_ends(promise), self.today)

    def plan_standing(self, plan: Instalments) -> PlanStanding:
        """What became of a payment plan so far."""
        grace = self.frame.policy.do_not_chase.promise_grace
        ends = [self.frame.calendar.shift(part.due_on, grace) for part in plan.parts]
        return plan_standing(self.account, plan, ends, self.today)

    @lazily
    def breaches(self) -> list[PromiseStanding]:
        """Promises that were not kept, or not in full, while something they spoke of is open, in
        order of the promised day."""
        told = [one for one in self.account.commitments if isinstance(one, Promise)]
        found = [
            standing
            for one in told
            if one.ended_on is None
            and one.due_on < self.today
            and not superseded(one, told)
            and (standing := self.promise_standing(one)).is_breach
        ]
        return sorted(found, key=lambda found: (found.promise.due_on, found.promise.id))

    def breaches_of(self, invoice: Invoice) -> list[PromiseStanding]:
        """Those of them that spoke of the invoice."""
        return [
            found
            for found in self.breaches
            if found.promise.binds(invoice.id)
            and (found.promise.invoices or self._is_for(found.promise, invoice))
        ]

    @property
    def broken_promises(self) -> int:
        """How many promises the customer did not keep."""
        return len(self.breaches)

    @lazily
    def _settlements(self) -> tuple[Mapping[InvoiceId, list[Payment]], ...]:
        payments: dict[InvoiceId, list[Payment]] = defaultdict(list)
        for payment in self.account.payments:
            for invoice in {part.invoice for part in payment.allocations}:
                payments[invoice].append(payment)
        return (payments,)

    @lazily
    def _credits(self) -> Mapping[InvoiceId, list[CreditNote]]:
        credits: dict[InvoiceId, list[CreditNote]] = defaultdict(list)
        for credit in self.account.credits:
            for invoice in {part.invoice for part in credit.allocations}:
                credits[invoice].append(credit)
        return credits

    def credit_awaited(self, told: CreditExpected, invoice: Invoice) -> Minor:
        """What of an expected credit has not come yet."""
        return credit_awaited(told, invoice.id, self._credits.get(invoice.id, ()))

    def _quieting(self, invoice: Invoice) -> Iterator[Commitment]:
        """What keeps fees from accruing; a plan does while it is kept."""
        for told in self.told_ever(invoice):
            if isinstance(told, CreditExpected):
                yield msgspec.structs.replace(told, amount=self.credit_awaited(told, invoice))
            elif isinstance(told, Instalments):
                yield from free_days(self.plan_standing(told))
            else:
                yield told

    def payments_of(self, invoice: Invoice) -> list[Payment]:
        """Payments that settled a part of the invoice, reversed ones included."""
        (payments,) = self._settlements
        return payments.get(invoice.id, [])

    def settled_by(self, invoice: Invoice) -> Iterator[Payment | CreditNote]:
        """Payments and credits of which a part is for the invoice."""
        yield from self.payments_of(invoice)
        yield from self._credits.get(invoice.id, ())

    def credited_to(self, invoice: Invoice) -> Minor:
        """Credit notes that the ledger shows on it."""
        return sum(
            part.amount
            for credit in self._credits.get(invoice.id, ())
            if credit.kind == "credit_note"
            for part in credit.allocations
            if part.invoice == invoice.id
        )

    def debt(
        self, invoice: Invoice, *, reversal: ReversalKind = "gap", lifts_pause: bool = False
    ) -> Debt | None:
        """The invoice as a debt over time, unused credit of the customer deducted."""
        debt = debt_of(
            invoice,
            self.payments_of(invoice),
            self._credits.get(invoice.id, []),
            tuple(self._quieting(invoice)),
            disputes_pause=self.frame.policy.do_not_chase.dispute == "hold",
            reversal=reversal,
            lifts_pause=lifts_pause,
        )
        if debt is None or not self.credit:
            return debt
        return with_netted(debt, self._netted.get(invoice.id, ()))

    @lazily
    def _netted(self) -> Mapping[InvoiceId, Sequence[NettedShare]]:
        return netted_shares(self.account)

    @lazily
    def contacts(self) -> dict[str, tuple[date, str]]:
        """Counted contacts: message -> (day, customer)."""
        return {
            item.message or item.key: (item.on, item.customer)
            for item in self.account.served
            if item.is_contact
        }

    @lazily
    def placed(self) -> Mapping[InvoiceId, Placement]:
        """Invoices that are with a collector or a lawyer, fee documents about them included."""
        return placed_invoices(self.account, self.today)

    @lazily
    def overdue(self) -> dict[str, list[Invoice]]:
        """Overdue open invoices per currency, oldest first."""
        found: dict[str, list[Invoice]] = defaultdict(list)
        for invoice in self.account.invoices:
            if (
                is_open(invoice)
                and not is_fee_document(invoice)
                and invoice.due_on is not None
                and invoice.due_on < self.today
            ):
                found[invoice.currency].append(invoice)
        return found

    @lazily
    def totals(self) -> dict[str, tuple[Minor, Minor]]:
        """(owed, overdue) per currency, credit deducted, fee documents apart."""
        found: dict[str, tuple[Minor, Minor]] = defaultdict(lambda: (0, 0))
        for invoice in self.account.invoices:
            if is_open(invoice) and not is_fee_document(invoice):
                owed, overdue = found[invoice.currency]
                net = self.net_of(invoice)
                is_late = invoice.due_on is not None and invoice.due_on < self.today
                found[invoice.currency] = (owed + net, overdue + (net if is_late else 0))
        return found

    @lazily
    def settled_on(self) -> Mapping[InvoiceId, date]:
        """The day of the last payment or credit that reduced each invoice."""
        return settlements(self.account, self.today)

    @lazily
    def last_payment_on(self) -> Mapping[InvoiceId, tuple[date, date]]:
        """The last day on which money for each invoice came in, and was applied."""
        return last_payments(self.account, self.today)

    @lazily
    def returned_on(self) -> Mapping[InvoiceId, date]:
        """The last day on which a payment of each invoice came back, where a stage asks."""
        return returns(self.account, self.today) if self.frame.has_returned_stages else {}

    def overdue_since(self, currency: str, customer: CustomerId | None = None) -> date | None:
        """Since when something has been overdue in a currency, of one customer or of all."""
        return overdue_since(
            (
                invoice
                for invoice in self.account.invoices
                if invoice.currency == currency and customer in (None, invoice.customer)
            ),
            self.settled_on,
            self.today,
            self.frame.policy.do_not_chase.balance_below,
        )

    @lazily
    def live(self) -> tuple[LiveStage, ...]:
        """Firm stages whose time still runs."""
        return live_stages(self.frame, self.account, self.overdue_since)

    @lazily
    def is_plain(self) -> bool:
        """Whether an invoice's balance is what may be asked for: no credit, nobody's word."""
        return not self.account.commitments and not self.credit

    # conditions ---------------------------------------------------------------------------

    @lazily
    def account_facts(self) -> AccountFacts:
        """What conditions ask about the account as a whole."""
        return AccountFacts(self)

    def applies(self, rule: Selective, invoice: Invoice) -> bool:
        """Whether the stage or fee is for this customer and invoice at all (`only`, `skip`)."""
        if not (rule.only or rule.skip):
            return True
        return is_selected(rule, self.frame.segments, InvoiceFacts(self, invoice))

    def is_in_any(self, segments: Sequence[str], invoice: Invoice) -> bool:
        """Whether the customer and invoice belong to one of the segments."""
        if not segments:
            return False
        return in_any(segments, self.frame.segments, InvoiceFacts(self, invoice))

    def unmet(self, rule: Selective, invoice: Invoice) -> tuple[str, ...]:
        """Why `when` or `unless` keeps the rule back today; empty when they let it go."""
        if rule.when is None and rule.unless is None:
            return ()
        return unmet(rule, InvoiceFacts(self, invoice))

    def holds(self, conditions: Conditions, invoice: Invoice) -> bool:
        """Whether conditions hold for the invoice."""
        return conditions.holds(InvoiceFacts(self, invoice))
