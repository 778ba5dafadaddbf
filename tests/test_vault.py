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
from ar_bridge.vault import StoreVault, reencrypt, rotate, sealed
from ar_bridge.vault_keys import CREDENTIAL, VaultKeys, new_key
from connectors.oauth2 import Tokens

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def _tokens(access: str = "secret-access") -> Tokens:
    return Tokens(
        access_token=access,
        refresh_token="secret-refresh",
        expires_at=NOW + timedelta(minutes=30),
        obtained_at=NOW,
    )


def _keys(home: Path, **environment: str) -> VaultKeys:
    return VaultKeys(home / "key", environment)


def _vault(
    store: Store, home: Path, company: str = "acme", keys: VaultKeys | None = None
) -> StoreVault:
    return StoreVault(
        store,
        keys or _keys(home),
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
    keys = _keys(tmp_path / "home")
    keys.cipher()
    assert stat.S_IMODE(keys.own.stat().st_mode) == 0o600
    assert list(keys.own.parent.iterdir()) == [keys.own]
    keys.own.chmod(0o640)
    with pytest.raises(SetupError, match="can be read by others") as caught:
        keys.cipher()
    assert f"chmod 600 {keys.own}" in str(caught.value)


def test_a_key_once_made_stays(tmp_path: Path) -> None:
    sealed_text = _keys(tmp_path).cipher().encrypt(b"x")
    assert _keys(tmp_path).cipher().decrypt(sealed_text) == b"x"


@pytest.mark.parametrize("content", [b"", b"not a key\n", b"\xff\xfe"])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SetupError, match="is not a key of"):
        _keys(tmp_path).cipher()


def test_a_missing_key_is_not_silently_replaced_when_it_is_needed(
    store: Store, tmp_path: Path
) -> None:
    _vault(store, tmp_path).store(_tokens())
    (tmp_path / "key").unlink()
    with pytest.raises(SetupError, match="there is no key"):
        _vault(store, tmp_path).load()
    assert not (tmp_path / "key").exists()


def test_a_wrong_key_says_so(store: Store, tmp_path: Path) -> None:
    _vault(store, tmp_path).store(_tokens())
    (tmp_path / "key").write_text(new_key())
    with pytest.raises(SetupError, match="encrypted with another key"):
        _vault(store, tmp_path).load()
    with pytest.raises(SetupError, match="encrypted with another key"):
        rotate(store, _keys(tmp_path), VirtualClock(NOW))


def test_the_environment_comes_before_a_credential_and_that_before_our_own_file(
    store: Store, tmp_path: Path
) -> None:
    """A move from one place to the next loses nothing, and ends with `rotate`."""
    clock = VirtualClock(NOW)
    _vault(store, tmp_path).store(_tokens())
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / CREDENTIAL).write_text(new_key())
    (tmp_path / "given").write_text(new_key() + "\n")
    variables = {
        "CREDENTIALS_DIRECTORY": str(credentials),
        "AR_BRIDGE_VAULT_KEY_FILE": str(tmp_path / "given"),
        "AR_BRIDGE_VAULT_KEY": new_key(),
    }
    places = ["systemd credential", "file", "environment"]
    given: dict[str, str] = {}
    for (name, value), place in zip(variables.items(), places, strict=True):
        given[name] = value
        keys = _keys(tmp_path, **given)
        assert keys.sources()[0].name.startswith(place)
        assert _vault(store, tmp_path, keys=keys).load() == _tokens()
        assert [one.opens_with for one in sealed(store, keys)] == ["older"]
        done = rotate(store, keys, clock)
        assert (done.connections, done.dropped) == (1, 0)
        assert f"file {tmp_path / 'key'}" in done.not_needed
        assert [one.opens_with for one in sealed(store, keys)] == ["newest"]
    (tmp_path / "key").unlink()
    alone = _keys(tmp_path, AR_BRIDGE_VAULT_KEY=variables["AR_BRIDGE_VAULT_KEY"])
    assert _vault(store, tmp_path, keys=alone).load() == _tokens()
    assert not (tmp_path / "key").exists()


def test_keys_can_be_changed(store: Store, tmp_path: Path) -> None:
    _vault(store, tmp_path).store(_tokens())
    _vault(store, tmp_path, "other").store(_tokens("second"))
    before = (tmp_path / "key").read_text()
    done = rotate(store, _keys(tmp_path), VirtualClock(NOW))
    assert (done.connections, done.dropped, done.not_needed) == (2, 1, ())
    after = (tmp_path / "key").read_text()
    assert before not in after and len(after.split()) == 1
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert _vault(store, tmp_path).load() == _tokens()
    assert _vault(store, tmp_path, "other").load() == _tokens("second")


@pytest.mark.parametrize("instant", ["add", "first", "second", "drop_old"])
def test_a_change_of_keys_that_is_cut_off_loses_nothing(
    store: Store, tmp_path: Path, instant: str
) -> None:
    """After each of its steps; the same call again finishes."""
    steps = {"add": 1, "first": 2, "second": 3, "drop_old": 4}[instant]
    clock = VirtualClock(NOW)
    _vault(store, tmp_path).store(_tokens())
    keys = _keys(tmp_path)
    run = [keys.add, lambda: reencrypt(store, keys, clock), lambda: reencrypt(store, keys, clock)]
    for step in [*run, keys.drop_old][:steps]:
        step()
    assert _vault(store, tmp_path).load() == _tokens()
    rotate(store, keys, clock)
    assert _vault(store, tmp_path).load() == _tokens()
    assert len((tmp_path / "key").read_text().split()) == 1


def test_who_began_with_the_old_key_stores_with_the_new_one(store: Store, tmp_path: Path) -> None:
    """A daemon that was running while the key was changed."""
    running = _vault(store, tmp_path)
    running.store(_tokens())
    rotate(store, _keys(tmp_path), VirtualClock(NOW))
    running.store(_tokens("later"))
    assert _vault(store, tmp_path).load() == _tokens("later")
    assert [one.opens_with for one in sealed(store, _keys(tmp_path))] == ["newest"]


def test_the_thread_that_holds_the_lock_may_take_it_again(store: Store, tmp_path: Path) -> None:
    vault = _vault(store, tmp_path)
    with vault.lock(), vault.lock(), _vault(store, tmp_path).lock():
        vault.store(_tokens())
    assert vault.load() == _tokens()


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
