"""A company whose daemon is a real process, in the machine's own time."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.clock import SystemClock
from tests.cli.newcomer import LedgerName, Newcomer, Person, book_of, customer, invoice

PATIENCE = 180.0
"""Seconds after which a test gives up on something that is bound to happen."""

_real = SystemClock()


def today() -> date:
    """The day on which the test is run: processes have no other."""
    return _real.now().astimezone(UTC).date()


CROWD = 30
"""Customers with one late invoice each, besides those of every newcomer: more than are written
to at once."""


def many(day: date) -> list[dict[str, Any]]:
    """The book of a newcomer, and a crowd."""
    names = [f"Crowd{number}" for number in range(CROWD)]
    late = [invoice(f"C-{name}", name, day - timedelta(days=5), "10.00") for name in names]
    return [*book_of(day), *map(customer, names), *late]


class Living(Newcomer):
    """A newcomer whose ledger and program live in the machine's own time."""

    def __init__(
        self,
        home: Path,
        capture: pytest.CaptureFixture[str],
        ledger: LedgerName,
        mailbox: LocalMailbox,
    ) -> None:
        super().__init__(home, capture, ledger, mailbox, events=many(today()), clock=_real)
        self.clock: Any = _real

    def connect(self, book: str = "elm") -> Any:
        ended = self("connect", book, "--paste", stdin=Person(self))
        assert ended.code == 0, ended.err
        return ended

    def daemon_section(self, **keys: object) -> str:
        given = {"port": free_port(), "tick": "5s", "log": "json", **keys}
        lines = "".join(
            f"{key} = {value}\n" if isinstance(value, int) else f'{key} = "{value}"\n'
            for key, value in given.items()
        )
        return f"\n[daemon]\n{lines}"

    def start(self, *arguments: str, **environment: str) -> "Daemon":
        """`ar-bridge daemon` as a process of its own."""
        return Daemon(self, arguments, environment)


class Daemon:
    """A running daemon."""

    def __init__(self, place: Living, arguments: tuple[str, ...], extra: dict[str, str]) -> None:
        count = len(list(place.home.parent.glob("daemon*.err")))
        self._log = place.home.parent / f"daemon{count}.err"
        self._file = self._log.open("wb")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AR_BRIDGE_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ar_bridge", "--home", str(place.home), "daemon", *arguments],
            stdout=self._file,
            stderr=self._file,
            env={**environment, **extra},
            cwd=Path(__file__).resolve().parents[2],
        )

    @property
    def said(self) -> str:
        """Everything that it said so far."""
        return self._log.read_text(errors="replace")

    def until(self, text: str) -> str:
        """Wait until it has said something."""
        for _ in patiently():
            if text in self.said:
                return self.said
            assert self.process.poll() is None, self.said
        raise AssertionError(f"it never said {text!r}: {self.said}")

    def wait(self) -> int:
        """The exit code."""
        code = self.process.wait(PATIENCE)
        self._file.close()
        return code

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """SIGTERM, and how it ends then."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    import socket

    with contextlib.closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def patiently() -> Iterator[int]:
    """Look again and again, a moment apart."""
    began = _real.monotonic()
    count = 0
    while _real.monotonic() - began < PATIENCE:
        yield count
        _real.sleep(0.05)
        count += 1


def asked(address: str) -> httpx.Response:
    """What is answered; tries until somebody listens."""
    for _ in patiently():
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(address, timeout=10)
    raise AssertionError(f"nobody answers at {address}")
