"""What is configured: `config.toml`, then the environment, then secret files."""

from ar_bridge.settings.gateway import GatewaySettings
from ar_bridge.settings.identity import MailSettings, SenderSettings
from ar_bridge.settings.load import load_settings
from ar_bridge.settings.schema import (
    BookSettings,
    DatedPolicy,
    Settings,
    StoreSettings,
    WebhookSettings,
)

__all__ = [
    "BookSettings",
    "DatedPolicy",
    "GatewaySettings",
    "MailSettings",
    "SenderSettings",
    "Settings",
    "StoreSettings",
    "WebhookSettings",
    "load_settings",
]
