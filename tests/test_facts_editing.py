"""Editing customers.toml: comments stay, mistakes change nothing, other customers are safe."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ar_bridge.errors import SetupError, UsageError
from ar_bridge.facts_editing import edit_facts, said_of, set_fact, unset_fact
from ar_bridge.facts_file import load_facts

FILE = """\
# Ours. Ask Ada before you change it.
schema = 1

[defaults]
language = "en"   # most of them

[customer.C1]     # North
tags = ["vip"]    # since 2019
terms_days = 45

# pays in person
[customer."C 2"]
autopay = true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_value_is_changed_and_every_comment_stays(file: Path) -> None:
    edited = set_fact(file, "C1", "terms_days", 30)
    assert (edited.before, edited.after, edited.is_change) == (45, 30, True)
    assert file.read_text(encoding="utf-8") == FILE.replace("terms_days = 45", "terms_days = 30")


@pytest.mark.parametrize(
    ("customer", "key", "value"),
    [
        ("C1", "language", "de"),
        ("C1", "tags", ["vip", "key"]),
        ("C 2", "credit_limit", "5000.00"),
        ("C3", "entity_type", "company"),
        ("new one/7", "exempt", {"reason": "related company", "until": date(2026, 12, 31)}),
        ("C1", "override", {"mode": "approve", "reason": "new owner"}),
        ("C3", "contacts", [{"email": "ap@north.example", "roles": ["billing"]}]),
    ],
)
def test_each_kind_of_value_is_said_and_unsaid(
    file: Path, customer: str, key: str, value: Any
) -> None:
    before = tomllib.loads(FILE)["customer"].get(customer, {}).get(key)
    edited = set_fact(file, customer, key, value)
    assert (edited.before, edited.after) == (before, value)
    assert said_of(file, customer)[key] == value
    for comment in ("# Ours.", "# most of them", "# North", "# pays in person"):
        assert comment in file.read_text(encoding="utf-8")
    assert unset_fact(file, customer, key).before == value
    assert key not in said_of(file, customer)
    load_facts(file)


def test_a_wrong_value_changes_nothing_and_all_problems_are_told(file: Path) -> None:
    with pytest.raises(UsageError) as wrong:
        edit_facts(file, "C1", {"entity_type": "firm", "terms_days": -3, "languge": "de"})
    assert len(wrong.value.problems) == 3
    assert file.read_text(encoding="utf-8") == FILE


def test_a_file_that_is_wrong_already_is_left_alone(file: Path) -> None:
    broken = FILE.replace("45", "-45")
    file.write_text(broken, encoding="utf-8")
    with pytest.raises(SetupError):
        set_fact(file, "C 2", "autopay", False)
    assert file.read_text(encoding="utf-8") == broken


def test_permissions_stay_and_a_new_file_is_private(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    set_fact(file, "C1", "terms_days", 30)
    assert file.stat().st_mode & 0o777 == 0o640
    new = tmp_path / "home" / "customers.toml"
    new.parent.mkdir()
    set_fact(new, "C1", "terms_days", 30)
    assert new.stat().st_mode & 0o777 == 0o600
    assert load_facts(new).customers["C1"].terms_days == 30
    assert [each.name for each in new.parent.iterdir()] == ["customers.toml"]


def test_saying_the_same_again_writes_nothing(file: Path) -> None:
    before = file.stat().st_mtime_ns
    assert not set_fact(file, "C1", "terms_days", 45).is_change
    assert not unset_fact(file, "C9", "terms_days").is_change
    assert file.stat().st_mtime_ns == before


def test_customers_written_as_dotted_keys_are_edited_too(tmp_path: Path) -> None:
    file = tmp_path / "customers.toml"
    file.write_text('customer.C1.language = "de"\ncustomer.C2.language = "fr"\n', encoding="utf-8")
    set_fact(file, "C1", "terms_days", 14)
    set_fact(file, "C3", "language", "nl")
    assert tomllib.loads(file.read_text(encoding="utf-8"))["customer"] == {
        "C1": {"language": "de", "terms_days": 14},
        "C2": {"language": "fr"},
        "C3": {"language": "nl"},
    }
