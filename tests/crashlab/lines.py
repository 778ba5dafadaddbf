"""The laboratory in a process of its own, and the lines that it prints.

Its cases are forked, and a process of pytest has threads.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Walks:
    """What the laboratory said: its cases that were not clean, and a summary for each walk."""

    def __init__(self, *arguments: str) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.crashlab", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        self.code = ended.returncode
        self.err = ended.stderr
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line[:1] == "{"]
        self.cases: list[dict[str, Any]] = [line for line in lines if "died_at" in line]
        self._summaries = [line for line in lines if "benchmark" in line]

    def of(self, protocol: str, walk: str = "single") -> dict[str, Any]:
        """The summary of one walk."""
        assert self._summaries, self.err
        (found,) = [
            line for line in self._summaries if (line["protocol"], line["walk"]) == (protocol, walk)
        ]
        return found


def is_clean(line: dict[str, Any]) -> bool:
    """Nothing twice, nothing lost, nothing untold, and every process died that was to die."""
    counts = ("duplicates", "lost", "audit_gaps", "trouble", "survivors")
    return all(line[name] == 0 for name in counts) and line["n"] > 0
