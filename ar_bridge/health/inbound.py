"""Incoming mail: is the mailbox there, and does it let us in? Nothing is read or changed."""

from collections.abc import Iterator

from ar_bridge.errors import ArBridgeError
from ar_bridge.health.machine import Machine
from ar_bridge.inbound.imap import ImapSource, imap_server
from connectors.port import Finding
from connectors.redaction import without_known_secrets

SUBJECT = "incoming mail"


def of_inbound(machine: Machine) -> Iterator[Finding]:
    """The mailbox and the folder that are set up; a remark where none is though mail goes out."""
    asked = machine.settings.inbound
    if not asked.is_set_up:
        if any(machine.settings.mail_of(book).is_set_up for book in machine.books):
            yield Finding(
                level="warning",
                subject=SUBJECT,
                text="no mailbox is read: replies and messages that come back hold nothing",
                remedy="fill in [inbound]",
            )
        return
    if asked.path is not None:
        is_there = asked.path.is_dir()
        yield Finding(
            level="ok" if is_there else "error",
            subject=SUBJECT,
            text=f"mail lies in {asked.path}" if is_there else f"there is no folder {asked.path}",
            remedy="" if is_there else "make it, or correct [inbound] path",
        )
    if asked.host:
        source = ImapSource(imap_server(asked))
        place = f"{asked.host}:{asked.server_port}"
        try:
            count = source.check()
        except ArBridgeError as trouble:
            yield Finding(
                level="error",
                subject=SUBJECT,
                text=without_known_secrets(trouble.message),
                remedy="check host, port, security, user, password and folder in [inbound]",
            )
        else:
            yield Finding(
                level="ok",
                subject=SUBJECT,
                text=f"{place} lets {asked.user} in: {count} mails in {asked.folder}",
            )
        finally:
            source.close()
