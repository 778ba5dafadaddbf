"""The kinds of values in `config.toml` that need a look of their own."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from difflib import get_close_matches
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from zoneinfo import available_timezones

from pydantic import AfterValidator, SecretStr

from ar_bridge.errors import SetupError
from connectors.address import checked_address
from connectors.redaction import keep_secret

BUILT_IN_LEDGERS: Final = ("quickbooks", "xero", "bookfile")
"""Ledgers whose connectors come along: known without a look at what is installed besides."""

NEVER: Final = "never"

_PERIOD: Final = re.compile(r"(?P<count>[1-9][0-9]{0,3})(?P<unit>[hd])")

_DIRECTORY: ContextVar[Path] = ContextVar("directory of config.toml", default=Path())


@contextmanager
def paths_relative_to(directory: Path) -> Iterator[None]:
    """While settings are read, relative paths start at the directory of the file they stand in."""
    before = _DIRECTORY.set(directory)
    try:
        yield
    finally:
        _DIRECTORY.reset(before)


def _absolute(path: Path) -> Path:
    return _DIRECTORY.get() / path.expanduser()


def _existing(path: Path) -> Path:
    found = _absolute(path)
    if not found.is_file():
        raise ValueError(f"there is no file {found}")
    return found


def _policy(source: str) -> str:
    if source.endswith(".toml"):
        return str(_existing(Path(source)))
    if not source or "/" in source or "\\" in source:
        raise ValueError("neither a .toml file nor the name of a preset")
    return source


def _ledger(name: str) -> str:
    if name in BUILT_IN_LEDGERS:
        return name
    # Imported now: the table reads the entry points of everything that is installed.
    from connectors.table import known_ledgers

    known = known_ledgers()
    if name not in known:
        close = get_close_matches(name.lower(), known, n=1)
        meant = f" (did you mean `{close[0]}`?)" if close else ""
        raise ValueError(
            f"there is no connector of that name; there are: {', '.join(known)}{meant}"
        )
    return name


def _web_address(url: str) -> str:
    checked_address(url)
    return url.rstrip("/")


def _mailbox(text: str) -> str:
    name, address = parseaddr(text)
    before, at, domain = address.partition("@")
    if not (before and at and domain) or any(c in text for c in "\r\n"):
        raise ValueError("not a mail address, such as accounts@company.example")
    return f"{name} <{address}>" if name else address


def _zone(name: str) -> str:
    known = available_timezones()
    if name not in known:
        close = get_close_matches(name, known, n=1)
        meant = f" (did you mean `{close[0]}`?)" if close else ""
        raise ValueError(f'not a time zone; write its IANA name, such as "Europe/London"{meant}')
    return name


def _period(text: str) -> str:
    if text != NEVER and not _PERIOD.fullmatch(text):
        raise ValueError('not a period: write hours as "24h", days as "7d", or "never"')
    return text


def period_of(text: str) -> timedelta | None:
    """A Period as a span of time; None for never."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        return None
    count = int(found["count"])
    return timedelta(hours=count) if found["unit"] == "h" else timedelta(days=count)


FilePath: TypeAlias = Annotated[Path, AfterValidator(_absolute)]
"""A file that need not be there yet, relative to `config.toml`."""

ExistingFile: TypeAlias = Annotated[Path, AfterValidator(_existing)]
"""A file that has to be there, relative to `config.toml`."""

PolicySource: TypeAlias = Annotated[str, AfterValidator(_policy)]
"""A policy file (ends in .toml; made absolute) or the name of a preset."""

LedgerName: TypeAlias = Annotated[str, AfterValidator(_ledger)]
"""A connector that comes along, or one that an installed package offers."""

WebAddress: TypeAlias = Annotated[str, AfterValidator(_web_address)]
"""https, or plain http on this machine only; without a slash at the end."""

ZoneName: TypeAlias = Annotated[str, AfterValidator(_zone)]
"""An IANA time zone."""

Period: TypeAlias = Annotated[str, AfterValidator(_period)]
"""Hours ("24h"), days ("7d"), or "never"."""

Mailbox: TypeAlias = Annotated[str, AfterValidator(_mailbox)]
"""`accounts@company.example` or `Company <accounts@company.example>`."""


def secret_from(value: SecretStr | None, file: Path | None) -> str:
    """The secret itself: given directly, or the first line of its file. Empty for none."""
    found = ""
    if value is not None:
        found = value.get_secret_value()
    elif file is not None:
        try:
            found = file.read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(
                f"the secret in {file} cannot be read "
                f"({getattr(error, 'strerror', None) or 'it is no text'})",
                remedy="check who owns the file, and that this user may read it",
            ) from error
    keep_secret(found)
    return found
