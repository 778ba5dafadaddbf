"""The ledger under lock and key: up to date while it is held, and told of when it is let go."""

import threading
from types import TracebackType

from connectors.port import Clock
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.webhooks import Webhooks


class Books:
    """`with books:` holds the ledger. One thread may hold it several times over."""

    def __init__(self, ledger: Ledger, *, clock: Clock, faults: FaultPlan) -> None:
        self.ledger = ledger
        self._clock = clock
        self._faults = faults
        self._lock = threading.RLock()
        self._depth = 0
        self._webhooks: Webhooks | None = None

    def tell(self, webhooks: Webhooks) -> None:
        """From now on changes are told there; what the books hold already is no news."""
        with self:
            self.ledger.keep_journal()
            self._webhooks = webhooks

    def __enter__(self) -> Ledger:
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            self.ledger.locked_through = self._faults.closed_through
            self.ledger.advance(self._clock.now())
        return self.ledger

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._depth == 1 and self._webhooks is not None:
                self._webhooks.note(self.ledger.news())
        finally:
            self._depth -= 1
            self._lock.release()
