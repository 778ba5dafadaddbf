"""Reading the settings: all of them, or every problem at once."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ar_bridge.errors import SetupError
from ar_bridge.settings.problems import problems_of, unknown_variables
from ar_bridge.settings.schema import Settings
from ar_bridge.settings.values import paths_relative_to

_REMEDY = "mend the file; config.example.toml shows every key with its default and a sentence"


def load_settings(file: Path, *, secrets: Path | None = None, text: str | None = None) -> Settings:
    """Read `file`, then the environment (`AR_BRIDGE_MAIL__HOST`, `AR_BRIDGE_BOOK__ACME__...`),
    then the files of the folder `secrets` (`mail__password`). What comes later wins.

    A book is addressed by its name in lower case with `_` for every other character. Raises
    SetupError with every problem and its place. `text` is what the file is taken to hold, where
    it was read before.
    """
    text = settings_text(file) if text is None else text
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(
            f"{file} is not readable as TOML.", problems=[_syntax(file, error)], remedy=_REMEDY
        ) from None
    books, problems = _books(raw.get("book", []), file)
    if books or "book" in raw:
        raw["book"] = books
    problems += unknown_variables(list(os.environ))
    folder = secrets if secrets is not None and secrets.is_dir() else None
    try:
        with paths_relative_to(file.absolute().parent):
            settings = Settings(**{**raw, "_secrets_dir": folder})
    except OSError as error:
        raise SetupError(
            f"the secret file {error.filename} cannot be read ({error.strerror})",
            remedy="check who owns it, and that this user may read it",
        ) from error
    except ValidationError as error:
        problems += problems_of(error, file, text, list(books))
    else:
        problems += _shared_files(settings, file)
    if problems:
        raise SetupError(f"The settings in {file} are wrong.", problems=problems, remedy=_REMEDY)
    return settings


def settings_text(file: Path) -> str:
    """What the file holds. Raises SetupError where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SetupError(
            f"There are no settings at {file}.",
            remedy="run `ar-bridge init`, or name the file with --config",
        ) from None
    except UnicodeDecodeError as error:
        raise SetupError(
            f"{file} is not text in UTF-8 (byte {error.start}).", remedy="save it as UTF-8"
        ) from None
    except OSError as error:
        raise SetupError(
            f"{file} cannot be read: {error.strerror}.", remedy="check the path and its permissions"
        ) from None


def _syntax(file: Path, error: tomllib.TOMLDecodeError) -> str:
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    if found is None:
        return f"{file.name}: {error}"
    return f"{file.name}:{found[1]}: {str(error)[: found.start()].strip()} (column {found[2]})"


def _books(tables: Any, file: Path) -> tuple[dict[str, Any], list[str]]:
    """Books by the name that environment variables call them, so that both can be merged."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return {}, [f"{file.name}: write each book as a section of its own: [[book]]"]
    books: dict[str, Any] = {}
    problems = []
    for position, table in enumerate(tables, start=1):
        name = table.get("name")
        key = slug(name) if isinstance(name, str) and name else f"number_{position}"
        if key in books:
            problems.append(
                f"{file.name}: [[book]] {name}: another book is called that (names are compared "
                "without regard to case and punctuation)"
            )
            key = f"{key}_{position}"
        books[key] = table
    return books, problems


def slug(name: str) -> str:
    """A book's name as environment variables spell it: `Acme Ltd` is `acme_ltd`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _shared_files(settings: Settings, file: Path) -> list[str]:
    """Books that would read the same customers.toml: ids of two companies must not mix."""
    owners: dict[Path, str] = {}
    problems = []
    for book in settings.book.values():
        other = owners.setdefault(book.customers, book.name)
        if other != book.name:
            problems.append(
                f"{file.name}: [[book]] {book.name} customers: {book.customers.name} belongs to "
                f"book {other} already; ids of two companies must not mix (write another name)"
            )
    return problems
