"""The wheel, installed by itself: all three packages, their data, and the program from `/`."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

INSTALLED = """
import pathlib, sys
import ar_bridge, connectors, rules
from ar_bridge.policies import preset_texts
from ar_bridge.settings import load_settings
places = {pathlib.Path(module.__file__).parent.parent for module in (ar_bridge, connectors, rules)}
assert places == {pathlib.Path(sys.argv[1])}, places
assert "standard" in preset_texts()
load_settings(pathlib.Path(sys.argv[2]))
"""


def call(*command: str | Path) -> str:
    """Run something from `/`; its output, or the failure with all that it said."""
    ended = subprocess.run(
        [str(part) for part in command], cwd="/", capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh environment with the wheel; its dependencies are those of the running one."""
    root = tmp_path_factory.mktemp("venv")
    venv.create(root, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(root)}))
    call(
        sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python",
        root / "bin" / "python", "install", "--no-deps", "--no-index", wheel,
    )  # fmt: skip
    # The .pth files of the running environment, such as its editable ar-bridge, stay behind.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    yield root


def test_the_wheel_holds_what_is_read_at_run_time(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in ("ar_bridge", "connectors", "rules"):
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= names
        data = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / package).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        assert data <= names
    assert "rules/presets/standard.toml" in names
    assert any(name.startswith("ar_bridge/messages/templates/") for name in names)
    assert not any(name.startswith("tests/") for name in names)


def test_the_installed_program_runs_from_anywhere(installed: Path) -> None:
    program = installed / "bin" / "ar-bridge"
    assert call(program, "--version").startswith("ar-bridge ")
    assert "reject" in call(program, "--help")


def test_all_three_packages_lie_side_by_side(installed: Path) -> None:
    packages = sysconfig.get_path("purelib", vars={"base": str(installed)})
    python = installed / "bin" / "python"
    call(python, "-c", INSTALLED, packages, ROOT / "config.example.toml")
