"""One book under examination: opened once, for every check that needs it."""

from contextlib import ExitStack
from functools import cached_property
from types import TracebackType

from ar_bridge.context import BookContext
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings, Settings
from ar_bridge.store.engine import open_store
from ar_bridge.wiring import connected_row, connection_of, database_url, open_book, vault_of
from connectors.oauth2 import OAuthApp, Tokens
from connectors.port import Clock
from connectors.table import oauth_app
from rules.model import Book


class ExaminedBook:
    """A configured book, connected or not."""

    def __init__(self, settings: Settings, book: BookSettings, home: Home, clock: Clock) -> None:
        self.settings = settings
        self.book = book
        self.home = home
        self.clock = clock
        self._stack = ExitStack()

    def __enter__(self) -> "ExaminedBook":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def subject(self, what: str) -> str:
        return f"{self.book.name} {what}"

    @cached_property
    def desk(self) -> BookContext:
        """The open book. Raises SetupError, PolicyError or AuthorizationError."""
        return self._stack.enter_context(open_book(self.settings, self.book, self.home, self.clock))

    @cached_property
    def loaded(self) -> Book | None:
        """The book as our records have it; None where it was never opened or read."""
        if "desk" not in self.__dict__:
            return None
        with self.desk.store.read() as conn:
            return self.desk.load(conn, self.desk.today(), None, ())

    @cached_property
    def connected(self) -> tuple[OAuthApp, Tokens | None] | None:
        """How it is let in, and its tokens; None where there is nothing to connect.

        Raises SetupError where it was never connected or where no key fits.
        """
        store = open_store(database_url(self.settings, self.home))
        self._stack.callback(store.close)
        row = connected_row(store, self.book)
        connection = connection_of(
            self.book, store, self.home, self.clock, company_id=row.company_id
        )
        app = oauth_app(self.book.ledger, connection)
        if app is None:
            return None
        vault = vault_of(store, self.home, self.clock, self.book.ledger, row.company_id)
        return app, vault.load()
