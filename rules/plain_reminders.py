"""The usual case of an account that something is due of: reminders of invoices that nobody ever
said or did anything about, and nothing else.

Most of what falls due on a day is this. What takes the long way most of its time is asking after
words, credit, fees, letters and firmer stages that such an account does not have; here that is
seen from its few rows. Wherever anything else is in play, this says nothing and the long way
decides. It may only say what that would have said.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import compress
from operator import attrgetter
from typing import Final, Protocol, TypeAlias, TypeVar

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
from rules.model.book import Account, Book
from rules.model.ids import CustomerId, InvoiceId
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

_OF_DOCUMENT: Final = frozenset(
    {
        *("invoice_balance", "invoice_total", "invoice_tax", "paid_percent", "is_part_paid"),
        *("days_past_due", "invoice_age_days", "due_month_day", "invoice_number", "po"),
        *("reference", "currency", "invoice_tags", "items", "tracking", "classes"),
        *("customer", "customer_name", "tags", "country", "language", "timezone"),
        *("entity_type", "terms_days", "has_email", "roles", "credit_limit", "is_on_hold"),
    }
)
"""What conditions may ask about without the rest of the account."""

_by_customer: Final = attrgetter("customer")
_by_due_and_id: Final = attrgetter("due_on", "id")


class _OfCustomer(Protocol):
    @property
    def customer(self) -> CustomerId: ...


_Row = TypeVar("_Row", bound=_OfCustomer)
_Due: TypeAlias = Sequence[tuple[Invoice, Dates]]
_Fact: TypeAlias = tuple[str, str]
_Candidate: TypeAlias = tuple[Step, tuple[_Fact, ...], tuple[_Fact, ...]]
"""A stage, and what the reason says before and after it names the invoice."""


class PlainReminders:
    """What is asked of such accounts in one run, with what is the same for many worked out once."""

    def __init__(self, frame: Frame, few: Book) -> None:
        """`few`: the book with at least the rows of the accounts that will be asked about."""
        self._frame = frame
        self._few = few
        checks = checks_of(frame, "reminder", False, True, True, True, False)
        self._is_usual = (
            _SEEN_HERE.issuperset(checks)
            and frame.is_one_message
            and not frame.is_per_customer
            and not frame.account_steps
            and not frame.has_stage_fees
            and not frame.has_returned_stages
            and not frame.has_discount
            and not frame.asks
        )
        """Whether the policy leaves anything to be decided here."""
        self._firm = frozenset(
            name for step in frame.steps if step.formal or step.is_account for name in step.ids
        )
        self._candidates: dict[Dates, tuple[_Candidate, ...]] = {}
        self._is_long_ago: dict[date, bool] = {}

    def decided(self, due: Mapping[CustomerId, _Due]) -> dict[CustomerId, list[Decision]]:
        """The messages about the invoices of which something is due, by payer. Whoever is missing
        takes a closer look.

        Of the payers it is known that nobody's word stands and that nothing came back. The rows of
        the book are gone through once, in their order: those of an account lie far apart.
        """
        if not self._is_usual:
            return {}
        try:
            plain = self._without_history(due)
            beside = self._invoices_of(plain)
        except Exception:
            # Something in the book is not what it should be: the long way tells whose it is.
            return {}
        found: dict[CustomerId, list[Decision]] = {}
        for payer in plain:
            try:
                act = self._reminder(payer, due[payer], beside[payer])
            except Exception:
                continue  # said by the long way
            if act is not None:
                found[payer] = [act]
        return found

    def _without_history(self, due: Mapping[CustomerId, _Due]) -> set[CustomerId]:
        """Who pays for nobody else and has no unused money, and whose invoices nothing was done
        about before, nor anything to the account that may stand in the way today."""
        book, firm = self._few, self._firm
        heads = set(book.children_paid_for().values())
        plain = {
            payer
            for payer in due
            if payer not in heads
            and (known := book.customers.get(payer)) is not None
            and known.is_active
        }
        for payment in _of(plain, book.payments):
            if payment.unapplied > 0:
                plain.discard(payment.customer)
        for credit in _of(plain, book.credits):
            if credit.remaining > 0:
                plain.discard(credit.customer)
        named = {invoice.id for found in due.values() for invoice, _ in found}
        last: dict[CustomerId, date] = {}
        for item in _of(plain, book.served):
            customer = item.customer
            if item.invoice in named or item.kind == "hand_off" or item.stage in firm:
                plain.discard(customer)
            elif item.is_contact:
                before = last.get(customer)
                if before is None or item.on > before:
                    last[customer] = item.on
        return {payer for payer in plain if payer not in last or self._is_free(last[payer])}

    def _is_free(self, last: date) -> bool:
        """Whether one more contact is free today after the last one."""
        found = self._is_long_ago.get(last)
        if found is None:
            frame = self._frame
            found = is_long_ago(last, frame.today, frame.contact, frame.calendar)
            self._is_long_ago[last] = found
        return found

    def _invoices_of(self, payers: Collection[CustomerId]) -> Mapping[CustomerId, list[Invoice]]:
        """The open invoices of some payers, by due date and id."""
        found: dict[CustomerId, list[Invoice]] = {payer: [] for payer in payers}
        for invoice in _of(payers, self._few.invoices):
            if invoice.status == "open" and invoice.balance > 0:
                found[invoice.customer].append(invoice)
        for invoices in found.values():
            invoices.sort(key=_by_due_and_id)
        return found

    def _reminder(self, payer: CustomerId, due: _Due, invoices: Sequence[Invoice]) -> Act | None:
        """The message; None where the invoices are due more than that.

        Raises NoOpenDayError.
        """
        frame, currency = self._frame, due[0][0].currency
        least, head = frame.least(currency), frame.book.customers[payer]
        account = Account(payer=head, members={payer: head}, invoices=invoices)
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
        if step is None or frame.send_day(head) > frame.today:
            return None
        qualified = tuple([invoice.id for invoice, _ in due])
        items = tuple([_item(name, step) for name in qualified])
        message = plain_message(
            payer,
            step,
            message_key(payer, [item.key for item in items]),
            items,
            currency=currency,
            qualified=qualified,
            also_open=tuple([one.id for one in open_beside(account, currency, qualified)]),
            total=sum([invoice.balance for invoice, _ in due]),
            rarer=of_stage(frame, step),
        )
        if len(reasons) > 1:
            reasons = list(dict.fromkeys(reasons))
        return Act(action=message, reasons=tuple(reasons), send_on=frame.today, mode=step.mode)

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
        if any(s.formal or s.attach or not self._is_of_document(s) for s, _, _ in dates.fresh):
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

    def _is_of_document(self, step: Step) -> bool:
        """Whether conditions of the stage ask about nothing but the invoice and the customer."""
        named = (self._frame.segments[name] for name in (*step.only, *step.skip))
        asked = [step.when, step.unless]
        asked += [each for segment in named for each in (segment.when, segment.unless)]
        return all(one is None or one.facts <= _OF_DOCUMENT for one in asked)


def _of(payers: Collection[CustomerId], rows: Collection[_Row]) -> Iterator[_Row]:
    """The rows of some customers. Who is dropped meanwhile has no more of them."""
    return compress(rows, map(payers.__contains__, map(_by_customer, rows)))


def _item(invoice: InvoiceId, step: Step) -> Item:
    key = stage_item("reminder", invoice, step.id, 1)
    return Item(key=key, kind="reminder", invoice=invoice, stage=step.id)
