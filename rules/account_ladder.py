"""The ladder of whole accounts: stages with `scope = "customer"`, one run for each currency.

A run lasts while something is overdue without a break (`rules.episodes`): the stages served in
it are not served again, whoever of its invoices is paid meanwhile, and it begins anew once
everything was paid. The day of a stage counts from the oldest overdue invoice that may be asked
for today, so that nobody is pressed for the age of a debt that is paid or contested. What is
held (a dispute, a promise, ...) is left out of the list and of the total.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.actions.keys import account_item, account_slot
from rules.decision import Reason, Skip
from rules.dunning import DueStage, Gentle, gentle_start, kept_back, paced, pulled, reached
from rules.frame import ONE_DAY, starts_of
from rules.guards.base import REVIEW_AFTER, Case, Hold, Purpose
from rules.guards.disputes import uncontested
from rules.guards.table import first_hold
from rules.model.history import Served
from rules.model.ids import CustomerId, InvoiceId, ItemKey
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.served_stages import LANE_KINDS, Past, counted_from, currency_of, unit_of
from rules.steps import Lane, Step

_PURPOSE: Final[dict[Lane, Purpose]] = {"reminder": "reminder", "hold": "hold"}


class AccountStage(msgspec.Struct, frozen=True):
    """A stage of the account to be served now."""

    unit: CustomerId
    """The payer; one customer where each is written to apart."""
    currency: str
    counted_from: date
    """The day of the first turn."""
    due: DueStage
    invoices: tuple[Invoice, ...]
    """The overdue invoices that it is about, oldest first."""
    asked: tuple[Minor, ...]
    """What may be asked for on each of them."""

    def key(self, kind: str) -> ItemKey:
        """Item key of what the stage does."""
        return _key(self.unit, self.currency, self.counted_from, kind, self.due.step, self.due.slot)


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account stands in its ladder, in one currency."""

    unit: CustomerId
    currency: str
    overdue: tuple[Invoice, ...]
    due: dict[Lane, AccountStage]
    skips: tuple[Skip, ...] = ()
    """Stages whose day has come and which wait, with the reason."""
    held: dict[InvoiceId, Hold] = {}
    """Invoices that are left out, whatever the stage."""
    next_on: date | None = None
    coming: tuple[tuple[Step, date], ...] = ()
    """Stages still to come whose day is known, in order."""
    last_on: date | None = None
    """The last day on which a stage of this run was served."""


def account_standings(day: AccountDay) -> Iterator[AccountStanding]:
    """Where the account stands today: one for each currency in which something is overdue, and
    for each customer where the policy writes to each apart."""
    if not day.frame.account_steps:
        return
    per_customer = day.frame.policy.contact.unit == "customer"
    for currency in sorted(day.overdue):
        together: dict[CustomerId, list[Invoice]] = defaultdict(list)
        for invoice in day.overdue[currency]:
            together[invoice.customer if per_customer else day.account.payer.id].append(invoice)
        for unit in sorted(together):
            yield _Ladder(day, unit, currency, together[unit]).standing()


def _key(unit: CustomerId, currency: str, first: date, kind: str, step: Step, turn: int) -> ItemKey:
    return account_item(kind, unit, step.id, account_slot(currency, first, turn))


def with_the_account(
    day: AccountDay, invoice: Invoice, own_next: date | None, found: AccountStanding
) -> Iterator[Skip]:
    """What to say of an overdue invoice of which nothing is due by itself: that a message of the
    account asks for it, why it is held, or when the ladder goes on."""
    asking = found.due.get("reminder")
    if asking is not None and invoice in asking.invoices:
        return
    hold = found.held.get(invoice.id)
    if hold is not None:
        yield Skip(
            customer=day.account.payer.id,
            invoice=invoice.id,
            code=hold.code,
            reasons=hold.reasons,
            next_on=hold.next_on,
            review_on=hold.review_on,
        )
        return
    ahead = [on for on in (own_next, found.next_on) if on is not None]
    ahead += [skip.next_on for skip in found.skips if skip.next_on is not None]
    next_on = min(ahead, default=None)
    assert invoice.due_on is not None
    facts: tuple[tuple[str, str], ...] = (("invoice", invoice.number),)
    if next_on is not None:
        facts = (*facts, ("next_on", next_on.isoformat()))
    yield Skip(
        customer=day.account.payer.id,
        invoice=invoice.id,
        code="account_ladder",
        reasons=(Reason("account_ladder", facts),),
        next_on=next_on,
        review_on=min((skip.review_on for skip in found.skips if skip.review_on), default=None)
        if next_on
        else max(found.last_on or date.min, invoice.due_on) + REVIEW_AFTER,
    )


class _Turn(msgspec.Struct, frozen=True):
    """A turn of a stage: of one that repeats, there are several."""

    number: int
    """0 where none has come yet."""
    first: date
    """The day that turns count from."""
    at: date
    following: date | None
    gentle: Gentle | None
    held: str | None
    """The ground on which first-sync rules keep it back."""


class _Ladder:
    """One run of the ladder: a customer, a currency, what is overdue."""

    def __init__(
        self, day: AccountDay, unit: CustomerId, currency: str, overdue: Sequence[Invoice]
    ) -> None:
        self.day = day
        self.frame = day.frame
        self.unit = unit
        self.currency = currency
        self.overdue = overdue
        apart = day.frame.policy.contact.unit == "customer"
        first = overdue[0].due_on
        assert first is not None
        # Nothing but rests too small to be asked for is overdue: the run began with the oldest.
        found = day.overdue_since(currency, unit if apart else None)
        since = found or first + ONE_DAY
        items = [
            item
            for item in day.served.get(None, ())
            if item.on >= since
            and currency_of(item) in (None, currency)
            and (not apart or unit_of(item) == unit)
        ]
        self.past = Past(day.frame, items)
        self.given = self._with_placements(items)
        """The same with invoices that were handed over, for what comes after that."""
        self.counted_from: dict[tuple[int, str], date] = {}
        for item in items:
            step = day.frame.step_of.get(item.stage) if item.stage is not None else None
            if step is not None and item.state != "bounced":
                key = (step.index, item.kind)
                known = self.counted_from.get(key, date.max)
                self.counted_from[key] = min(known, counted_from(item))
        self.highest = {lane: self.past.highest(kinds) for lane, kinds in LANE_KINDS.items()}
        self.due: dict[Lane, AccountStage] = {}
        self.closed: set[Lane] = set()
        """Lanes in which a stage is due or held: nothing softer is tried."""
        self.skips: list[Skip] = []
        self.coming: list[tuple[Step, date]] = []

    def _with_placements(self, items: Sequence[Served]) -> Past:
        """A hand-over is done invoice by invoice: each of its own day, so that one that was not
        ready may follow. What counts from the stage counts from the last of them."""
        if not any("hand_off" in step.holds for step in self.frame.account_steps):
            return self.past
        placed = [
            item
            for invoice in self.overdue
            for item in self.day.served.get(invoice.id, ())
            if item.kind == "hand_off"
        ]
        return Past(self.frame, [*items, *placed]) if placed else self.past

    def standing(self) -> AccountStanding:
        for step in reversed(self.frame.account_steps):
            for lane, kinds in step.lanes:
                if lane not in self.closed and step.index >= self.highest[lane]:
                    self._look(step, lane, kinds)
        self.coming.sort(key=lambda found: (found[1], found[0].index))
        held = {
            invoice.id: hold
            for invoice in self.overdue
            if (hold := first_hold(Case(self.day, invoice, "reminder"))) is not None
        }
        skips = self.skips[:1] if "reminder" not in self.due else []
        return AccountStanding(
            unit=self.unit,
            currency=self.currency,
            overdue=tuple(self.overdue),
            due=self.due,
            skips=tuple(skips),
            held=held,
            next_on=self.coming[0][1] if self.coming else None,
            coming=tuple(self.coming),
            last_on=max((found[2] for found in self.given.done.values()), default=None),
        )

    def _look(self, step: Step, lane: Lane, kinds: Sequence[str]) -> None:
        """Whether the stage is due in this lane: then for which invoices, else from when."""
        day, stage = self.day, step.stage
        about = [
            invoice
            for invoice in self.overdue
            if day.applies(stage, invoice)
            and not (lane == "reminder" and self._heard_firmer(invoice, step))
        ]
        if not about:
            return
        if not self._is_reached(step, kinds, about[0]):
            return
        purpose = _PURPOSE.get(lane)
        holds: list[Hold] = []
        free: list[Invoice] = []
        for invoice in about:
            # What colleagues do is never held.
            hold = first_hold(Case(day, invoice, purpose, stage)) if purpose else None
            if hold is None:
                free.append(invoice)
            else:
                holds.append(hold)
        if not free:
            self.closed.add(lane)
            self._held(step, kinds[0], holds)
            return
        fitting = [invoice for invoice in free if not day.unmet(stage, invoice)]
        if not fitting:
            why = "; ".join(day.unmet(stage, free[0]))
            self._waits(step, kinds[0], Reason("condition", (("stage", stage.id), ("why", why))))
            return
        if not self._is_reached(step, kinds, fitting[0]):
            return
        turn = self._turn(step, kinds[0], fitting[0])
        assert turn is not None
        reason = kept_back(self.frame, fitting[0], step, turn.at, self.given, turn.held, lane)
        if reason is not None:
            self._waits(step, kinds[0], reason)
            return
        self.closed.add(lane)
        plain = day.is_plain
        self.due[lane] = AccountStage(
            self.unit,
            self.currency,
            turn.first,
            DueStage(step, turn.number, turn.at, self._why(step, turn, fitting)),
            tuple(fitting),
            tuple(
                invoice.balance if plain else uncontested(Case(day, invoice, "reminder"))
                for invoice in fitting
            ),
        )

    def _heard_firmer(self, invoice: Invoice, step: Step) -> bool:
        """Whether a firmer stage of the invoice's own reminded of it: nothing softer follows."""
        own = self.day.served.get(invoice.id, ())
        return Past(self.frame, own).highest(LANE_KINDS["reminder"]) > step.index

    def _is_reached(self, step: Step, kinds: Sequence[str], oldest: Invoice) -> bool:
        """Whether a turn of the stage that was not served has come, by this oldest invoice."""
        turn = self._turn(step, kinds[0], oldest)
        if turn is None:
            return False
        served = self.past.slot(step, kinds)
        if turn.number > served:
            return True
        times = step.stage.repeat.times if step.stage.repeat is not None else 1
        if turn.following is not None and turn.held is None and served < times:
            self.coming.append((step, turn.following))
        return False

    def _turn(self, step: Step, kind: str, oldest: Invoice) -> "_Turn | None":
        """The turn of the stage that has come; None while nobody can tell its day.

        Turns count on from the day of the first one, whichever invoice is the oldest by now; but
        none is due before the oldest one is late enough.
        """
        trigger = self._trigger(step, oldest)
        if trigger is None:
            return None
        gentle = self._gentle(oldest)
        trigger, held = paced(
            self.frame, step, trigger, gentle, None if step.is_dynamic else trigger
        )
        first = min(self.counted_from.get((step.index, kind), trigger), trigger)
        number, at, following = reached(self.frame, step, first)
        if trigger > self.day.today:
            return _Turn(0, first, trigger, trigger, gentle, held)
        return _Turn(number, first, at, following, gentle, held)

    def _trigger(self, step: Step, oldest: Invoice) -> date | None:
        """The day from which the stage is due, by the oldest invoice that it is about."""
        at, frame = step.stage.at, self.frame
        assert oldest.due_on is not None
        if not step.is_dynamic:
            fixed = frame.trigger(step.stage, oldest.due_on, oldest.issued_on, dict(oldest.dates))
            return None if fixed is None else pulled(self.day, step, fixed, self.past)
        anchor: date | None = None
        if at.anchor == "previous":
            anchor = self.given.before(frame, step)
        elif at.anchor == "deadline":
            before = frame.step_of.get(at.arg)
            anchor = self.given.last(before) if before is not None else None
            if before is not None and anchor is not None:
                anchor = frame.calendar.shift(anchor, before.stage.deadline)
        if anchor is None:
            return None
        return max(frame.calendar.shift(anchor, at.offset, at.sign), anchor + ONE_DAY)

    def _gentle(self, oldest: Invoice) -> Gentle | None:
        """First-sync rules: None where the account was not yet past its earliest reminder when
        the book was connected."""
        assert oldest.due_on is not None
        fields = dict(oldest.dates)
        triggers = [
            (step, self.frame.trigger(step.stage, oldest.due_on, oldest.issued_on, fields))
            for step in self.frame.account_steps
            if not step.is_dynamic
        ]
        return gentle_start(self.day, oldest, starts_of(triggers, oldest.due_on), self.past)

    def _held(self, step: Step, kind: str, holds: Sequence[Hold]) -> None:
        """Everything that the stage would be about is held: look again when the first is free."""
        nexts = [hold.next_on for hold in holds if hold.next_on is not None]
        reviews = [hold.review_on for hold in holds if hold.review_on is not None]
        self.skips.append(
            Skip(
                customer=self.day.account.payer.id,
                stage=step.id,
                key=self._key_of(kind, step),
                code=holds[0].code,
                reasons=tuple(dict.fromkeys(reason for hold in holds for reason in hold.reasons)),
                next_on=min(nexts, default=None),
                review_on=min(reviews, default=None),
            )
        )

    def _waits(self, step: Step, kind: str, reason: Reason) -> None:
        if reason.code == "passed":
            return
        daily = reason.code in ("condition", "requires", "first_contact")
        oldest = self.overdue[0].due_on
        assert oldest is not None
        last = max((found[2] for found in self.past.done.values()), default=oldest)
        # What is looked at every day may never come: a person looks too where nothing else does.
        review_on = None if daily and self.coming else max(last, oldest) + REVIEW_AFTER
        self.skips.append(
            Skip(
                customer=self.day.account.payer.id,
                stage=step.id,
                key=self._key_of(kind, step),
                code=reason.code,
                reasons=(reason,),
                next_on=self.day.today + ONE_DAY if daily else None,
                review_on=review_on,
            )
        )

    def _key_of(self, kind: str, step: Step) -> ItemKey:
        turn = self._turn(step, kind, self.overdue[0])
        first = turn.first if turn is not None else self.day.today
        number = turn.number if turn is not None else 1
        return _key(self.unit, self.currency, first, kind, step, number)

    def _why(self, step: Step, turn: "_Turn", about: Sequence[Invoice]) -> tuple[Reason, ...]:
        oldest = about[0]
        assert oldest.due_on is not None
        facts = (
            ("stage", step.stage.name or step.stage.id),
            ("overdue_invoices", str(len(about))),
            ("oldest", oldest.number),
            ("trigger", turn.at.isoformat()),
            ("days_past_due", str((self.day.today - oldest.due_on).days)),
        )
        reasons = [Reason("account_stage_due", facts)]
        if turn.gentle is not None and turn.gentle.contact_on is None:
            reasons.append(Reason("gentle_start", (("invoice", oldest.number),)))
        return tuple(reasons)
