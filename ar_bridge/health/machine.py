"""The machine and what all books share: the home directory, the keys, the mail server."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ar_bridge.channels.errors import ChannelError
from ar_bridge.channels.mime import MailFrom
from ar_bridge.channels.smtp import SmtpChannel, SmtpServer
from ar_bridge.home import Home
from ar_bridge.settings import BookSettings, MailSettings, Settings
from ar_bridge.store.engine import open_store
from ar_bridge.vault import sealed
from ar_bridge.vault_keys import VaultKeys
from ar_bridge.wiring import database_url
from connectors.port import Clock, Finding
from connectors.redaction import keep_secret, without_known_secrets

SECONDS: float = 10.0
"""How long a mail server may take to answer."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is not about one book."""

    settings: Settings
    books: Sequence[BookSettings]
    home: Home
    config_file: Path
    clock: Clock


def of_home(machine: Machine) -> Iterator[Finding]:
    """Is what we keep closed to others?"""
    root = machine.home.root
    if not root.exists():
        yield Finding(
            level="warning", subject="home", text=f"{root} is not there", remedy="ar-bridge init"
        )
        return
    is_open = bool(root.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    yield Finding(
        level="warning" if is_open else "ok",
        subject="home",
        text=f"{root} can be read by other users" if is_open else str(root),
        remedy=f"chmod 700 {root}" if is_open else "",
    )


def of_settings(machine: Machine) -> Iterator[Finding]:
    """Are there books, and is the file that may hold secrets closed to others?"""
    count = len(machine.books)
    yield Finding(
        level="ok" if count else "warning",
        subject="settings",
        text=f"{machine.config_file}: {count} book{'' if count == 1 else 's'}",
        remedy="" if count else "add a [[book]] section",
    )
    holds_secret = any(book.client_secret is not None for book in machine.books) or (
        machine.settings.mail.password is not None
    )
    file = machine.config_file
    if holds_secret and file.exists() and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding(
            level="warning",
            subject="settings",
            text=f"{file} may hold secrets and can be read by other users",
            remedy=f"chmod 600 {file}, or put secrets into files of their own",
        )


def of_keys(machine: Machine) -> Iterator[Finding]:
    """Does the key that connections are encrypted with fit?"""
    if not machine.home.root.exists():
        return
    keys = VaultKeys(machine.home.key)
    store = open_store(database_url(machine.settings, machine.home))
    try:
        kept = sealed(store, keys)
    finally:
        store.close()
    yield from key_findings(keys)
    for one in kept:
        if one.opens_with == "none":
            yield Finding(
                level="error",
                subject="vault",
                text=f"no key opens the connection to {one.ledger} {one.company_id}",
                remedy="put the key of this database back, or connect the book again",
            )
        elif one.opens_with == "older":
            yield Finding(
                level="warning",
                subject="vault",
                text=f"the connection to {one.ledger} {one.company_id} is encrypted with an "
                "older key",
                remedy="ar-bridge vault rotate",
            )


def key_findings(keys: VaultKeys) -> Iterator[Finding]:
    """Where keys come from, and who may read them."""
    found = keys.sources()
    if found:
        more = len(found[0].keys) - 1
        older = f", and {more} older" if more else ""
        yield Finding(level="ok", subject="vault", text=f"key from {found[0].name}{older}")
    for source in found:
        if source.is_open_to_others:
            yield Finding(
                level="warning",
                subject="vault",
                text=f"{source.name} can be read by other users of this machine",
                remedy=f"chmod 600 {source.path}",
            )


def of_mail(mail: MailSettings, clock: Clock) -> Iterator[Finding]:
    """Is a mail server named, does it answer, and does it let us in? Nothing is sent."""
    if not mail.is_set_up:
        yield Finding(
            level="warning",
            subject="mail",
            text="no mail server: no mail is sent",
            remedy="fill in [mail] host and from",
        )
        return
    keep_secret(mail.secret)
    server = SmtpServer(
        host=mail.host,
        port=mail.server_port,
        tls=mail.security,
        username=mail.username,
        password=mail.secret,
        timeout=SECONDS,
    )
    channel = SmtpChannel(server, MailFrom(address=mail.from_ or ""), clock)
    place = f"{mail.host}:{mail.server_port}"
    try:
        channel.check()
    except ChannelError as error:
        yield Finding(
            level="error",
            subject="mail",
            text=without_known_secrets(str(error)),
            remedy="check host, port, security, username and password in [mail]",
        )
        return
    signed = f" and lets {mail.username} in" if mail.username else ""
    yield Finding(level="ok", subject="mail", text=f"{place} answers{signed}")
