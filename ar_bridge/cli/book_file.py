"""The events of a book file, as the sandbox serves them."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ar_bridge.errors import SetupError


def book_events(path: Path) -> Iterator[dict[str, Any]]:
    """Read JSON Lines, plain or gzipped. Raises SetupError naming the line that is no event."""
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _event(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            f"{path} cannot be read: {error}.", remedy="name a book file with --book-file"
        ) from error


def _event(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict) or "t" not in event:
        raise SetupError(
            f"{path}:{number}: this is not an event of a book file.",
            remedy='each line is one JSON object with "t", such as {"t": "invoice", ...}',
        )
    return event
