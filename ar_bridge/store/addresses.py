"""What the address of a database says, for those who have to do with its files or programs."""

from pathlib import Path

from sqlalchemy.engine import make_url


def is_sqlite(url: str) -> bool:
    """Whether it is a SQLite database, in a file or in memory."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None where it has none, and for every other database."""
    address = make_url(url)
    if not is_sqlite(url) or address.database in (None, "", ":memory:"):
        return None
    return Path(str(address.database))


def for_programs(url: str) -> tuple[str, str]:
    """The address as PostgreSQL's own programs read it, and the password it leaves out."""
    address = make_url(url)
    plain = address.set(drivername="postgresql", password=None).render_as_string()
    return plain, str(address.password or "")


def shown(url: str) -> str:
    """The address without its password, for messages."""
    return make_url(url).render_as_string()
