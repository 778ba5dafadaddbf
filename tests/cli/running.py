"""Calling the program as a person does, in this process."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from ar_bridge.__main__ import main

with_permissions = pytest.mark.skipif(
    os.geteuid() == 0, reason="the superuser may write everywhere"
)
"""For tests of files that nobody may write."""


class Ended(NamedTuple):
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


class Program:
    """`ar-bridge --home HOME ...`."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capture = capture

    def __call__(self, *arguments: str) -> Ended:
        self._capture.readouterr()
        code = main(["--home", str(self.home), *arguments])
        said = self._capture.readouterr()
        return Ended(code, said.out, said.err)

    def configure(self, text: str) -> Path:
        """Write `config.toml`."""
        self.home.mkdir(exist_ok=True)
        file = self.home / "config.toml"
        file.write_text(text)
        return file
