"""Foreign packages called `rules` or `connectors` are refused before anything runs."""

import subprocess
import sys
from pathlib import Path

import pytest

import ar_bridge
from ar_bridge.guard import check_packages, foreign_packages

CHECKOUT = Path(ar_bridge.__file__).resolve().parent.parent


def test_our_own_packages_pass() -> None:
    check_packages()


def test_a_missing_and_a_foreign_package_are_both_named(tmp_path: Path) -> None:
    home = tmp_path / "ours"
    problems = foreign_packages({"connectors": None, "rules": tmp_path / "other" / "rules"}, home)
    assert problems == [
        "`connectors` is missing",
        f"`rules` was found at {tmp_path / 'other' / 'rules'}",
    ]


@pytest.mark.parametrize("content", ["raise SystemExit('foreign code ran')", None])
def test_a_foreign_package_found_first_stops_the_start(tmp_path: Path, content: str | None) -> None:
    foreign = tmp_path / "rules"
    foreign.mkdir()
    if content is not None:
        (foreign / "__init__.py").write_text(content)
    # A folder without __init__.py only wins where ours is not to be found any more.
    path = [str(tmp_path), str(CHECKOUT)] if content is not None else [str(tmp_path)]
    program = (
        f"import sys, ar_bridge.guard, ar_bridge.__main__; sys.path[:] = {path!r} + [p for p in "
        f"sys.path if p != {str(CHECKOUT)!r} and p]; "
        "sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in type(f).__module__]; "
        "[sys.modules.pop(m) for m in list(sys.modules) if m.split('.')[0] == 'rules']; "
        "sys.exit(ar_bridge.__main__.main(['--version']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 3, ended.stderr
    assert "foreign code ran" not in ended.stderr
    assert f"`rules` was found at {foreign}" in ended.stderr
    assert "pipx install ar-bridge" in ended.stderr
