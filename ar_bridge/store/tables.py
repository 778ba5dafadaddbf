"""Every table, once. Nobody but `ar_bridge.store` speaks SQL.

Ledger records, actions and reasons are kept as JSON bodies (each with `v`) next to the few
columns that queries need. Dates are ISO text and instants are ISO text in UTC, so that the same
rows mean the same on SQLite and PostgreSQL. Amounts are minor units.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

LIVE_STATES = ("planned", "approved", "leased", "unknown", "parked", "done")
"""States in which an item is taken: no second action may carry it. A parked action is one whose
effects have begun and which waits for a person; it is never freed."""

ACTION_STATES = (
    *LIVE_STATES,
    "withdrawn",
    "rejected",
    "expired",
    "superseded",
    "refused",
)


def _text(length: int) -> TypeEngine[str]:
    # Usually no longer than that. SQLite takes longer ones; PostgreSQL would refuse them, and
    # with them everything else that a ledger told us at the same time.
    return String(length).with_variant(Text(), "postgresql")


def _tenant() -> Column[str]:
    return Column("tenant_id", _text(64), nullable=False, server_default="default")


def _book() -> Column[int]:
    return Column("book_id", Integer, ForeignKey("books.id"), nullable=False)


def _serial() -> Column[int]:
    # SQLite numbers rows by itself only for INTEGER.
    return Column(
        "id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )


books = Table(
    "books",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _tenant(),
    Column("ledger", _text(20), nullable=False),
    Column("company_id", _text(80), nullable=False),
    Column("name", _text(80), nullable=False),
    Column("company", Text, nullable=False),  # rules.model.Company as JSON
    Column("connected_on", _text(10), nullable=False),
    Column("state", _text(20), nullable=False, server_default="normal"),  # normal | rebuilt
    Column("cursor", Text),  # connectors.port.Cursor as JSON
    Column("synced_at", _text(40)),
    Column("full_synced_at", _text(40)),  # when everything was last read, not only changes
    Column("entered_through", _text(10)),
    UniqueConstraint("tenant_id", "ledger", "company_id"),
)

customers = Table(
    "customers",
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", _text(80), primary_key=True),
    Column("parent", _text(80)),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
)

invoices = Table(
    "invoices",
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", _text(80), primary_key=True),
    Column("number", _text(255), nullable=False),
    Column("customer", _text(80), nullable=False),
    Column("due_on", _text(10)),
    Column("status", _text(10), nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("closed_on", _text(10)),  # day on which we saw it leave the open set
    Column("next_on", _text(10)),  # when to decide again
    Index(None, "book_id", "status", "customer"),
    Index(None, "book_id", "number"),
)

payments = Table(
    "payments",
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", _text(80), primary_key=True),
    Column("customer", _text(80), nullable=False),
    Column("on", _text(10), nullable=False),
    Column("unapplied", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "book_id", "customer"),
)

credits = Table(
    "credits",
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", _text(80), primary_key=True),
    Column("customer", _text(80), nullable=False),
    Column("on", _text(10), nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "book_id", "customer"),
)

estimates = Table(
    "estimates",
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", _text(80), primary_key=True),
    Column("customer", _text(80), nullable=False),
    Column("on", _text(10), nullable=False),
    Column("status", _text(10), nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "book_id", "customer"),
)

pull_pages = Table(
    "pull_pages",  # a pull under way: read, not yet part of the book
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("began_at", _text(40), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("is_full", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),  # connectors.port.Page
    Column("resume", Text, nullable=False, server_default=""),
)

nudges = Table(
    "nudges",  # records that a webhook named, until they are read
    metadata,
    _serial(),
    _tenant(),
    Column("ledger", _text(20), nullable=False),
    Column("company_id", _text(80), nullable=False),
    Column("entity", _text(20), nullable=False),
    Column("record_id", _text(80), nullable=False),
    Column("received_at", _text(40), nullable=False),
    UniqueConstraint("tenant_id", "ledger", "company_id", "entity", "record_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("entity", _text(20), primary_key=True),
    Column("record_id", _text(80), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("seen_at", _text(40), nullable=False),
)

commitments = Table(
    "commitments",
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", _text(80), primary_key=True),
    Column("customer", _text(80), nullable=False),
    Column("on", _text(10), nullable=False),
    Column("ended_on", _text(10)),
    Column("body", Text, nullable=False),  # rules.model.Commitment as JSON
    Index(None, "book_id", "customer"),
)

waivers = Table(
    "waivers",
    metadata,
    _serial(),
    _tenant(),
    _book(),
    Column("on", _text(10), nullable=False),
    Column("document", _text(40), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

skips = Table(
    "skips",
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("subject", _text(255), primary_key=True),  # invoice, stage and fee joined by "|"
    Column("customer", _text(80), nullable=False),
    Column("invoice", _text(80)),
    Column("code", _text(40), nullable=False),
    Column("next_on", _text(10)),
    Column("review_on", _text(10)),
    Column("body", Text, nullable=False),
    Column("since", _text(10), nullable=False),
    Index(None, "book_id", "customer"),
)

runs = Table(
    "runs",
    metadata,
    _serial(),
    _tenant(),
    _book(),
    Column("kind", _text(20), nullable=False),
    Column("on", _text(10), nullable=False),
    Column("started_at", _text(40), nullable=False),
    Column("ended_at", _text(40)),
    Column("outcome", _text(20)),
    Column("counts", Text),
)

plans = Table(
    "plans",
    metadata,
    Column("id", _text(40), primary_key=True),
    _tenant(),
    _book(),
    Column("on", _text(10), nullable=False),
    Column("book_as_of", _text(40), nullable=False),
    Column("policy_name", _text(80), nullable=False),
    Column("policy_hash", _text(64), nullable=False),
    Column("made_at", _text(40), nullable=False),
    Column("body", Text, nullable=False),  # the plan as `plan --json` prints it
    Column("digest", _text(64), nullable=False),
    Index(None, "book_id", "made_at"),
)

actions = Table(
    "actions",
    metadata,
    _serial(),
    _tenant(),
    _book(),
    Column("plan_id", _text(40), ForeignKey("plans.id"), nullable=False),
    Column("key", _text(255), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", _text(24), nullable=False),
    Column("state", _text(12), nullable=False),
    Column("mode", _text(10), nullable=False),
    Column("customer", _text(80), nullable=False),
    Column("stage", _text(80)),
    Column("fee", _text(80)),
    Column("number", _text(40), nullable=False, server_default=""),
    Column("amount", BigInteger),
    Column("currency", _text(3), nullable=False, server_default=""),
    Column("channel", _text(16), nullable=False, server_default=""),
    Column("send_on", _text(10), nullable=False),
    Column("send_at", _text(40), nullable=False),
    Column("body", Text, nullable=False),  # rules.actions.table.AnyAction as JSON
    Column("reasons", Text, nullable=False),
    Column("message", Text),  # rules.actions.action.RenderedMessage as JSON
    Column("facts", Text, nullable=False),  # the business facts that the digest covers
    Column("facts_digest", _text(64), nullable=False),
    Column("policy_hash", _text(64), nullable=False),
    Column("waits_for", Text, nullable=False, server_default="[]"),  # keys that come first
    Column("approved_by", _text(120)),
    Column("approved_at", _text(40)),
    Column("ended_reason", Text),
    Column("ended_at", _text(40)),
    Column("lease_until", _text(40)),
    Column("lease_token", Integer, nullable=False, server_default="0"),
    Column("lease_owner", Text, nullable=False, server_default=""),  # the process that has it
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("try_after", _text(40)),
    UniqueConstraint("book_id", "key", "revision"),
    CheckConstraint(f"state in {ACTION_STATES!r}", name="state"),
    Index(None, "book_id", "state", "send_at"),
    Index(None, "book_id", "customer"),
)

action_items = Table(
    "action_items",
    metadata,
    Column("action_id", ForeignKey("actions.id"), primary_key=True),
    Column("key", _text(255), primary_key=True),
    _tenant(),
    _book(),
    Column("state", _text(12), nullable=False),  # kept equal to the action's
    Column("kind", _text(24), nullable=False),
    Column("invoice", _text(80)),
    Column("stage", _text(80)),
    Column("fee", _text(80)),
    Index(None, "book_id", "invoice"),
)

Index(
    "uq_action_items_live_key",
    action_items.c.book_id,
    action_items.c.key,
    unique=True,
    sqlite_where=text(f"state in {LIVE_STATES!r}"),
    postgresql_where=text(f"state in {LIVE_STATES!r}"),
)

effects = Table(
    "effects",
    metadata,
    Column("action_id", ForeignKey("actions.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _tenant(),
    _book(),
    Column("key", _text(255), nullable=False),
    Column("name", _text(24), nullable=False),
    Column("state", _text(12), nullable=False),  # pending | sending | done | unknown | refused
    Column("body", LargeBinary, nullable=False),  # rules.actions.effects.Effect as JSON
    Column("request", LargeBinary),  # connectors.port.Prepared, stored before the first send
    Column("vendor_key", _text(64)),
    Column("batch", _text(64)),  # vendor key of the batch in which it was sent
    Column("first_sent_at", _text(40)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("finds", Integer, nullable=False, server_default="0"),
    Column("last_find_at", _text(40)),
    Column("receipt", Text),
    Column("error", Text),
    Index(None, "book_id", "key"),
)

batches = Table(
    "batches",  # several effects sent in one call
    metadata,
    Column("vendor_key", _text(64), primary_key=True),
    _tenant(),
    _book(),
    Column("request", LargeBinary, nullable=False),  # connectors.port.Prepared
    Column("first_sent_at", _text(40), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _tenant(),
    Column("book_id", Integer),
    Column("at", _text(40), nullable=False),
    Column("actor", _text(120), nullable=False),
    Column("event", _text(40), nullable=False),
    Column("subject", _text(255), nullable=False),
    Column("payload_hash", _text(64), nullable=False),
    Column("previous", _text(64), nullable=False),
    Column("hash", _text(64), nullable=False),
    Index(None, "book_id", "subject"),
)

audit_payloads = Table(
    "audit_payloads",
    metadata,
    Column("seq", ForeignKey("audit.seq"), primary_key=True),
    Column("body", Text),  # erasable: the chain holds its hash only
    Column("erased", Boolean, nullable=False, server_default=text("false")),
)

marks = Table(
    "marks",  # notes of ours that were found in the ledger when our records did not know them
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("mark", _text(24), primary_key=True),
    Column("on", _text(10), nullable=False),
    Column("customer", _text(80)),
    Column("body", Text, nullable=False),  # connectors.port.Mark as JSON
)

looked_at = Table(
    "looked_at",  # where notes of ours were looked for: each place once
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("place", _text(96), primary_key=True),  # company, or invoice/<id>
    Column("at", _text(40), nullable=False),
)

links = Table(
    "links",  # where customers see their invoices, for ledgers whose links last
    metadata,
    _tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("invoice", _text(80), primary_key=True),
    Column("url", Text, nullable=False),
    Column("at", _text(40), nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("tenant_id", _text(64), primary_key=True, server_default="default"),
    Column("ledger", _text(20), primary_key=True),
    Column("company_id", _text(80), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # encrypted
    Column("version", Integer, nullable=False),
    Column("stored_at", _text(40), nullable=False),
)
