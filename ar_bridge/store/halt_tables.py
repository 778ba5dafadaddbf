"""Tables of what keeps actions from going out, and of what that is judged by."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from ar_bridge.store.columns import metadata, serial, tenant, text_column

halts = Table(
    "halts",  # what keeps everything from going out: a stop, or a breaker that opened
    metadata,
    serial(),
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), nullable=False),
    Column("kind", text_column(12), nullable=False),  # stop, breaker
    Column("code", text_column(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("measured", BigInteger),  # what the breaker looked at, to be compared later
    Column("plan_id", text_column(40)),
    Column("opened_at", text_column(40), nullable=False),
    Column("opened_by", text_column(120), nullable=False),
    Column("closed_at", text_column(40)),
    Column("closed_by", text_column(120)),
    Column("closed_reason", Text),
    Index(None, "book_id", "closed_at"),
)

trials = Table(
    "trials",  # policies by what they decide, applied for the first time
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("hash", text_column(64), primary_key=True),
    Column("began_at", text_column(40), nullable=False),
    Column("began_on", text_column(10), nullable=False),
    Column("ended_at", text_column(40)),
    Column("ended_by", text_column(120)),
    Column("reason", Text, nullable=False, server_default=""),
)

outages = Table(
    "outages",  # a ledger that does not answer is left alone for a while, for all workers
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("failures", Integer, nullable=False),  # in a row, whatever the action
    Column("action_id", BigInteger),  # the only action that failed; none: several
    Column("until", text_column(40)),
    Column("probe_until", text_column(40)),  # one worker is trying
    Column("probe", BigInteger),  # with which action
    Column("reason", Text, nullable=False),
    Column("since", text_column(40), nullable=False),
)

pictures = Table(
    "pictures",  # how much of a book was open and overdue at its last plan
    metadata,
    tenant(),
    Column("book_id", Integer, ForeignKey("books.id"), primary_key=True),
    Column("on", text_column(10), nullable=False),
    Column("open", Integer, nullable=False),
    Column("overdue", Integer, nullable=False),
)
