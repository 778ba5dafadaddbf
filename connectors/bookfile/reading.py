"""Reading a book from disk: JSON Lines (plain or gzip) or a CSV of open invoices."""

import gzip
import zlib
from pathlib import Path

import msgspec

from connectors.bookfile.csv_invoices import events_of_csv
from connectors.bookfile.events import Event, Events
from connectors.errors import RefusedError
from rules.model.events import EventProblem


class BookFileError(RefusedError):
    """The book file cannot be read at all."""


def read_events(path: Path, *, base_currency: str = "") -> Events:
    """The events of a book file. Every line that cannot be read is a problem with its number.

    `base_currency` serves a CSV that names no currency. Raises BookFileError where there is no
    such file, where it is damaged, or where it is text in no known encoding.
    """
    text = _text(path)
    if not text.strip():
        return Events(
            events=[],
            problems=(
                EventProblem(
                    source=path.name,
                    line=1,
                    message="the file is empty",
                    hint="a book file has one event a line, or is a CSV of open invoices",
                ),
            ),
        )
    if text.lstrip().startswith(("{", "[")):
        return _json_lines(text, path.name)
    return events_of_csv(text, source=path.name, base_currency=base_currency)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise BookFileError(f"there is no book file {path}") from None
    except (OSError, EOFError, zlib.error) as trouble:
        raise BookFileError(f"book file {path} cannot be read: {trouble}") from trouble
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BookFileError(f"book file {path} is not text: save it as CSV or JSON Lines in UTF-8")


def _json_lines(text: str, source: str) -> Events:
    events: list[Event] = []
    problems: list[EventProblem] = []
    decoder = msgspec.json.Decoder()
    # Not splitlines(): a name may hold a character that it takes for the end of a line.
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if not bare:
            continue
        try:
            event = decoder.decode(bare)
        except msgspec.DecodeError as wrong:
            problems.append(
                EventProblem(
                    source=source,
                    line=number,
                    message=f"this line is not JSON: {wrong}",
                    hint='one event a line, as {"t": ...}',
                )
            )
            continue
        if not isinstance(event, dict):
            problems.append(
                EventProblem(
                    source=source, line=number, message="this line holds no event", hint="use {...}"
                )
            )
            continue
        event["_line"] = number
        events.append(event)
    return Events(events=events, problems=tuple(problems))
