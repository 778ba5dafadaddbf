"""Fixtures that several folders of tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ar_bridge.store.engine import Store
from tests.store.opening import BACKENDS, fresh_store


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, once for each kind of database at hand."""
    yield from fresh_store(request.param, tmp_path, request.node.nodeid)
