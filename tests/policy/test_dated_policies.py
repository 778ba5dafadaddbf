"""A file that names the versions of a policy stands where a policy stands."""

from datetime import date
from pathlib import Path

import pytest

from ar_bridge.errors import SetupError
from ar_bridge.policies import read_policy
from ar_bridge.settings.schema import BookSettings
from ar_bridge.wiring import policy_of

OLD, NEW = date(2026, 1, 1), date(2026, 5, 1)


@pytest.fixture
def terms(tmp_path: Path) -> Path:
    (tmp_path / "old.toml").write_text('name = "old"\n', encoding="utf-8")
    (tmp_path / "new.toml").write_text('name = "new"\n', encoding="utf-8")
    both = tmp_path / "terms.toml"
    both.write_text(
        "policies = [{ from = 2026-01-01, file = 'old.toml' },\n"
        "  { from = 2026-05-01, file = 'new.toml' }]\n",
        encoding="utf-8",
    )
    return both


def test_each_day_has_its_version(terms: Path) -> None:
    policy = read_policy(terms)
    assert [one.from_ for one in policy.versions] == [OLD, NEW]
    assert policy.on(date(2026, 4, 30)).name == "old"
    assert policy.on(NEW).name == policy.name == "new"


def test_a_book_names_its_versions_in_its_settings(terms: Path) -> None:
    files = [{"from": OLD, "file": str(terms.parent / "old.toml")}]
    files += [{"from": NEW, "file": str(terms.parent / "new.toml")}]
    plain = {"name": "acme", "ledger": "bookfile", "file": terms}
    book = BookSettings.model_validate({**plain, "policies": files})
    assert policy_of(book, date(2026, 4, 30)).name == "old"
    assert policy_of(book, NEW).name == "new"
    assert policy_of(book, NEW).hash == read_policy(terms).hash
    with pytest.raises(SetupError, match="no policy in force"):
        policy_of(book, date(2025, 12, 31))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("policies = []", "names no version"),
        ("policies = [{ file = 'old.toml' }]", "cannot be used"),
        ("policies = [{ from = 2026-01-01, file = 'gone.toml' }]", "There is no policy file"),
        ("policies = [{ from = 2026-01-01, file = 'terms.toml' }]", "has 1 mistake"),
        (
            "policies = [{ from = 2026-01-01, file = 'old.toml' },"
            "{ from = 2026-01-01, file = 'new.toml' }]",
            "cannot be used",
        ),
    ],
)
def test_a_version_that_cannot_be_used_is_named(terms: Path, text: str, said: str) -> None:
    terms.write_text(text, encoding="utf-8")
    with pytest.raises(SetupError, match=said):
        read_policy(terms)
