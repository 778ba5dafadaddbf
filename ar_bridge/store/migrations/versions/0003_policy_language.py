"""What the policy language keeps: what became of tasks and calls."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
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
    _fees_taken_back()
    _task_results()


def _task_results() -> None:
    op.create_table(
        "task_results",
        _serial(),
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("at", _text(40), nullable=False),
        sa.Column("actor", _text(120), nullable=False),
        sa.Column("result", _text(12), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_task_results_book_id")),
        sa.ForeignKeyConstraint(
            ["action_id"], ["actions.id"], name=op.f("fk_task_results_action_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_results")),
    )
    op.create_index(op.f("ix_task_results_action_id"), "task_results", ["action_id"], unique=False)


def _fees_taken_back() -> None:
    """Reinstatements and corrections beside waivers, and whose part of a document they are."""
    op.add_column("waivers", sa.Column("kind", _text(16), server_default="waiver", nullable=False))
    op.add_column("waivers", sa.Column("invoice", _text(80), nullable=True))
