"""Webhooks coming in: checked, noted down, answered at once. Nothing is read or decided here."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ar_bridge.store import nudges
from ar_bridge.store.engine import Store
from connectors.port import Clock
from connectors.webhooks import MalformedWebhookError, Nudge, is_signed, sender_of

MOST_BYTES: Final = 1_000_000
"""A message of a thousand events is a quarter of this."""

_log = logging.getLogger(__name__)


class TooLargeError(Exception):
    """More than any vendor sends."""


class Receiver:
    """Takes in the webhooks of each vendor under the key that signs them."""

    def __init__(self, store: Store, clock: Clock, keys: Mapping[str, str]) -> None:
        self._store = store
        self._clock = clock
        self._keys = keys

    async def receive(self, request: Request) -> Response:
        """200 for what is signed, 401 for what is not; never a body, never a cookie.

        Until it is noted down, nothing else happens: the vendors wait three and five seconds.
        What cannot be noted down is answered with 503, so that it is sent again.
        """
        ledger = request.path_params["ledger"]
        try:
            sender = sender_of(ledger)
        except KeyError:
            return Response(status_code=404)
        try:
            body = await _body(request)
        except TooLargeError:
            return Response(status_code=413)
        except ClientDisconnect:
            return Response(status_code=400)
        signature = request.headers.get(sender.header, "")
        if not is_signed(body, signature, self._keys.get(ledger, "")):
            return Response(status_code=401)
        try:
            told = sender.reads(body)
        except MalformedWebhookError as error:
            # Signed, so it is theirs: sent again it would be no better. Polling sees what it was.
            _log.warning("a webhook of %s could not be read: %s", ledger, error)
            return Response(status_code=200)
        if told:
            try:
                await run_in_threadpool(self._keep, ledger, told)
            except Exception:
                _log.exception("a webhook of %s could not be noted down", ledger)
                return Response(status_code=503)
        return Response(status_code=200)

    def _keep(self, ledger: str, told: Sequence[Nudge]) -> None:
        with self._store.write() as conn:
            kept = nudges.add(conn, ledger, told, at=self._clock.now())
        _log.info("webhook of %s: %d records named, %d of connected books", ledger, len(told), kept)


async def _body(request: Request) -> bytes:
    """The raw body. Raises TooLargeError as soon as that is known."""
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > MOST_BYTES:
        raise TooLargeError
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise TooLargeError
        parts.append(part)
    return b"".join(parts)
