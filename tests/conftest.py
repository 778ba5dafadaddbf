"""Fixtures that several folders of tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ar_bridge.store.engine import Store
from tests.store.desk import Desk
from tests.store.opening import BACKENDS, fresh_store

# A shared machine pauses now and then: how long an example takes says nothing about the code.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2_000)
settings.load_profile("steady")


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, once for each kind of database at hand."""
    yield from fresh_store(request.param, tmp_path, request.node.nodeid)


@pytest.fixture
def desk(store: Store) -> Desk:
    """A connected book with a ledger in memory."""
    return Desk(store)
