"""Plans as they were shown: immutable, found again by their id."""

from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, LargeBinary, Text, cast, literal, select

from ar_bridge.store.tables import plans

ORDER = "order-"
"""What the id of a plan begins with that holds nothing but a person's order."""


ERASED = "erased"
"""Field that says of a plan's body that words about a customer were taken out."""

EDIT = "edit-"
"""What the id of a plan begins with that holds nothing but an edited message and its fees."""


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stored plan. `body` is what `plan --json` printed."""

    id: str
    book_id: int
    on: date
    policy_name: str
    policy_hash: str
    made_at: datetime
    body: dict[str, Any]
    digest: str

    @property
    def is_erased(self) -> bool:
        """Whether words about a customer were taken out of it: its digest no longer fits."""
        return bool(self.body.get(ERASED))


def _plan_row(row: Any) -> PlanRow:
    return PlanRow(
        id=row.id,
        book_id=row.book_id,
        on=date.fromisoformat(row.on),
        policy_name=row.policy_name,
        policy_hash=row.policy_hash,
        made_at=datetime.fromisoformat(row.made_at),
        body=msgspec.json.decode(row.body),
        digest=row.digest,
    )


def insert_plan(conn: Connection, *, body: str | bytes | bytearray, **columns: Any) -> None:
    """Store a plan; the same id is stored once. One of which words were erased and that is made
    again, of what the ledger says now, is whole again. A large body is given as UTF-8: as a
    string of Python it would be held three times."""
    known = conn.execute(select(plans).where(plans.c.id == columns["id"])).first()
    if known is None:
        conn.execute(plans.insert().values(body=_text_of(conn, body), **columns))
    elif _plan_row(known).is_erased:
        again = plans.update().where(plans.c.id == columns["id"])
        conn.execute(again.values(body=_text_of(conn, body)))


def _text_of(conn: Connection, body: str | bytes | bytearray) -> Any:
    if isinstance(body, str):
        return body
    if conn.dialect.name != "sqlite":
        return body.decode()
    return cast(literal(body, LargeBinary), Text)


def body_of(conn: Connection, plan_id: str) -> str:
    """The stored text of a plan. Raises NoResultFound for one that there is not."""
    return str(conn.execute(select(plans.c.body).where(plans.c.id == plan_id)).scalar_one())


def plan_named(conn: Connection, book_id: int, plan_id: str) -> PlanRow | None:
    """A plan by its id or an unambiguous beginning of it."""
    rows = conn.execute(
        select(plans)
        .where(plans.c.book_id == book_id, plans.c.id.startswith(plan_id, autoescape=True))
        .limit(2)
    ).all()
    return _plan_row(rows[0]) if len(rows) == 1 else None


def latest_plan(conn: Connection, book_id: int) -> PlanRow | None:
    """The newest plan of a book; what a person ordered or edited by itself is none."""
    row = conn.execute(
        select(plans)
        .where(
            plans.c.book_id == book_id,
            plans.c.id.not_like(f"{ORDER}%"),
            plans.c.id.not_like(f"{EDIT}%"),
        )
        .order_by(plans.c.made_at.desc())
        .limit(1)
    ).first()
    return _plan_row(row) if row else None
