"""What a connection was permitted to do, against what ar-bridge asks for."""

from shlex import quote

from connectors.oauth2 import OAuthApp, Tokens
from connectors.port import Finding
from connectors.table import Consent


def permission_findings(
    consent: Consent, app: OAuthApp, tokens: Tokens, *, book: str
) -> list[Finding]:
    """What was not granted and what will not work for it; an error where every run needs it.
    Empty for a vendor that does not say what was granted."""
    if not tokens.scope:
        return []
    missing = missing_scopes(tokens.scope, app.scopes)
    if not missing:
        return [Finding(level="ok", subject="permissions", text="all that ar-bridge asks for")]
    return [
        Finding(
            level="error" if scope in consent.needed else "warning",
            subject="permissions",
            text=f"{scope} was not granted: "
            f"{consent.purposes.get(scope, 'something will not work')}",
            remedy=f"grant it to the app at the vendor, then: ar-bridge connect {quote(book)}",
        )
        for scope in missing
    ]


def missing_scopes(granted: str, needed: tuple[str, ...]) -> list[str]:
    """What was not granted. Permission to write includes reading."""
    given = set(granted.split())
    return [
        scope for scope in needed if scope not in given and scope.removesuffix(".read") not in given
    ]
