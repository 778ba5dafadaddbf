"""The program with a home directory of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Program


@pytest.fixture
def program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Program]:
    """`ar-bridge` with an empty home and none of this machine's settings."""
    for variable in list(os.environ):
        if variable.startswith("AR_BRIDGE_"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("AR_BRIDGE_HOME", str(tmp_path / "home"))
    umask = os.umask(0o022)
    yield Program(tmp_path / "home", capsys)
    os.umask(umask)
