"""What a server of outgoing and one of incoming mail have in common."""

import ipaddress
from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

from pydantic import Field, SecretStr

from ar_bridge.settings.section import Section
from ar_bridge.settings.values import ExistingFile, secret_from

Security: TypeAlias = Literal["starttls", "tls", "none"]


class MailServerSettings(Section):
    """Where a mail server is, how the way there is closed, and the password."""

    PORTS: ClassVar[Mapping[str, int]]
    """The usual port of each kind of security."""
    CLOSED: ClassVar[str]
    """Why the way has to be closed, and how."""

    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Security = "tls"
    password: SecretStr | None = Field(
        default=None,
        description="Password; better in password_file, in the environment or in a secret file.",
        examples=["..."],
    )
    password_file: ExistingFile | None = Field(
        default=None,
        description="File whose first line is the password.",
        examples=["/run/secrets/mail_password"],
    )

    def contradictions(self) -> list[tuple[str, str]]:
        found = []
        if self.security == "none" and self.host and not is_this_machine(self.host):
            found.append(("security", self.CLOSED))
        if self.password is not None and self.password_file is not None:
            found.append(("password_file", "password is given too: keep one of the two"))
        return found

    @property
    def has_password(self) -> bool:
        return self.password is not None or self.password_file is not None

    @property
    def server_port(self) -> int:
        return self.port or self.PORTS[self.security]

    @property
    def secret(self) -> str:
        """The password; empty for none. Raises SetupError where its file cannot be read."""
        return secret_from(self.password, self.password_file)


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, judged by its name alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
