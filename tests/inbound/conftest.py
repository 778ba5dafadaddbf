"""An IMAP server of its own, over TCP, for as long as the tests of a file run."""

import imaplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ar_bridge.clock import SystemClock

USER, PASSWORD = "accounts", "secret"
PATIENCE = 30.0


class Mailboxes:
    """A running server; every test has a folder of its own."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connection(self) -> imaplib.IMAP4:
        found = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        found.login(USER, PASSWORD)
        return found

    def put(self, folder: str, *mails: bytes) -> None:
        """Mails arrive in a folder, which is made where it is not there."""
        with self.connection() as connection:
            connection.create(folder)
            for mail in mails:
                answer, said = connection.append(folder, None, None, mail)
                assert answer == "OK", said

    def flags(self, folder: str) -> list[bytes]:
        """Flags of each mail that lies in a folder."""
        with self.connection() as connection:
            connection.select(folder, readonly=True)
            _, data = connection.uid("FETCH", "1:*", "(FLAGS)")
        return [one for one in data if isinstance(one, bytes)]


@pytest.fixture(scope="session")
def mailboxes() -> Iterator[Mailboxes]:
    program = Path(sys.executable).with_name("pymap")
    if not program.is_file():
        pytest.skip("no IMAP server is installed (pymap, of the test extra)")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-tls"]
    user = ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
    server = subprocess.Popen(
        [str(program), *options, *user], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(server, port)
        yield Mailboxes(port)
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    clock = SystemClock()
    until = clock.monotonic() + PATIENCE
    while clock.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            clock.sleep(0.05)
        else:
            return
    raise AssertionError("the IMAP server did not start")
