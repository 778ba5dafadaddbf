"""Fixtures that several folders of tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ar_bridge.store.engine import Store
from tests.store.desk import Desk
from tests.store.opening import BACKENDS, databases, fresh_store
from tests.store.postgresql import CannotStartError, Server, running

# A shared machine pauses now and then: how long an example takes says nothing about the code.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2_000)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The PostgreSQL server of this run of the tests."""
    try:
        with running() as server:
            yield server
    except CannotStartError as reason:
        pytest.skip(f"no PostgreSQL can be started here: {reason}")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The kind of database: each test that needs one runs on both."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, backend: str) -> Iterator[str]:
    """The address of an empty database; other processes may open it too."""
    with databases(request, backend, tmp_path)() as address:
        yield address


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store, once for each kind of database."""
    with fresh_store(url) as opened:
        yield opened


@pytest.fixture
def desk(store: Store) -> Desk:
    """A connected book with a ledger in memory."""
    return Desk(store)
