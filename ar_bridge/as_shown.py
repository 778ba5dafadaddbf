"""Whether a stored action still is what a plan shows of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ar_bridge.store.actions import ActionRow
from rules.model import format_minor


def difference(entry: Mapping[str, Any], parts: Sequence[ActionRow], *, words: bool = True) -> str:
    """What differs between an entry of a plan and the actions that it shows; empty: nothing.

    `parts` are those stored of the entry itself and of the messages that it carries along.
    Without `words` the text of messages is left aside: it was erased.
    """
    own = next((row for row in parts if row.key == entry["key"]), None)
    if own is not None:
        amount = None if own.amount is None else format_minor(own.amount, own.currency)
        if amount != entry["amount"] or (own.currency or None) != entry["currency"]:
            return "amount"
        if own.customer != entry["customer"]:
            return "customer"
        if (own.number or None) != entry["number"]:
            return "number"
    message = next((row.message for row in parts if row.message is not None), None)
    shown = entry["message"]
    if words and message is not None and shown is not None:
        stored = {
            "to": list(message.to),
            "cc": list(message.cc),
            "subject": message.subject,
            "text": message.text,
        }
        return next((name for name in stored if stored[name] != shown[name]), "")
    return ""
