"""How commands speak: text and tables for people, JSON for programs, progress for the patient."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> "Console":
    """Standard output."""
    from rich.console import Console

    # A program that reads a table gets its rows in one line each.
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "160"))
    return Console(highlight=False, width=width, soft_wrap=width is not None)


@cache
def err() -> "Console":
    """Standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def say(*lines: str, style: str | None = None) -> None:
    """Print lines as they are; square brackets are no markup."""
    for line in lines:
        out().print(line, style=style, markup=False)


def warn(*lines: str) -> None:
    """Say something on standard error, so that it never mixes with a result."""
    for line in lines:
        err().print(line, style="yellow", markup=False)


def counted(number: int, noun: str) -> str:
    """`1 fee`, `2 fees`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n")


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
) -> None:
    """A table; `right` names the columns that hold amounts."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=title or None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold"
    )
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out().print(table)


class Bar(Protocol):
    """Counts what is done."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


@contextmanager
def progress(what: str) -> Iterator[Bar]:
    """A progress bar on standard error, only where that is a terminal.

    Call the bar with what is done so far, and with the total as soon as it is known.
    """
    if not sys.stderr.isatty():
        yield lambda done, total=None: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=err(),
        transient=True,
    ) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total=None: shown.update(task, completed=done, total=total)
