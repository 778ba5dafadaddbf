"""Opening the book that a command works on."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

import typer

from ar_bridge.cli.invocation import Invocation, invocation
from ar_bridge.context import BookContext

ReasonOption: TypeAlias = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit.")
]


ByOption: TypeAlias = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who decided that, for the audit.")
]


@contextmanager
def opened(ctx: typer.Context, name: str | None) -> Iterator[BookContext]:
    """The book, open for work, with the log running."""
    from ar_bridge.wiring import open_book

    call = invocation(ctx)
    book = call.book(name)
    settings = call.settings
    call.start_log()
    with open_book(settings, book, call.home, call.clock, worker=actor(call)) as desk:
        yield desk


def actor(call: Invocation) -> str:
    """Who gives the command, for the audit."""
    del call
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"


def by(desk: BookContext, name: str) -> str:
    """Who decided: a person named, as told by whoever gave the command, or the latter."""
    return f"{name.strip()}, told by {desk.worker}" if name.strip() else desk.worker
