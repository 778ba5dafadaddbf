"""The contact budget of one account over one run: every message to a customer asks here first."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from operator import itemgetter

from rules.account_day import AccountDay
from rules.decision import Reason
from rules.guards.budget import first_free_day
from rules.lazily import lazily
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice


class ContactBudget:
    """What is left of the contact budget of one account, with the messages of this run counted
    as they come.

    `unit` is the payer, or one customer where the policy counts each for itself; what is only
    observed never uses up what really goes.
    """

    def __init__(self, day: AccountDay) -> None:
        self.day = day
        self.rules = day.frame.contact
        self._extra: dict[tuple[CustomerId, bool], list[date]] = defaultdict(list)

    def _contacts(self, unit: CustomerId, is_observed: bool) -> list[date]:
        if self.day.frame.is_per_customer:
            known = [on for on, heard in self._heard if heard is None or unit in heard]
        else:
            known = [on for on, _ in self.day.contacts.values()]
        return known + self._extra[unit, is_observed]

    @lazily
    def _heard(self) -> list[tuple[date, set[CustomerId] | None]]:
        """Counted contacts with the customers whose invoices they were about. None where that
        is not known any more: such a contact counts for everybody."""
        owner = {invoice.id: invoice.customer for invoice in self.day.account.invoices}
        days: dict[str, date] = {}
        heard: dict[str, set[CustomerId] | None] = {}
        for item in self.day.account.served:
            if not item.is_contact:
                continue
            message = item.message or item.key
            days[message] = item.on
            customer = None if item.invoice is None else owner.get(item.invoice)
            known = heard.setdefault(message, set())
            if customer is None:
                heard[message] = None
            elif known is not None:
                known.add(customer)
        return [(on, heard[message]) for message, on in days.items()]

    def free_day(self, unit: CustomerId, is_observed: bool) -> date:
        """Today, or the first day after it on which one more contact keeps within the budget."""
        if not self.day.account.served and not self._extra:
            return self.day.today
        contacts = self._contacts(unit, is_observed)
        return first_free_day(self.day.today, contacts, self.rules, self.day.frame.calendar)

    def wait(self, unit: CustomerId, is_observed: bool) -> tuple[Reason, date] | None:
        """Why no message may go today, and the first day on which one may; None: it may go."""
        day = self.day
        head = day.account.members.get(unit, day.account.payer)
        free = max(self.free_day(unit, is_observed), day.today)
        send_on = day.frame.send_day(head, free)
        if send_on <= day.today:
            return None
        if free <= day.today:
            return Reason("not_send_day", (("next_on", send_on.isoformat()),)), send_on
        last = max((on for on, _ in day.contacts.values()), default=day.today)
        facts = (("last_contact", str(last)), ("next_on", str(send_on)))
        return Reason("contact_budget", facts), send_on

    def units_of(self, invoices: Iterable[Invoice]) -> list[CustomerId]:
        """Whom one message about these invoices counts for: the payer, or, where each customer
        counts for itself, everybody whose invoices they are."""
        if self.day.frame.is_per_customer:
            return sorted({invoice.customer for invoice in invoices})
        return [self.day.account.payer.id]

    def wait_for(
        self, units: Iterable[CustomerId], is_observed: bool
    ) -> tuple[Reason, date] | None:
        """The same for a message that counts for several: the longest wait of them."""
        found = [self.wait(unit, is_observed) for unit in units]
        return max((one for one in found if one is not None), key=itemgetter(1), default=None)

    def use(self, unit: CustomerId, is_observed: bool) -> None:
        """Count a message that goes today."""
        self._extra[unit, is_observed].append(self.day.today)
