"""A book as a file: JSON Lines or a CSV of open invoices, without any account."""

from typing import TYPE_CHECKING

from connectors.bookfile.client import BookFileConnector
from connectors.bookfile.events import Events
from connectors.bookfile.reading import BookFileError, read_events
from connectors.errors import RefusedError

if TYPE_CHECKING:
    # Reading a file needs no HTTP client, which the table of connectors brings along.
    from connectors.table import BookConnection

__all__ = ["BookFileConnector", "BookFileError", "Events", "open_connector", "read_events"]


def open_connector(connection: "BookConnection") -> BookFileConnector:
    """The connector of a configured book. Raises RefusedError where no file is set."""
    if connection.file is None:
        raise RefusedError("this book has no file: set `file` to a book file or a CSV")
    return BookFileConnector(connection.file, connection.clock, company_id=connection.company_id)
