"""A service of the operator's own that takes messages: an SMS gateway, a customer portal."""

from pydantic import Field, SecretStr

from ar_bridge.settings.section import Section
from ar_bridge.settings.values import ExistingFile, WebAddress, secret_from


class GatewaySettings(Section):
    """Where messages of the channels `webhook` and `sms` are posted, as signed JSON."""

    url: WebAddress | None = Field(
        default=None,
        description="Address that takes messages: https, or http on this machine. Empty: the "
        "channels `webhook` and `sms` reach nobody.",
        examples=["https://gateway.company.example/messages"],
    )
    secret: SecretStr | None = Field(
        default=None,
        description="What every request is signed with; better in secret_file or "
        "AR_BRIDGE_GATEWAY__SECRET.",
        examples=["..."],
    )
    secret_file: ExistingFile | None = Field(
        default=None,
        description="File whose first line is that secret.",
        examples=["/run/secrets/gateway_secret"],
    )
    sms: bool = Field(default=False, description="Whether it takes text messages too.")

    def contradictions(self) -> list[tuple[str, str]]:
        found = []
        if self.secret is not None and self.secret_file is not None:
            found.append(("secret_file", "secret is given too: keep one of the two"))
        if self.url and self.secret is None and self.secret_file is None:
            found.append(("secret", "missing: unsigned requests could be anybody's"))
        return found

    @property
    def key(self) -> str:
        """The secret; empty for none."""
        return secret_from(self.secret, self.secret_file)
