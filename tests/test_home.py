"""The home directory: where it is, who may look into it, and the key in it."""

import stat
from pathlib import Path

import pytest

from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.vault_keys import VaultKeys


def test_the_option_comes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AR_BRIDGE_HOME", str(tmp_path / "environment"))
    assert Home.found(tmp_path / "option").root == tmp_path / "option"
    assert Home.found().root == tmp_path / "environment"
    monkeypatch.delenv("AR_BRIDGE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert Home.found().root.name == "ar-bridge"


def test_a_new_home_and_its_key_are_for_the_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    (key,) = VaultKeys(home.key, {}).sources(create=True)[0].keys
    assert len(key) == 44
    assert VaultKeys(home.key, {}).sources(create=True)[0].keys == (key,)
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.key.stat().st_mode) == 0o600


def test_a_damaged_key_is_never_replaced(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.key.write_text("not a key")
    home.key.chmod(0o600)
    with pytest.raises(SetupError, match="is not a key of ar-bridge") as caught:
        VaultKeys(home.key, {}).sources(create=True)
    assert "connect every book again" in caught.value.remedy
    assert home.key.read_text() == "not a key"


def test_two_homes_have_different_keys(tmp_path: Path) -> None:
    made = [
        VaultKeys(Home(tmp_path / name).create().key, {}).sources(create=True)[0].keys
        for name in ("a", "b")
    ]
    assert made[0] != made[1]
