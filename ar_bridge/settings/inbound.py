"""Mail that comes in: where replies and bounces are read."""

import ipaddress
from typing import Final, Literal, TypeAlias

from pydantic import Field, SecretStr

from ar_bridge.settings.section import Section
from ar_bridge.settings.values import ExistingFile, FilePath, secret_from

Security: TypeAlias = Literal["tls", "starttls", "none"]

_PORTS: Final[dict[str, int]] = {"tls": 993, "starttls": 143, "none": 143}


class InboundSettings(Section):
    """The mailbox that answers come to: replies and messages that could not be delivered."""

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
    password: SecretStr | None = Field(
        default=None,
        description="Password; better in password_file or AR_BRIDGE_INBOUND__PASSWORD.",
        examples=["..."],
    )
    password_file: ExistingFile | None = Field(
        default=None,
        description="File whose first line is the password.",
        examples=["/run/secrets/inbound_password"],
    )
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
        found = []
        if self.security == "none" and self.host and not is_this_machine(self.host):
            found.append(("security", "the password would cross the network unencrypted: use tls"))
        if self.host and not self.user:
            found.append(("user", "missing: an IMAP server wants to know who reads"))
        if self.password is not None and self.password_file is not None:
            found.append(("password_file", "password is given too: keep one of the two"))
        return found

    @property
    def is_set_up(self) -> bool:
        """Whether any mailbox is read."""
        return bool(self.host) or self.path is not None

    @property
    def server_port(self) -> int:
        return self.port or _PORTS[self.security]

    @property
    def secret(self) -> str:
        """The password; empty for none."""
        return secret_from(self.password, self.password_file)

    @property
    def most_bytes(self) -> int:
        return self.largest_kb * 1024


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, judged by its name alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
