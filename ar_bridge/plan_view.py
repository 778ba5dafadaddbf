"""A plan as people and programs read it: the JSON of `plan --json` (contract)."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from ar_bridge.drafts import Draft
from rules.actions.action import EffectContext
from rules.actions.effects import EFFECT_NAMES
from rules.actions.messages import SendFeeNotice
from rules.decision import Reason, Skip
from rules.explain import sentence
from rules.model import Book, Customer, CustomerId, Invoice, InvoiceId, ItemKey, format_minor

SCHEMA = 1


def plan_view(
    *,
    plan_id: str,
    book_name: str,
    book: Book,
    book_as_of: datetime | date,
    on: date,
    policy_name: str,
    policy_hash: str,
    drafts: Sequence[tuple[Draft, int, EffectContext]],
    skips: Iterable[Skip],
    warnings: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The plan with its actions (draft, revision, effect context) and every overdue invoice that
    has none, with the reason. Amounts are decimal strings in the currency's own digits."""
    invoices = {invoice.id: invoice for invoice in book.invoices}
    return {
        "schema": SCHEMA,
        "plan": plan_id,
        "book": book_name,
        "book_as_of": book_as_of.isoformat(),
        "on": on.isoformat(),
        "policy": {"name": policy_name, "hash": policy_hash},
        "warnings": [dict(warning) for warning in warnings],
        "calls": None,
        "actions": _with_their_notices(
            [
                (draft, action_view(draft, revision, context, book.customers, invoices))
                for draft, revision, context in drafts
            ]
        ),
        "skips": list(skips_view(skips, book, on)),
    }


def skips_view(skips: Iterable[Skip], book: Book, on: date) -> Iterator[dict[str, Any]]:
    """The non-actions that a plan shows, in order. That something is not due yet is shown of
    overdue invoices only."""
    invoices = {invoice.id: invoice for invoice in book.invoices}
    for skip in skips:
        if skip.code != "not_due" or (
            skip.invoice is not None and is_overdue(invoices.get(skip.invoice), on)
        ):
            yield skip_view(skip, book.customers, invoices)


def packed_skips(skips: Iterable[Skip], book: Book, on: date) -> bytes:
    """The same as text, small: to be kept until a plan is written. Read with `unpacked_skips`."""
    return zlib.compress(msgspec.json.encode(list(skips_view(skips, book, on))), 1)


def unpacked_skips(packed: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """What was packed, in order."""
    for some in packed:
        yield from msgspec.json.decode(zlib.decompress(some))


def listed(body: Mapping[str, Any]) -> set[tuple[str, int]]:
    """(key, revision) of every action of a plan, those included that another one carries."""
    return {
        (entry["key"], entry["revision"])
        for action in body["actions"]
        for entry in (action, *action["companions"])
    }


def _with_their_notices(shown: Sequence[tuple[Draft, dict[str, Any]]]) -> list[dict[str, Any]]:
    """A message that only announces late fees is shown as a part of the first of them: to the
    reader, charging a fee and telling the customer is one thing, and it is approved as one."""
    fees = {draft.action.key: view for draft, view in shown if draft.action.kind == "late_fee"}
    views: list[dict[str, Any]] = []
    for draft, view in shown:
        announced = [key for key in draft.waits_for if key in fees]
        if not isinstance(draft.action, SendFeeNotice) or not announced:
            views.append(view)
            continue
        fee = fees[ItemKey(announced[0])]
        fee["message"], fee["channel"] = view["message"], view["channel"]
        fee["effects"] = [*fee["effects"], *view["effects"]]
        fee["companions"].append({"key": view["key"], "revision": view["revision"]})
    return views


def action_view(
    draft: Draft,
    revision: int,
    context: EffectContext,
    customers: Mapping[CustomerId, Customer],
    invoices: Mapping[InvoiceId, Invoice],
) -> dict[str, Any]:
    """One action as JSON."""
    action = draft.action
    customer = customers.get(action.customer)
    named = list(action.about)
    amount = action.amount
    return {
        "key": action.key,
        "revision": revision,
        # A notice that announces fees of an earlier day stands by itself.
        "kind": "notify" if isinstance(action, SendFeeNotice) else action.kind,
        "customer": action.customer,
        "customer_name": customer.name if customer else action.customer,
        "invoices": named,
        "items": [
            {
                "invoice": item.invoice,
                "invoice_number": _number(item.invoice, invoices),
                "stage": item.stage,
                "fee": item.fee,
                "key": item.key,
            }
            for item in action.items
        ],
        "stage": action.stage,
        "fee": action.fee,
        "number": action.number(context.company_id) or None,
        "amount": None if amount is None else format_minor(amount, action.currency),
        "currency": action.currency or None,
        "channel": draft.message.channel if draft.message else None,
        "send_at": draft.send_at.isoformat(),
        "effects": [EFFECT_NAMES[type(effect)] for effect in action.effects(context)],
        "reasons": reasons_view(draft.reasons),
        "needs_approval": draft.mode in ("observe", "approve"),
        "companions": [],
        "waiting_since": draft.waiting_since.isoformat() if draft.waiting_since else None,
        "expires_on": draft.expires_on.isoformat() if draft.expires_on else None,
        "edited_by": draft.edited_by or None,
        "calls": None,
        "message": None
        if draft.message is None
        else {
            "to": list(draft.message.to),
            "cc": list(draft.message.cc),
            "subject": draft.message.subject,
            "text": draft.message.text,
        },
    }


def skip_view(
    skip: Skip,
    customers: Mapping[CustomerId, Customer],
    invoices: Mapping[InvoiceId, Invoice],
) -> dict[str, Any]:
    """One non-action as JSON."""
    customer = customers.get(skip.customer)
    return {
        "customer": skip.customer,
        "customer_name": customer.name if customer else skip.customer,
        "invoice": skip.invoice,
        "invoice_number": _number(skip.invoice, invoices),
        "stage": skip.stage,
        "fee": skip.fee,
        "key": skip.key,
        "code": skip.code,
        "reasons": reasons_view(skip.reasons),
        "next_on": skip.next_on.isoformat() if skip.next_on else None,
        "review_on": skip.review_on.isoformat() if skip.review_on else None,
    }


def reasons_view(reasons: Iterable[Reason]) -> list[dict[str, str]]:
    """Reasons with their sentences."""
    return [{"code": reason.code, "text": sentence(reason)} for reason in reasons]


def _number(invoice: InvoiceId | None, invoices: Mapping[InvoiceId, Invoice]) -> str | None:
    if invoice is None:
        return None
    return invoices[invoice].number if invoice in invoices else invoice


def is_overdue(invoice: Invoice | None, on: date) -> bool:
    """Whether something is owed on an invoice after the day on which it was due."""
    return (
        invoice is not None
        and invoice.balance > 0
        and invoice.due_on is not None
        and invoice.due_on < on
    )
