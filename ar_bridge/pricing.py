"""What a plan costs in calls to the accounting system, and what of it is for another day.

An action costs what its effects take. Effects that travel together share a call, and everything
is looked at again, in batches, just before it goes: so `calls` of the plan is the number that
counts, not the sum over its actions. Links to pay and copies of invoices make a message nicer;
they are left out when calls run short, so they are told of apart and defer nothing.

Where the day's allowance is known and too small, actions go in this order until it is used up:
what stands in formal messages first, then the oldest due date; a late fee and the message that
announces it are one. What is approved already goes before all of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from ar_bridge.context import BookContext
from ar_bridge.drafts import Draft
from ar_bridge.enclosing import MOST_LINKS
from ar_bridge.messages.late import PAY_LINK
from ar_bridge.store import actions as action_store
from connectors.allowance import CallsLeft, TellsAllowance
from connectors.port import Capabilities, ShowsInvoices
from rules.actions.action import Action, EffectContext, RenderedMessage
from rules.actions.effects import EFFECT_NAMES
from rules.actions.messages import SendReminder
from rules.calendar import local_date
from rules.decision import Reason, Skip
from rules.model import Book, InvoiceId

MESSAGE: Final = "send_message"
"""The effect that takes no call: it goes by our own channels."""

DEFERRED: Final = "calls_deferred"
"""Code of what waits for another day's calls."""

MOST_CALLS: Final = 8
"""No usual action costs more, its second look included: a plan that fits at this price is not
worked out any closer."""


class Bill(msgspec.Struct, kw_only=True):
    """What is asked for so far."""

    capabilities: Capabilities
    single: int = 0
    together: dict[str, int] = msgspec.field(default_factory=dict)
    """Effects that share a call, by what they are of: they go one kind of action at a time."""
    invoices: set[str] = msgspec.field(default_factory=set)
    customers: set[str] = msgspec.field(default_factory=set)

    def add(self, action: Action, names: Sequence[str]) -> None:
        """One more action, with the names of its effects."""
        self.enter(action.kind, action.customer, action.about, names)

    def enter(
        self, kind: str, customer: str, invoices: Iterable[str], names: Iterable[str]
    ) -> None:
        """The same, of what a plan shows of it."""
        for name in names:
            if is_shared(self.capabilities, name):
                of = f"{kind}/{name}"
                self.together[of] = self.together.get(of, 0) + 1
            else:
                self.single += calls_of(self.capabilities, name)
        self.invoices.update(invoices)
        self.customers.add(customer)

    def total_with(self, group: Sequence[tuple[Action, Sequence[str]]]) -> int:
        """What it would all come to with these as well."""
        more = Bill(capabilities=self.capabilities)
        for action, names in group:
            more.add(action, names)
        both = {*self.together, *more.together}
        return self._sum(
            self.single + more.single,
            {of: self.together.get(of, 0) + more.together.get(of, 0) for of in both},
            len(self.invoices) + len(more.invoices - self.invoices),
            len(self.customers) + len(more.customers - self.customers),
        )

    @property
    def writes(self) -> int:
        """Calls that write, those shared counted once."""
        return self._writes(self.single, self.together)

    @property
    def total(self) -> int:
        """All calls, the second look included."""
        return self._sum(self.single, self.together, len(self.invoices), len(self.customers))

    def _writes(self, single: int, together: Mapping[str, int]) -> int:
        size = self.capabilities.write_batch
        return single + sum(_batches(count, size) for count in together.values())

    def _sum(self, single: int, together: Mapping[str, int], invoices: int, customers: int) -> int:
        size = self.capabilities.read_batch
        checks = _batches(invoices, size) + _batches(customers, size)
        looks = self.capabilities.recheck_calls if customers else 0
        return self._writes(single, together) + checks + looks


def calls_of(capabilities: Capabilities, effect: str) -> int:
    """Calls that one effect takes by itself."""
    if effect == MESSAGE or effect not in capabilities.effects:
        return 0
    return capabilities.effect_calls.get(effect, 1)


def is_shared(capabilities: Capabilities, effect: str) -> bool:
    """Whether effects of this name travel together."""
    return bool(capabilities.write_batch) and effect in capabilities.batch_effects


def allowance(desk: BookContext) -> CallsLeft | None:
    """What is left of the day; None where the ledger counts no day. Makes no call."""
    ledger = desk.connector
    return ledger.calls_left() if isinstance(ledger, TellsAllowance) else None


def within_day(
    desk: BookContext, book: Book, made: list[Draft], skipped: list[Skip]
) -> list[Draft]:
    """The drafts that the day's calls are enough for. What is deferred is added to `skipped`,
    with the day on which there are calls again."""
    left = allowance(desk)
    if left is None or len(made) * MOST_CALLS <= left.left:
        return made
    bill = Bill(capabilities=desk.connector.capabilities)
    with desk.store.read() as conn:
        stored = action_store.actions_in(conn, desk.book_id, ("approved", "leased", "planned"))
    for row in stored:
        # What is planned for the accounts of this book is decided anew just now.
        if row.state != "planned" or row.action.customer not in book.customers:
            bill.add(row.action, _names(desk, row.action, row.send_on, row.mode, row.message))
    due = {invoice.id: invoice.due_on for invoice in book.invoices}
    kept: set[str] = set()
    deferred: list[tuple[Draft, int]] = []
    for group in sorted(_groups(made), key=lambda group: _priority(group, due)):
        priced = [(d.action, _names(desk, d.action, d.send_on, d.mode, d.message)) for d in group]
        before, after = bill.total, bill.total_with(priced)
        if after <= left.left or after == before:
            for action, names in priced:
                bill.add(action, names)
            kept.update(draft.action.key for draft in group)
        else:
            deferred += [(draft, after - before) for draft in group]
    until = local_date(left.until, desk.company.timezone)
    next_on = max(until, desk.today() + timedelta(days=1))
    for draft, calls in deferred:
        skipped.extend(_deferred(desk, draft, calls, left.left, next_on))
    return [draft for draft in made if draft.action.key in kept]


def priced(view: dict[str, Any], desk: BookContext, deferred: Collection[str] = ()) -> None:
    """Put the calls into a plan's view: of each action by itself, and of all of it together.
    `deferred` are the keys of what waits for another day's calls."""
    capabilities = desk.connector.capabilities
    bill = Bill(capabilities=capabilities)
    extras = 0
    shows_invoices = isinstance(desk.connector, ShowsInvoices)
    for entry in view["actions"]:
        entry["calls"] = sum(calls_of(capabilities, name) for name in entry["effects"])
        bill.enter(entry["kind"], entry["customer"], entry["invoices"], entry["effects"])
        if shows_invoices and PAY_LINK in _text(entry):
            # Documents of fees have links too, where a link is remembered.
            fees = sum(1 for item in entry["items"] if item["fee"]) if capabilities.link_days else 0
            extras += min(MOST_LINKS, len(entry["invoices"]) + fees)
    left = allowance(desk)
    view["calls"] = {
        "total": bill.total,
        "writes": bill.writes,
        "checks": bill.total - bill.writes,
        "extras": extras,
        "left": left.left if left is not None else None,
        "more_at": left.until.isoformat() if left is not None else None,
        "deferred": len(deferred),
    }


def _text(entry: Mapping[str, Any]) -> str:
    return entry["message"]["text"] if entry["message"] is not None else ""


def _names(
    desk: BookContext, action: Action, on: date, mode: str, message: RenderedMessage | None
) -> list[str]:
    context = EffectContext(
        company_id=desk.company.id,
        today=on,
        numbers={},
        message=message,
        note_limit=desk.connector.capabilities.note_limit,
        fee_account=desk.fee_account,
        fee_tax=desk.fee_tax,
        bad_debt_account=desk.bad_debt_account,
        bad_debt_tax=desk.bad_debt_tax,
        is_draft=mode == "draft",
    )
    return [EFFECT_NAMES[type(effect)] for effect in action.effects(context)]


def _groups(made: Sequence[Draft]) -> list[list[Draft]]:
    """Late fees with the message that announces them; everything else by itself."""
    notice_of = {key: draft.action.key for draft in made for key in draft.waits_for}
    found: dict[str, list[Draft]] = {}
    for draft in made:
        key = str(draft.action.key)
        found.setdefault(str(notice_of.get(key, key)), []).append(draft)
    return list(found.values())


def _priority(
    group: Sequence[Draft], due: Mapping[InvoiceId, date | None]
) -> tuple[bool, date, str]:
    is_formal = any(isinstance(d.action, SendReminder) and d.action.is_formal for d in group)
    days = [day for d in group for one in d.action.about if (day := due.get(one)) is not None]
    return not is_formal, min(days, default=date.max), str(group[0].action.key)


def _deferred(desk: BookContext, draft: Draft, calls: int, left: int, next_on: date) -> list[Skip]:
    facts = (
        ("ledger", desk.connector.capabilities.ledger),
        ("calls", str(calls)),
        ("left", str(left)),
        ("next_on", next_on.isoformat()),
    )
    return [
        Skip(
            customer=draft.action.customer,
            invoice=item.invoice,
            stage=item.stage,
            fee=item.fee,
            key=item.key,
            code=DEFERRED,
            reasons=(Reason(DEFERRED, facts), *draft.reasons),
            next_on=next_on,
            review_on=next_on,
        )
        for item in draft.action.items
    ]


def _batches(count: int, size: int) -> int:
    return -(-count // max(1, size))
