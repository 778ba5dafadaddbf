"""What an approval rests on: the facts of an action, and the digest by which they are compared."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from rules.actions.action import Action, RenderedMessage
from rules.actions.fee_waiver import WaiveLateFee
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.model import Invoice, InvoiceId

_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def business_facts(
    action: Action,
    message: RenderedMessage | None,
    invoices: Mapping[InvoiceId, Invoice],
    company_id: str,
) -> dict[str, Any]:
    """What an approval rests on: balances, status, due dates, recipients, fee numbers, the text.

    Never sync tokens or update times: those change without anything having happened.
    """
    named: set[InvoiceId] = set(action.about)
    if isinstance(action, SendReminder):
        named.update(action.qualified, action.also_open)
    if isinstance(action, WaiveLateFee):
        named.add(InvoiceId(action.document_id))
    facts: dict[str, Any] = {
        "invoices": {
            invoice: [
                invoices[invoice].status,
                invoices[invoice].balance,
                str(invoices[invoice].due_on or ""),
            ]
            for invoice in sorted(named)
            if invoice in invoices
        }
    }
    if isinstance(action, ChargeLateFee):
        facts["fee"] = [action.number(company_id), action.charge, str(action.through)]
        if action.parts:
            facts["parts"] = [[part.invoice, part.amount] for part in action.parts]
    if isinstance(action, WaiveLateFee):
        facts["fee"] = [action.document, action.waived]
    if isinstance(action, SendReminder):
        facts["fees"] = sorted(action.fees)
        facts["unapplied"] = action.unapplied
    if message is not None:
        facts["to"] = [*message.to, "|", *message.cc]
        if message.also:
            facts["also"] = [[each.channel, *each.to, "|", *each.cc] for each in message.also]
        facts["text"] = hashlib.sha256(
            "\0".join((message.subject, message.text, message.html)).encode()
        ).hexdigest()
    return facts


def lasting(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts without those that change from day to day by themselves: the text counts days, and
    a fee reaches to the day on which it is charged."""
    kept = {name: fact for name, fact in facts.items() if name not in ("text", "fee")}
    if "fee" in facts:
        kept["fee"] = list(facts["fee"][:2])
    return kept


def digest_of(facts: dict[str, Any]) -> str:
    """A digest that does not depend on the order of keys."""
    return hashlib.sha256(_encode_sorted(facts)).hexdigest()
