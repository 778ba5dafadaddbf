"""The boundaries of a process, and its end at one of them.

A boundary lies before and after each commit, each HTTP request (to the ledger, its token address
or the gateway), each piece that goes to the mail server and each of its answers, and each file
that takes its name. Nothing of the code under test knows of this: the libraries below it are
watched.
"""

import os
import resource
import signal
import smtplib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import httpx
from sqlalchemy.engine.default import DefaultDialect

from ar_bridge import audit_heads, handed_log


def die() -> None:
    """`kill -9` this process: nothing of it runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


def stall() -> None:
    """Stop until somebody says SIGCONT, as a machine does whose lid was closed."""
    os.kill(os.getpid(), signal.SIGSTOP)


def fill_the_disk() -> None:
    """No file of this process takes another byte: what a full disk says, it says too."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))


At: TypeAlias = Callable[[int, str], None]
"""What happens at a boundary, given its number, from 1, and its label."""


def only_at(nth: int, happens: Callable[[], None] = die) -> At:
    """Something happens at one boundary; 0: at none."""

    def at(number: int, _label: str) -> None:
        if number == nth:
            happens()

    return at


class Boundaries:
    """Counts the boundaries of this process, and lets something happen at them."""

    def __init__(self, at: At | None = None) -> None:
        self.seen: list[str] = []
        self._at = at

    def step(self, label: str) -> None:
        """A boundary is reached."""
        self.seen.append(label)
        if self._at is not None:
            self._at(len(self.seen), label)

    def rest(self) -> None:
        """From now on nothing happens any more."""
        self._at = None

    def around(self, owner: object, method: str, name: Callable[..., str]) -> None:
        """Put a boundary before a method of a class, or a function of a module, and one after."""
        real = getattr(owner, method)

        def watched(*args: Any, **more: Any) -> Any:
            label = name(*args)
            self.step(f"before {label}")
            answer = real(*args, **more)
            self.step(f"after {label}")
            return answer

        setattr(owner, method, watched)


def watch(boundaries: Boundaries) -> None:
    """Watch this process from now on. It is a worker's, and ends with it."""
    around = boundaries.around
    around(DefaultDialect, "do_commit", lambda *_: "commit")
    around(httpx.HTTPTransport, "handle_request", _request)
    around(smtplib.SMTP, "send", _spoken)
    around(smtplib.SMTP, "getreply", lambda *_: "mail: answer")
    around(Path, "replace", lambda path, *_: f"file {path.suffix}")
    for module in (handed_log, audit_heads):
        around(module, "add_line", lambda file, *_: f"file {file.name}, a line")


def _request(_transport: Any, request: httpx.Request) -> str:
    path = request.url.path
    if "token" in path:
        return "refresh of tokens"
    if path == "/messages":
        return "message to the gateway"
    is_read = request.method == "GET" or path.endswith("/query")
    return f"{'read' if is_read else 'write'} {request.method} {_kind(path)}"


def _kind(path: str) -> str:
    """The last word of a path that is no id."""
    words = [part for part in path.split("/") if part.isalpha()]
    return words[-1] if words else path


def _spoken(_connection: Any, content: Any) -> str:
    text = content.encode() if isinstance(content, str) else bytes(content)
    verb = text[:4].decode("ascii", "replace").strip().upper()
    known = verb in ("EHLO", "HELO", "MAIL", "RCPT", "DATA", "QUIT", "RSET")
    return f"mail: {verb if known else 'content'}"
