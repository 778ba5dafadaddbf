"""What stands in the way of working, each thing with what to do about it.

One table of checks for the machine, one for each book, one for each mail server. A check yields
findings; one that fails is a finding itself and never hides the next.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import msgspec
import structlog

from ar_bridge.errors import ArBridgeError
from ar_bridge.health.book import ExaminedBook
from ar_bridge.health.channels import of_channels
from ar_bridge.health.connection import of_clock, of_connection, of_scopes
from ar_bridge.health.customers import of_facts, of_sent_marks
from ar_bridge.health.halts import of_halts
from ar_bridge.health.inbound import of_inbound
from ar_bridge.health.ledger import of_fees, of_ledger, of_policy
from ar_bridge.health.machine import Machine, of_home, of_keys, of_mail, of_settings
from ar_bridge.health.names import of_names
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings, Settings
from connectors.port import Clock, Finding
from connectors.redaction import without_known_secrets

Known: TypeAlias = Callable[[Exception, str], ArBridgeError | None]
"""The error as a person should read it, given the book's name; None for one nobody foresaw."""

MACHINE_CHECKS: Final[dict[str, Callable[[Machine], Iterator[Finding]]]] = {
    "home": of_home,
    "settings": of_settings,
    "vault": of_keys,
    "incoming mail": of_inbound,
}

BOOK_CHECKS: Final[dict[str, Callable[[ExaminedBook], Iterator[Finding]]]] = {
    "policy": of_policy,
    "late fees": of_fees,
    "ledger": of_ledger,
    "accounts": of_names,
    "connection": of_connection,
    "permissions": of_scopes,
    "clock": of_clock,
    "sent invoices": of_sent_marks,
    "customers": of_facts,
    "channels": of_channels,
    "halts": of_halts,
}
"""Subject -> check, in the order in which a person would mend things."""


T = TypeVar("T")


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A finding and the book that it is about; empty for the machine and for mail."""

    book: str = ""
    finding: Finding


def examine(
    settings: Settings,
    chosen: list[BookSettings],
    home: Home,
    clock: Clock,
    *,
    config_file: Path,
    known: Known,
) -> Iterator[Examined]:
    """Look at everything. Only reads, but for the company's facts, which plans rest on."""
    machine = Machine(
        settings=settings, books=chosen, home=home, config_file=config_file, clock=clock
    )
    for subject, look in MACHINE_CHECKS.items():
        for finding in _watched(subject, look, machine, known, ""):
            yield Examined(finding=finding)
    for book in chosen:
        with ExaminedBook(settings, book, home, clock) as examined:
            for subject, look_at in BOOK_CHECKS.items():
                named = f"{book.name} {subject}"
                for finding in _watched(named, look_at, examined, known, book.name):
                    yield Examined(book=book.name, finding=finding)
    servers = {(mail.host, mail.username): mail for mail in map(settings.mail_of, chosen)}
    for mail in servers.values():
        for finding in _watched("mail", lambda it: of_mail(it, clock), mail, known, ""):
            yield Examined(finding=finding)


def _watched(
    subject: str, look: Callable[[T], Iterator[Finding]], at: T, known: Known, book: str
) -> Iterator[Finding]:
    try:
        yield from look(at)
    except Exception as error:
        foreseen = known(error, book)
        if foreseen is None:
            structlog.get_logger("ar_bridge.health").error("check failed", exc_info=error)
            yield Finding(
                level="error",
                subject=subject,
                text=without_known_secrets(
                    f"this could not be looked at: {type(error).__name__}: {error}"
                ),
                remedy="the log has the details",
            )
            return
        for text in foreseen.problems or (foreseen.message,):
            yield Finding(level="error", subject=subject, text=text, remedy=foreseen.remedy)
