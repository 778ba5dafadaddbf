"""One refresher among many threads and processes; a crash at any instant of a refresh."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ar_bridge.store.engine import open_store
from connectors.oauth2 import InvalidGrantError
from tests.refreshing import INSTANTS, NOW, TokenAddress, a_source, a_vault

ROOT = Path(__file__).resolve().parent.parent
THREADS = 20
PROCESSES = 2


@pytest.fixture
def xero() -> Iterator[TokenAddress]:
    address = TokenAddress("xero")
    yield address
    address.close()


@pytest.fixture
def quickbooks() -> Iterator[TokenAddress]:
    address = TokenAddress("quickbooks")
    yield address
    address.close()


def begun(address: TokenAddress, url: str, home: Path, *words: str) -> "subprocess.Popen[str]":
    """Another process that works on the same connection."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.refreshing", address.url, url, str(home), *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def connected(address: TokenAddress, url: str, home: Path) -> None:
    store = open_store(url)
    a_vault(store, home, address.clock).store(address.expired())
    store.close()


def killed(address: TokenAddress, terms: str, instant: str, url: str, home: Path) -> None:
    """Renew the connection in a process that ends at that instant."""
    connected(address, url, home)
    process = begun(address, url, home, terms, "killed", instant)
    _, said = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, said


def test_forty_threads_of_two_processes_make_one_refresh(
    xero: TokenAddress, url: str, tmp_path: Path
) -> None:
    connected(xero, url, tmp_path)
    running = [begun(xero, url, tmp_path, "xero", "many", str(THREADS)) for _ in range(PROCESSES)]
    ended = [process.communicate(timeout=300) for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES, ended
    answers = {out for out, _ in ended}
    assert len(answers) == 1, ended
    count, *headers = answers.pop().split(maxsplit=1)
    assert int(count) == THREADS
    assert len(headers) == 1 and headers[0].startswith("Bearer access-")
    assert xero.refreshes == 1


@pytest.mark.parametrize("instant", INSTANTS)
def test_a_crash_at_any_instant_of_a_refresh_keeps_the_connection(
    xero: TokenAddress, tmp_path: Path, instant: str
) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    killed(xero, "xero", instant, url, tmp_path)
    xero.clock.advance(timedelta(minutes=29))  # Xero's grace for a lost answer is 30 minutes.
    store = open_store(url)
    vault = a_vault(store, tmp_path, xero.clock)
    left = vault.load()
    assert left is not None
    is_cut_off = instant in ("before send", "before answer", "before store")
    assert (left.refreshing_since == NOW) is is_cut_off
    with a_source(xero.url, "xero", vault, xero.clock) as source:
        assert source.header().startswith("Bearer access-")
        # And for good: what it left is itself renewed hours later.
        xero.clock.advance(timedelta(hours=3))
        assert source.header().startswith("Bearer access-")
    kept = vault.load()
    store.close()
    assert kept is not None and kept.refreshing_since is None


@pytest.mark.parametrize("instant", ["before answer", "before store"])
def test_after_the_grace_the_message_says_what_was_lost(
    xero: TokenAddress, tmp_path: Path, instant: str
) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    killed(xero, "xero", instant, url, tmp_path)
    xero.clock.advance(timedelta(minutes=31))
    store = open_store(url)
    vault = a_vault(store, tmp_path, xero.clock)
    lost = r"cut off at 2026-11-02 09:00 UTC.*30 minutes only"
    with (
        a_source(xero.url, "xero", vault, xero.clock) as source,
        pytest.raises(InvalidGrantError, match=lost),
    ):
        source.header()
    store.close()


@pytest.mark.parametrize("instant", INSTANTS)
def test_quickbooks_loses_it_only_where_the_new_token_was_given_and_never_stored(
    quickbooks: TokenAddress, tmp_path: Path, instant: str
) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    killed(quickbooks, "quickbooks", instant, url, tmp_path)
    quickbooks.clock.advance(timedelta(minutes=1))
    store = open_store(url)
    vault = a_vault(store, tmp_path, quickbooks.clock)
    is_lost = instant in ("before answer", "before store") and quickbooks.is_rotated
    with a_source(quickbooks.url, "quickbooks", vault, quickbooks.clock) as source:
        if is_lost:
            with pytest.raises(InvalidGrantError, match=r"its answer lost.*connect the book again"):
                source.header()
        else:
            assert source.header().startswith("Bearer access-")
    store.close()
