"""Mail that comes in: where replies and bounces are read."""

from typing import ClassVar

from pydantic import Field

from ar_bridge.settings.mail_server import MailServerSettings, Security
from ar_bridge.settings.values import FilePath


class InboundSettings(MailServerSettings):
    """The mailbox that answers come to: replies and messages that could not be delivered."""

    PORTS: ClassVar = {"tls": 993, "starttls": 143, "none": 143}
    CLOSED: ClassVar = "the password would cross the network unencrypted: use tls"

    host: str = Field(default="", description="IMAP server; empty: no mailbox is read by IMAP.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port; by default 993 for tls, 143 for starttls and none.",
        examples=[993],
    )
    security: Security = Field(
        default="tls",
        description="tls, starttls, or none (only for a mail server on this machine).",
    )
    user: str = Field(default="", description="User name at the IMAP server.")
    folder: str = Field(default="INBOX", min_length=1, description="Folder of the mailbox.")
    mark_seen: bool = Field(
        default=False, description="Whether mail that was read is marked as seen there."
    )
    move_to: str = Field(
        default="",
        description="Folder that answers to messages of ours are moved to; empty: mail stays "
        "where it is. Nothing is ever deleted.",
    )
    path: FilePath | None = Field(
        default=None,
        description="Instead of IMAP, or besides: a Maildir, or a folder of .eml files.",
        examples=["/var/mail/accounts"],
    )
    days_back: int = Field(
        default=14,
        ge=0,
        le=400,
        description="How many days of mail that lies there already are read at the first look.",
    )
    largest_kb: int = Field(
        default=1024,
        ge=64,
        le=32768,
        description="So much of each mail is read, in kilobytes; attachments are only listed.",
    )

    def contradictions(self) -> list[tuple[str, str]]:
        found = super().contradictions()
        if self.host and not self.user:
            found.append(("user", "missing: an IMAP server wants to know who reads"))
        return found

    @property
    def is_set_up(self) -> bool:
        """Whether any mailbox is read."""
        return bool(self.host) or self.path is not None

    @property
    def most_bytes(self) -> int:
        return self.largest_kb * 1024
