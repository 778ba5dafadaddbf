"""One apology a customer, for everything that cannot be called back."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.errors import ArBridgeError
from ar_bridge.messages.reaching import reaching
from ar_bridge.store import actions as action_store
from ar_bridge.store.actions import ActionRow
from rules.actions.action import Action, Item, RenderedMessage
from rules.actions.apology import SendApology, Wrong
from rules.actions.internal import OpenTask
from rules.actions.keys import message_key
from rules.actions.messages import SendReminder
from rules.model import Book, CustomerId, ItemKey

TEMPLATE = "apology"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the customer got to know of."""

    row: ActionRow
    wrong: Wrong
    text: str
    """What cannot be called back, for the person who undoes it."""


class Sorry(msgspec.Struct, frozen=True, kw_only=True):
    """The apologies, and what became of each thing."""

    actions: list[Action]
    messages: dict[str, RenderedMessage]
    told: list[Told]
    again: list[Told]
    """Apologised for before."""
    silent: list[tuple[Told, str]]
    """Nobody can be written to, and why: a task asks to tell the customer."""


def apologies(conn: Connection, desk: BookContext, found: Sequence[Told]) -> Sorry:
    """An apology for each customer, written and ready to be looked at."""
    sorry = Sorry(actions=[], messages={}, told=[], again=[], silent=[])
    taken = action_store.taken_items(conn, desk.book_id, {_item(one) for one in found})
    together: dict[tuple[str, str], list[Told]] = {}
    for one in found:
        if _item(one) in taken:
            sorry.again.append(one)
            continue
        currency = one.row.currency or desk.company.base_currency
        together.setdefault((one.row.customer, currency), []).append(one)
    today = desk.today()
    customers = {CustomerId(customer) for customer, _ in together}
    book = desk.load(conn, today, customers, ()) if customers else None
    for (customer, currency), told in sorted(together.items(), key=lambda pair: pair[0]):
        assert book is not None
        action = _apology(CustomerId(customer), currency, told)
        message, why = _written(desk, action, book)
        if message is None:
            sorry.actions.append(_task(desk, action, told))
            sorry.silent.extend((one, why) for one in told)
            continue
        sorry.actions.append(action)
        sorry.messages[action.key] = message
        sorry.told.extend(told)
    return sorry


def _item(told: Told) -> str:
    return f"apology/{told.row.key}"


def _apology(customer: CustomerId, currency: str, told: Sequence[Told]) -> SendApology:
    items = tuple(
        Item(key=ItemKey(key), kind=SendApology.kind)
        for key in dict.fromkeys(_item(one) for one in told)
    )
    written = [one.row.action for one in told if isinstance(one.row.action, SendReminder)]
    wrongs = sorted(dict.fromkeys(one.wrong for one in told), key=lambda w: (w.on, w.kind, w.what))
    return SendApology(
        key=message_key(customer, [item.key for item in items]),
        customer=customer,
        currency=currency,
        items=items,
        is_ordered=True,
        template=TEMPLATE,
        roles=written[0].roles if written else ("billing",),
        signed_by=written[0].signed_by if written else "",
        qualified=(),
        total=0,
        wrongs=tuple(wrongs),
    )


def _written(
    desk: BookContext, action: SendApology, book: Book
) -> tuple[RenderedMessage | None, str]:
    """The message, or why there is none."""
    fallback = desk.policy.on(desk.today()).contact.fallback
    others = tuple(way for way in fallback if way != action.channel)
    asked = msgspec.structs.replace(action, fallback=others)
    try:
        message = reaching(desk.render, asked, book, [], desk.today(), {})
    except ArBridgeError as problem:
        return None, str(problem)
    if isinstance(message, RenderedMessage):
        return message, ""
    return None, message.reason


def _task(desk: BookContext, action: SendApology, told: Sequence[Told]) -> OpenTask:
    what = "; ".join(dict.fromkeys(one.text for one in told))
    return OpenTask(
        key=ItemKey(f"apologise/{action.key}"),
        customer=action.customer,
        currency=action.currency,
        items=action.items,
        is_ordered=True,
        text=f"Apologise to the customer in person: {what}",
        due_on=desk.today(),
    )
