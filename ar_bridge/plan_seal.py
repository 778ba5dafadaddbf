"""A plan as an artefact: its digest, and reading one back only as it was stored.

The digest is over the plan as `plan --json` printed it, without its own id, keys sorted. It
stands in the row, its beginning in the plan's id, and in the audit trail.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge.errors import ArBridgeError
from ar_bridge.store import plans
from ar_bridge.store.plans import PlanRow

_ID_DIGITS = 10

_AT_ONCE: Final = 500

_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class AlteredPlanError(ArBridgeError):
    """A stored plan is not what it was when it was made."""


def digest_of_plan(view: Mapping[str, Any]) -> str:
    """sha256 of a plan's canonical JSON without its id, 64 hex digits."""
    plain = {**view, "plan": ""}
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def digest_of_body(body: str | bytes) -> str:
    """The digest of a plan's stored JSON, the same as `digest_of_plan` of what it holds.

    Entries are read a few at a time: a large plan takes little more room than its text.
    """
    parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    parts["plan"] = msgspec.Raw(b'""')
    digest = hashlib.sha256()
    begun = b"{"
    for name in sorted(parts):
        digest.update(begun + _encode_sorted(name) + b":")
        begun = b","
        for piece in _sorted_pieces(parts[name]):
            digest.update(piece)
    digest.update(b"}")
    return digest.hexdigest()


def _sorted_pieces(value: msgspec.Raw) -> Iterator[bytes]:
    if bytes(memoryview(value)[:1]) != b"[":
        yield _encode_sorted(msgspec.json.decode(value))
        return
    entries = iter(msgspec.json.decode(value, type=list[msgspec.Raw]))
    yield b"["
    comma = b""
    while some := [msgspec.json.decode(one) for one in islice(entries, _AT_ONCE)]:
        yield comma + _encode_sorted(some)[1:-1]
        comma = b","
    yield b"]"


def plan_id_of(on: str, digest: str, prefix: str = "") -> str:
    """What a plan is called: its day and the beginning of its digest."""
    return f"{prefix}{on}-{digest[:_ID_DIGITS]}"


def store_plan(
    conn: Connection, book_id: int, view: dict[str, Any], *, prefix: str, made_at: datetime
) -> tuple[str, str]:
    """Store a plan of a person's own; (id, digest). The view gets its id."""
    digest = digest_of_plan(view)
    plan_id = plan_id_of(view["on"], digest, prefix)
    view["plan"] = plan_id
    plans.insert_plan(
        conn,
        id=plan_id,
        book_id=book_id,
        on=view["on"],
        book_as_of=view["book_as_of"],
        policy_name=view["policy"]["name"],
        policy_hash=view["policy"]["hash"],
        made_at=made_at.isoformat(),
        body=msgspec.json.encode(view).decode(),
        digest=digest,
    )
    return plan_id, digest


def stored_plan(conn: Connection, book_id: int, plan_id: str) -> PlanRow | None:
    """A plan by its id or an unambiguous beginning of it; None where there is none.

    Raises AlteredPlanError for one whose stored body is no longer what was shown.
    """
    plan = plans.plan_named(conn, book_id, plan_id)
    return None if plan is None else sealed(plan)


def shown_plan(conn: Connection, book_id: int, plan_id: str) -> Mapping[str, Any]:
    """What a plan shows, to look at only: also one of which words about a customer were erased.

    Raises AlteredPlanError as `stored_plan` does.
    """
    plan = plans.plan_named(conn, book_id, plan_id)
    if plan is None:
        return {}
    return plan.body if plan.is_erased else sealed(plan).body


def sealed(plan: PlanRow) -> PlanRow:
    """The plan, once its body was found to be what its digest, its id and its columns say.
    Raises AlteredPlanError."""
    if plan.is_erased:
        raise AlteredPlanError(
            f"What the plan {plan.id} said of a customer was erased: nothing of it is approved or "
            "applied any more.",
            remedy="make a new plan: ar-bridge plan",
        )
    problems = _problems(plan)
    if problems:
        raise AlteredPlanError(
            f"The plan {plan.id} was altered after it was stored: nothing of it is approved or "
            "applied.",
            problems=problems,
            remedy="make a new plan: ar-bridge plan; find out who changed the database: "
            "ar-bridge audit verify",
        )
    return plan


def _problems(plan: PlanRow) -> list[str]:
    found: list[str] = []
    digest = digest_of_plan(plan.body)
    if digest != plan.digest:
        found.append(f"its body has the digest {digest[:12]}, stored was {plan.digest[:12]}")
    if not plan.id.endswith(plan.digest[:_ID_DIGITS]) or plan.body.get("plan") != plan.id:
        found.append("its id is not that of its body")
    policy = plan.body.get("policy")
    if isinstance(policy, dict) and policy.get("hash") != plan.policy_hash:
        found.append("the policy that it names is not the one that it was made under")
    return found
