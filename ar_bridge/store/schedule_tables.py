"""Tables of the timetable: when each job of each book is due, and what was run."""

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint

from ar_bridge.store.columns import metadata, serial, tenant, text_column

schedule = Table(
    "schedule",
    metadata,
    tenant(),
    Column("book_id", Integer, primary_key=True),  # 0: the machine, what no book owns
    Column("job", text_column(24), primary_key=True),
    Column("next_at", text_column(40), nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("code", text_column(40), nullable=False, server_default=""),  # why it failed last
    Column("reason", Text, nullable=False, server_default=""),  # the same for people
    Column("failed_at", text_column(40)),
    Column("done_at", text_column(40)),
    Column("note", Text, nullable=False, server_default=""),  # what the last run found, as JSON
    Index(None, "next_at"),
)

job_runs = Table(
    "job_runs",
    metadata,
    serial(),
    tenant(),
    Column("book_id", Integer, nullable=False),
    Column("job", text_column(24), nullable=False),
    Column("slot", text_column(40), nullable=False),  # local date, or the instant it was due
    Column("started_at", text_column(40), nullable=False),
    Column("ended_at", text_column(40)),
    Column("outcome", text_column(12)),  # done, problems, failed, stopped
    Column("owner", Text, nullable=False, server_default=""),  # the process that runs it
    UniqueConstraint("book_id", "job", "slot"),
    Index(None, "started_at"),
)
