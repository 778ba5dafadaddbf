"""Notifications by mail: everything that a run has to tell one colleague, in one mail.

A notification is done once it stands on the worklist. Its mail is an action of its own, ordered
by the rules and kept in the outbox like any other message: it is sent at most once, whatever
crashes, and its items keep it from being made again. A book that observes does nothing, so there
is nothing to tell; and where no mail is set up, the worklist is all there is.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.dispatcher import ApplyReport
from ar_bridge.messages.formats import clean
from ar_bridge.orders import Ordered, carry_out, is_observed, order
from ar_bridge.store import actions as action_store
from ar_bridge.store.actions import ActionRow
from rules.actions.action import Item, RenderedMessage
from rules.actions.internal import NotifyOwner
from rules.actions.keys import notice_item
from rules.actions.notice import MailNotice
from rules.model import ItemKey

TOO_OLD: Final = timedelta(days=7)
"""What was told longer ago is on the worklist: it is no news when mail is set up at last."""

RULE: Final = "rule"
TEMPLATE: Final = "en/notice.jinja"


def mail_notices(desk: BookContext) -> ApplyReport | None:
    """Send what colleagues are still to be told; None where that is nothing."""
    with desk.store.read() as conn:
        if not _untold(conn, desk):
            return None
    with desk.store.write() as conn:
        ordered = _ordered(conn, desk)
    return carry_out(desk, ordered) if ordered is not None else None


def _ordered(conn: Connection, desk: BookContext) -> Ordered | None:
    together: dict[str, list[ActionRow]] = defaultdict(list)
    for row in _untold(conn, desk):
        assert isinstance(row.action, NotifyOwner)
        together[row.action.email].append(row)
    actions: list[MailNotice] = []
    messages: dict[str, RenderedMessage] = {}
    for email, rows in sorted(together.items()):
        first = rows[0].action
        assert isinstance(first, NotifyOwner)
        items = tuple(Item(key=notice_item(ItemKey(row.key)), kind=MailNotice.kind) for row in rows)
        action = MailNotice(
            key=items[0].key,
            customer=first.customer,
            items=items,
            person=first.owner,
            is_ordered=True,
        )
        actions.append(action)
        messages[action.key] = written(desk, email, rows)
    if not actions:
        return None
    return order(conn, desk, actions, actor=RULE, reason="notification", messages=messages)


def _untold(conn: Connection, desk: BookContext) -> list[ActionRow]:
    """Notifications that are done, have an address, and that no mail has carried yet."""
    if "email" not in desk.channels:
        return []
    since = desk.clock.now() - TOO_OLD
    rows = [
        row
        for row in action_store.actions_in(conn, desk.book_id, ("done",), kind=NotifyOwner.kind)
        if isinstance(row.action, NotifyOwner)
        and row.action.email
        and row.ended_at is not None
        and row.ended_at >= since
        and not is_observed(desk, row.action.customer)
    ]
    keys = {str(notice_item(ItemKey(row.key))): row for row in rows}
    taken = action_store.taken_items(conn, desk.book_id, set(keys))
    return [row for key, row in keys.items() if key not in taken]


def written(desk: BookContext, email: str, rows: Sequence[ActionRow]) -> RenderedMessage:
    """The mail about these notifications, all for one person."""
    told = [row.action for row in rows if isinstance(row.action, NotifyOwner)]
    notices = [
        {
            "title": clean(one.title or one.kind),
            "customer": clean(one.customer_name),
            "told": [clean(line) for line in one.told],
            "asked": clean(one.asked),
            "due_on": one.due_on.isoformat() if one.due_on is not None else "",
        }
        for one in told
    ]
    text = desk.templates.layouts.get_template(TEMPLATE).render(
        name=clean(told[0].name),
        person=told[0].owner,
        notices=notices,
        company=clean(desk.company.name or desk.name),
    )
    subject = f"{notices[0]['title']}: {notices[0]['customer']}"
    if len(notices) > 1:
        subject = f"{len(notices)} things to look at, first {subject}"
    return RenderedMessage(to=(email,), subject=subject, text=text)
