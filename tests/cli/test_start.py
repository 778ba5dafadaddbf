"""Starting: help without loading anything, and every command where the table says."""

import subprocess
import sys

import pytest
from typer import Typer

from ar_bridge.cli import COMMANDS
from tests.cli.running import Program

HEAVY = ("sqlalchemy", "httpx", "quickbooks", "xero_python", "pydantic", "rich", "msgspec")


def test_help_loads_no_command_and_nothing_heavy() -> None:
    program = (
        "import sys; from ar_bridge.__main__ import main; code = main(['--help']); "
        "print(code, *sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    code, *loaded = ended.stderr.split()
    assert code == "0"
    assert "reject" in ended.stdout
    assert [name for name in HEAVY if name in loaded] == []
    assert not any(module in loaded for module, _ in COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_explains_itself(program: Program, name: str) -> None:
    ended = program(name, "--help")
    assert ended.code == 0, ended.err
    assert f"ar-bridge {name}" in ended.out


def test_a_command_loads_no_vendor_library() -> None:
    program = (
        "import sys, importlib; from ar_bridge.cli import COMMANDS; "
        "[importlib.import_module(module) for module, _ in COMMANDS.values()]; "
        "print(*sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = ended.stdout.split()
    assert "ar_bridge.cli.books" in loaded
    # intuitlib itself is a namespace that its installer puts into every interpreter.
    vendors = ("quickbooks", "xero_python", "intuitlib.client")
    assert [name for name in vendors if name in loaded] == []


def test_a_misspelt_command_is_met_with_the_right_one(program: Program) -> None:
    ended = program("plann")
    assert ended.code == 2
    assert "Did you mean 'plan'?" in ended.err


def test_the_version_is_said(program: Program) -> None:
    ended = program("--version")
    assert (ended.code, ended.out) == (0, "ar-bridge 0.1.0\n")


def test_an_unforeseen_error_is_one_line_and_the_rest_is_in_the_log(program: Program) -> None:
    program.configure("")
    folder = program.home / "ar-bridge.sqlite3"
    app = Typer()

    @app.callback(invoke_without_command=True)
    def broken() -> None:
        raise ZeroDivisionError("token=abc123 was in the way")

    sys.modules["tests.cli.broken_command"] = type(sys)("tests.cli.broken_command")
    sys.modules["tests.cli.broken_command"].command = app
    COMMANDS["broken"] = ("tests.cli.broken_command", "")
    try:
        quiet = program("broken")
        loud = program("--debug", "broken")
    finally:
        del COMMANDS["broken"], sys.modules["tests.cli.broken_command"]
    log = (program.home / "logs" / "ar-bridge.log").read_text()
    assert quiet.code == 1
    assert quiet.err.splitlines()[0].startswith(
        "ar-bridge: something unexpected happened: ZeroDivisionError"
    )
    assert str(program.home) in quiet.err
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err
    assert "ZeroDivisionError" in log
    assert "abc123" not in log
    assert not folder.exists()
