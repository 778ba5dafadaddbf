"""Tables of what the ledger says: its books, its records, and what is known of reading them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from ar_bridge.store.columns import metadata, serial, tenant, text_column

books = Table(
    "books",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    tenant(),
    Column("ledger", text_column(20), nullable=False),
    Column("company_id", text_column(80), nullable=False),
    Column("name", text_column(80), nullable=False),
    Column("company", Text, nullable=False),  # rules.model.Company as JSON
    Column("connected_on", text_column(10), nullable=False),
    Column("state", text_column(20), nullable=False, server_default="normal"),  # normal | rebuilt
    Column("cursor", Text),  # connectors.port.Cursor as JSON
    Column("synced_at", text_column(40)),
    Column("full_synced_at", text_column(40)),  # when everything was last read, not only changes
    Column("entered_through", text_column(10)),
    UniqueConstraint("tenant_id", "ledger", "company_id"),
)

customers = Table(
    "customers",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", text_column(80), primary_key=True),
    Column("parent", text_column(80)),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "book_id", "parent"),
)

invoices = Table(
    "invoices",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", text_column(80), primary_key=True),
    Column("number", text_column(255), nullable=False),
    Column("customer", text_column(80), nullable=False),
    Column("due_on", text_column(10)),
    Column("status", text_column(10), nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("closed_on", text_column(10)),  # day on which we saw it leave the open set
    Column("next_on", text_column(10)),  # of older releases: now `accounts` tells it
    Index(None, "book_id", "status", "customer"),
    Index(None, "book_id", "number"),
    Index(None, "book_id", "customer"),
)

payments = Table(
    "payments",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", text_column(80), primary_key=True),
    Column("customer", text_column(80), nullable=False),
    Column("on", text_column(10), nullable=False),
    Column("unapplied", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "book_id", "customer"),
)

credits = Table(
    "credits",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", text_column(80), primary_key=True),
    Column("customer", text_column(80), nullable=False),
    Column("on", text_column(10), nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "book_id", "customer"),
)

estimates = Table(
    "estimates",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("id", text_column(80), primary_key=True),
    Column("customer", text_column(80), nullable=False),
    Column("on", text_column(10), nullable=False),
    Column("status", text_column(10), nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "book_id", "customer"),
)

pull_pages = Table(
    "pull_pages",  # a pull under way: read, not yet part of the book
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("began_at", text_column(40), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("is_full", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),  # connectors.port.Page
    Column("resume", Text, nullable=False, server_default=""),
)

nudges = Table(
    "nudges",  # records that a webhook named, until they are read
    metadata,
    serial(),
    tenant(),
    Column("ledger", text_column(20), nullable=False),
    Column("company_id", text_column(80), nullable=False),
    Column("entity", text_column(20), nullable=False),
    Column("record_id", text_column(80), nullable=False),
    Column("received_at", text_column(40), nullable=False),
    UniqueConstraint("tenant_id", "ledger", "company_id", "entity", "record_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("entity", text_column(20), primary_key=True),
    Column("record_id", text_column(80), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("seen_at", text_column(40), nullable=False),
    Column("customer", text_column(80), server_default="", nullable=False),
)

marks = Table(
    "marks",  # notes of ours that were found in the ledger when our records did not know them
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("mark", text_column(24), primary_key=True),
    Column("on", text_column(10), nullable=False),
    Column("customer", text_column(80)),
    Column("body", Text, nullable=False),  # connectors.port.Mark as JSON
)

looked_at = Table(
    "looked_at",  # where notes of ours were looked for: each place once
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("place", text_column(96), primary_key=True),  # company, or invoice/<id>
    Column("at", text_column(40), nullable=False),
)

links = Table(
    "links",  # where customers see their invoices, for ledgers whose links last
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("invoice", text_column(80), primary_key=True),
    Column("url", Text, nullable=False),
    Column("at", text_column(40), nullable=False),
)
