"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.Text(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=True),
        sa.Column("at", _text(40), nullable=False),
        sa.Column("actor", _text(120), nullable=False),
        sa.Column("event", _text(40), nullable=False),
        sa.Column("subject", _text(255), nullable=False),
        sa.Column("payload_hash", _text(64), nullable=False),
        sa.Column("previous", _text(64), nullable=False),
        sa.Column("hash", _text(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_book_id_subject"), "audit", ["book_id", "subject"], unique=False)
    op.create_table(
        "books",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("ledger", _text(20), nullable=False),
        sa.Column("company_id", _text(80), nullable=False),
        sa.Column("name", _text(80), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("connected_on", _text(10), nullable=False),
        sa.Column("state", _text(20), server_default="normal", nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("synced_at", _text(40), nullable=True),
        sa.Column("entered_through", _text(10), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books")),
        sa.UniqueConstraint(
            "tenant_id", "ledger", "company_id", name=op.f("uq_books_tenant_id_ledger_company_id")
        ),
    )
    op.create_table(
        "tokens",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("ledger", _text(20), nullable=False),
        sa.Column("company_id", _text(80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stored_at", _text(40), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "ledger", "company_id", name=op.f("pk_tokens")),
    )
    op.create_table(
        "audit_payloads",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("erased", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["audit.seq"], name=op.f("fk_audit_payloads_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_payloads")),
    )
    op.create_table(
        "commitments",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", _text(80), nullable=False),
        sa.Column("customer", _text(80), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("ended_on", _text(10), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_commitments_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_commitments")),
    )
    op.create_index(
        op.f("ix_commitments_book_id_customer"),
        "commitments",
        ["book_id", "customer"],
        unique=False,
    )
    op.create_table(
        "credits",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", _text(80), nullable=False),
        sa.Column("customer", _text(80), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_credits_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_credits")),
    )
    op.create_index(
        op.f("ix_credits_book_id_customer"), "credits", ["book_id", "customer"], unique=False
    )
    op.create_table(
        "customers",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", _text(80), nullable=False),
        sa.Column("parent", _text(80), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_customers_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_customers")),
    )
    op.create_table(
        "invoices",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", _text(80), nullable=False),
        sa.Column("number", _text(255), nullable=False),
        sa.Column("customer", _text(80), nullable=False),
        sa.Column("due_on", _text(10), nullable=True),
        sa.Column("status", _text(10), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("closed_on", _text(10), nullable=True),
        sa.Column("next_on", _text(10), nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_invoices_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_invoices")),
    )
    op.create_index(
        op.f("ix_invoices_book_id_number"), "invoices", ["book_id", "number"], unique=False
    )
    op.create_index(
        op.f("ix_invoices_book_id_status_customer"),
        "invoices",
        ["book_id", "status", "customer"],
        unique=False,
    )
    op.create_table(
        "payments",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", _text(80), nullable=False),
        sa.Column("customer", _text(80), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("unapplied", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_payments_book_id")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_payments")),
    )
    op.create_index(
        op.f("ix_payments_book_id_customer"), "payments", ["book_id", "customer"], unique=False
    )
    op.create_table(
        "plans",
        sa.Column("id", _text(40), nullable=False),
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("book_as_of", _text(40), nullable=False),
        sa.Column("policy_name", _text(80), nullable=False),
        sa.Column("policy_hash", _text(64), nullable=False),
        sa.Column("made_at", _text(40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", _text(64), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_plans_book_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(op.f("ix_plans_book_id_made_at"), "plans", ["book_id", "made_at"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("entity", _text(20), nullable=False),
        sa.Column("record_id", _text(80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seen_at", _text(40), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_quarantine_book_id")),
        sa.PrimaryKeyConstraint("book_id", "entity", "record_id", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "runs",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("kind", _text(20), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("started_at", _text(40), nullable=False),
        sa.Column("ended_at", _text(40), nullable=True),
        sa.Column("outcome", _text(20), nullable=True),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_runs_book_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_table(
        "skips",
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("subject", _text(255), nullable=False),
        sa.Column("customer", _text(80), nullable=False),
        sa.Column("invoice", _text(80), nullable=True),
        sa.Column("code", _text(40), nullable=False),
        sa.Column("next_on", _text(10), nullable=True),
        sa.Column("review_on", _text(10), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("since", _text(10), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_skips_book_id")),
        sa.PrimaryKeyConstraint("book_id", "subject", name=op.f("pk_skips")),
    )
    op.create_index(
        op.f("ix_skips_book_id_customer"), "skips", ["book_id", "customer"], unique=False
    )
    op.create_table(
        "waivers",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("on", _text(10), nullable=False),
        sa.Column("document", _text(40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_waivers_book_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waivers")),
    )
    op.create_table(
        "actions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", _text(40), nullable=False),
        sa.Column("key", _text(255), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", _text(24), nullable=False),
        sa.Column("state", _text(12), nullable=False),
        sa.Column("mode", _text(10), nullable=False),
        sa.Column("customer", _text(80), nullable=False),
        sa.Column("stage", _text(80), nullable=True),
        sa.Column("fee", _text(80), nullable=True),
        sa.Column("number", _text(40), server_default="", nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", _text(3), server_default="", nullable=False),
        sa.Column("channel", _text(16), server_default="", nullable=False),
        sa.Column("send_on", _text(10), nullable=False),
        sa.Column("send_at", _text(40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("facts_digest", _text(64), nullable=False),
        sa.Column("policy_hash", _text(64), nullable=False),
        sa.Column("waits_for", sa.Text(), server_default="[]", nullable=False),
        sa.Column("approved_by", _text(120), nullable=True),
        sa.Column("approved_at", _text(40), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("ended_at", _text(40), nullable=True),
        sa.Column("lease_until", _text(40), nullable=True),
        sa.Column("lease_token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("try_after", _text(40), nullable=True),
        sa.CheckConstraint(
            "state in ('planned', 'approved', 'leased', 'unknown', 'parked', 'done', "
            "'withdrawn', 'rejected', 'expired', 'superseded', 'refused')",
            name=op.f("ck_actions_state"),
        ),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_actions_book_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_actions_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
        sa.UniqueConstraint(
            "book_id", "key", "revision", name=op.f("uq_actions_book_id_key_revision")
        ),
    )
    op.create_index(
        op.f("ix_actions_book_id_customer"), "actions", ["book_id", "customer"], unique=False
    )
    op.create_index(
        op.f("ix_actions_book_id_state_send_at"),
        "actions",
        ["book_id", "state", "send_at"],
        unique=False,
    )
    op.create_table(
        "action_items",
        sa.Column(
            "action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("key", _text(255), nullable=False),
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("state", _text(12), nullable=False),
        sa.Column("kind", _text(24), nullable=False),
        sa.Column("invoice", _text(80), nullable=True),
        sa.Column("stage", _text(80), nullable=True),
        sa.Column("fee", _text(80), nullable=True),
        sa.ForeignKeyConstraint(
            ["action_id"], ["actions.id"], name=op.f("fk_action_items_action_id")
        ),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_action_items_book_id")),
        sa.PrimaryKeyConstraint("action_id", "key", name=op.f("pk_action_items")),
    )
    op.create_index(
        op.f("ix_action_items_book_id_invoice"),
        "action_items",
        ["book_id", "invoice"],
        unique=False,
    )
    op.create_index(
        "uq_action_items_live_key",
        "action_items",
        ["book_id", "key"],
        unique=True,
        sqlite_where=sa.text(
            "state in ('planned', 'approved', 'leased', 'unknown', 'parked', 'done')"
        ),
        postgresql_where=sa.text(
            "state in ('planned', 'approved', 'leased', 'unknown', 'parked', 'done')"
        ),
    )
    op.create_table(
        "effects",
        sa.Column(
            "action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tenant_id", _text(64), server_default="default", nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("key", _text(255), nullable=False),
        sa.Column("name", _text(24), nullable=False),
        sa.Column("state", _text(12), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("vendor_key", _text(64), nullable=True),
        sa.Column("first_sent_at", _text(40), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("finds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_find_at", _text(40), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["action_id"], ["actions.id"], name=op.f("fk_effects_action_id")),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_effects_book_id")),
        sa.PrimaryKeyConstraint("action_id", "position", name=op.f("pk_effects")),
    )
    op.create_index(op.f("ix_effects_book_id_key"), "effects", ["book_id", "key"], unique=False)
