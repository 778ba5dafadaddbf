"""What a command left behind: every row of the database, and every file of a home."""

import sqlite3
from pathlib import Path


def rows_of(database: Path) -> list[str]:
    """The whole database as text, to be compared with itself later."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return list(connection.iterdump())


def files_under(folder: Path) -> dict[str, bytes]:
    """Every file with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
