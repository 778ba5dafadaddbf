"""Plans that were altered, and actions that are not what their plan shows.

The audit holds the digest of each plan. A plan that still has it says of every action that it
brought whom it is about, for how much and in which words: so the digest covers these too, from
before anybody approved them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.as_shown import difference
from ar_bridge.audit_chain import ERASED
from ar_bridge.plan_seal import digest_of_body
from ar_bridge.plan_view import listed
from ar_bridge.store import plans, revisions
from ar_bridge.store import told as stored

_AT_ONCE: Final = 500


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done, or became of a row, without an entry that tells of it."""

    kind: str
    """effect, state, approval, action or plan."""
    subject: str
    """Action key or plan id."""
    text: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


class Erasures(msgspec.Struct, frozen=True, kw_only=True):
    """What words about customers were taken out of, as the audit tells."""

    actions: frozenset[int] = frozenset()
    """Row ids."""
    plans: Mapping[str, str] = {}
    """Id of a plan to the digest that it has since."""
    customers: frozenset[str] = frozenset()
    """Of entries that do not name any rows yet: the customers that they are about."""

    def covers(self, action_id: int, customer: str) -> bool:
        """Whether the words of an action may be gone."""
        return customer in self.customers or action_id in self.actions


def erasures_of(conn: Connection, book_id: int) -> Erasures:
    """What was erased, by the entries that tell of it."""
    rows: set[int] = set()
    digests: dict[str, str] = {}
    customers: set[str] = set()
    for entry in reversed(audit.history(conn, book_id=book_id, events=[ERASED])):
        payload = entry.payload or {}
        if "plans" in payload:
            for first, last in payload["actions"]:
                rows.update(range(first, last + 1))
            digests.update(payload["plans"])
        else:
            customers.add(entry.subject.removeprefix("customer/"))
    return Erasures(actions=frozenset(rows), plans=digests, customers=frozenset(customers))


class _Shown(msgspec.Struct, kw_only=True):
    plan: str = ""
    on: str = ""
    policy: dict[str, Any] = {}
    actions: list[dict[str, Any]] = []
    erased: bool = False


_shown = msgspec.json.Decoder(_Shown)


def of_plans(conn: Connection, book_id: int, erasures: Erasures) -> Iterator[list[Gap]]:
    """What does not fit of each plan and of the actions that it brought, plan by plan. One body
    is read at a time."""
    brought = stored.actions_by_plan(conn, book_id)
    for rows in stored.plans_kept(conn, book_id):
        for row in rows:
            yield list(_of_plan(conn, book_id, row, erasures, brought.get(row.id, 0)))


def _of_plan(
    conn: Connection, book_id: int, row: Any, erasures: Erasures, brought: int
) -> Iterator[Gap]:
    body = plans.body_of(conn, row.id)
    try:
        plan = _shown.decode(body)
        digest = digest_of_body(body)
        wanted = listed({"actions": plan.actions})
    except (msgspec.MsgspecError, KeyError, TypeError) as problem:
        yield Gap(kind="plan", subject=row.id, text=f"its body cannot be read ({problem})")
        return
    is_erased = erasures.plans.get(row.id) == digest or (plan.erased and bool(erasures.customers))
    if digest != row.digest and not is_erased:
        yield Gap(
            kind="plan",
            subject=row.id,
            text=f"its body was altered: it has the digest {digest[:12]}, stored was "
            f"{row.digest[:12]}",
        )
        return
    is_policy = plan.policy.get("hash") == row.policy_hash
    if plan.plan != row.id or plan.on != row.on or not is_policy:
        yield Gap(kind="plan", subject=row.id, text="its row names another day or policy")
    yield from _of_its_actions(conn, book_id, row.id, plan, wanted, brought, erasures)


def _of_its_actions(
    conn: Connection,
    book_id: int,
    plan_id: str,
    plan: _Shown,
    wanted: Collection[tuple[str, int]],
    brought: int,
    erasures: Erasures,
) -> Iterator[Gap]:
    known = stored.revisions_known(conn, book_id, {key for key, _ in wanted})
    for key, revision in sorted(set(wanted) - known.keys()):
        text = f"revision {revision} is gone; plan {plan_id} shows it"
        yield Gap(kind="action", subject=key, text=text)
    own = {one for one in wanted if known.get(one) == plan_id}
    if len(own) != brought:
        for key, revision in stored.keys_of_plan(conn, book_id, plan_id):
            if (key, revision) not in own:
                text = f"revision {revision} names plan {plan_id}, which does not show it"
                yield Gap(kind="action", subject=key, text=text)
    entries = [
        (entry, parts)
        for entry in plan.actions
        if not own.isdisjoint(
            parts := [(one["key"], one["revision"]) for one in (entry, *entry["companions"])]
        )
    ]
    for start in range(0, len(entries), _AT_ONCE):
        some = entries[start : start + _AT_ONCE]
        keys = {key for _, parts in some for key, _ in parts}
        try:
            found = revisions.of_keys(conn, book_id, keys)
        except msgspec.MsgspecError as problem:
            text = f"an action that it brought cannot be read ({problem})"
            yield Gap(kind="plan", subject=plan_id, text=text)
            continue
        rows = {(row.key, row.revision): row for row in found}
        for entry, parts in some:
            yield from _of_entry(entry, [rows[one] for one in parts if one in own], erasures)


def _of_entry(entry: Mapping[str, Any], rows: Sequence[Any], erasures: Erasures) -> Iterator[Gap]:
    has_words = not any(erasures.covers(row.id, row.customer) for row in rows)
    what = difference(entry, rows, words=has_words)
    if what:
        plan_id = rows[0].plan_id
        text = f"its {what} is not what plan {plan_id} shows"
        yield Gap(kind="action", subject=str(entry["key"]), text=text)
