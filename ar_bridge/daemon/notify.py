"""Telling the service manager how it goes (sd_notify(3)): a datagram to the socket it named."""

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Says nothing where nobody listens."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        self._address = given.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]

    def say(self, *states: str) -> None:
        """`READY=1`, `STATUS=...`, `WATCHDOG=1`, `RELOADING=1`, `STOPPING=1`."""
        if not self._address:
            return
        message = "\n".join(state.replace("\n", " ") for state in states)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.connect(self._address)
                to.sendall(message.encode())
        except OSError:
            """Nobody is there: work goes on."""
