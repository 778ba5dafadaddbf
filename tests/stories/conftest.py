"""The office that each story is played in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.store.opening import databases
from tests.stories.evidence import is_well_kept, nothing_twice
from tests.stories.stage import LEDGERS, LedgerName, Office

Opens: TypeAlias = Callable[..., Office]

on_both_databases = pytest.mark.parametrize(
    ("ledger", "backend"), [*((ledger, "sqlite") for ledger in LEDGERS), ("xero", "postgresql")]
)
"""For a story in which it matters how the database keeps things apart."""


@pytest.fixture(params=LEDGERS)
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """Each story is played on both ledgers."""
    chosen: LedgerName = request.param
    return chosen


@pytest.fixture
def backend() -> str:
    """The kind of database, unless a story is marked `on_both_databases`."""
    return "sqlite"


@pytest.fixture
def an_office(
    request: pytest.FixtureRequest, tmp_path: Path, ledger: LedgerName, backend: str
) -> Iterator[Opens]:
    """Opens offices on the ledger of the story; whatever the story was, at its end nothing is
    there twice and the audit trail holds."""
    # On SQLite an office keeps its database at home, where a user finds it.
    kept = {} if backend == "sqlite" else {"databases": databases(request, backend, tmp_path)}
    with ExitStack() as stack:
        offices: list[Office] = []

        def opens(*events: dict[str, Any], **options: Any) -> Office:
            offices.append(
                Office(tmp_path / str(len(offices)), ledger, events, stack=stack, **kept, **options)
            )
            return offices[-1]

        yield opens
        for office in offices:
            nothing_twice(office)
            is_well_kept(office)
