"""A fresh store for each test: SQLite always, PostgreSQL too where a database is named.

`AR_BRIDGE_TEST_DATABASE_URL=postgresql+psycopg://...` makes every store test run a second time,
each in a schema of its own.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from ar_bridge.store.engine import Store, open_store

POSTGRESQL = os.environ.get("AR_BRIDGE_TEST_DATABASE_URL", "")

BACKENDS = ("sqlite", "postgresql") if POSTGRESQL else ("sqlite",)


def database(backend: str, folder: Path, test: str) -> Iterator[str]:
    """The address of an empty database, which other processes may open too."""
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'ar-bridge.db'}"
        return
    schema = "t_" + hashlib.sha256(test.encode()).hexdigest()[:16]
    admin = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    address = make_url(POSTGRESQL).update_query_dict({"options": f"-csearch_path={schema}"})
    yield address.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()


def fresh_store(backend: str, folder: Path, test: str) -> Iterator[Store]:
    """Open a store that holds nothing, and close it afterwards."""
    for url in database(backend, folder, test):
        store = open_store(url)
        yield store
        store.close()
