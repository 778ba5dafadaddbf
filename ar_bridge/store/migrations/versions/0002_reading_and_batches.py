"""Estimates, pulls that can be resumed, webhooks' nudges, batches of writes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.Text(), "postgresql")


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant_id", _text(64), server_default="default", nullable=False)


def upgrade() -> None:
    op.add_column("books", sa.Column("full_synced_at", _text(40), nullable=True))
    op.add_column("effects", sa.Column("batch", _text(64), nullable=True))
    op.add_column("actions", sa.Column("lease_owner", sa.Text(), server_default="", nullable=False))
    op.add_column("quarantine", sa.Column("customer", _text(80), server_default="", nullable=False))
    op.create_table(
        "estimates",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", _text(80), nullable=False),
        sa.Column("customer", _text(80), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("status", _text(10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_estimates_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_estimates")),
    )
    op.create_index(
        op.f("ix_estimates_book_id_customer"), "estimates", ["book_id", "customer"], unique=False
    )
    op.create_table(
        "pull_pages",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("began_at", _text(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("resume", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_pull_pages_book_id")),
        sa.PrimaryKeyConstraint("book_id", "began_at", "position", name=op.f("pk_pull_pages")),
    )
    op.create_table(
        "nudges",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        _tenant(),
        sa.Column("ledger", _text(20), nullable=False),
        sa.Column("company_id", _text(80), nullable=False),
        sa.Column("entity", _text(20), nullable=False),
        sa.Column("record_id", _text(80), nullable=False),
        sa.Column("received_at", _text(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nudges")),
        sa.UniqueConstraint(
            "tenant_id",
            "ledger",
            "company_id",
            "entity",
            "record_id",
            name=op.f("uq_nudges_tenant_id_ledger_company_id_entity_record_id"),
        ),
    )
    op.create_table(
        "batches",
        sa.Column("vendor_key", _text(64), nullable=False),
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("first_sent_at", _text(40), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_batches_book_id")),
        sa.PrimaryKeyConstraint("vendor_key", name=op.f("pk_batches")),
    )
    op.create_table(
        "marks",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("mark", _text(24), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("customer", _text(80), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_marks_book_id")),
        sa.PrimaryKeyConstraint("book_id", "mark", name=op.f("pk_marks")),
    )
    op.create_table(
        "looked_at",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("place", _text(96), nullable=False),
        sa.Column("at", _text(40), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_looked_at_book_id")),
        sa.PrimaryKeyConstraint("book_id", "place", name=op.f("pk_looked_at")),
    )
    op.create_table(
        "links",
        _tenant(),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("invoice", _text(80), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("at", _text(40), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_links_book_id")),
        sa.PrimaryKeyConstraint("book_id", "invoice", name=op.f("pk_links")),
    )
