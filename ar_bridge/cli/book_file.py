"""The events of a book file, as the sandbox serves them."""

from pathlib import Path
from typing import Any

from ar_bridge.cli import console
from ar_bridge.errors import SetupError


def book_events(path: Path) -> list[dict[str, Any]]:
    """Read a book file; lines that are no events are named on standard error and left out.

    Raises SetupError where the file cannot be read, or holds no event at all.
    """
    from connectors.bookfile.reading import BookFileError, read_events

    try:
        read = read_events(path)
    except BookFileError as error:
        raise SetupError(f"{error}.", remedy="name a book file with --book-file") from error
    problems = [str(problem) for problem in read.problems]
    if not read.events:
        raise SetupError(
            f"{path} holds no event of a book.",
            problems=problems[:20],
            remedy='each line is one JSON object with "t", such as {"t": "invoice", ...}',
        )
    console.warn(*problems)
    return list(read.events)
