"""Where tests find the shared reference material that lies beside a checkout."""

import os
from pathlib import Path

import pytest

_SHARED = Path(os.environ.get("AR_BRIDGE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def shared(path: str) -> Path:
    """A file of the shared material; the test is skipped, with the reason, where it is absent."""
    found = _SHARED / path
    if not found.exists():
        pytest.skip(f"shared material is not here: {path} (set AR_BRIDGE_SHARED)")
    return found
