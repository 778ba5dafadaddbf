"""The worklist: what waits for a person, who is in charge, and by when; and ticking it off.

Tasks, calls and notifications stand here from the day on which they were opened until somebody
says what became of them, or until everything that they were about is settled. What waits for an
approval stands here too.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.selection import selected
from ar_bridge.store import actions as action_store
from ar_bridge.store import came_back, mirror, outbox, task_results
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.task_results import TaskResult
from rules.actions.internal import MakeCall, OpenTask
from rules.actions.write_off import ProposeWriteOff
from rules.model import Customer, Invoice, ItemKey, format_minor
from rules.model.own_stages import MAIL, REPLY
from rules.policy.person import Person

EVENTS: Final = {
    task_results.DONE: "TaskDone",
    task_results.REACHED: "CallMade",
    task_results.PROMISED: "CallMade",
    task_results.NO_ANSWER: "CallNotAnswered",
}

BY_HAND: Final = (
    "It is approved: credit the invoices against your account for bad debts in the ledger, then "
    "say that it is done."
)
"""What is left of a write-off where the book names no account for it."""

OPEN: Final = "open"
TO_APPROVE: Final = "to_approve"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits for a person."""

    key: str
    kind: str
    state: str
    """open: to be done; to_approve: to be approved or rejected."""
    customer: str
    customer_name: str
    phone: str = ""
    invoices: tuple[str, ...] = ()
    """Numbers as people see them."""
    amount: str | None = None
    currency: str | None = None
    text: str = ""
    owner: str = ""
    owner_name: str = ""
    opened_on: str = ""
    due_on: str | None = None
    is_late: bool = False
    attempts: tuple[str, ...] = ()
    """Calls that nobody answered, each with its day."""


def worklist(conn: Connection, desk: BookContext, *, owner: str | None = None) -> list[Entry]:
    """Everything that waits, what is due first at the top. Raises UsageError for an owner whom
    neither the policy nor any task knows."""
    rows = action_store.actions_in(conn, desk.book_id, ("done", "planned"))
    rows = [row for row in rows if _waits(row) and not _is_booked(conn, row)]
    results = task_results.listed(conn, desk.book_id)
    ids = {item.invoice for row in rows for item in row.action.items if item.invoice}
    invoices = {str(one.id): one for one in mirror.invoices_by_id(conn, desk.book_id, ids)}
    names = mirror.customers_by_id(conn, desk.book_id, {row.customer for row in rows})
    entries = [
        entry(row, results.get(row.id, ()), invoices, names, desk.policy.person, desk.today())
        for row in rows
        if not _is_over(row, results.get(row.id, ()), invoices)
    ]
    if owner is not None:
        entries = _of(entries, owner, desk.policy.person)
    return _sorted(entries)


def entry(
    row: ActionRow,
    results: Sequence[TaskResult],
    invoices: Mapping[str, Invoice],
    customers: Mapping[str, Customer],
    people: Sequence[Person],
    today: date,
) -> Entry:
    """One action as a line of the list."""
    action = row.action
    customer = customers.get(row.customer)
    task = action if isinstance(action, OpenTask) else None
    owner = task.owner if task is not None else ""
    known = {person.id: person.shown for person in people}
    named = dict.fromkeys(item.invoice for item in action.items if item.invoice)
    due_on = task.due_on if task is not None else None
    return Entry(
        key=row.key,
        kind=row.kind,
        state=OPEN if row.state == "done" else TO_APPROVE,
        customer=row.customer,
        customer_name=customer.name if customer is not None else row.customer,
        phone=customer.phone if customer is not None else "",
        invoices=tuple(invoices[one].number if one in invoices else one for one in map(str, named)),
        amount=None if action.amount is None else format_minor(action.amount, action.currency),
        currency=action.currency or None,
        text=_text(task, row.state),
        owner=owner,
        owner_name=known.get(owner, owner),
        opened_on=row.send_on.isoformat(),
        due_on=due_on.isoformat() if due_on is not None else None,
        is_late=due_on is not None and due_on < today,
        attempts=tuple(f"{one.on} {one.note}".strip() for one in results),
    )


def _text(task: OpenTask | None, state: str) -> str:
    if task is None:
        return ""
    if isinstance(task, ProposeWriteOff) and state == "done":
        return f"{task.text} {BY_HAND}"
    return task.text


def finish(
    conn: Connection, desk: BookContext, target: str, *, result: str, note: str, actor: str
) -> ActionRow:
    """Record what became of a task or a call; a call that nobody answered stays open.

    Raises UsageError for what is unknown, not on the worklist, or finished before.
    """
    found = [
        one
        for one in selected(conn, desk, [target], ("done",))
        if _waits(one) and not _is_booked(conn, one)
    ]
    if len(found) != 1:
        raise UsageError(
            f"{target} is no single task on the worklist.",
            remedy="ar-bridge worklist shows their keys",
        )
    row = found[0]
    before = task_results.listed(conn, desk.book_id, action_ids={row.id}).get(row.id, ())
    ended = next((one for one in before if one.result in task_results.ENDS), None)
    if ended is not None:
        raise UsageError(
            f"{target} was finished on {ended.on} by {ended.actor}.",
            remedy="ar-bridge worklist shows what is open",
        )
    if result != task_results.DONE and not isinstance(row.action, MakeCall):
        raise UsageError(
            f"{target} is a {row.kind}, not a call.", remedy="ar-bridge done KEY ends it"
        )
    now = desk.clock.now()
    task_results.add(
        conn,
        desk.book_id,
        TaskResult(
            action_id=row.id, on=desk.today(), at=now, actor=actor, result=result, note=note
        ),
    )
    audit.append(
        conn,
        book_id=desk.book_id,
        at=now,
        actor=actor,
        event=EVENTS[result],
        subject=row.key,
        payload={
            "result": result,
            "note": note,
            "customer": row.customer,
            "mails": _dealt_with(conn, desk, row),
        },
    )
    return row


def _dealt_with(conn: Connection, desk: BookContext, row: ActionRow) -> list[int]:
    """The mails that a task asked to be read: what they hold ends with it."""
    if row.stage not in (REPLY, MAIL):
        return []
    about, _, day = row.key.rsplit("/", 2)
    customer = about.partition("/")[2]
    mirror.decide_again(conn, desk.book_id, [row.customer])
    return came_back.deal_with(conn, desk.book_id, customer, date.fromisoformat(day))


def foreseen(
    view: Mapping[str, Any],
    tasks: Mapping[ItemKey, OpenTask],
    people: Sequence[Person],
    owner: str | None,
) -> list[Entry]:
    """What a plan that nothing was stored of would leave for people to do and to approve."""
    known = {person.id: person.shown for person in people}
    entries = []
    for action in view["actions"]:
        task = tasks.get(action["key"])
        if task is None and not action["needs_approval"]:
            continue
        in_charge = task.owner if task is not None else ""
        due_on = task.due_on.isoformat() if task is not None and task.due_on else None
        numbers = [item["invoice_number"] for item in action["items"] if item["invoice_number"]]
        entries.append(
            Entry(
                key=action["key"],
                kind=action["kind"],
                state=TO_APPROVE if action["needs_approval"] else OPEN,
                customer=action["customer"],
                customer_name=action["customer_name"],
                invoices=tuple(dict.fromkeys(numbers)),
                amount=action["amount"],
                currency=action["currency"],
                text=task.text if task is not None else "",
                owner=in_charge,
                owner_name=known.get(in_charge, in_charge),
                opened_on=view["on"],
                due_on=due_on,
            )
        )
    return _sorted(entries if owner is None else _of(entries, owner, people))


def _sorted(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(
        entries, key=lambda one: (one.due_on or one.opened_on, one.customer_name, one.key)
    )


def as_json(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The entries as `worklist --json` prints them."""
    made: list[dict[str, Any]] = msgspec.to_builtins(entries)
    return made


def _waits(row: ActionRow) -> bool:
    if row.state == "planned":
        return row.mode == "approve"
    return isinstance(row.action, OpenTask) and row.kind != "hand_off"


def _is_booked(conn: Connection, row: ActionRow) -> bool:
    """Whether the ledger booked what was approved, so that nothing is left to do."""
    if row.state != "done" or not isinstance(row.action, ProposeWriteOff):
        return False
    return any(effect.name == "post_credit" for effect in outbox.effects_of(conn, row.id))


def _is_over(
    row: ActionRow, results: Sequence[TaskResult], invoices: Mapping[str, Invoice]
) -> bool:
    if row.state == "planned":
        return False
    if any(one.result in task_results.ENDS for one in results):
        return True
    about = [item.invoice for item in row.action.items if item.invoice]
    # What was settled meanwhile needs nobody; of what is not in our records nobody knows.
    return bool(about) and all(one in invoices and invoices[one].status != "open" for one in about)


def _of(entries: Sequence[Entry], owner: str, people: Sequence[Person]) -> list[Entry]:
    wanted = owner.casefold()
    ids = {
        person.id
        for person in people
        if wanted in (person.id, person.name.casefold(), *map(str.casefold, person.roles))
    }
    known = {one.owner for one in entries} | {person.id for person in people}
    found = [one for one in entries if one.owner in ids or one.owner.casefold() == wanted]
    if not found and not ids:
        names = ", ".join(sorted(name for name in known if name))
        raise UsageError(
            f"Nobody called {owner} is in charge of anything.",
            remedy=f"known: {names}" if names else "the policy names no [[person]]",
        )
    return found
