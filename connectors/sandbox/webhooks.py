"""Webhooks: what changed, told to an address, signed and repeated as the vendors do it.

Changes are collected while the books are held; they are sent from a thread of their own, or when
a test says so, never from the thread of a request: a receiver may call back at once.
"""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias

import httpx
import msgspec

from connectors.port import Clock
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.rows import Change

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str]], int]
"""(address, body, headers) sent: the HTTP status, 0 where nobody answered."""

RETRIES: Final = tuple(timedelta(seconds=wait) for wait in (5, 60, 300, 1800))
"""Waits before the second attempt and those after it."""


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """Where the sandbox tells of changes. `key` is the vendor's verifier token or webhook key."""

    url: str
    key: str = "sandbox-webhook-key"
    shape: Literal["cloudevents", "legacy"] = "cloudevents"
    """QuickBooks: the array of CloudEvents, or what was sent until 2026."""


class Delivery(msgspec.Struct, kw_only=True):
    """One message, and what became of it."""

    body: bytes
    headers: Mapping[str, str]
    made_at: datetime
    due_at: datetime
    statuses: list[int] = []
    """HTTP status of each attempt; 0 where nobody answered."""
    state: Literal["waiting", "delivered", "given_up", "lost"] = "waiting"


class Wording(Protocol):
    """How one vendor words and signs a message."""

    header: str
    patience: float
    """Seconds that a receiver may take."""

    def body(self, changes: Iterable[Change]) -> bytes | None:
        """The message about these changes; None where there is nothing to tell."""
        ...

    def handshake(self) -> bytes | None:
        """A message without events, with which the vendor tries an address out."""
        ...


class Webhooks:
    """Messages to one address. Safe to use from several threads."""

    def __init__(
        self,
        hook: Hook,
        wording: Wording,
        *,
        clock: Clock,
        faults: FaultPlan,
        post: Post | None = None,
    ) -> None:
        self._hook = hook
        self._wording = wording
        self._clock = clock
        self._faults = faults
        self._post = post or self._over_http
        self._deliveries: list[Delivery] = []
        self._guard = threading.Lock()
        self._sending = threading.Lock()
        self.woken = threading.Event()
        self.is_enabled = True
        """False once an address failed too long, or failed the handshake."""

    def note(self, changes: Iterable[Change]) -> None:
        """Write down what is to be told."""
        body = self._wording.body(_latest(changes)) if self.is_enabled else None
        if body is None:
            return
        state: Literal["waiting", "lost"] = (
            "lost" if self._faults.strikes("webhook-lost") else "waiting"
        )
        key = "forged" if self._faults.strikes("webhook-forged") else self._hook.key
        copies = 2 if self._faults.strikes("webhook-twice") else 1
        now = self._clock.now()
        with self._guard:
            for _ in range(copies):
                self._deliveries.append(
                    Delivery(
                        body=body,
                        headers=self._headers(body, key),
                        made_at=now,
                        due_at=now,
                        statuses=[],
                        state=state,
                    )
                )
        self.woken.set()

    def deliveries(self) -> tuple[Delivery, ...]:
        """Every message so far, the oldest first."""
        with self._guard:
            return tuple(self._deliveries)

    def send(self) -> int:
        """Send what is due now, in order; returns how many attempts were made."""
        attempts = 0
        with self._sending:
            for delivery in self.deliveries():
                if delivery.state != "waiting" or delivery.due_at > self._clock.now():
                    continue
                attempts += 1
                status = self._post(self._hook.url, delivery.body, delivery.headers)
                self._judge(delivery, status)
        return attempts

    def shake_hands(self) -> bool:
        """Xero's intent to receive: a good signature wants a 200, a bad one a 401.

        An address that gets this wrong is told nothing. True where the vendor has no handshake.
        """
        body = self._wording.handshake()
        if body is None:
            return True
        expected = ((self._hook.key, 200), ("forged", 401), (self._hook.key, 200), ("bad", 401))
        self.is_enabled = all(
            self._post(self._hook.url, body, self._headers(body, key)) == wanted
            for key, wanted in expected
        )
        return self.is_enabled

    def _judge(self, delivery: Delivery, status: int) -> None:
        delivery.statuses.append(status)
        if status == 200:
            delivery.state = "delivered"
        elif len(delivery.statuses) > len(RETRIES):
            delivery.state = "given_up"
            self.is_enabled = self._wording.handshake() is None
        else:
            delivery.due_at = self._clock.now() + RETRIES[len(delivery.statuses) - 1]

    def _headers(self, body: bytes, key: str) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            self._wording.header: signature(body, key),
        }

    def _over_http(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            answer = httpx.post(
                url, content=body, headers=dict(headers), timeout=self._wording.patience
            )
        except httpx.HTTPError:
            return 0
        return answer.status_code


class Courier:
    """A thread that sends what is due. `tick` lets the ledger learn what time brought."""

    def __init__(self, webhooks: Webhooks, tick: Callable[[], object]) -> None:
        self._webhooks = webhooks
        self._tick = tick
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._is_over.is_set():
            # Also without news: a delivery may have become due again, or a day begun.
            self._webhooks.woken.wait(timeout=0.5)
            self._webhooks.woken.clear()
            self._tick()
            self._webhooks.send()

    def close(self) -> None:
        """Stop after the message that is on its way."""
        self._is_over.set()
        self._webhooks.woken.set()
        self._thread.join()


def signature(body: bytes, key: str) -> str:
    """Base64 of the HMAC-SHA256 of the raw body, as both vendors sign."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def _latest(changes: Iterable[Change]) -> list[Change]:
    """One change for each record: made and changed at once is made, and deleted is deleted."""
    found: dict[tuple[str, str], Change] = {}
    for change in changes:
        before = found.get((change.kind, change.id))
        if before is not None and before.operation == "Create" and change.operation == "Update":
            continue
        found[change.kind, change.id] = change
    return list(found.values())
