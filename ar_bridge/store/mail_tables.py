"""Tables of mail besides messages to customers: what the owner was told, and what came back."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from ar_bridge.store.columns import metadata, serial, tenant, text_column

briefs = Table(
    "briefs",  # one a day for the owner: its words are stored before it is sent
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("on", text_column(10), primary_key=True),
    Column("state", text_column(12), nullable=False),  # sending, sent, later, unknown, refused
    Column("message_id", text_column(120), nullable=False),
    Column("message", Text, nullable=False),  # rules.actions.effects.SendMessage as JSON
    Column("told", Text, nullable=False),  # what it told of, so that the next one does not
    Column("made_at", text_column(40), nullable=False),
    Column("ended_at", text_column(40)),
    Column("said", Text, nullable=False, server_default=""),  # what the mail server said
    Index(None, "message_id"),
)

inbound_places = Table(
    "inbound_places",  # how far each mailbox was read
    metadata,
    Column("tenant_id", text_column(64), primary_key=True, server_default="default"),
    Column("source", text_column(255), primary_key=True),
    Column("uid_validity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
    Column("at", text_column(40), nullable=False),
)

inbound_mails = Table(
    "inbound_mails",
    metadata,
    serial(),
    tenant(),
    Column("identity", text_column(64), nullable=False),
    Column("source", text_column(255), nullable=False),
    Column("mark", text_column(255), nullable=False),  # where it lies in its source
    Column("kind", text_column(16), nullable=False),
    Column("book_id", Integer, ForeignKey("books.id")),
    Column("customer", text_column(80)),
    Column("action_id", BigInteger, ForeignKey("actions.id")),
    Column("on", text_column(10), nullable=False),  # local day of the book on which it was read
    Column("read_at", text_column(40), nullable=False),
    Column("state", text_column(12), nullable=False),  # open, handled, noted
    Column("body", Text, nullable=False),  # ar_bridge.store.inbound.Kept as JSON; erasable
    UniqueConstraint("tenant_id", "identity"),
    Index(None, "source", "mark"),
    Index(None, "book_id", "customer"),
    Index(None, "action_id"),
)

bad_addresses = Table(
    "bad_addresses",  # addresses from which mail came back for good
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("address", text_column(255), primary_key=True),
    Column("since", text_column(10), nullable=False),
    Column("said", Text, nullable=False, server_default=""),
)
