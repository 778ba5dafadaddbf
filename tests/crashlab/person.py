"""A person who looks: what nobody else can know is looked up in the world, and said."""

from collections import Counter

from ar_bridge.context import BookContext
from ar_bridge.orders import order
from ar_bridge.settling import OPEN_ENDED, settle
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from rules.actions.effects import (
    AttachFile,
    Effect,
    PostCharge,
    PostCredit,
    PostNote,
    ReverseCharge,
    SendLedgerInvoice,
    SendMessage,
    SetExpectedDate,
    SetHold,
)

DOUBTFUL = ("unknown", "sending", "refused")
WHO = "pat"


def settle_by_looking(desk: BookContext, facts: Counter[str]) -> list[str]:
    """Settle everything that waits for a person; the keys of what did."""
    with desk.store.read() as conn:
        rows = action_store.actions_in(conn, desk.book_id, OPEN_ENDED)
    for row in rows:
        with desk.store.write() as conn:
            doubtful = [one for one in outbox.effects_of(conn, row.id) if one.state in DOUBTFUL]
            ledger = desk.connector.capabilities.ledger
            happened = all(is_there(one.effect, facts, ledger) for one in doubtful)
            settle(conn, desk, row, happened=happened, actor=WHO, reason="looked there")
        _say_again(desk, row)
    return [row.key for row in rows]


def _say_again(desk: BookContext, row: ActionRow) -> None:
    """No plan brings an order back that did not happen: the person gives it again."""
    with desk.store.write() as conn:
        state = action_store.action_by_id(conn, row.id).state
        if state == "withdrawn" and row.action.is_ordered:
            messages = {str(row.key): row.message} if row.message else {}
            order(conn, desk, [row.action], actor=WHO, reason="once more", messages=messages)


def is_there(effect: Effect, facts: Counter[str], ledger: str) -> bool:
    """Whether a person finds it, who looks in the ledger, the mailbox or the gateway's log."""
    if ledger == "xero" and isinstance(effect, SetHold) and not effect.is_on:
        return not any(fact.startswith(f"{effect.customer} in group") for fact in facts)
    return any(_tells_of(effect, fact) for fact in facts)


def _tells_of(effect: Effect, fact: str) -> bool:
    kind, _, said = fact.partition(" ")
    match effect:
        case PostNote():
            return kind == "note" and said.endswith(effect.text)
        case PostCharge():
            return kind == "fee" and said.startswith(f"{effect.number} ")
        case PostCredit():
            return kind == "credit" and said.startswith(f"{effect.number} ")
        case ReverseCharge():
            if effect.amount is not None:
                return kind == "credit" and f"'{effect.document_id}', {effect.amount})" in said
            return kind == "fee" and said.startswith(f"{effect.number} ") and "void" in said
        case SetHold():
            return effect.mark in said or fact.startswith(f"{effect.customer} in group")
        case SetExpectedDate():
            return fact.startswith(f"{effect.invoice} expected {effect.on}")
        case AttachFile():
            return kind == "file" and said.startswith(f"{effect.filename} ")
        case SendLedgerInvoice():
            return fact.startswith(f"the ledger's mail of {effect.invoice} ")
        case SendMessage():
            return kind in ("mail", "message") and said.startswith(f"{effect.message_id} ")
