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
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ar_bridge.store.agenda_tables import accounts, plannings, touched_customers
from ar_bridge.store.columns import book, metadata, serial, tenant, text_column
from ar_bridge.store.halt_tables import halts, outages, pictures, trials
from ar_bridge.store.ledger_tables import (
    books,
    credits,
    customers,
    estimates,
    invoices,
    links,
    looked_at,
    marks,
    nudges,
    payments,
    pull_pages,
    quarantine,
)
from ar_bridge.store.mail_tables import bad_addresses, briefs, inbound_mails, inbound_places
from ar_bridge.store.schedule_tables import job_runs, schedule

__all__ = [
    "ACTION_STATES",
    "LIVE_STATES",
    "accounts",
    "action_items",
    "actions",
    "audit",
    "audit_payloads",
    "bad_addresses",
    "batches",
    "books",
    "briefs",
    "commitments",
    "credits",
    "customers",
    "effects",
    "estimates",
    "halts",
    "inbound_mails",
    "inbound_places",
    "invoices",
    "job_runs",
    "links",
    "looked_at",
    "marks",
    "metadata",
    "nudges",
    "outages",
    "payments",
    "pictures",
    "plannings",
    "plans",
    "pull_pages",
    "quarantine",
    "runs",
    "schedule",
    "skips",
    "task_results",
    "tokens",
    "touched_customers",
    "trials",
    "waivers",
]

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

commitments = Table(
    "commitments",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", text_column(80), primary_key=True),
    Column("customer", text_column(80), nullable=False),
    Column("on", text_column(10), nullable=False),
    Column("ended_on", text_column(10)),
    Column("body", Text, nullable=False),  # rules.model.Commitment as JSON
    Index(None, "book_id", "customer"),
)

waivers = Table(
    "waivers",
    metadata,
    serial(),
    tenant(),
    book(),
    Column("on", text_column(10), nullable=False),
    Column("document", text_column(40), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("kind", text_column(16), nullable=False, server_default="waiver"),
    Column("invoice", text_column(80)),
)

skips = Table(
    "skips",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("subject", text_column(255), primary_key=True),  # invoice, stage and fee joined by "|"
    Column("customer", text_column(80), nullable=False),
    Column("invoice", text_column(80)),
    Column("code", text_column(40), nullable=False),
    Column("next_on", text_column(10)),
    Column("review_on", text_column(10)),
    Column("body", Text, nullable=False),
    Column("since", text_column(10), nullable=False),
    Index(None, "book_id", "customer"),
)

runs = Table(
    "runs",
    metadata,
    serial(),
    tenant(),
    book(),
    Column("kind", text_column(20), nullable=False),
    Column("on", text_column(10), nullable=False),
    Column("started_at", text_column(40), nullable=False),
    Column("ended_at", text_column(40)),
    Column("outcome", text_column(20)),
    Column("counts", Text),
)

plans = Table(
    "plans",
    metadata,
    Column("id", text_column(40), primary_key=True),
    tenant(),
    book(),
    Column("on", text_column(10), nullable=False),
    Column("book_as_of", text_column(40), nullable=False),
    Column("policy_name", text_column(80), nullable=False),
    Column("policy_hash", text_column(64), nullable=False),
    Column("made_at", text_column(40), nullable=False),
    Column("body", Text, nullable=False),  # the plan as `plan --json` prints it
    Column("digest", text_column(64), nullable=False),
    Index(None, "book_id", "made_at"),
)

actions = Table(
    "actions",
    metadata,
    serial(),
    tenant(),
    book(),
    Column("plan_id", text_column(40), ForeignKey("plans.id"), nullable=False),
    Column("key", text_column(255), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", text_column(24), nullable=False),
    Column("state", text_column(12), nullable=False),
    Column("mode", text_column(10), nullable=False),
    Column("customer", text_column(80), nullable=False),
    Column("stage", text_column(80)),
    Column("fee", text_column(80)),
    Column("number", text_column(40), nullable=False, server_default=""),
    Column("amount", BigInteger),
    Column("currency", text_column(3), nullable=False, server_default=""),
    Column("channel", text_column(16), nullable=False, server_default=""),
    Column("send_on", text_column(10), nullable=False),
    Column("send_at", text_column(40), nullable=False),
    Column("body", Text, nullable=False),  # rules.actions.table.AnyAction as JSON
    Column("reasons", Text, nullable=False),
    Column("message", Text),  # rules.actions.action.RenderedMessage as JSON
    Column("facts", Text, nullable=False),  # the business facts that the digest covers
    Column("facts_digest", text_column(64), nullable=False),
    Column("policy_hash", text_column(64), nullable=False),
    Column("waits_for", Text, nullable=False, server_default="[]"),  # keys that come first
    Column("waiting_since", text_column(40)),  # first planned, without a break since
    Column("asked_at", text_column(40)),  # what waits for a person expires so long after this
    Column("edited_by", text_column(120)),  # whose wording the message has
    Column("edited_why", Text),
    Column("drafted", Text),  # the message as the template made it, where a person changed it
    Column("approved_by", text_column(120)),
    Column("approved_at", text_column(40)),
    Column("ended_reason", Text),
    Column("ended_at", text_column(40)),
    Column("lease_until", text_column(40)),
    Column("lease_token", Integer, nullable=False, server_default="0"),
    Column("lease_owner", Text, nullable=False, server_default=""),  # the process that has it
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("try_after", text_column(40)),
    Column("begun_on", text_column(10)),  # the local day whose limits it counts to
    Column("run_id", BigInteger),  # the run in which it was begun
    Column("failures", Integer, nullable=False, server_default="0"),  # its own, not the ledger's
    Column("waits_why", Text),  # why it was not begun, though its time has come
    UniqueConstraint("book_id", "key", "revision"),
    CheckConstraint(f"state in {ACTION_STATES!r}", name="state"),
    Index(None, "book_id", "state", "send_at"),
    Index(None, "book_id", "customer"),
    Index(None, "book_id", "begun_on"),
)

action_items = Table(
    "action_items",
    metadata,
    Column("action_id", ForeignKey("actions.id"), primary_key=True),
    Column("key", text_column(255), primary_key=True),
    tenant(),
    book(),
    Column("state", text_column(12), nullable=False),  # kept equal to the action's
    Column("kind", text_column(24), nullable=False),
    Column("invoice", text_column(80)),
    Column("stage", text_column(80)),
    Column("fee", text_column(80)),
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

task_results = Table(
    "task_results",  # attempts at tasks and calls
    metadata,
    serial(),
    tenant(),
    book(),
    Column("action_id", BigInteger, ForeignKey("actions.id"), nullable=False),
    Column("on", text_column(10), nullable=False),
    Column("at", text_column(40), nullable=False),
    Column("actor", text_column(120), nullable=False),
    Column("result", text_column(12), nullable=False),  # done, reached, promised, no_answer
    Column("note", Text, nullable=False, server_default=""),
    Index(None, "action_id"),
)

effects = Table(
    "effects",
    metadata,
    Column("action_id", ForeignKey("actions.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    tenant(),
    book(),
    Column("key", text_column(255), nullable=False),
    Column("name", text_column(24), nullable=False),
    Column("state", text_column(12), nullable=False),  # pending, sending, done, unknown, refused
    Column("body", LargeBinary, nullable=False),  # rules.actions.effects.Effect as JSON
    Column("request", LargeBinary),  # connectors.port.Prepared, stored before the first send
    Column("vendor_key", text_column(64)),
    Column("batch", text_column(64)),  # vendor key of the batch in which it was sent
    Column("first_sent_at", text_column(40)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("finds", Integer, nullable=False, server_default="0"),
    Column("last_find_at", text_column(40)),
    Column("receipt", Text),
    Column("error", Text),
    Column("message_id", text_column(120)),  # of a mail: by it an answer names the message
    Index(None, "book_id", "key"),
    Index(None, "message_id"),
)

batches = Table(
    "batches",  # several effects sent in one call
    metadata,
    Column("vendor_key", text_column(64), primary_key=True),
    tenant(),
    book(),
    Column("request", LargeBinary, nullable=False),  # connectors.port.Prepared
    Column("first_sent_at", text_column(40), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    tenant(),
    Column("book_id", Integer),
    Column("at", text_column(40), nullable=False),
    Column("actor", text_column(120), nullable=False),
    Column("event", text_column(40), nullable=False),
    Column("subject", text_column(255), nullable=False),
    Column("payload_hash", text_column(64), nullable=False),
    Column("previous", text_column(64), nullable=False),
    Column("hash", text_column(64), nullable=False),
    Index(None, "book_id", "subject"),
)

audit_payloads = Table(
    "audit_payloads",
    metadata,
    Column("seq", ForeignKey("audit.seq"), primary_key=True),
    Column("body", Text),  # erasable: the chain holds its hash only
    Column("erased", Boolean, nullable=False, server_default=text("false")),
)

tokens = Table(
    "tokens",
    metadata,
    Column("tenant_id", text_column(64), primary_key=True, server_default="default"),
    Column("ledger", text_column(20), primary_key=True),
    Column("company_id", text_column(80), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # encrypted
    Column("version", Integer, nullable=False),
    Column("stored_at", text_column(40), nullable=False),
)
