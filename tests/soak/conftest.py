"""Processes, and companies that start them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from typing import Any, TypeAlias

import pytest

from tests.cli.conftest import compiled, program
from tests.cli.newcomer import TODAY, LedgerName
from tests.cli.running import Program
from tests.soak.company import Company
from tests.soak.processes import Nursery

__all__ = ["compiled", "program"]

Founds: TypeAlias = Callable[..., Company]


@pytest.fixture
def backend() -> str:
    """Processes share one file; the databases of a server have tests of their own."""
    return "sqlite"


@pytest.fixture(scope="session")
def nursery(
    tmp_path_factory: pytest.TempPathFactory, compiled: dict[str, str]
) -> Iterator[Nursery]:
    """One for all tests: it takes seconds to load."""
    running = Nursery(tmp_path_factory.mktemp("nursery"), compiled)
    yield running
    running.close()


@pytest.fixture
def founds(
    program: Program, nursery: Nursery, capsys: pytest.CaptureFixture[str]
) -> Iterator[Founds]:
    """Makes companies on the morning of TODAY: `founds(ledger, events)`, not yet connected."""
    made: list[Company] = []

    def found(ledger: LedgerName, events: list[dict[str, Any]]) -> Company:
        home = program.home.with_name(f"home{len(made)}")
        start = datetime.combine(TODAY, time(9, 30), tzinfo=UTC)
        made.append(Company(home, capsys, ledger, nursery, events, start))
        return made[-1]

    yield found
    for company in made:
        company.close()
