"""Who writes to the customers, and through which mail server."""

from email.utils import parseaddr
from typing import ClassVar, Literal

from pydantic import Field

from ar_bridge.settings.mail_server import MailServerSettings, Security
from ar_bridge.settings.section import Section
from ar_bridge.settings.values import Mailbox


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


class MailSettings(MailServerSettings):
    """The mail server that messages go out through."""

    PORTS: ClassVar = {"starttls": 587, "tls": 465, "none": 25}
    CLOSED: ClassVar = "mail would cross the network unencrypted: use starttls or tls"

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
        found = super().contradictions()
        if self.host and self.from_ is None:
            found.append(("from", "missing: customers have to see who writes"))
        if self.has_password and not self.username:
            found.append(("username", "missing, though there is a password"))
        return found

    @property
    def is_set_up(self) -> bool:
        """Whether mail can be sent at all."""
        return bool(self.host)

    @property
    def domain(self) -> str:
        """What Message-IDs end in; empty without a sender."""
        return parseaddr(self.from_ or "")[1].rpartition("@")[2]
