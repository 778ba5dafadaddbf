"""What the options before the command decide, handed to every command."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from ar_bridge.errors import UsageError
from ar_bridge.home import Home

if TYPE_CHECKING:
    from ar_bridge.clock import Clock
    from ar_bridge.settings import BookSettings, Settings

BookOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--book", metavar="NAME", help="Which book; needed where there are several."),
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")
]


@dataclass(kw_only=True)
class Invocation:
    """One call of the program. Settings are read when a command first asks for them."""

    home_option: Path | None = None
    config_option: Path | None = None
    is_debug: bool = False
    book_name: str = "BOOK"
    """The book that the command works on, for messages."""

    @cached_property
    def home(self) -> Home:
        """Where everything lies that a run leaves."""
        return Home.found(self.home_option)

    @property
    def config_file(self) -> Path:
        return self.config_option or self.home.config

    @cached_property
    def clock(self) -> "Clock":
        """The machine's own time; a rehearsal sets another clock."""
        from ar_bridge.clock import SystemClock

        return SystemClock()

    @cached_property
    def settings(self) -> "Settings":
        """Raises SetupError with every problem in the settings."""
        from ar_bridge.settings import load_settings

        return load_settings(self.config_file, secrets=self.home.secrets)

    def start_log(self) -> None:
        """Keep a log from here on, under the home directory."""
        from ar_bridge.logging import configure_logging

        configure_logging(self.home, is_debug=self.is_debug)

    def book(self, name: str | None) -> "BookSettings":
        """The book that a command works on.

        Raises UsageError where `name` is unknown, or missing although there are several.
        """
        book = chosen_book(list(self.settings.book.values()), name, self.config_file)
        self.book_name = book.name
        return book

    def books(self, name: str | None) -> "list[BookSettings]":
        """All books, or the one that is named, for commands that only look."""
        return [self.book(name)] if name else list(self.settings.book.values())


def chosen_book(books: "Sequence[BookSettings]", name: str | None, config: Path) -> "BookSettings":
    """The named book, or the only one. Raises UsageError otherwise."""
    names = ", ".join(book.name for book in books)
    if not books:
        raise UsageError(
            f"No book is configured in {config}.", remedy="add a [[book]] section to it"
        )
    if name is None:
        if len(books) > 1:
            raise UsageError(
                "Several books are configured.", remedy=f"say which one: --book NAME ({names})"
            )
        return books[0]
    found = [book for book in books if book.name.casefold() == name.casefold()]
    if not found:
        raise UsageError(
            f'There is no book "{name}".', remedy=f"the books in {config} are: {names}"
        )
    return found[0]


def invocation(ctx: typer.Context) -> Invocation:
    """What the global options of this call decided."""
    found = ctx.find_object(Invocation)
    if found is None:
        raise TypeError("the command was called without its group")
    return found
