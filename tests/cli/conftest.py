"""The program with a home directory of its own."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ar_bridge.channels.local_mailbox import LocalMailbox
from tests.cli.newcomer import LEDGERS, LedgerName, Newcomer
from tests.cli.running import Program
from tests.store.opening import databases


@pytest.fixture
def backend() -> str:
    """SQLite in the home directory, as for somebody who sets nothing."""
    return "sqlite"


@pytest.fixture
def program(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
) -> Iterator[Program]:
    """`ar-bridge` with an empty home and none of this machine's settings."""
    for variable in list(os.environ):
        if variable.startswith("AR_BRIDGE_"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("AR_BRIDGE_HOME", str(tmp_path / "home"))
    umask = os.umask(0o022)
    with ExitStack() as stack:
        if backend == "postgresql":
            url = stack.enter_context(databases(request, backend, tmp_path)())
            monkeypatch.setenv("AR_BRIDGE_STORE__URL", url)
        yield Program(tmp_path / "home", capsys)
    os.umask(umask)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of processes that share what Python compiled, wherever the code may not lie."""
    place = tmp_path_factory.mktemp("compiled")
    return {"PYTHONPYCACHEPREFIX": str(place), "PYTHONDONTWRITEBYTECODE": ""}


@pytest.fixture
def mailbox() -> Iterator[LocalMailbox]:
    """A mail server that takes everything."""
    with LocalMailbox() as running:
        yield running


@pytest.fixture(params=LEDGERS)
def ledger(request: pytest.FixtureRequest) -> LedgerName:
    """Once for each accounting system."""
    chosen: LedgerName = request.param
    return chosen


@pytest.fixture
def newcomer(
    program: Program,
    ledger: LedgerName,
    mailbox: LocalMailbox,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Newcomer]:
    """Somebody with books in each accounting system, and nothing set up yet."""
    person = Newcomer(program.home, capsys, ledger, mailbox)
    yield person
    person.close()


@pytest.fixture
def settled(
    program: Program, mailbox: LocalMailbox, capsys: pytest.CaptureFixture[str]
) -> Iterator[Newcomer]:
    """Somebody whose Xero book is connected and read."""
    person = Newcomer(program.home, capsys, "xero", mailbox)
    yield person.settle()
    person.close()
