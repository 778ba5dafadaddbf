"""Charging a customer what collecting from them cost: a court's fee, an agency's, a bank's.

A document of its own, exactly once: its key is made of the evidence and of the invoice, so the
same bill is never passed on twice for it. The evidence goes on the invoice in the ledger, its
SHA-256 into the audit. The next message to the customer announces the charge.
"""

import hashlib
from collections.abc import Sequence
from pathlib import PurePath

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit, words
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.filing import MOST_BYTES, TYPES, safe_stem
from ar_bridge.orders import Ordered, order
from rules.actions.action import Item
from rules.actions.actual_costs import COST_FEE, COST_NAMES, ChargeActualCosts, CostKind
from rules.actions.keys import effect_key, fee_item, note_mark
from rules.actions.late_fee import Derivation, DerivationRow
from rules.fees.base import rational
from rules.model import (
    CustomerId,
    Dispute,
    FeeId,
    Invoice,
    ItemKey,
    Minor,
    Stop,
    exact_major,
    format_minor,
)


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Costs that are to be passed on."""

    customer: CustomerId
    invoices: tuple[Invoice, ...]
    kind: CostKind
    amount: Minor
    basis: str
    """What entitles to it."""
    filename: str
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the evidence."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def numbers(self) -> str:
        return ", ".join(invoice.number for invoice in self.invoices)

    @property
    def currency(self) -> str:
        return self.invoices[0].currency

    def __str__(self) -> str:
        money = f"{self.currency} {format_minor(self.amount, self.currency)}"
        return (
            f"{COST_NAMES[self.kind]} of {money} about invoice {self.numbers}; legal basis: "
            f"{self.basis}; evidence {self.filename}, SHA-256 {self.digest}"
        )


def costs(
    desk: BookContext,
    customer: CustomerId,
    invoices: Sequence[Invoice],
    *,
    kind: CostKind,
    amount: Minor,
    filename: str,
    content: bytes,
    basis: str = "",
) -> Costs:
    """The costs as they would be charged. Raises UsageError with every ground against it."""
    problems: list[str] = []
    theirs = [one for one in invoices if one.customer == customer]
    problems += [
        f"invoice {one.number} is not one of this customer" for one in invoices if one not in theirs
    ]
    problems += [f"{one.number} is a late fee itself" for one in invoices if one.is_fee]
    problems += [
        f"invoice {one.number} is {one.status}"
        for one in invoices
        if one.status not in ("open", "paid")
    ]
    if len({one.currency for one in invoices}) > 1:
        problems.append("the invoices are in several currencies: charge each by itself")
    if amount <= 0:
        problems.append("the amount has to be more than nothing")
    suffix = PurePath(filename).suffix.lower()
    if suffix not in TYPES:
        problems.append(
            f'"{suffix or filename}" is not a kind of file that is attached: '
            + ", ".join(one[1:] for one in TYPES)
        )
    if not content:
        problems.append("the evidence is empty")
    if len(content) > MOST_BYTES:
        problems.append(f"the evidence has more than {MOST_BYTES:,} bytes")
    if not desk.fee_account or not desk.fee_tax:
        problems.append("fee_account and fee_tax of the book are not set")
    found = basis or desk.policy.legal_basis or ""
    if not found:
        problems.append("nothing says what entitles you to it")
    if problems:
        raise UsageError(
            "The costs cannot be charged.",
            problems=problems,
            remedy="name invoices of the customer, a PDF or picture of the bill, and "
            "--legal-basis where the policy states none",
        )
    return Costs(
        customer=customer,
        invoices=tuple(invoices),
        kind=kind,
        amount=amount,
        basis=found,
        filename=filename,
        content=content,
    )


def charge(
    conn: Connection, desk: BookContext, found: Costs, *, actor: str, reason: str
) -> Ordered:
    """Order the document and its evidence, in the caller's transaction.

    Raises UsageError where the book observes, where the same evidence was charged for one of the
    invoices before, and where the customer is stopped or disputes an invoice.
    """
    today, head = desk.today(), found.invoices[0]
    standing = [
        told
        for told in words.standing(conn, desk.book_id, found.customer, [Stop, Dispute], today)
        if any(told.binds(invoice.id) for invoice in found.invoices)
    ]
    if standing or any(invoice.is_disputed for invoice in found.invoices):
        raise UsageError(
            "Nothing is charged to this customer at present.",
            problems=[
                f"{told.id}: {told.reason or type(told).__name__.lower()}" for told in standing
            ]
            or ["it is disputed in the ledger"],
            remedy="ar-bridge resume, or dispute --won-by, ends that",
        )
    fee = FeeId(f"{COST_FEE}{found.kind}")
    keys = [fee_item(invoice.id, fee, found.digest[:16]) for invoice in found.invoices]
    key = keys[0]
    number, currency = found.numbers, found.currency
    name = COST_NAMES[found.kind]
    mark = note_mark(desk.company.id, effect_key(key, 1, "attach_file"))[5:-1]
    suffix = PurePath(found.filename).suffix.lower()
    exact = rational(exact_major(found.amount, currency))
    action = ChargeActualCosts(
        key=key,
        customer=found.customer,
        currency=currency,
        items=tuple(
            Item(key=one, kind="late_fee", invoice=invoice.id, fee=fee)
            for one, invoice in zip(keys, found.invoices, strict=True)
        ),
        is_ordered=True,
        invoice=head.id,
        fee_id=fee,
        fee_name=name,
        charge=found.amount,
        through=today,
        description=f"{name} about invoice {number}: {reason}"[:1000],
        derivation=Derivation(
            rows=(DerivationRow(kind="fixed", from_=today, to=today, exact=exact),),
            text=f"{name} as paid; evidence {found.filename}, SHA-256 {found.digest}; "
            f"legal basis: {found.basis}",
        ),
        notice=ItemKey(""),
        filename=f"{safe_stem(found.filename)}-arb-{mark}{suffix}",
        content_type=TYPES[suffix],
        content=found.content,
    )
    ordered = order(conn, desk, [action], actor=actor, reason=reason)
    audit.append(
        conn,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor=actor,
        event="CostsCharged",
        subject=action.number(desk.company.id),
        payload={
            "kind": found.kind,
            "invoices": [invoice.id for invoice in found.invoices],
            "amount": found.amount,
            "currency": currency,
            "legal_basis": found.basis,
            "evidence": found.filename,
            "sha256": found.digest,
            "reason": reason,
        },
    )
    return ordered
