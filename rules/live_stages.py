"""Firm stages whose time still runs: while one does, nothing softer goes to the same account."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Final

import msgspec

from rules.aging import is_open
from rules.frame import Frame
from rules.model.book import Account
from rules.model.history import Served
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice
from rules.policy.values import Duration
from rules.served_stages import currency_of, unit_of
from rules.steps import Step

FORMAL_DEADLINE: Final = Duration(14, "d")
"""Time that a formal stage without a deadline of its own gives the customer."""

AFTERWARDS: Final = timedelta(days=30)
"""How long the last firm word stands where nothing firmer follows it, and how long a stage of the
account's ladder does: after that a new invoice is not held up by it any longer."""


class LiveStage(msgspec.Struct, frozen=True):
    """A firm stage that was served and whose time still runs."""

    step: Step
    until: date
    """The last day of it."""
    currency: str | None = None
    """The currency that a stage of the account's ladder is about; None: the whole account."""
    customer: CustomerId | None = None
    """The customer whom it is about, where each customer is written to apart."""

    def binds(self, step: Step, invoice: Invoice) -> bool:
        """Whether the step would be a softer word, said about this invoice."""
        if self.currency is not None and invoice.currency != self.currency:
            return False
        if self.customer is not None and invoice.customer != self.customer:
            return False
        if step.index == self.step.index:
            return False
        return step.index < self.step.index or (
            self.step.stage.formal and not step.stage.formal and not self.step.is_account
        )


def live_stages(
    frame: Frame,
    account: Account,
    since: Callable[[str, CustomerId | None], date | None],
) -> tuple[LiveStage, ...]:
    """The firm stages served to an account whose time is not over today.

    `since` tells, for a currency and a customer (None: the whole account), from which day on
    something has been overdue without a break.
    """
    firm = [one for one in _reminders(frame, account.served) if _is_firm(one[1])]
    if not firm:
        return ()
    found: list[LiveStage] = []
    open_ones = [invoice for invoice in account.invoices if is_open(invoice)]
    for item, step in firm:
        if step.is_account:
            found += _of_account(frame, item, step, open_ones, since)
        elif any(one.id == item.invoice for one in open_ones):
            found.append(LiveStage(step, _ends(frame, item, step)))
    return tuple(one for one in found if one.until >= frame.today)


def _is_firm(step: Step) -> bool:
    return step.is_account or step.formal


def _reminders(frame: Frame, served: Iterable[Served]) -> Iterator[tuple[Served, Step]]:
    for item in served:
        if item.kind == "reminder" and item.stage is not None and item.state != "bounced":
            step = frame.step_of.get(item.stage)
            if step is not None:
                yield item, step


def _ends(frame: Frame, item: Served, step: Step) -> date:
    """Last day of the time that the stage gave. The last firm word stands a while longer, until
    a person looks at what it came to."""
    given = frame.calendar.shift(item.on, step.stage.deadline or FORMAL_DEADLINE)
    if step.index == frame.last_rung:
        return max(given, item.on + AFTERWARDS)
    return given


def _of_account(
    frame: Frame,
    item: Served,
    step: Step,
    open_ones: Iterable[Invoice],
    since: Callable[[str, CustomerId | None], date | None],
) -> Iterator[LiveStage]:
    currency = currency_of(item)
    customer = unit_of(item) if frame.policy.contact.unit == "customer" else None
    late = {
        one.currency
        for one in open_ones
        if one.due_on is not None
        and one.due_on < item.on
        and currency in (None, one.currency)
        and customer in (None, one.customer)
    }
    given = step.stage.deadline
    until = item.on + AFTERWARDS
    if given is not None:
        until = max(until, frame.calendar.shift(item.on, given))
    for one in sorted(late):
        start = since(one, customer)
        if start is not None and item.on >= start:
            yield LiveStage(step, until, None if step.stage.formal else one, customer)
