"""What running by itself needs: the owner's brief, mail that came back."""

import json

import sqlalchemy as sa
from alembic import op

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
    _briefs()
    _inbound()
    _message_ids()


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
