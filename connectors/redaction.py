"""Secrets that this process holds, so that nothing it says repeats one of them.

A vendor may echo a token in the body of an error, a library may put a header into an exception.
Whoever takes a secret into its hands names it here once; errors, logs and the command line ask
`without_known_secrets` before they speak. The values stay in memory and are never listed.
"""

import base64
from collections import OrderedDict
from threading import Lock
from typing import Final
from urllib.parse import quote, quote_plus

HIDDEN: Final = "***"

SHORTEST: Final = 8
"""Characters from which on a secret is told apart from an ordinary word."""

_KEPT: Final = 2_000
"""Tokens are replaced every half hour: a process that runs for months forgets the oldest."""

_known: "OrderedDict[str, None]" = OrderedDict()
_lock = Lock()


def keep_secret(*values: str) -> None:
    """From now on these values appear in nothing that this process says, as they are or as they
    travel in an address."""
    spellings = {
        spelling
        for value in values
        if len(value) >= SHORTEST
        for spelling in (value, quote(value, safe=""), quote_plus(value))
    }
    with _lock:
        for spelling in spellings:
            _known[spelling] = None
            _known.move_to_end(spelling)
        while len(_known) > _KEPT:
            _known.popitem(last=False)


def keep_pair_secret(name: str, secret: str) -> None:
    """The same for a secret that travels with its name as Basic authorisation (RFC 7617)."""
    keep_secret(secret)
    if len(secret) >= SHORTEST:
        keep_secret(base64.b64encode(f"{name}:{secret}".encode()).decode("ascii"))


def without_known_secrets(text: str) -> str:
    """The text with `***` for every secret that this process holds."""
    with _lock:
        # The longest first: one secret may be the beginning of another.
        found = sorted((value for value in _known if value in text), key=len, reverse=True)
    for value in found:
        text = text.replace(value, HIDDEN)
    return text
