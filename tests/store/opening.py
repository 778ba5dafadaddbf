"""A fresh store for each test, on SQLite and on PostgreSQL.

A test that takes `store`, or `url` to open one by itself, runs on both. Where a whole file need
not, it has a fixture `backend` of its own, and some of its tests are marked `on_both`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from ar_bridge.store.engine import Store, open_store
from tests.store.postgresql import Server

BACKENDS: Final = ("sqlite", "postgresql")

on_both = pytest.mark.parametrize("backend", BACKENDS)

Databases: TypeAlias = Callable[[], AbstractContextManager[str]]
"""Each call makes a database with our tables; the address is good inside the block."""


def databases(request: pytest.FixtureRequest, backend: str, folder: Path) -> Databases:
    """Databases of one kind, for one test."""
    if backend == "postgresql":
        # Asked for by name, so that a server starts only where a test needs one.
        server: Server = request.getfixturevalue("postgresql")
        return server.database
    return lambda: _file_in(folder)


@contextmanager
def _file_in(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'ar-bridge.db'}"


@contextmanager
def fresh_store(url: str) -> Iterator[Store]:
    """Open a store, and close it afterwards."""
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()
