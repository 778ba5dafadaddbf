"""Late fees that the ledger refused: they rest until something changes that it may have meant.

A refusal is an answer, not an accident: the same document would be refused again tomorrow, and the
day after. It is tried again once the policy, the fee's account or tax, or one of the invoices is
another, or when a person says so (`settle --retry`).
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypeAlias

import msgspec
from sqlalchemy import Connection

from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from rules.actions.effects import PostCharge
from rules.actions.late_fee import ChargeLateFee
from rules.calendar import local_date
from rules.guards.base import REVIEW_AFTER
from rules.model import Invoice, InvoiceId

Subject: TypeAlias = str
"""The invoice, or the customer of a fee of a whole account, the currency, and the fee."""

_KIND: Final = ChargeLateFee.kind


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger said, and how the invoices stood then."""

    why: str
    review_on: date
    """A person looks again, where nothing has changed until then."""
    invoices: Mapping[str, list[object]]

    def stands(self, fee: ChargeLateFee, invoices: Mapping[InvoiceId, Invoice]) -> bool:
        """Whether nothing has happened to the invoices since."""
        return self.invoices == {
            name: [invoices[name].status, invoices[name].balance, str(invoices[name].due_on or "")]
            for name in sorted(fee.about)
            if name in invoices
        }


def subject_of(fee: ChargeLateFee) -> Subject:
    """What a fee is charged to, whatever the slot: the next one would be refused as well."""
    return f"{fee.customer if fee.parts else fee.invoice}/{fee.currency}/{fee.fee_id}"


def refusals(
    conn: Connection,
    book_id: int,
    *,
    policy_hash: str,
    account: str,
    tax: str,
    timezone: str,
) -> dict[Subject, Refusal]:
    """The last word of the ledger about each fee, where it was a refusal under the policy, the
    account and the tax of today."""
    refused = action_store.actions_in(conn, book_id, ("refused",), kind=_KIND)
    if not refused:
        return {}
    charged = action_store.actions_in(
        conn, book_id, ("done",), kind=_KIND, customers={row.customer for row in refused}
    )
    last: dict[Subject, ActionRow] = {}
    for row in sorted([*refused, *charged], key=lambda one: one.id):
        if isinstance(row.action, ChargeLateFee):
            last[subject_of(row.action)] = row
    return {
        subject: Refusal(
            why=row.ended_reason or "",
            review_on=local_date(row.ended_at, timezone) + REVIEW_AFTER,
            invoices=row.facts.get("invoices", {}),
        )
        for subject, row in last.items()
        if row.state == "refused"
        and row.ended_at is not None
        and row.policy_hash == policy_hash
        and _booked(conn, row) in (None, (account, tax))
    }


def _booked(conn: Connection, row: ActionRow) -> tuple[str, str] | None:
    """Account and tax that the ledger refused; None where nobody knows."""
    for one in outbox.effects_of(conn, row.id):
        if isinstance(one.effect, PostCharge):
            return one.effect.account, one.effect.tax
    return None
