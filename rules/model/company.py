"""The company whose books are read."""

from datetime import date

import msgspec


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """Whose receivables these are. A book's identity is (ledger, id), never its configured name."""

    id: str
    ledger: str = "bookfile"
    name: str = ""
    base_currency: str
    timezone: str = "UTC"
    """IANA zone; "today" is a date in this zone."""
    country: str = ""
    connected_on: date | None = None
    """The day we first read this book; None for a book file without a connection."""
    locked_through: date | None = None
    """Documents dated on or before this day are refused by the ledger."""
    native_late_fees: bool | None = None
    """Whether the ledger charges late fees by itself, as far as it can be seen; None: unknown."""
    native_reminders: bool | None = None
    """Whether the ledger reminds customers by itself; None: unknown."""
    fee_setup_seen: tuple[str, str] | None = None
    """Account and tax of late fees as they were last seen usable in the ledger; two empty texts
    where something was wrong with them; None: nobody has looked yet. Fees are only planned for
    the account and tax that were seen."""
