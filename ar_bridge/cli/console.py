"""How commands speak: text and tables for people, JSON for programs, progress for the patient."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from rich.console import Console


WIDE: Final = 160
"""Columns of a table where there is no terminal: programs and files have room."""


def out() -> "Console":
    """Standard output."""
    asked = os.environ.get("COLUMNS", "")
    return _out(sys.stdout.isatty(), int(asked) if asked.isdecimal() else 0)


@cache
def _out(is_terminal: bool, columns: int) -> "Console":
    from rich.console import Console

    # Without a terminal, and unless somebody asks for a width, a sentence stays in one line.
    return Console(
        highlight=False,
        width=columns or (None if is_terminal else WIDE),
        soft_wrap=not is_terminal and not columns,
    )


@cache
def err() -> "Console":
    """Standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def say(*lines: str, style: str | None = None) -> None:
    """Print lines as they are; square brackets are no markup."""
    for line in lines:
        out().print(line, style=style, markup=False)


def say_whole(line: str) -> None:
    """Print something to be copied, such as an address: never broken into several lines."""
    out().print(line, markup=False, soft_wrap=True)


def warn(*lines: str) -> None:
    """Say something on standard error, so that it never mixes with a result."""
    for line in lines:
        err().print(line, style="yellow", markup=False)


def ask(question: str, default: str) -> str:
    """What a person types to a question; nothing typed is the default."""
    import typer

    say(question)
    return str(typer.prompt("", default=default, prompt_suffix="> "))


def counted(number: int, noun: str) -> str:
    """`1 fee`, `2 fees`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def print_json(data: Any) -> None:
    """One JSON document on standard output, without any secret that this process holds."""
    from connectors.redaction import without_known_secrets

    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write(without_known_secrets(text) + "\n")


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> None:
    """A table; `right` names the columns that hold amounts, `whole` those that are never broken
    into several lines."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=title or None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold"
    )
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=column in whole or column in right,
        )
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
