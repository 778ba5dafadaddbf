"""What all tables share: one set of names, and the columns that most of them have."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, String, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def text_column(length: int) -> TypeEngine[str]:
    # Usually no longer than that. SQLite takes longer ones; PostgreSQL would refuse them, and
    # with them everything else that a ledger told us at the same time.
    return String(length).with_variant(Text(), "postgresql")


def tenant() -> Column[str]:
    return Column("tenant_id", text_column(64), nullable=False, server_default="default")


def book() -> Column[int]:
    return Column("book_id", Integer, ForeignKey("books.id"), nullable=False)


def serial() -> Column[int]:
    # SQLite numbers rows by itself only for INTEGER.
    return Column(
        "id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
