"""Tables of what is looked at next: which accounts something happened to, and when the others
are due. `touched_customers` is filled by the database itself, with whatever changes a row that a
decision rests on: no way to write is left out."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table

from ar_bridge.store.columns import book, metadata, serial, tenant, text_column

accounts = Table(
    "accounts",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("payer", text_column(80), primary_key=True),
    Column("next_on", text_column(10)),  # when to decide again; nothing: when it is touched
    Column("zone", text_column(64), nullable=False, server_default=""),
    Column("goes_on", text_column(10)),  # the day for which its planned actions are written
    Index(None, "book_id", "next_on"),
    Index(None, "book_id", "goes_on"),
)

touched_customers = Table(
    "touched_customers",
    metadata,
    serial(),
    tenant(),
    book(),
    Column("customer", text_column(80), nullable=False),
    Index(None, "book_id", "customer"),
    # A number is never given twice: what was touched while a plan was made has a later one.
    sqlite_autoincrement=True,
)

plannings = Table(
    "plannings",
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("basis", text_column(64), nullable=False),  # of what is the same for all accounts
    Column("on", text_column(10), nullable=False),
    Column("day", text_column(64), nullable=False),  # of what texts of the day rest on
    Column("whole_on", text_column(10), nullable=False),  # when all accounts were looked at
    Column("plan_id", text_column(40), nullable=False),
)
