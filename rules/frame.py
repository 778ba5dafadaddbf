"""A policy made ready for one day: calendars, steps in order, dates computed once per due date."""

from datetime import date, timedelta
from typing import Final

from rules.calendar import BusinessCalendar, month_end
from rules.decision import Reason
from rules.fees.schedule import next_posting
from rules.model.book import Book, HolidaySet
from rules.model.customer import Customer
from rules.model.ids import FeeId, StageId
from rules.model.invoice import Invoice
from rules.policy.fee import Fee
from rules.policy.schema import Policy
from rules.policy.stage import INTERNAL_VERBS, Stage
from rules.policy.values import Mode, strictest

NEVER: Final = date.max
ONE_DAY: Final = timedelta(days=1)

KIND_OF_VERB: Final[dict[str, str]] = {
    "remind": "reminder",
    "note": "note",
    "task": "task",
    "call": "call",
    "notify": "notify",
    "hold_credit": "credit_hold",
    "release_credit": "credit_release",
}
"""What a stage does, and the kind of action that does it."""

HOLD_VERBS: Final = ("hold_credit", "release_credit")
_DYNAMIC: Final = frozenset({"previous", "deadline", "promise", "paid", "returned", "field"})


class Step:
    """A stage with what is asked of it again and again, worked out once."""

    __slots__ = (
        "holds",
        "id",
        "ids",
        "index",
        "internal",
        "is_dynamic",
        "is_observed",
        "mode",
        "primary",
        "reminds",
        "stage",
    )

    def __init__(self, index: int, stage: Stage, policy_mode: Mode) -> None:
        self.index = index
        self.stage = stage
        self.id = StageId(stage.id)
        self.ids = frozenset({stage.id, *stage.was})
        self.reminds = "remind" in stage.do
        self.holds = tuple(verb for verb in stage.do if verb in HOLD_VERBS)
        self.internal = tuple(verb for verb in stage.do if verb in INTERNAL_VERBS)
        self.is_dynamic = stage.at.anchor in _DYNAMIC
        self.mode = strictest(policy_mode, stage.mode)
        self.is_observed = self.mode is Mode.OBSERVE
        shown = self.reminds or bool(self.holds)
        verbs = (("remind",) if self.reminds else self.holds) if shown else self.internal
        self.primary = frozenset(KIND_OF_VERB[verb] for verb in verbs)
        """Kinds that make the stage count as served."""


class FeeRule:
    """A fee with its id, mode and first day."""

    __slots__ = ("fee", "from_day", "has_basis", "id", "ids", "is_observed", "mode")

    def __init__(self, fee: Fee, policy: Policy, connected_on: date | None) -> None:
        self.fee = fee
        self.id = FeeId(fee.id)
        self.ids = frozenset({fee.id, *fee.was})
        self.mode = strictest(policy.mode, fee.mode)
        self.is_observed = self.mode is Mode.OBSERVE
        self.from_day = fee.from_ or connected_on
        self.has_basis = bool(fee.legal_basis or policy.legal_basis)


class Dates:
    """Days on which something falls due for every invoice of one due date and issue date."""

    __slots__ = ("first", "not_due", "triggers")

    def __init__(self, triggers: tuple[date | None, ...], first: date) -> None:
        self.triggers = triggers
        """Of each step; None where the day depends on what was done."""
        self.first = first
        """Nothing at all is due before this day."""
        shown = "" if first == NEVER else first.isoformat()
        self.not_due = (Reason("not_due", (("next_on", shown),)),)


class Frame:
    """Everything about one run of the rules that does not depend on the account."""

    def __init__(self, book: Book, policy: Policy, today: date) -> None:
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
        self.fees = tuple(FeeRule(fee, policy, book.company.connected_on) for fee in policy.fee)
        self.has_formal = any(stage.formal for stage in policy.stage)
        self.segments = {segment.name: segment for segment in policy.segment}
        self._calendars: dict[str, BusinessCalendar] = {}
        self.calendar = self.calendar_of_region(policy.calendar.region)
        self._dates: dict[object, Dates] = {}
        self._uses_issued = any(step.stage.at.anchor == "issued" for step in self.steps)
        self._send_day: dict[str, date] = {}

    def calendar_of_region(self, region: str) -> BusinessCalendar:
        """Working days of a region; a region without frozen holidays has its weekends only."""
        found = self._calendars.get(region)
        if found is None:
            holidays = self.book.holidays.get(region) or HolidaySet(region=region)
            found = BusinessCalendar(holidays, self.policy.calendar.closures)
            self._calendars[region] = found
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
        key: object = (due_on, invoice.issued_on) if self._uses_issued else due_on
        found = self._dates.get(key)
        if found is None:
            found = self._dates[key] = self._work_out(due_on, invoice.issued_on)
        return found

    def _work_out(self, due_on: date, issued_on: date) -> Dates:
        triggers = tuple(
            None if step.is_dynamic else self._trigger(step.stage, due_on, issued_on)
            for step in self.steps
        )
        firsts = [day for day in triggers if day is not None]
        for rule in self.fees:
            posting = next_posting(rule.fee, due_on, due_on, self.calendar)
            if posting is not None:
                firsts.append(posting)
        return Dates(triggers, min(firsts, default=NEVER))

    def _trigger(self, stage: Stage, due_on: date, issued_on: date) -> date:
        at = stage.at
        if at.anchor == "month_end_shifted":
            return month_end(self.calendar.shift(due_on, at.offset, at.sign))
        anchor = {
            "due": due_on,
            "issued": issued_on,
            "month_end_due": month_end(due_on),
        }[at.anchor]
        return self.calendar.shift(anchor, at.offset, at.sign)
