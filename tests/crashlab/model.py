"""A ledger and a mail server small enough to be a model: what they hold is a list of keys."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

import msgspec

from ar_bridge.channels.errors import ChannelTransientError, ChannelUnknownError
from ar_bridge.channels.port import ChannelReceipt
from ar_bridge.messages.late import LateSlots
from connectors.errors import OutcomeUnknownError, RefusedError, TransientError
from connectors.port import Capabilities, Clock, Prepared, Receipt
from rules.actions.effects import EFFECT_NAMES, LedgerEffect, SendMessage

KEYS_LAST = timedelta(minutes=5)

FAULTS = ("", "lost", "dropped", "busy", "refused")
"""What the next send comes to: done; done and the answer lost; not done and the answer lost; not
done, and told so; refused for good."""


class FakeLedger:
    """Takes whatever is written, once for each key while it remembers the key."""

    capabilities = Capabilities(
        ledger="model", effects=frozenset(EFFECT_NAMES.values()), note_limit=250
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remembered: dict[str, tuple[datetime, Receipt]] = {}
        self.fault = ""
        self.stalls: dict[str, Callable[[], object]] = {}
        """What happens while the next write stands still, `before` it arrives or `after`."""
        self.holds: Counter[str] = Counter()
        """Effect keys, with how often each was carried out."""
        self.sends: Counter[str] = Counter()

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        return Prepared(
            effect=EFFECT_NAMES[type(effect)],
            effect_key=effect.key,
            method="POST",
            path="/",
            body=msgspec.json.encode(effect),
        )

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        self._stand_still("before")
        self.sends[prepared.effect_key] += 1
        fault, self.fault = self.fault, ""
        if fault == "dropped":
            raise OutcomeUnknownError("the line is dead")
        if fault == "busy":
            raise TransientError("come again")
        if fault == "refused":
            raise RefusedError(["not this one"])
        now = self._clock.now()
        known = self._remembered.get(vendor_key)
        if known is None or now - known[0] > KEYS_LAST:
            self.holds[prepared.effect_key] += 1
            known = now, Receipt(id=f"{len(self.holds)}", at=now)
            self._remembered[vendor_key] = known
        self._stand_still("after")
        if fault == "lost":
            raise OutcomeUnknownError("the answer was lost")
        return known[1]

    def _stand_still(self, when: str) -> None:
        self.stalls.pop(when, lambda: None)()

    def find(self, effect: LedgerEffect) -> Receipt | None:
        if not self.holds[effect.key]:
            return None
        return Receipt(id=effect.key, at=self._clock.now(), was_found=True)


class FakeMail:
    """Delivers every copy that it is given."""

    name = "email"
    is_repeatable = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.fault = ""
        self.holds: Counter[str] = Counter()
        """Effect keys, with how often each was delivered."""
        self.sends: Counter[str] = Counter()

    def check(self) -> None:
        """It always listens."""

    def send(self, message: SendMessage, slots: LateSlots) -> ChannelReceipt:
        self.sends[message.key] += 1
        fault, self.fault = self.fault, ""
        if fault in ("busy", "refused"):
            raise ChannelTransientError("later, please")
        if fault != "dropped":
            self.holds[message.key] += 1
        if fault in ("lost", "dropped"):
            raise ChannelUnknownError("it went silent")
        return ChannelReceipt(
            channel=self.name,
            message_id=message.message_id,
            at=self._clock.now(),
            accepted=message.to,
        )
