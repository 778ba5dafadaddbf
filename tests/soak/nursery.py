"""Starts `ar-bridge` in processes of their own, one at a time, without loading it anew each time.

Run as `python -m tests.soak.nursery`. One order a line comes in as JSON; the process id goes out,
then how the process ended. It stays a zombie until the next line, so that its id is nobody
else's as long as anybody may still want to kill it.
"""

import importlib
import json
import os
import pkgutil
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from ar_bridge.__main__ import main
from tests.soak.clock import SharedClock


def _warm() -> None:
    import ar_bridge.cli

    for module in pkgutil.iter_modules(ar_bridge.cli.__path__, "ar_bridge.cli."):
        importlib.import_module(module.name)
    for name in ("run", "wiring", "waiving", "filing", "orders", "store.schema", "channels.smtp"):
        importlib.import_module(f"ar_bridge.{name}")
    for name in ("quickbooks.client", "xero.client", "table"):
        importlib.import_module(f"connectors.{name}")


class _AtCommit:
    """Kills this process at its nth commit: `before` it is made, or `after`."""

    def __init__(self, nth: int, when: str) -> None:
        self._left = nth
        self._when = when
        event.listen(Engine, "commit", self._commits)
        event.listen(Pool, "checkin", self._gives_back)

    def _commits(self, connection: Any) -> None:
        self._left -= 1
        if self._left == 0 and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def _gives_back(self, connection: Any, record: Any) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _live(order: dict[str, Any]) -> int:
    for number, name in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    if order["commit"]:
        _AtCommit(order["commit"], order["when"])
    code = main(order["arguments"], clock=SharedClock(Path(order["clock"])))
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def serve() -> None:
    """Until the orders end."""
    _warm()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            try:
                code = _live(json.loads(line))
            except BaseException:
                sys.excepthook(*sys.exc_info())
                code = 70
            os._exit(code)
        print(process, flush=True)
        ended = os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        killed = ended.si_code != os.CLD_EXITED
        print(-ended.si_status if killed else ended.si_status, flush=True)
        sys.stdin.readline()
        os.waitpid(process, 0)


if __name__ == "__main__":
    serve()
