"""Tokens at rest: unreadable without the key, and one refresher at a time."""

import multiprocessing
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ar_bridge.clock import VirtualClock
from ar_bridge.errors import SetupError
from ar_bridge.store import tokens as token_store
from ar_bridge.store.engine import Store, open_store
from ar_bridge.vault import StoreVault, add_key, open_keys, reencrypt
from connectors.oauth2 import Tokens

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def _tokens(access: str = "secret-access") -> Tokens:
    return Tokens(
        access_token=access,
        refresh_token="secret-refresh",
        expires_at=NOW + timedelta(minutes=30),
        obtained_at=NOW,
    )


def _vault(store: Store, home: Path, company: str = "acme") -> StoreVault:
    return StoreVault(
        store,
        open_keys(home / "vault.key"),
        VirtualClock(NOW),
        home=home,
        ledger="xero",
        company_id=company,
    )


def test_tokens_come_back_and_lie_encrypted(store: Store, tmp_path: Path) -> None:
    vault = _vault(store, tmp_path)
    assert vault.load() is None
    vault.store(_tokens("old"))
    vault.store(_tokens())
    assert vault.load() == _tokens()
    assert _vault(store, tmp_path, "other").load() is None
    with store.read() as conn:
        (row,) = token_store.listed(conn)
    assert b"secret" not in row.body
    assert row.version == 2
    vault.forget()
    assert vault.load() is None


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / "vault.key"
    open_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o640)
    with pytest.raises(SetupError, match="can be read by others") as caught:
        open_keys(path)
    assert f"chmod 600 {path}" in str(caught.value)


def test_a_key_once_made_stays(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    sealed = open_keys(path).encrypt(b"x")
    assert open_keys(path).decrypt(sealed) == b"x"


@pytest.mark.parametrize("content", [b"", b"not a key\n"])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vault.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SetupError, match="is not a key file"):
        open_keys(path)


def test_a_missing_key_is_not_silently_replaced_when_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="there is no key"):
        open_keys(tmp_path / "vault.key", create=False)
    assert not (tmp_path / "vault.key").exists()


def test_a_wrong_key_says_so(store: Store, tmp_path: Path) -> None:
    _vault(store, tmp_path).store(_tokens())
    (tmp_path / "vault.key").unlink()
    with pytest.raises(SetupError, match="encrypted with another key"):
        _vault(store, tmp_path).load()


def test_keys_can_be_changed(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    _vault(store, tmp_path).store(_tokens())
    both = add_key(path)
    assert _vault(store, tmp_path).load() == _tokens()
    assert reencrypt(store, both, VirtualClock(NOW)) == 1
    path.write_bytes(path.read_bytes().splitlines()[0])
    assert _vault(store, tmp_path).load() == _tokens()


def test_threads_refresh_one_after_the_other(store: Store, tmp_path: Path) -> None:
    inside: list[int] = []
    overlaps: list[int] = []

    def refresh(number: int) -> None:
        vault = _vault(store, tmp_path)
        with vault.lock():
            inside.append(number)
            vault.store(_tokens(f"token-{number}"))
            if len(inside) > 1:
                overlaps.append(number)
            inside.remove(number)

    threads = [threading.Thread(target=refresh, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == []
    with store.read() as conn:
        assert token_store.listed(conn)[0].version == 6


def _refresh_elsewhere(url: str, home: Path) -> None:
    store = open_store(url)
    vault = _vault(store, home)
    with vault.lock():
        known = vault.load()
        count = int(known.access_token) if known else 0
        vault.store(_tokens(str(count + 1)))
    store.close()


def test_processes_refresh_one_after_the_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    store = open_store(url)
    vault = _vault(store, tmp_path)
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=_refresh_elsewhere, args=(url, tmp_path)) for _ in range(2)]
    with vault.lock():
        for other in others:
            other.start()
        vault.store(_tokens("10"))
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0]
    assert os.listdir(tmp_path / "locks")
    last = vault.load()
    store.close()
    assert last is not None
    assert last.access_token == "12"
