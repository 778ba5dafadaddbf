"""Mail that came in as a part of our history: replies, and messages that did not arrive."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import Connection, select

from ar_bridge.store.inbound import AT_ONCE, HANDLED, HELD, LOST, OPEN, kept_body
from ar_bridge.store.tables import action_items, actions, inbound_mails
from rules.model import CustomerId, InvoiceId, ItemKey, Served, StageId
from rules.model.history import REPLIED, WROTE


def came_back(
    conn: Connection, book_id: int, *, since: date, customers: Collection[str] | None = None
) -> list[Served]:
    """Replies that nobody dealt with, what a person looks at at once, and the items of messages
    that did not arrive."""
    query = (
        select(
            inbound_mails.c.id,
            inbound_mails.c.kind,
            inbound_mails.c.customer,
            inbound_mails.c.action_id,
            inbound_mails.c.on,
            inbound_mails.c.state,
            inbound_mails.c.body,
        )
        .where(
            inbound_mails.c.book_id == book_id,
            inbound_mails.c.customer.is_not(None),
            inbound_mails.c.state == OPEN,
            inbound_mails.c.on >= since.isoformat(),
        )
        .order_by(inbound_mails.c.id)
    )
    found: list[Served] = []
    lost: dict[int, tuple[date, str]] = {}
    for row in conn.execute(query):
        if customers is not None and row.customer not in customers:
            continue
        on, kept = date.fromisoformat(row.on), kept_body.decode(row.body)
        if row.kind in HELD:
            found.append(_mail(REPLIED, row.customer, on, f"reply/{row.id}"))
        if row.kind in AT_ONCE or kept.urgent:
            why = StageId(f"mail-{kept.urgent or row.kind}")
            found.append(_mail(WROTE, row.customer, on, f"wrote/{row.id}", why))
        if row.kind == "bounce" and row.action_id is not None:
            lost[row.action_id] = (on, row.customer)
    return found + _lost_items(conn, lost)


def deal_with(conn: Connection, book_id: int, customer: str, on: date) -> list[int]:
    """Somebody dealt with what a customer wrote on a day; returns the numbers of those mails.
    What did not arrive stays: its address is still to be corrected."""
    theirs = (
        inbound_mails.c.book_id == book_id,
        inbound_mails.c.customer == customer,
        inbound_mails.c.on == on.isoformat(),
        inbound_mails.c.state == OPEN,
        inbound_mails.c.kind.not_in(LOST),
    )
    ids = list(conn.execute(select(inbound_mails.c.id).where(*theirs)).scalars())
    conn.execute(inbound_mails.update().where(*theirs).values(state=HANDLED))
    return ids


def _mail(kind: str, customer: str, on: date, key: str, stage: StageId | None = None) -> Served:
    return Served(on=on, kind=kind, customer=CustomerId(customer), key=ItemKey(key), stage=stage)


def _lost_items(conn: Connection, lost: Mapping[int, tuple[date, str]]) -> list[Served]:
    """Items of messages that came back, as of the day on which that was known."""
    by_action: dict[int, list[Served]] = defaultdict(list)
    ids = sorted(lost)
    for start in range(0, len(ids), 500):
        rows = conn.execute(
            select(
                action_items.c.action_id,
                action_items.c.key,
                action_items.c.kind,
                action_items.c.invoice,
                action_items.c.stage,
                actions.c.key.label("message"),
                actions.c.channel,
            )
            .join(actions, actions.c.id == action_items.c.action_id)
            .where(
                action_items.c.action_id.in_(ids[start : start + 500]),
                actions.c.state == "refused",
            )
        )
        for row in rows:
            on, customer = lost[row.action_id]
            by_action[row.action_id].append(
                Served(
                    on=on,
                    kind=row.kind,
                    customer=CustomerId(customer),
                    invoice=InvoiceId(row.invoice) if row.invoice is not None else None,
                    stage=StageId(row.stage) if row.stage is not None else None,
                    channel=row.channel,
                    key=ItemKey(row.key),
                    message=row.message,
                    state="bounced",
                )
            )
    return [item for action_id in ids for item in by_action[action_id]]
