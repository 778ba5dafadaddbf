"""Words about a customer in our own tables, taken out where the law asks for it.

What stays are ids, keys, document numbers, amounts, days and states: the law on accounts asks for
them, and they keep anything from being done twice. A word that is taken out leaves `GONE`.
"""

from collections.abc import Collection, Iterable
from html import escape
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, select

from ar_bridge.store import agenda, inbound
from ar_bridge.store import briefs as brief_store
from ar_bridge.store.plans import ERASED
from ar_bridge.store.tables import (
    action_items,
    actions,
    bad_addresses,
    briefs,
    commitments,
    effects,
    marks,
    plans,
    skips,
    task_results,
)

GONE: Final = "(erased)"

ENDED: Final = ("done", "withdrawn", "rejected", "expired", "superseded", "refused")
"""States of actions that nobody goes on with."""

_WORDS: Final = frozenset(
    {
        "text", "html", "subject", "reason", "customer_name", "name", "email", "title", "asked",
        "phone", "address", "said", "description", "what", "filename", "signed_by",
    }
)  # fmt: skip
"""Fields that hold words about people."""

_LISTS: Final = frozenset({"to", "cc", "told", "also"})
"""Fields that hold several of them; nothing is left of these."""


_MACHINE_PART: Final = "[arb1 "


def without_words(value: Any, *, inside: str = "") -> Any:
    """The same JSON value with every word about people taken out."""
    if isinstance(value, dict):
        return {
            name: []
            if name in _LISTS and isinstance(one, list)
            else without_words(one, inside=name)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [without_words(one, inside=inside) for one in value]
    if isinstance(value, str) and inside in _WORDS and value:
        return GONE
    return value


def open_actions(conn: Connection, book_id: int, customers: Collection[str]) -> list[str]:
    """Keys of actions that are still under way: their words are needed."""
    query = select(actions.c.key).where(
        actions.c.book_id == book_id,
        actions.c.customer.in_(customers),
        actions.c.state.not_in(ENDED),
    )
    return list(conn.execute(query.order_by(actions.c.id)).scalars())


def subjects(conn: Connection, book_id: int, customers: Collection[str]) -> set[str]:
    """What audit entries about these customers are about: keys, document numbers, words of
    theirs."""
    rows = conn.execute(
        select(actions.c.key, actions.c.number, action_items.c.key.label("item"))
        .outerjoin(action_items, action_items.c.action_id == actions.c.id)
        .where(actions.c.book_id == book_id, actions.c.customer.in_(customers))
    )
    found = {name for row in rows for name in row if name}
    found.update(
        conn.execute(
            select(commitments.c.id).where(
                commitments.c.book_id == book_id, commitments.c.customer.in_(customers)
            )
        ).scalars()
    )
    return found


class Wiped(msgspec.Struct, frozen=True, kw_only=True):
    """What words were taken out of."""

    rows: dict[str, int]
    """Table to number of rows."""
    actions: tuple[int, ...]
    """Row ids of actions; their effects too."""
    plans: tuple[str, ...]
    """Ids of plans."""


def erase(
    conn: Connection, book_id: int, customers: Collection[str], words: Collection[str] = ()
) -> Wiped:
    """Take the words out of everything of these customers that is over. `words` are their names
    and addresses: what is kept of several customers together is known by them."""
    ended = list(
        conn.execute(
            select(actions.c.id).where(
                actions.c.book_id == book_id,
                actions.c.customer.in_(customers),
                actions.c.state.in_(ENDED),
            )
        ).scalars()
    )
    wiped_plans = _plans(conn, book_id, customers)
    counts = {
        "actions": _actions(conn, ended),
        "effects": _effects(conn, ended),
        "plans": len(wiped_plans),
        "task_results": _notes(conn, ended),
    }
    for table in (commitments, skips, marks):
        counts[table.name] = _bodies(conn, table, book_id, customers)
    if counts["plans"]:
        # The next plan takes nothing over from one of which words are gone.
        agenda.forget_planning(conn, book_id)
    counts["inbound_mails"] = _mails(conn, book_id, customers, words)
    counts["briefs"] = _briefs(conn, book_id, words)
    counts["bad_addresses"] = _bad_addresses(conn, book_id, words)
    return Wiped(rows=counts, actions=tuple(ended), plans=tuple(wiped_plans))


def _mails(
    conn: Connection, book_id: int, customers: Collection[str], words: Collection[str]
) -> int:
    """What mails of theirs said, also where two customers have the address of the sender."""
    addresses = {word.lower() for word in words if "@" in word}
    changed = 0
    for mail in inbound.mails(conn, book_id):
        named = {mail.kept.sender.lower(), *(one.lower() for one in mail.kept.recipients)}
        if mail.kept != inbound.Kept() and (mail.customer in customers or named & addresses):
            inbound.forget(conn, mail.id)
            changed += 1
    return changed


def _briefs(conn: Connection, book_id: int, words: Collection[str]) -> int:
    """Briefs that name them. A brief tells of many customers and each of them in sentences, so
    that all of it goes; the owner has the mail. One that is still to be sent stays."""
    telling = [form for word in words if len(word) >= 4 for form in (word, escape(word))]
    rows = conn.execute(
        select(briefs).where(
            briefs.c.book_id == book_id,
            briefs.c.state.not_in((brief_store.SENDING, brief_store.LATER)),
        )
    ).mappings()
    changed = 0
    for row in rows.all():
        message = msgspec.json.decode(row["message"])
        said = " ".join(f"{message['text']} {message.get('html') or ''}".split())
        if any(" ".join(word.split()) in said for word in telling):
            statement = briefs.update().values(message=_json({**message, "text": GONE, "html": ""}))
            for column in briefs.primary_key.columns:
                statement = statement.where(column == row[column.name])
            conn.execute(statement)
            changed += 1
    return changed


def _bad_addresses(conn: Connection, book_id: int, words: Collection[str]) -> int:
    """What was said when mail to their addresses came back. That nothing goes there stays."""
    addresses = [word.lower() for word in words if "@" in word]
    theirs = bad_addresses.c.book_id == book_id, bad_addresses.c.address.in_(addresses)
    wiped = conn.execute(
        bad_addresses.update().where(*theirs, bad_addresses.c.said != "").values(said=GONE)
    )
    return wiped.rowcount


def _actions(conn: Connection, ids: Collection[int]) -> int:
    changed = 0
    for row in _some(conn, actions, ids):
        values = {
            name: _json(without_words(msgspec.json.decode(row[name])))
            for name in ("body", "message", "facts")
            if row[name]
        }
        values["reasons"] = "[]"
        if row["ended_reason"]:
            values["ended_reason"] = GONE
        conn.execute(actions.update().where(actions.c.id == row["id"]).values(**values))
        changed += 1
    return changed


def _effects(conn: Connection, ids: Collection[int]) -> int:
    changed = 0
    for start in range(0, len(list(ids)), 500):
        some = sorted(ids)[start : start + 500]
        rows = conn.execute(select(effects).where(effects.c.action_id.in_(some))).mappings().all()
        for row in rows:
            body = msgspec.json.decode(row["body"])
            bare = without_words(body)
            if "mark" in body and isinstance(body.get("text"), str):
                bare["text"] = _note_without_words(body["text"])
            if isinstance(body.get("content"), str):
                bare["content"] = ""
            values: dict[str, Any] = {"body": msgspec.json.encode(bare), "request": None}
            conn.execute(
                effects.update()
                .where(
                    effects.c.action_id == row["action_id"],
                    effects.c.position == row["position"],
                )
                .values(**values)
            )
            changed += 1
    return changed


def _plans(conn: Connection, book_id: int, customers: Collection[str]) -> list[str]:
    """What plans showed of them. A plan that still has something open keeps all of it."""
    busy = set(
        conn.execute(
            select(actions.c.plan_id).where(
                actions.c.book_id == book_id, actions.c.state.not_in(ENDED)
            )
        ).scalars()
    )
    changed: list[str] = []
    ids = conn.execute(select(plans.c.id).where(plans.c.book_id == book_id)).scalars().all()
    for plan_id in ids:
        if plan_id in busy:
            continue
        body = msgspec.json.decode(
            conn.execute(select(plans.c.body).where(plans.c.id == plan_id)).scalar_one()
        )
        is_theirs = False
        for part in ("actions", "skips"):
            shown = body.get(part, [])
            for place, one in enumerate(shown):
                if one.get("customer") in customers:
                    shown[place] = {**without_words(one), "reasons": []}
                    is_theirs = True
        if is_theirs:
            body[ERASED] = True
            conn.execute(plans.update().where(plans.c.id == plan_id).values(body=_json(body)))
            changed.append(plan_id)
    return changed


def _notes(conn: Connection, ids: Collection[int]) -> int:
    changed = 0
    for start in range(0, len(list(ids)), 500):
        some = sorted(ids)[start : start + 500]
        changed += conn.execute(
            task_results.update()
            .where(task_results.c.action_id.in_(some), task_results.c.note != "")
            .values(note=GONE)
        ).rowcount
    return changed


def _bodies(conn: Connection, table: Table, book_id: int, customers: Collection[str]) -> int:
    """Words in the bodies of a table that names its customer."""
    rows = conn.execute(
        select(table).where(table.c.book_id == book_id, table.c.customer.in_(customers))
    ).mappings()
    changed = 0
    for row in rows.all():
        body = msgspec.json.decode(row["body"])
        bare = without_words(body)
        if table is marks:
            bare["text"] = _note_without_words(body["text"])
        statement = table.update().values(body=_json(bare))
        for column in table.primary_key.columns:
            statement = statement.where(column == row[column.name])
        conn.execute(statement)
        changed += 1
    return changed


def _note_without_words(text: str) -> str:
    """A note keeps the mark that it is known by and what it says to ourselves: from these we know
    what was done."""
    mark, _, rest = text.partition("]")
    machine = rest.rfind(_MACHINE_PART)
    return " ".join([f"{mark}]", GONE, *([rest[machine:].strip()] if machine >= 0 else [])])


def _some(conn: Connection, table: Table, ids: Collection[int]) -> Iterable[Any]:
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        query = select(table).where(table.c.id.in_(wanted[start : start + 500]))
        yield from conn.execute(query).mappings().all()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
