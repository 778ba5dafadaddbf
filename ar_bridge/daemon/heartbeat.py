"""Letting somebody outside know that all is well, so that silence is noticed."""

import threading
from datetime import timedelta
from typing import Final

import structlog

from connectors.port import Clock

SECONDS: Final = 10.0
"""How long the answer may take."""

_log = structlog.get_logger("ar_bridge.daemon")


class Heartbeat:
    """Asks one address, now and then, from a thread of its own. Its failure harms nobody."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: float | None = None
        self._failed = False
        self._asking: threading.Thread | None = None

    def is_due(self, every: timedelta) -> bool:
        """Whether it was last asked longer ago than `every`, and has answered since."""
        if self._asking is not None and self._asking.is_alive():
            return False
        asked = self._asked
        return asked is None or self._clock.monotonic() - asked >= every.total_seconds()

    def beat(self, url: str) -> None:
        """Ask, without waiting for the answer."""
        self._asked = self._clock.monotonic()
        self._asking = threading.Thread(target=self._ask, args=(url,), daemon=True)
        self._asking.start()

    def join(self) -> None:
        """Wait for the answer that is under way."""
        if self._asking is not None:
            self._asking.join(SECONDS)

    def _ask(self, url: str) -> None:
        import httpx

        try:
            with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
                client.get(url).raise_for_status()
        except httpx.HTTPError as error:
            if not self._failed:
                # Its address may hold a token: only what went wrong is said, and once.
                _log.warning("the heartbeat address does not answer", reason=type(error).__name__)
            self._failed = True
        else:
            self._failed = False
