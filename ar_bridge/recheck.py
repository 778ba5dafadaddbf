"""The look before the leap: read the targets again and decide again, just before writing.

An approved action goes only if, with what the ledger says now, the same action would be decided
with the same facts. Anything else (a payment, a dispute, a changed policy, another recipient)
withdraws it with the reason; the planner then plans what is right today.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.drafts import Draft, drafts
from ar_bridge.store import actions as action_store
from ar_bridge.store import mirror, outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.tables import LIVE_STATES
from ar_bridge.sync import refresh
from rules.actions.deposit import RequestDeposit
from rules.actions.effects import PostCharge, SendMessage
from rules.actions.late_fee import ChargeLateFee
from rules.decision import Skip
from rules.explain import sentence
from rules.model import Customer, CustomerId, Invoice, InvoiceId, format_minor


def recheck(desk: BookContext, rows: Sequence[ActionRow]) -> dict[int, str]:
    """Row ids that must not go, each with the reason. Raises ConnectorError when the ledger
    cannot be read: then nothing may go."""
    # What a person ordered is not decided by the rules, so it is not decided again either.
    rows = [row for row in rows if not row.action.is_ordered]
    if not rows:
        return {}
    changed = _read_again(desk, rows)
    today = desk.today()
    with desk.store.read() as conn:
        announced = {key for row in rows for key in row.waits_for}
        # Fees that are posted stay in the book: their message announces what is there.
        fees = (
            action_store.actions_in(conn, desk.book_id, set(LIVE_STATES) - {"done"}, keys=announced)
            if announced
            else []
        )
        book = desk.load(
            conn,
            today,
            {row.customer for row in rows},
            {row.id for row in rows} | {fee.id for fee in fees},
        )
        # Documents of fees that are under way may be in the ledger already: expected, by us.
        ours = {fee.number for fee in fees if fee.number}
        book = msgspec.structs.replace(
            book, invoices=[one for one in book.invoices if one.number not in ours]
        )
        named = {InvoiceId(i) for row in rows for i in row.facts.get("invoices", {})}
        now = {i.id: i for i in mirror.invoices_by_id(conn, desk.book_id, named)}
    again, skipped = drafts(book, desk.policy, today, desk.terms())
    by_key: dict[str, Draft] = {draft.action.key: draft for draft in again}
    withdrawn: dict[int, str] = {}
    for row in rows:
        draft = by_key.get(row.key)
        if row.id in changed:
            withdrawn[row.id] = changed[row.id]
        elif draft is None:
            withdrawn[row.id] = _why(row, skipped, now)
        elif row.send_on != draft.send_on:
            withdrawn[row.id] = f"it was written for {row.send_on}"
        elif draft.digest != row.facts_digest:
            withdrawn[row.id] = _difference(row, draft, now)
    return whole_groups(rows, withdrawn)


def not_as_approved(conn: Connection, rows: Sequence[ActionRow]) -> dict[int, str]:
    """Row ids of which the outbox holds something else than was approved, each with what. The
    outbox is what goes out; the action is what a person or a rule was shown."""
    shown = [
        row for row in rows if row.message is not None or isinstance(row.action, ChargeLateFee)
    ]
    stored = outbox.effects_by_action(conn, [row.id for row in shown])
    found: dict[int, str] = {}
    for row in shown:
        effects = [one.effect for one in stored.get(row.id, ())]
        messages = [row.message, *row.message.also] if row.message is not None else []
        words = [(one.to, one.subject, one.text, one.html) for one in messages]
        if not effects:
            found[row.id] = "the outbox holds nothing of it: it was altered or never approved"
        for effect in effects:
            is_other = (
                isinstance(effect, SendMessage)
                and (effect.to, effect.subject, effect.text, effect.html) not in words
            ) or (
                isinstance(effect, PostCharge)
                and (effect.number, effect.amount, effect.currency)
                != (row.number, row.amount, row.currency)
            )
            if is_other:
                found[row.id] = "what would be sent was altered after it was approved"
    return found


def _read_again(desk: BookContext, rows: Sequence[ActionRow]) -> dict[int, str]:
    """Bring the mirror up to date for everything that these actions rest on. Returns the rows
    whose customers are not who they were, each with what happened to them."""
    invoices = {InvoiceId(i) for row in rows for i in row.facts.get("invoices", {})}
    estimates = {one.action.estimate for one in rows if isinstance(one.action, RequestDeposit)}
    with desk.store.read() as conn:
        book = desk.row(conn)
        owed_by = mirror.owners(conn, desk.book_id, "invoices", invoices)
        customers = {*owed_by.values(), *(row.customer for row in rows)}
        known = mirror.customers_by_id(conn, desk.book_id, customers)
    refresh(
        desk.store,
        book,
        desk.connector,
        desk.clock,
        invoices=invoices,
        customers={CustomerId(customer) for customer in customers},
        estimates=estimates,
    )
    with desk.store.read() as conn:
        now_owed_by = mirror.owners(conn, desk.book_id, "invoices", invoices)
        now = mirror.customers_by_id(conn, desk.book_id, {*customers, *now_owed_by.values()})
    gone = {name: _left(known[name], now) for name in customers if name in known}
    changed: dict[int, str] = {}
    for row in rows:
        named = sorted(row.facts.get("invoices", {}))
        for name in (row.customer, *(owed_by[one] for one in named if one in owed_by)):
            if gone.get(name):
                changed.setdefault(row.id, gone[name])
        for one in named:
            if one in owed_by and now_owed_by.get(one) != owed_by[one]:
                taken = now.get(now_owed_by.get(one, ""))
                changed.setdefault(
                    row.id, f"invoice {one} belongs to customer {taken.name if taken else '?'} now"
                )
    return changed


def _left(before: Customer, now: Mapping[str, Customer]) -> str:
    """What became of a customer who may no longer be written to; empty for one who may."""
    after = now.get(before.id)
    if after is None:
        return f"customer {before.name} was deleted in the ledger"
    if after.is_active or not before.is_active:
        return ""
    if after.parent is not None and after.parent != before.parent:
        survivor = now.get(after.parent)
        return (
            f"customer {before.name} was merged into {survivor.name if survivor else after.parent}"
        )
    return f"customer {before.name} was archived or deleted in the ledger"


def _why(row: ActionRow, skipped: Sequence[Skip], now: Mapping[InvoiceId, Invoice]) -> str:
    keys = {item.key for item in row.action.items}
    invoices = {item.invoice for item in row.action.items if item.invoice}
    fitting = [
        skip
        for skip in skipped
        if skip.key in keys or (skip.invoice in invoices and skip.code != "not_due")
    ]
    # Said of the very item first, then of its invoice, then of the whole account.
    fitting.sort(key=lambda skip: skip.key not in keys)
    fitting += [
        skip for skip in skipped if skip.customer == row.customer and skip.code == "rule_error"
    ]
    for skip in fitting:
        return "; ".join(sentence(reason) for reason in skip.reasons) or skip.code
    return _moved(row, now) or "it would not be decided again today"


def _moved(row: ActionRow, now: Mapping[InvoiceId, Invoice]) -> str:
    """What happened in the ledger to the invoices that the approval rested on."""
    changes: list[str] = []
    for name, (status, balance, due_on) in sorted(row.facts.get("invoices", {}).items()):
        invoice = now.get(InvoiceId(name))
        if invoice is None:
            changes.append(f"invoice {name} is gone")
        elif invoice.status != status:
            changes.append(f"invoice {invoice.number} is {invoice.status}")
        elif invoice.balance != balance:
            left = format_minor(invoice.balance, invoice.currency)
            before = format_minor(balance, invoice.currency)
            changes.append(
                f"{left} {invoice.currency} is open on invoice {invoice.number}, no longer {before}"
            )
        elif str(invoice.due_on or "") != due_on:
            changes.append(f"invoice {invoice.number} is now due on {invoice.due_on}")
    return "changed in the ledger: " + "; ".join(changes) if changes else ""


_FACTS = {
    "invoices": "the invoices it is about",
    "fee": "the fee",
    "fees": "the fees it announces",
    "unapplied": "unapplied credit",
    "to": "the recipients",
    "text": "the text",
}


def _difference(row: ActionRow, draft: Draft, now: Mapping[InvoiceId, Invoice]) -> str:
    moved = _moved(row, now)
    if moved:
        return moved
    changed = [
        words for name, words in _FACTS.items() if row.facts.get(name) != draft.facts.get(name)
    ]
    planned, today = (set(facts.get("to") or ()) for facts in (row.facts, draft.facts))
    if planned != today and all(isinstance(one, str) for one in planned | today):
        addresses = ", ".join(sorted(today - planned)) or "nobody else"
        changed.append(f"it would go to {addresses} now")
    return f"changed since it was planned: {', '.join(changed)}"


def whole_groups(rows: Sequence[ActionRow], withdrawn: dict[int, str]) -> dict[int, str]:
    """Where a fee or its message must not go, neither goes."""
    by_key = {row.key: row for row in rows}
    for row in rows:
        group = [row, *(by_key[key] for key in row.waits_for if key in by_key)]
        bad = [member for member in group if member.id in withdrawn]
        if len(group) > 1 and bad:
            for member in group:
                withdrawn.setdefault(member.id, f"together with {bad[0].key}")
    return withdrawn
