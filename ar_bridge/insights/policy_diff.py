"""What changes for the customers of a book when one policy takes the place of another."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, TypeAlias

import msgspec

from ar_bridge.errors import SetupError
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.decide import acts, decide
from rules.decision import Act
from rules.model import Book, Minor, format_minor
from rules.policy.differences import Change, differences, vanished
from rules.policy.schema import Policy

_Subject: TypeAlias = tuple[str, str, str, str, str]


class Doing(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a policy would do on the day, without its key: what two policies may do
    alike."""

    kind: str
    customer: str
    customer_name: str
    invoice: str
    """Its number; empty for the account."""
    stage: str = ""
    fee: str = ""
    template: str = ""
    amount: Minor | None = None
    """Of a fee."""
    currency: str = ""
    mode: str = ""
    send_on: date


class Differing(msgspec.Struct, frozen=True, kw_only=True):
    """One difference in what is done: only under the old policy, only under the new, or both in
    another way."""

    old: Doing | None
    new: Doing | None
    fields: tuple[str, ...] = ()
    """In what they differ where both do it."""

    @property
    def what(self) -> str:
        """gone, new or changed."""
        if self.old is None:
            return "new"
        return "gone" if self.new is None else "changed"


class PolicyDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs."""

    old: str
    new: str
    on: date | None
    changes: tuple[Change, ...]
    differing: tuple[Differing, ...]
    totals: dict[str, tuple[int, int]]
    """Messages, fees and actions by kind: under the old policy, under the new."""
    fee_totals: dict[str, tuple[Minor, Minor]]
    """Late fees of the day by currency."""

    @property
    def customers(self) -> tuple[str, ...]:
        """Ids of the customers for whom anything changes."""
        found = (one.new or one.old for one in self.differing)
        return tuple(sorted({one.customer for one in found if one is not None}))

    def plain(self) -> dict[str, Any]:
        """As `policy diff --json` prints it."""
        return {
            "schema": 1,
            "old": self.old,
            "new": self.new,
            "on": self.on.isoformat() if self.on else None,
            "changes": [{**msgspec.to_builtins(one), "text": str(one)} for one in self.changes],
            "actions": [
                {
                    "what": one.what,
                    "fields": list(one.fields),
                    "old": _told(one.old),
                    "new": _told(one.new),
                }
                for one in self.differing
            ],
            "totals": {kind: {"old": old, "new": new} for kind, (old, new) in self.totals.items()},
            "fee_totals": {
                currency: {"old": format_minor(old, currency), "new": format_minor(new, currency)}
                for currency, (old, new) in self.fee_totals.items()
            },
            "customers": list(self.customers),
        }


COMPARED: Final = ("stage", "template", "amount", "mode", "send_on")


def policy_diff(old: Policy, new: Policy, book: Book | None, on: date | None) -> PolicyDiff:
    """Compare two policies, on a book of a day where one is given.

    Raises SetupError where a stage or fee is gone that has history on the book: its history would
    be forgotten, and what was done would be done again.
    """
    changes = differences(old, new)
    if book is None or on is None:
        return PolicyDiff(
            old=old.name,
            new=new.name,
            on=None,
            changes=changes,
            differing=(),
            totals={},
            fee_totals={},
        )
    refuse_lost_history(old, new, book)
    before, after, names = _acts(book, old, on), _acts(book, new, on), _called(old, new)
    return PolicyDiff(
        old=old.name,
        new=new.name,
        on=on,
        changes=changes,
        differing=_differing(_doings(before, book, names), _doings(after, book, names)),
        totals=_pairs(
            Counter(act.action.kind for act in before), Counter(act.action.kind for act in after)
        ),
        fee_totals=_pairs(_fee_sums(before), _fee_sums(after)),
    )


def refuse_lost_history(old: Policy, new: Policy, book: Book) -> None:
    """Raises SetupError for each stage or fee that has history on the book and is gone."""
    served: Counter[str] = Counter(item.stage for item in book.served if item.stage is not None)
    charged: Counter[str] = Counter(fee.fee for fee in book.fees)
    problems = [
        f'the {kind} "{name}" was '
        + (f"served {served[name]} times" if kind == "stage" else f"charged {charged[name]} times")
        + " on this book and is gone"
        for kind, name in vanished(old, new)
        if (served[name] if kind == "stage" else charged[name])
    ]
    if problems:
        name = vanished(old, new)[0][1]
        raise SetupError(
            "The new policy forgets what was done under the old one.",
            problems=problems,
            remedy=f'write was = ["{name}"] in the stage or fee that takes its place',
        )


def _acts(book: Book, policy: Policy, on: date) -> list[Act]:
    return acts(decide(book, policy, on))


def _doings(done: list[Act], book: Book, names: Mapping[str, str]) -> dict[_Subject, Doing]:
    """What is done, by what makes it the same thing under both policies."""
    numbers = {invoice.id: invoice.number for invoice in book.invoices}
    found: dict[_Subject, Doing] = {}
    for act in done:
        action = act.action
        is_fee = isinstance(action, ChargeLateFee)
        known = book.customers.get(action.customer)
        for item in action.items:
            stage = names.get(item.stage or "", item.stage or "")
            fee = names.get(item.fee or "", item.fee or "")
            # A reminder is one whatever its stage: the firmest that is due.
            subject = (
                item.kind,
                action.customer,
                item.invoice or "",
                "" if item.kind == "reminder" else stage,
                fee,
            )
            found[subject] = Doing(
                kind=item.kind,
                customer=action.customer,
                customer_name=known.name if known is not None else action.customer,
                invoice=numbers.get(item.invoice, item.invoice) if item.invoice else "",
                stage=stage,
                fee=fee,
                template=action.template if isinstance(action, SendReminder) else "",
                amount=action.amount if is_fee else None,
                currency=action.currency,
                mode=str(act.mode),
                send_on=act.send_on,
            )
    return found


def _differing(
    before: Mapping[_Subject, Doing], after: Mapping[_Subject, Doing]
) -> tuple[Differing, ...]:
    found: list[Differing] = []
    for subject in sorted({*before, *after}):
        old, new = before.get(subject), after.get(subject)
        if old is None or new is None:
            found.append(Differing(old=old, new=new))
            continue
        fields = tuple(name for name in COMPARED if getattr(old, name) != getattr(new, name))
        if fields:
            found.append(Differing(old=old, new=new, fields=fields))
    return tuple(found)


def _called(old: Policy, new: Policy) -> dict[str, str]:
    """Ids of the old policy as the new one calls them."""
    return {
        was: one.id
        for rows in (new.stage, new.fee)
        for one in rows
        for was in one.was
        if old is not new
    }


def _fee_sums(done: list[Act]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for act in done:
        if isinstance(act.action, ChargeLateFee):
            sums[act.action.currency] += act.action.charge
    return sums


def _pairs(before: Counter[str], after: Counter[str]) -> dict[str, tuple[int, int]]:
    return {name: (before[name], after[name]) for name in sorted({*before, *after})}


def _told(doing: Doing | None) -> dict[str, Any] | None:
    if doing is None:
        return None
    told: dict[str, Any] = msgspec.to_builtins(doing)
    if doing.amount is not None:
        told["amount"] = format_minor(doing.amount, doing.currency)
    return told
