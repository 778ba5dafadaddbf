"""A policy made ready for one day: calendars, steps in order, dates computed once per due date."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

from rules.calendar import BusinessCalendar, month_end
from rules.decision import Reason
from rules.fee_rules import FeeRule, fee_rules
from rules.fees.assess import Assessment
from rules.fees.caps import nominal
from rules.fees.schedule import Posting, latest_posting
from rules.fees.timeline import Debt
from rules.model.book import Book, HolidaySet
from rules.model.customer import Customer
from rules.model.date_fields import field_name
from rules.model.history import REPLIED, WROTE
from rules.model.ids import FeeId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.policy.schema import Policy
from rules.policy.stage import Stage
from rules.steps import Lane, Members, Step

NEVER: Final = date.max
ONE_DAY: Final = timedelta(days=1)

_OfFee: TypeAlias = tuple[InvoiceId, FeeId]
_Facts: TypeAlias = tuple[object, ...]


class WorkedOut:
    """Of an invoice and a fee: what the debt stood on and was, and what the fee stood on and came
    to, when last worked out."""

    __slots__ = ("assessments", "debts")

    def __init__(self) -> None:
        self.assessments: dict[_OfFee, tuple[_Facts, Assessment]] = {}
        self.debts: dict[_OfFee, tuple[_Facts, Debt]] = {}


class Dates:
    """What follows from the dates of an invoice alone, the same for all invoices of one due
    date: a book of many thousand invoices has a few hundred of them."""

    __slots__ = (
        "charged",
        "first",
        "first_on",
        "fresh",
        "is_ahead",
        "is_plain",
        "lacking",
        "needed",
        "next_charge",
        "next_on",
        "not_due",
        "not_due_yet",
        "postings",
        "starts",
        "triggers",
        "was_overdue",
    )

    def __init__(self, frame: "Frame", due_on: date, triggers: tuple[date | None, ...]) -> None:
        today = frame.today
        self.triggers = triggers
        """Of each step; None where the day depends on what was done."""
        known = [day for day in triggers if day is not None]
        firsts = [
            day
            for rule in frame.fees
            if (day := rule.next_posting(due_on, due_on, frame.calendar)) is not None
        ]
        # Of an account something may be due as soon as one of its invoices is late.
        account = (due_on + ONE_DAY,) if frame.account_steps else ()
        self.first = min((*known, *firsts, *account), default=NEVER)
        """Nothing at all is due before this day."""
        self.first_on = None if self.first == NEVER else self.first
        self.is_ahead = self.first > today and not (self.first == NEVER and due_on < today)
        """Nothing is due yet. Where nothing ever will be, what is late needs a closer look."""
        self.postings = tuple(self._posting(frame, rule, due_on) for rule in frame.fees)
        """The occasion to post each fee today, where it has come; not those posted with a stage."""
        later = [
            day
            for rule in frame.fees
            if (day := rule.next_posting(due_on, today, frame.calendar)) is not None
        ]
        self.next_charge = min(later, default=None)
        ahead = [day for day in (*known, *later, *account) if day > today]
        self.next_on = min(ahead, default=None)
        """The next day on which anything may fall due, for an invoice that was served so far."""
        self.not_due = (_not_due(self.first_on),)
        self.not_due_yet = (_not_due(self.next_on),)
        self.starts = starts_of(zip(frame.steps, triggers, strict=True), due_on)
        """The reminders with which the procedure may begin for an invoice that was overdue before
        we looked; which one it is hangs on whom each is for."""
        self.was_overdue = any(day < frame.connected_on for _, day in self.starts) or (
            due_on < frame.connected_on
            and not any(not (s.stage.only or s.stage.skip) for s, _ in self.starts)
        )
        """Whether first-sync rules may be for it."""
        reached = [
            step
            for step, day in zip(frame.steps, triggers, strict=True)
            if day is not None and day <= today
        ]
        tops: list[tuple[str, str]] = []
        for kinds in ("reminders", "send_kinds", "hold_kinds", "internal_kinds", "letter_kinds"):
            top = next((step for step in reversed(reached) if getattr(step, kinds)), None)
            if top is not None:
                tops += [(top.id, kind) for kind in getattr(top, kinds)]
        self.needed = tuple(dict.fromkeys(tops))
        """(stage, kind) of the highest stages whose day has come: once these were done, nothing
        softer follows and nothing is due."""
        self.charged = tuple(
            (rule.id, posting.slot)
            for rule, posting in zip(frame.fees, self.postings, strict=True)
            if posting is not None
        )
        """(fee, slot) of every fee whose occasion has come."""
        self.lacking = tuple(
            step
            for step, day in zip(frame.steps, triggers, strict=True)
            if day is None and step.stage.at.anchor == "field" and not step.is_account
        )
        """Stages that count from a date field that the invoice does not have."""
        self.is_plain = (
            not self.was_overdue
            and not frame.account_steps
            and not any(step.stage.repeat for step in reached)
        )
        """True where `needed` and `charged` say all: no repetition, no first-sync rule."""

        self.fresh = self._fresh(frame, due_on, reached) if self.is_plain else ()
        """(step, lane, trigger) of what is due an invoice that was never served, firmest first;
        conditions and segments are still to be asked."""

    def _fresh(
        self, frame: "Frame", due_on: date, reached: list[Step]
    ) -> tuple[tuple[Step, Lane, date], ...]:
        if frame.policy.catch_up.after_downtime == "none":
            return ()
        found: list[tuple[Step, Lane, date]] = []
        for step in reversed(reached):
            trigger = self.triggers[step.index]
            if trigger is None or step.stage.requires:
                continue
            found += [
                (step, lane, trigger)
                for lane, _ in step.lanes
                if lane != "reminder" or trigger >= due_on or due_on >= frame.today
            ]
        return tuple(found)

    @staticmethod
    def _posting(frame: "Frame", rule: FeeRule, due_on: date) -> Posting | None:
        found = latest_posting(rule.fee, due_on, frame.today, frame.calendar)
        if found is None or found.through <= due_on + timedelta(days=rule.fee.grace.count):
            return None
        if rule.from_day is not None and found.through < rule.from_day:
            return None
        return found


def starts_of(
    triggers: Iterable[tuple[Step, date | None]], due_on: date
) -> tuple[tuple[Step, date], ...]:
    """Reminders whose day is after the due date, softest first; formal ones begin nothing."""
    return tuple(
        (step, day)
        for step, day in triggers
        if step.reminds and not step.stage.formal and day is not None and day > due_on
    )


def _not_due(next_on: date | None) -> Reason:
    return Reason("not_due", (("next_on", next_on.isoformat()),) if next_on else ())


def _by_name(rules: Sequence[FeeRule]) -> Mapping[str, FeeRule | None]:
    """Fees by each of their names, earlier ones included; None where two share one."""
    found: dict[str, FeeRule | None] = {}
    for rule in rules:
        for name in rule.ids:
            found[name] = None if name in found else rule
    return found


class Frame:
    """Everything about one run of the rules that does not depend on the account."""

    def __init__(
        self, book: Book, policy: Policy, today: date, worked_out: WorkedOut | None = None
    ) -> None:
        policy = policy.on(today)
        self.worked_out = worked_out
        """What fees came to when they were last worked out, for days that are decided one after
        the other: the same facts come to the same. None: nothing is kept."""
        self.book = book
        self.policy = policy
        self.today = today
        self.connected_on = book.company.connected_on or today
        """First-sync rules treat a book that was never connected as connected today."""
        self.base_currency = book.company.base_currency
        self.steps = tuple(
            Step(index, stage, policy.mode) for index, stage in enumerate(policy.stage)
        )
        self.step_of: dict[str, Step] = {name: step for step in self.steps for name in step.ids}
        self.account_steps = tuple(step for step in self.steps if step.is_account)
        """Stages of the ladder of whole accounts."""
        self.paid_steps = tuple(step for step in self.steps if step.stage.at.anchor == "paid")
        self.has_returned_stages = any(s.stage.at.anchor == "returned" for s in self.steps)
        self.all_fees = fee_rules(policy, today, book.company.connected_on)
        self.fees = tuple(rule for rule in self.all_fees if rule.fee.scope == "invoice")
        """Those that are charged to each invoice by itself."""
        self.account_fees = tuple(rule for rule in self.all_fees if rule.fee.scope == "customer")
        """Those that are charged to an account, in one document."""
        self.fee_of = _by_name(self.all_fees)
        self.proposes_waivers = any(
            rule.fee.when_principal_paid == "propose_waiver" for rule in self.all_fees
        )
        self.chases_fees = any(r.fee.when_principal_paid == "chase" for r in self.all_fees)
        self.has_stage_fees = any(rule.fee.post.kind == "with_stage" for rule in self.fees)
        """Whether a fee is posted on the day of a stage."""
        self.has_returned_fees = any(rule.fee.on == "returned_payment" for rule in self.fees)
        earlier = [version.policy for version in policy.versions if version.from_ <= today]
        known = (*earlier, policy)
        self.cap_groups = {group.name: group for terms in known for group in terms.cap_group}
        """Limits that several fees share: today's, and those that only earlier fees name."""
        self.has_firm = any(stage.formal or stage.scope == "customer" for stage in policy.stage)
        self.answered = frozenset(
            item.customer
            for item in book.served
            if item.kind in (REPLIED, WROTE) or item.state == "bounced"
        )
        """Customers of whom something came back: mail, or a message that did not arrive."""
        """Whether there are stages that nothing softer may follow for the same account."""
        self.last_rung = max((s.index for s in self.steps if s.reminds or s.holds), default=-1)
        """The last step that the customer notices."""
        self.after_history = frozenset(
            (earlier.id, kind)
            for step in self.steps
            if step.is_dynamic and not step.is_event
            for earlier in self.steps
            if step.stage.at.anchor == "previous" or step.stage.at.arg in earlier.ids
            for kind in earlier.primary
        )
        """(stage, kind) that, once done, give another stage its day."""
        self.has_promise_stages = any(s.stage.at.anchor == "promise" for s in self.steps)
        self.segments = {
            segment.name: Members(segment.when, segment.unless)
            for terms in known
            for segment in terms.segment
        }
        """Today's, and those that only fees of earlier versions name."""
        self._calendars: dict[str, BusinessCalendar] = {}
        self.calendar = self.calendar_of_region(policy.calendar.region)
        self.dates_of_due: dict[date, Dates] = {}
        """By due date; empty where a stage counts from the day of issue."""
        self._dates_of_more: dict[tuple[object, ...], Dates] = {}
        self.dates_hang_on_more = any(
            step.stage.at.anchor in ("issued", "field") for step in self.steps
        )
        """Whether a stage counts from the day of issue or another date of the invoice."""
        self._fields = frozenset(
            field_name(s.stage.at.arg) for s in self.steps if s.stage.at.anchor == "field"
        )
        self._send_day: dict[str, date] = {}
        self._least: dict[str, Minor] = {}
        self.asks = policy.approval.ask
        """Which acts a person looks at first."""
        self.contact = policy.contact
        self.is_per_customer = policy.contact.unit == "customer"
        """Whether each customer of an account counts for itself."""
        self.is_one_message = policy.contact.consolidate == "per_customer"
        """Whether all that is due a customer travels in one message."""
        self.nets_credit = policy.contact.net_unapplied_credit
        self.has_discount = policy.discount is not None
        self.checks: dict[tuple[object, ...], tuple[Callable[[Any], Any], ...]] = {}
        """Grounds to wait that can hold anything in this run, kept by `rules.guards.table`."""
        self.of_stages: dict[int, dict[str, Any]] = {}
        """What stages ask of their messages, kept by `rules.reminding`."""

    def calendar_of_region(self, region: str) -> BusinessCalendar:
        """Working days of a region; a region without frozen holidays has its weekends only."""
        found = self._calendars.get(region)
        if found is None:
            holidays = self.book.holidays.get(region) or HolidaySet(region=region)
            found = BusinessCalendar(holidays, self.policy.calendar.closures)
            self._calendars[region] = found
        return found

    def least(self, currency: str) -> Minor:
        """What an invoice has to come to so that it is worth a message."""
        found = self._least.get(currency)
        if found is None:
            below = self.policy.do_not_chase.balance_below
            found = self._least[currency] = nominal(below, currency)
        return found

    def send_day(self, customer: Customer, not_before: date | None = None) -> date:
        """The first day from today, or from `not_before`, on which this customer may be written
        to. Raises NoOpenDayError."""
        rules = self.policy.calendar
        region = customer.region or rules.region
        if not_before is None or not_before <= self.today:
            found = self._send_day.get(region)
            if found is None:
                found = self.calendar_of_region(region).next_send_day(
                    self.today, rules.send_days, rules.send_month_days
                )
                self._send_day[region] = found
            return found
        return self.calendar_of_region(region).next_send_day(
            not_before, rules.send_days, rules.send_month_days
        )

    def dates_of(self, invoice: Invoice) -> Dates:
        """The days of an invoice; computed once for all invoices of the same dates."""
        due_on = invoice.due_on
        assert due_on is not None
        if not self.dates_hang_on_more:
            found = self.dates_of_due.get(due_on)
            if found is None:
                found = self.dates_of_due[due_on] = self._work_out(due_on, invoice.issued_on, {})
            return found
        fields = {name: day for name, day in invoice.dates if name in self._fields}
        key = (due_on, invoice.issued_on, *sorted(fields.items()))
        found = self._dates_of_more.get(key)
        if found is None:
            found = self._dates_of_more[key] = self._work_out(due_on, invoice.issued_on, fields)
        return found

    def _work_out(self, due_on: date, issued_on: date, fields: Mapping[str, date]) -> Dates:
        triggers = tuple(
            None
            if step.is_dynamic or step.is_account
            else self.trigger(step.stage, due_on, issued_on, fields)
            for step in self.steps
        )
        return Dates(self, due_on, triggers)

    def trigger(
        self, stage: Stage, due_on: date, issued_on: date, fields: Mapping[str, date]
    ) -> date | None:
        """The day on which a stage falls due by the dates of an invoice; None where it counts
        from a date field that the invoice does not have.

        Raises KeyError for a stage that counts from what was done or has happened.
        """
        at = stage.at
        if at.anchor == "month_end_shifted":
            return month_end(self.calendar.shift(due_on, at.offset, at.sign))
        if at.anchor == "field":
            named = fields.get(field_name(at.arg))
            return None if named is None else self.calendar.shift(named, at.offset, at.sign)
        anchor = {
            "due": due_on,
            "issued": issued_on,
            "month_end_due": month_end(due_on),
        }[at.anchor]
        return self.calendar.shift(anchor, at.offset, at.sign)
