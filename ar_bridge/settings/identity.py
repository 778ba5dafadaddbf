"""Who writes to the customers, and through which mail server."""

import ipaddress
from email.utils import parseaddr
from typing import Literal, TypeAlias

from pydantic import Field, SecretStr

from ar_bridge.settings.section import Section
from ar_bridge.settings.values import ExistingFile, Mailbox, secret_from

Security: TypeAlias = Literal["starttls", "tls", "none"]

_PORTS: dict[str, int] = {"starttls": 587, "tls": 465, "none": 25}


class SenderSettings(Section):
    """Who writes to the customers: this stands under every message."""

    name: str = Field(default="", description="The company's own name, as customers know it.")
    address: tuple[str, ...] = Field(default=(), description="Postal address, one entry a line.")
    phone: str = Field(default="", description="Telephone number that customers may call.")
    registration: str = Field(
        default="",
        description="Company registration or tax number, where the law wants it on letters.",
    )
    bank_details: tuple[str, ...] = Field(
        default=(), description="How to pay by transfer, one entry a line."
    )
    terms: str = Field(
        default="",
        description='What the terms that fees rest on are called, such as "our terms of January '
        '2026, clause 7".',
    )
    fee_tax_note: str = Field(
        default="", description='One sentence about tax, such as "No VAT is added to late fees".'
    )
    signed_by: str = Field(default="", description="Who signs; empty: the accounts team.")


class MailSettings(Section):
    """The mail server that messages go out through."""

    host: str = Field(default="", description="Mail server; empty: no mail is sent.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port; by default 587 for starttls, 465 for tls, 25 for none.",
        examples=[587],
    )
    security: Security = Field(
        default="starttls",
        description="starttls, tls, or none (only for a mail server on this machine).",
    )
    username: str = Field(
        default="", description="User name at the mail server; empty: no sign-in."
    )
    password: SecretStr | None = Field(
        default=None,
        description="Password; better in password_file or AR_BRIDGE_MAIL__PASSWORD.",
        examples=["..."],
    )
    password_file: ExistingFile | None = Field(
        default=None,
        description="File whose first line is the password.",
        examples=["/run/secrets/mail_password"],
    )
    from_: Mailbox | None = Field(
        default=None,
        alias="from",
        description="Who messages come from.",
        examples=["Accounts <accounts@company.example>"],
    )
    reply_to: Mailbox | None = Field(
        default=None,
        description="Where answers go; by default to `from`.",
        examples=["accounts@company.example"],
    )
    bcc: tuple[Mailbox, ...] = Field(
        default=(), description="Addresses that get a blind copy of every message."
    )
    on_unknown: Literal["hold", "resend"] = Field(
        default="hold",
        description="What becomes of a mail of which nobody knows whether it was handed over: "
        "hold (a person looks and says so), or resend (again the same day, at most twice, with the "
        "same Message-ID, and the audit says so).",
    )

    def contradictions(self) -> list[tuple[str, str]]:
        found = []
        if self.security == "none" and self.host and not _is_this_machine(self.host):
            found.append(
                ("security", "mail would cross the network unencrypted: use starttls or tls")
            )
        if self.host and self.from_ is None:
            found.append(("from", "missing: customers have to see who writes"))
        if self.password is not None and self.password_file is not None:
            found.append(("password_file", "password is given too: keep one of the two"))
        has_password = self.password is not None or self.password_file is not None
        if has_password and not self.username:
            found.append(("username", "missing, though there is a password"))
        return found

    @property
    def is_set_up(self) -> bool:
        """Whether mail can be sent at all."""
        return bool(self.host)

    @property
    def server_port(self) -> int:
        return self.port or _PORTS[self.security]

    @property
    def secret(self) -> str:
        """The password; empty for none."""
        return secret_from(self.password, self.password_file)

    @property
    def domain(self) -> str:
        """What Message-IDs end in; empty without a sender."""
        return parseaddr(self.from_ or "")[1].rpartition("@")[2]


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
