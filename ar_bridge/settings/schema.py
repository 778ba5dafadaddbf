"""Every key of `config.toml` with its type, its default and its sentence.

`config.example.toml` is generated from these classes (`ar_bridge.settings.example`).
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ar_bridge.settings.brief import BriefSettings
from ar_bridge.settings.daemon import DaemonSettings
from ar_bridge.settings.gateway import GatewaySettings
from ar_bridge.settings.identity import MailSettings, SenderSettings
from ar_bridge.settings.inbound import InboundSettings
from ar_bridge.settings.section import Section
from ar_bridge.settings.values import (
    ExistingFile,
    FilePath,
    LedgerName,
    Period,
    PolicySource,
    WebAddress,
    ZoneName,
    period_of,
    secret_from,
)

Mode: TypeAlias = Literal["observe", "draft", "approve", "auto"]


class DatedPolicy(Section):
    """A version of the policy and the day from which it is in force."""

    from_: date = Field(alias="from")
    file: PolicySource


class BookSettings(Section):
    """One company's books."""

    name: str = Field(
        min_length=1,
        description="What you call this book on the command line (`--book acme`).",
        examples=["acme"],
    )
    ledger: LedgerName = Field(
        description="Where the books are kept: quickbooks, xero, bookfile, or the name of a "
        "connector from an installed package.",
        examples=["xero"],
    )
    company_id: str = Field(
        default="",
        description="The company in the ledger: realm id (QuickBooks) or tenant id (Xero); empty "
        "until `ar-bridge connect` has shown it.",
    )
    mode: Mode = Field(
        default="observe",
        description="How far ar-bridge may go: observe (plan only), draft, approve (a person "
        "releases every action) or auto (within the policy's limits). Policies only tighten it.",
    )
    policy: PolicySource | None = Field(
        default=None,
        description="The policy: a .toml file, or the name of a preset "
        "(`ar-bridge policy presets`).",
        examples=["standard"],
    )
    policies: tuple[DatedPolicy, ...] = Field(
        default=(),
        description="Instead of `policy`: its versions, each with its first day: "
        '[{ from = 2026-01-01, file = "terms.toml" }, ...].',
    )
    timezone: ZoneName | None = Field(
        default=None,
        description="The company's time zone, where the ledger does not tell it or tells it "
        "wrong: it says when a day begins.",
        examples=["Europe/London"],
    )
    reconcile_every: Period = Field(
        default="24h",
        description="How often everything is read again and not only what changed, which finds "
        "what was deleted, voided or merged unseen: hours, days, or never.",
    )
    fee_account: str = Field(
        default="",
        description="Where late fees are booked: an account code (Xero) or an item "
        "(QuickBooks). No fee is charged while this is empty.",
    )
    fee_tax: str = Field(
        default="",
        description="Tax type (Xero) or tax code (QuickBooks) of late fees. No fee is charged "
        "while this is empty.",
    )
    bad_debt_account: str = Field(
        default="",
        description="Where debts that a person writes off are booked: an account code (Xero) or "
        "an item (QuickBooks). While this or bad_debt_tax is empty, a write-off is a task for a "
        "person.",
    )
    bad_debt_tax: str = Field(
        default="",
        description="Tax type (Xero) or tax code (QuickBooks) of write-offs; ask your accountant: "
        "tax on bad debts is often reclaimed in another way, so that none belongs here.",
    )
    customers: FilePath = Field(
        default=Path("customers.toml"),
        validate_default=True,
        description="What the ledger does not hold about this book's customers.",
    )
    client_id: str = Field(default="", description="Client id of your app at the vendor.")
    client_secret: SecretStr | None = Field(
        default=None,
        description="Client secret; better in client_secret_file or "
        "AR_BRIDGE_BOOK__<NAME>__CLIENT_SECRET.",
        examples=["..."],
    )
    client_secret_file: ExistingFile | None = Field(
        default=None,
        description="File whose first line is the client secret.",
        examples=["/run/secrets/acme_client_secret"],
    )
    grant: Literal["authorization_code", "client_credentials"] = Field(
        default="authorization_code",
        description="How ar-bridge is let in: authorization_code (a person consents in the "
        "browser) or client_credentials (a Xero custom connection).",
    )
    redirect_uri: WebAddress = Field(
        default="http://localhost:8477/callback",
        description="Where the vendor sends the browser after consent, as registered there.",
    )
    api_url: WebAddress | None = Field(
        default=None,
        description="Address of the accounting API, where it is not the vendor's own.",
        examples=["http://127.0.0.1:8700"],
    )
    authorize_url: WebAddress | None = Field(
        default=None,
        description="Address of the consent page, where it is not the vendor's own.",
        examples=["http://127.0.0.1:8700/authorize"],
    )
    token_url: WebAddress | None = Field(
        default=None,
        description="Address of the token service, where it is not the vendor's own.",
        examples=["http://127.0.0.1:8700/token"],
    )
    connections_url: WebAddress | None = Field(
        default=None,
        description="Address of Xero's list of connections, where it is not the vendor's own.",
        examples=["http://127.0.0.1:8700/connections"],
    )
    revoke_url: WebAddress | None = Field(
        default=None,
        description="Address at which `ar-bridge disconnect` gives tokens back, where it is not "
        "the vendor's own.",
        examples=["http://127.0.0.1:8700/revoke"],
    )
    file: ExistingFile | None = Field(
        default=None,
        description="The book file of a bookfile ledger: JSON Lines, or a CSV of open invoices.",
        examples=["book.jsonl"],
    )
    sender: SenderSettings | None = Field(
        default=None, description="Who writes for this book, where it is not [sender]."
    )
    mail: MailSettings | None = Field(
        default=None, description="How this book's mail goes out, where it is not by [mail]."
    )
    gateway: GatewaySettings | None = Field(
        default=None,
        description="Which service takes this book's messages, where it is not [gateway].",
    )
    brief: BriefSettings | None = Field(
        default=None, description="Who gets this book's daily brief, where it is not [brief]."
    )

    def contradictions(self) -> list[tuple[str, str]]:
        found = []
        if self.policy is None and not self.policies:
            found.append(("policy", 'missing: name a file or a preset, such as "standard"'))
        if self.policy is not None and self.policies:
            found.append(("policies", "`policy` is given too: keep one of the two"))
        starts = [version.from_ for version in self.policies]
        if len(set(starts)) != len(starts):
            found.append(("policies", "two versions begin on the same day"))
        if self.ledger == "bookfile" and self.file is None:
            found.append(("file", "missing: a bookfile ledger needs the file with the book"))
        if self.ledger in ("quickbooks", "xero") and self.file is not None:
            found.append(("file", "only a bookfile ledger has a file"))
        if self.client_secret is not None and self.client_secret_file is not None:
            found.append(("client_secret_file", "client_secret is given too: keep one of the two"))
        if self.grant == "client_credentials" and self.ledger == "quickbooks":
            found.append(("grant", "QuickBooks only knows authorization_code"))
        return found

    @property
    def reconciles_after(self) -> timedelta | None:
        """How old the last reading of everything may become; None: as old as it likes."""
        return period_of(self.reconcile_every)

    @property
    def secret(self) -> str:
        """The client secret; empty for none."""
        return secret_from(self.client_secret, self.client_secret_file)

    @property
    def can_charge(self) -> bool:
        """Whether late fees have an account and a tax to go to."""
        return bool(self.fee_account and self.fee_tax)


class StoreSettings(Section):
    """Where ar-bridge keeps its own records."""

    url: SecretStr | None = Field(
        default=None,
        description="Database; by default a SQLite file in the home directory.",
        examples=["postgresql+psycopg://ar_bridge@db.example/ar_bridge"],
    )


class WebhookSettings(Section):
    """Webhooks of your apps at the vendors, taken in by `ar-bridge web`."""

    quickbooks_key: SecretStr | None = Field(
        default=None,
        description="Verifier token of your app at Intuit; better in quickbooks_key_file or "
        "AR_BRIDGE_WEBHOOKS__QUICKBOOKS_KEY. Without it no webhook of QuickBooks is believed.",
        examples=["..."],
    )
    quickbooks_key_file: ExistingFile | None = Field(
        default=None,
        description="File whose first line is that token.",
        examples=["/run/secrets/quickbooks_webhooks"],
    )
    xero_key: SecretStr | None = Field(
        default=None,
        description="Webhooks key of your app at Xero; better in xero_key_file or "
        "AR_BRIDGE_WEBHOOKS__XERO_KEY. Without it no webhook of Xero is believed.",
        examples=["..."],
    )
    xero_key_file: ExistingFile | None = Field(
        default=None,
        description="File whose first line is that key.",
        examples=["/run/secrets/xero_webhooks"],
    )

    def contradictions(self) -> list[tuple[str, str]]:
        found = []
        if self.quickbooks_key is not None and self.quickbooks_key_file is not None:
            found.append(
                ("quickbooks_key_file", "quickbooks_key is given too: keep one of the two")
            )
        if self.xero_key is not None and self.xero_key_file is not None:
            found.append(("xero_key_file", "xero_key is given too: keep one of the two"))
        return found

    @property
    def keys(self) -> dict[str, str]:
        """Ledger to the key that signs its webhooks; empty for none."""
        return {
            "quickbooks": secret_from(self.quickbooks_key, self.quickbooks_key_file),
            "xero": secret_from(self.xero_key, self.xero_key_file),
        }


class Settings(BaseSettings):
    """Everything that is configured."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="AR_BRIDGE_",
        env_nested_delimiter="__",
    )

    book: dict[str, BookSettings] = Field(
        default_factory=dict, description="The books, in the order of the file."
    )
    sender: SenderSettings = SenderSettings()
    mail: MailSettings = MailSettings()
    gateway: GatewaySettings = GatewaySettings()
    brief: BriefSettings = BriefSettings()
    inbound: InboundSettings = InboundSettings()
    store: StoreSettings = StoreSettings()
    webhooks: WebhookSettings = WebhookSettings()
    daemon: DaemonSettings = DaemonSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The first one wins: secret files, the environment, the file (handed in)."""
        nested = NestedSecretsSettingsSource(
            file_secret_settings, secrets_prefix="", secrets_nested_delimiter="__"
        )
        return nested, env_settings, init_settings

    def mail_of(self, book: BookSettings) -> MailSettings:
        """How the book's mail goes out."""
        return book.mail or self.mail

    def sender_of(self, book: BookSettings) -> SenderSettings:
        """Who writes for the book."""
        return book.sender or self.sender
