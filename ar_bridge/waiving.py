"""Letting a customer off a late fee: recorded here for good, taken back in the ledger.

A waiver stays in what was charged: the rules never charge it again. The document is voided where
nothing was paid on it and all of it is waived; else a credit note takes the part back. Which of
the two is right, the connector reads from the document itself just before it writes.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.orders import Ordered, order
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, mirror, outbox, waivers
from ar_bridge.store.history import fees_taken_back
from ar_bridge.words import the_invoice
from rules.actions.action import Item
from rules.actions.fee_waiver import WaiveLateFee
from rules.fees_left import parts_of
from rules.model import (
    CustomerId,
    FeePosted,
    InvoiceId,
    ItemKey,
    Minor,
    Waiver,
    format_minor,
)

TRIED_IN_VAIN = ("refused", "withdrawn", "rejected", "expired")
"""States of an order to take a fee back that left the fee as it was."""


UNDER_WAY = ("approved", "leased", "unknown", "parked", "done")
"""States of one that takes it back, or may have."""


class Waiving(msgspec.Struct, frozen=True, kw_only=True):
    """One fee document and what is waived of it."""

    fee: FeePosted
    invoice_number: str
    document_id: str
    amount: Minor
    is_whole: bool
    """All that is still open of it."""
    is_untouched: bool
    """Nothing was paid on it, nothing waived: it can be voided."""
    invoice: InvoiceId | None = None
    """Of a document about a whole account: whose part is waived; None: whichever."""
    again: WaiveLateFee | None = None
    """An order of an earlier day that came to nothing: its waiver is recorded already."""

    def told(self, what: str = "waived") -> str:
        """What happens, in a sentence."""
        fee, currency = self.fee, self.fee.currency
        how = "voided" if self.is_untouched and self.is_whole else "credited"
        part = "" if self.is_whole else f" of {format_minor(fee.amount, currency)}"
        return (
            f"{fee.document}, {fee.fee} on invoice {self.invoice_number}: {currency} "
            f"{format_minor(self.amount, currency)}{part} is {what} and {how} in the ledger"
        )

    def __str__(self) -> str:
        return self.told()


def to_waive(
    conn: Connection,
    desk: BookContext,
    name: str,
    *,
    fee: str | None = None,
    amount: Minor | None = None,
) -> list[Waiving]:
    """What a waiver of this fee document, or of the fees of this invoice, comes to.

    Raises UsageError with every ground on which nothing, or not so much, can be waived.
    """
    fees = fees_named(conn, desk, name, fee)
    if amount is not None and len(fees) > 1:
        raise UsageError(
            f"{name} bears several fees: of which one is a part waived?",
            problems=[_told(one) for one in fees],
            remedy="say the number of the fee document, or --fee",
        )
    found: list[Waiving] = []
    problems: list[str] = []
    for one in fees:
        ground = _one(conn, desk, one, amount)
        if isinstance(ground, str):
            problems.append(f"{_told(one)}: {ground}")
        else:
            found.append(ground)
    if problems and (not found or len(fees) == 1 or amount is not None):
        raise UsageError(
            "Nothing was waived.", problems=problems, remedy="ar-bridge explain tells what stands"
        )
    return found


def waive(
    conn: Connection,
    desk: BookContext,
    chosen: Sequence[Waiving],
    *,
    actor: str,
    reason: str,
    is_ours: bool = False,
) -> Ordered:
    """Record the waivers and order the documents taken back, in the caller's transaction.

    `is_ours`: it was charged wrongly, by us. Nothing is waived then: once the ledger has taken it
    back, it may be charged again where it is owed.

    Raises UsageError where the book observes or where it is ordered already.
    """
    now, today = desk.clock.now(), desk.today()
    for one in chosen:
        if one.again is not None:
            continue
        told = Waiver(
            on=today,
            document=one.fee.document,
            amount=one.amount,
            reason=reason,
            kind="correction" if is_ours else "waiver",
            invoice=one.invoice,
        )
        if not is_ours:
            waivers.add(conn, desk.book_id, told)
        audit.append(
            conn,
            book_id=desk.book_id,
            at=now,
            actor=actor,
            event="CorrectionOrdered" if is_ours else "WaiverRecorded",
            subject=one.fee.document,
            payload={**msgspec.to_builtins(told), "currency": one.fee.currency},
        )
    mirror.decide_again(conn, desk.book_id, list({one.fee.customer for one in chosen}))
    actions = [waiver_of(conn, desk, one, reason, is_ours) for one in chosen]
    return order(conn, desk, actions, actor=actor, reason=reason)


def waiver_of(
    conn: Connection, desk: BookContext, one: Waiving, reason: str, is_ours: bool
) -> WaiveLateFee:
    """The action that takes it back in the ledger."""
    if one.again is not None:
        return msgspec.structs.replace(one.again, reason=reason)
    before = gone_by_document(conn, desk).get(one.fee.document, 0)
    before -= 0 if is_ours else one.amount
    key = ItemKey(f"fee_waiver/{one.fee.document}/{before}")
    return WaiveLateFee(
        key=key,
        customer=one.fee.customer,
        currency=one.fee.currency,
        items=(Item(key=key, kind="fee_waiver", invoice=one.fee.invoice, fee=one.fee.fee),),
        is_ordered=True,
        invoice=one.fee.invoice,
        document=one.fee.document,
        document_id=one.document_id,
        waived=one.amount,
        is_whole=one.is_whole,
        reason=reason,
        is_correction=is_ours,
    )


def fees_named(conn: Connection, desk: BookContext, name: str, fee: str | None) -> list[FeePosted]:
    """What was charged under the number of a document, or for an invoice: one of each document,
    of one about a whole account the sum of the parts that are meant. Raises UsageError."""
    charged = [
        row
        for row in action_store.actions_named(conn, desk.book_id, name)
        if row.kind == "late_fee" and row.number == name
    ]
    if charged:
        customer, document, invoice = CustomerId(charged[-1].customer), name, None
    else:
        found = the_invoice(conn, desk.book_id, name)
        customer = found.customer
        document, invoice = (found.number, None) if found.is_fee else ("", found.id)
    book = desk.load(conn, desk.today(), {customer}, ())
    fees = [
        one
        for one in book.fees
        if (one.document == document if invoice is None else one.invoice == invoice)
        and (fee is None or one.fee == fee)
    ]
    if not fees:
        of_that = f" {fee}" if fee else ""
        raise UsageError(
            f"We charged no fee{of_that} under {name}.",
            remedy="name a fee document (LF-...) or an invoice that bears one",
        )
    return [_summed(parts) for parts in parts_of(fees).values()]


def _summed(parts: Sequence[FeePosted]) -> FeePosted:
    return msgspec.structs.replace(
        parts[0],
        amount=sum(part.amount for part in parts),
        corrected=sum(part.corrected for part in parts),
    )


def _one(
    conn: Connection, desk: BookContext, fee: FeePosted, amount: Minor | None
) -> Waiving | str:
    """What can be waived of one document, or why nothing can."""
    if fee.state != "done":
        return (
            "it is not posted yet: ar-bridge reject takes it out"
            if fee.state == "approved"
            else "nobody knows whether it was posted: ar-bridge settle comes first"
        )
    (whole,) = fees_named(conn, desk, fee.document, None)
    document_id, total, open_part, status = ledger_document(conn, desk, whole)
    if not document_id:
        return "the ledger's document is not known: ar-bridge sync reads it"
    numbers = {
        one.id: one.number for one in mirror.invoices_by_id(conn, desk.book_id, [fee.invoice])
    }
    before = gone_by_document(conn, desk).get(fee.document, 0)
    all_left = whole.amount - before
    left = min(fee.amount - _gone_of_part(conn, desk, fee), all_left)
    again = _in_vain(conn, desk, fee.document)
    if again is not None and amount is None and status == "open":
        return Waiving(
            fee=fee,
            invoice_number=numbers.get(fee.invoice, fee.invoice),
            document_id=document_id,
            amount=again.waived,
            is_whole=again.is_whole,
            is_untouched=open_part == total,
            again=again,
        )
    if status in ("void", "deleted"):
        return "it is void in the ledger already, and never charged again"
    if left <= 0:
        return "all of it was waived before"
    unread = taken_back_unread(conn, desk, fee.document)
    open_part -= unread
    if open_part <= 0 < unread:
        return "what was open of it is taken back already: ar-bridge sync reads what is left"
    if open_part <= 0:
        return "it is paid: give the money back as a refund in the ledger"
    most = min(left, open_part)
    if amount is not None and not 0 < amount <= most:
        return f"between 0.01 and {format_minor(most, fee.currency)} of it can be waived"
    wanted = most if amount is None else amount
    return Waiving(
        fee=fee,
        invoice_number=numbers.get(fee.invoice, fee.invoice),
        document_id=document_id,
        amount=wanted,
        is_whole=wanted == min(all_left, open_part),
        is_untouched=open_part == total and not before,
        invoice=fee.invoice if fee.amount < whole.amount else None,
    )


def ledger_document(
    conn: Connection, desk: BookContext, fee: FeePosted
) -> tuple[InvoiceId | str, Minor, Minor, str]:
    """Id, total, open part and status of the document, as last read, else as we posted it."""
    for one in mirror.invoices_named(conn, desk.book_id, fee.document):
        if one.number == fee.document:
            return one.id, one.total, one.balance, one.status
    for row in action_store.actions_named(conn, desk.book_id, fee.document):
        for effect in outbox.effects_of(conn, row.id):
            if effect.name == "post_charge" and effect.receipt is not None:
                return effect.receipt.id, fee.amount, fee.amount, "open"
    return "", fee.amount, fee.amount, "open"


def taken_back_unread(conn: Connection, desk: BookContext, document: str) -> Minor:
    """What we have taken back of a document, or are about to, and did not read since: the ledger
    would refuse it a second time."""
    synced_at = books.get(conn, desk.book_id).synced_at
    return sum(
        row.action.waived
        for row in action_store.actions_named(conn, desk.book_id, document)
        if isinstance(row.action, WaiveLateFee)
        and row.state in UNDER_WAY
        and not (row.ended_at is not None and synced_at is not None and row.ended_at < synced_at)
    )


def _in_vain(conn: Connection, desk: BookContext, document: str) -> WaiveLateFee | None:
    """The last order to take this document back, where it came to nothing."""
    asked = [
        row
        for row in action_store.actions_named(conn, desk.book_id, document)
        if isinstance(row.action, WaiveLateFee)
    ]
    if not asked or asked[-1].state not in TRIED_IN_VAIN:
        return None
    last = asked[-1].action
    assert isinstance(last, WaiveLateFee)
    return last


def _gone_of_part(conn: Connection, desk: BookContext, fee: FeePosted) -> Minor:
    """What was taken back of the part of one invoice by name."""
    given = [*waivers.listed(conn, desk.book_id), *fees_taken_back(conn, desk.book_id)]
    return sum(
        one.amount
        for one in given
        if one.document == fee.document
        and one.invoice == fee.invoice
        and one.kind != "reinstatement"
    )


def gone_by_document(conn: Connection, desk: BookContext) -> dict[str, Minor]:
    """What was taken back of each document, waived or corrected: it burdens nobody any more."""
    sums: dict[str, Minor] = {}
    given = [*waivers.listed(conn, desk.book_id), *fees_taken_back(conn, desk.book_id)]
    for one in given:
        # What is reinstated was taken back in the ledger all the same: it is charged anew.
        if one.kind != "reinstatement":
            sums[one.document] = sums.get(one.document, 0) + one.amount
    return sums


def _told(fee: FeePosted) -> str:
    return f"{fee.document}, {fee.fee}, {fee.currency} {format_minor(fee.amount, fee.currency)}"
