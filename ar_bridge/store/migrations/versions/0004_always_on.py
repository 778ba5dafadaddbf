"""What running by itself needs: the owner's brief, mail that came back."""

import json

import sqlalchemy as sa
from alembic import op

from ar_bridge.store.migrations import audit_triggers, touch_triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.Text(), "postgresql")


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant_id", _text(64), server_default="default", nullable=False)


def _serial() -> sa.Column[int]:
    return sa.Column(
        "id",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        autoincrement=True,
        nullable=False,
    )


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in audit_triggers.statements(dialect):
        op.execute(statement)
    _briefs()
    _inbound()
    _message_ids()
    _approvals()
    _timetable()
    _limits()
    _halts()
    _agenda()
    for statement in touch_triggers.statements(dialect):
        op.execute(statement)


def _briefs() -> None:
    op.create_table(
        "briefs",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("state", _text(12), nullable=False),
        sa.Column("message_id", _text(120), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("made_at", _text(40), nullable=False),
        sa.Column("ended_at", _text(40), nullable=True),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_briefs_book_id")),
        sa.PrimaryKeyConstraint("book_id", "on", name=op.f("pk_briefs")),
    )
    op.create_index(op.f("ix_briefs_message_id"), "briefs", ["message_id"], unique=False)


def _inbound() -> None:
    """How far mailboxes were read, and what came back from customers."""
    op.create_table(
        "inbound_places",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("source", _text(255), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("at", _text(40), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "source", name=op.f("pk_inbound_places")),
    )
    op.create_table(
        "inbound_mails",
        _serial(),
        _tenant(),
        sa.Column("identity", _text(64), nullable=False),
        sa.Column("source", _text(255), nullable=False),
        sa.Column("mark", _text(255), nullable=False),
        sa.Column("kind", _text(16), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=True),
        sa.Column("customer", _text(80), nullable=True),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("read_at", _text(40), nullable=False),
        sa.Column("state", _text(12), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_inbound_mails_book_id")),
        sa.ForeignKeyConstraint(
            ["action_id"], ["actions.id"], name=op.f("fk_inbound_mails_action_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_mails")),
        sa.UniqueConstraint(
            "tenant_id", "identity", name=op.f("uq_inbound_mails_tenant_id_identity")
        ),
    )
    for columns in (["source", "mark"], ["book_id", "customer"], ["action_id"]):
        name = op.f(f"ix_inbound_mails_{'_'.join(columns)}")
        op.create_index(name, "inbound_mails", columns, unique=False)
    op.create_table(
        "bad_addresses",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("address", _text(255), nullable=False),
        sa.Column("since", _text(10), nullable=False),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_bad_addresses_book_id")),
        sa.PrimaryKeyConstraint("book_id", "address", name=op.f("pk_bad_addresses")),
    )


def _message_ids() -> None:
    """By which an answer names the message that it answers."""
    op.add_column("effects", sa.Column("message_id", _text(120), nullable=True))
    op.create_index(op.f("ix_effects_message_id"), "effects", ["message_id"], unique=False)
    effects = sa.table(
        "effects",
        sa.column("action_id", sa.BigInteger()),
        sa.column("position", sa.Integer()),
        sa.column("name", sa.String()),
        sa.column("body", sa.LargeBinary()),
        sa.column("message_id", sa.String()),
    )
    connection = op.get_bind()
    sent = connection.execute(
        sa.select(effects.c.action_id, effects.c.position, effects.c.body).where(
            effects.c.name == "send_message"
        )
    ).all()
    for action_id, position, body in sent:
        connection.execute(
            effects.update()
            .where(effects.c.action_id == action_id, effects.c.position == position)
            .values(message_id=json.loads(body).get("message_id"))
        )


def _timetable() -> None:
    """When each job of each book is due, and what was run."""
    op.create_table(
        "schedule",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("job", _text(24), nullable=False),
        sa.Column("next_at", _text(40), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("code", _text(40), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("failed_at", _text(40), nullable=True),
        sa.Column("done_at", _text(40), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("book_id", "job", name=op.f("pk_schedule")),
    )
    op.create_index(op.f("ix_schedule_next_at"), "schedule", ["next_at"], unique=False)
    op.create_table(
        "job_runs",
        _serial(),
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("job", _text(24), nullable=False),
        sa.Column("slot", _text(40), nullable=False),
        sa.Column("started_at", _text(40), nullable=False),
        sa.Column("ended_at", _text(40), nullable=True),
        sa.Column("outcome", _text(12), nullable=True),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("book_id", "job", "slot", name=op.f("uq_job_runs_book_id_job_slot")),
    )
    op.create_index(op.f("ix_job_runs_started_at"), "job_runs", ["started_at"], unique=False)


def _limits() -> None:
    """What is counted against the limits of a day, and why something waits."""
    op.add_column("actions", sa.Column("begun_on", _text(10), nullable=True))
    op.add_column("actions", sa.Column("run_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "actions", sa.Column("failures", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("actions", sa.Column("waits_why", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_actions_book_id_begun_on"), "actions", ["book_id", "begun_on"], unique=False
    )
    op.execute(
        "update actions set begun_on = substr(ended_at, 1, 10) "
        "where state = 'done' and ended_at is not null"
    )


def _halts() -> None:
    """Stops, breakers, policies on trial, ledgers that do not answer."""
    op.create_table(
        "halts",
        _serial(),
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("kind", _text(12), nullable=False),
        sa.Column("code", _text(40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("measured", sa.BigInteger(), nullable=True),
        sa.Column("plan_id", _text(40), nullable=True),
        sa.Column("opened_at", _text(40), nullable=False),
        sa.Column("opened_by", _text(120), nullable=False),
        sa.Column("closed_at", _text(40), nullable=True),
        sa.Column("closed_by", _text(120), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_halts_book_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_halts")),
    )
    op.create_index(
        op.f("ix_halts_book_id_closed_at"), "halts", ["book_id", "closed_at"], unique=False
    )
    op.create_table(
        "trials",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("hash", _text(64), nullable=False),
        sa.Column("began_at", _text(40), nullable=False),
        sa.Column("began_on", _text(10), nullable=False),
        sa.Column("ended_at", _text(40), nullable=True),
        sa.Column("ended_by", _text(120), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_trials_book_id")),
        sa.PrimaryKeyConstraint("book_id", "hash", name=op.f("pk_trials")),
    )
    op.create_table(
        "outages",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column("until", _text(40), nullable=True),
        sa.Column("probe_until", _text(40), nullable=True),
        sa.Column("probe", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", _text(40), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_outages_book_id")),
        sa.PrimaryKeyConstraint("book_id", name=op.f("pk_outages")),
    )
    op.create_table(
        "pictures",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("overdue", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_pictures_book_id")),
        sa.PrimaryKeyConstraint("book_id", name=op.f("pk_pictures")),
    )


def _approvals() -> None:
    """Since when an action waits for a person, and whose wording it has."""
    for name, type_ in (
        ("waiting_since", _text(40)),
        ("asked_at", _text(40)),
        ("edited_by", _text(120)),
        ("edited_why", sa.Text()),
        ("drafted", sa.Text()),
    ):
        op.add_column("actions", sa.Column(name, type_, nullable=True))


def _agenda() -> None:
    """Which accounts are looked at next."""
    op.create_table(
        "accounts",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("payer", _text(80), nullable=False),
        sa.Column("next_on", _text(10), nullable=True),
        sa.Column("zone", _text(64), server_default="", nullable=False),
        sa.Column("goes_on", _text(10), nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_accounts_book_id")),
        sa.PrimaryKeyConstraint("book_id", "payer", name=op.f("pk_accounts")),
    )
    op.create_table(
        "touched_customers",
        _serial(),
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("customer", _text(80), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"], ["books.id"], name=op.f("fk_touched_customers_book_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touched_customers")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "plannings",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("basis", _text(64), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("day", _text(64), nullable=False),
        sa.Column("whole_on", _text(10), nullable=False),
        sa.Column("plan_id", _text(40), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_plannings_book_id")),
        sa.PrimaryKeyConstraint("book_id", name=op.f("pk_plannings")),
    )
    for table, column in (
        ("accounts", "next_on"),
        ("accounts", "goes_on"),
        ("touched_customers", "customer"),
        ("invoices", "customer"),
        ("customers", "parent"),
    ):
        name = op.f(f"ix_{table}_book_id_{column}")
        op.create_index(name, table, ["book_id", column], unique=False)
