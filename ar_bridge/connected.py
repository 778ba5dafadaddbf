"""Where our own records are kept, and which of the stored books a configured one is.

Apart from the rest of the composition, because the daemon asks it all day and does little else.
"""

from ar_bridge.errors import SetupError
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings, Settings
from ar_bridge.store import books
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store


def database_url(settings: Settings, home: Home) -> str:
    """Where our own records are kept."""
    if settings.store.url is not None:
        return settings.store.url.get_secret_value()
    return f"sqlite:///{home.create().database}"


def stored_book(store: Store, settings: BookSettings) -> BookRow:
    """The stored book of this configuration, in the ledger's own time zone. Raises SetupError
    where it was never connected."""
    with store.read() as conn:
        if settings.company_id:
            row = books.find(conn, settings.ledger, settings.company_id)
        else:
            named = [row for row in books.all_books(conn) if row.name == settings.name]
            row = next((row for row in named if row.ledger == settings.ledger), None)
    if row is None:
        raise SetupError(
            f"book {settings.name} is not connected yet",
            remedy=f"run: ar-bridge connect {settings.name}",
        )
    return row


def zone_of(row: BookRow, settings: BookSettings) -> str:
    """The time zone of the company's days: the configuration's goes before the ledger's."""
    return settings.timezone or row.company.timezone
