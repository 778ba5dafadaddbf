"""What a policy would have done over the history of a book: contacts, fees, and regrets.

The reaction of customers is not part of it: they pay when they paid. So a backtest tells how
often a policy would have written, charged and erred, never how much sooner money would have come.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from ar_bridge.collecting import all_of_it_stays
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.decision import Act
from rules.model import Book, CreditNote, HolidaySet, InvoiceId, Payment, format_minor
from rules.model.events import EventLog
from rules.model.past import PastBook
from rules.policy.schema import Policy
from rules.replay import ReplayedDay, replay_accounts


class Backtest(msgspec.Struct, kw_only=True):
    """What one policy came to. Amounts are minor units by currency."""

    policy: str
    first: date
    last: date
    days: int = 0
    messages: int = 0
    customers_written_to: int = 0
    reminders: dict[str, int] = {}
    """Stage to invoices served."""
    fees: dict[str, int] = {}
    """Fee to documents."""
    fee_totals: dict[str, int] = {}
    internal: dict[str, int] = {}
    """Kind to actions for colleagues."""
    approvals: int = 0
    """Actions that a person would have had to release."""
    chased_after_paying: int = 0
    """Reminders of invoices whose money had come by then, though the books did not know it."""
    busiest_day: int = 0
    """Most messages of one day."""
    waits: dict[str, int] = {}
    """Reason to invoices that waited for it, on the last day."""

    def plain(self) -> dict[str, Any]:
        """In JSON terms; sums as decimal text."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        told["fee_totals"] = {
            currency: format_minor(total, currency) for currency, total in self.fee_totals.items()
        }
        return told


def backtest(
    log: EventLog | PastBook,
    policy: Policy,
    first: date,
    last: date,
    *,
    holidays: HolidaySet | None = None,
    connected_on: date | None = None,
    progress: Callable[[int], None] | None = None,
) -> Backtest:
    """Play the policy from `first` to `last` and count what it did. `progress` is told the days
    done."""
    with all_of_it_stays():
        return _played(log, policy, first, last, holidays, connected_on, progress)


def _played(
    log: EventLog | PastBook,
    policy: Policy,
    first: date,
    last: date,
    holidays: HolidaySet | None,
    connected_on: date | None,
    progress: Callable[[int], None] | None,
) -> Backtest:
    end = date.max.replace(month=1, day=1)
    whole = log.book(end) if isinstance(log, PastBook) else log.as_of(end).book
    settled = settled_on(whole)
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("reminders", "fees", "fee_totals", "internal", "waits")
    }
    result = Backtest(policy=policy.name, first=first, last=last)
    written_to: set[str] = set()
    for played in replay_accounts(
        log, policy, first, last, holidays=holidays, connected_on=connected_on
    ):
        result.days += 1
        _count(result, counts, played, settled, written_to)
        if progress is not None:
            progress(result.days)
        if played.day == last:
            counts["waits"].update(
                skip.code for skip in played.skips if skip.invoice and skip.code != "not_due"
            )
    result.customers_written_to = len(written_to)
    for name, counter in counts.items():
        setattr(result, name, dict(sorted(counter.items())))
    return result


def _count(
    result: Backtest,
    counts: dict[str, Counter[str]],
    played: ReplayedDay,
    settled: dict[InvoiceId, date],
    written_to: set[str],
) -> None:
    messages = 0
    for act in played.acts:
        action = act.action
        if isinstance(action, SendReminder):
            messages += 1
            written_to.add(action.customer)
            for item in action.items:
                if item.kind != "reminder":
                    continue
                counts["reminders"][item.stage or ""] += 1
                for invoice in (item.invoice,) if item.invoice else action.covers:
                    if settled.get(invoice, date.max) <= played.day:
                        result.chased_after_paying += 1
        elif isinstance(action, ChargeLateFee):
            counts["fees"][action.fee_id] += 1
            counts["fee_totals"][action.currency] += action.charge
        else:
            counts["internal"][action.kind] += 1
        result.approvals += _needs_a_person(act)
    result.messages += messages
    result.busiest_day = max(result.busiest_day, messages)


def _needs_a_person(act: Act) -> bool:
    return str(act.mode) == "approve"


def settled_on(book: Book) -> dict[InvoiceId, date]:
    """The day on which the money of each paid invoice had come, by the dates of the payments.

    `book` knows everything; an invoice of which something is still open is not among them.
    """
    open_ = {invoice.id for invoice in book.invoices if invoice.balance > 0}
    last: dict[InvoiceId, date] = {}
    money: list[Payment | CreditNote] = [*book.payments, *book.credits]
    for paid in money:
        for part in paid.allocations:
            on = part.on or paid.on
            last[part.invoice] = max(last.get(part.invoice, on), on)
    return {invoice: on for invoice, on in last.items() if invoice not in open_}
