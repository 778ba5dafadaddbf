"""Where a process ends: at one of the calls that it makes, or at one of its mails."""

import threading
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ar_bridge.channels.local_mailbox import LocalMailbox, ReceivedMail
from connectors.sandbox.http import ConnectionDropped, Handler, Request, Response
from connectors.sandbox.server import SandboxServer
from connectors.sandbox.service import Running, Sandbox
from tests.soak.processes import Process

Kind: TypeAlias = Literal["read", "write", "token", "mail"]
When: TypeAlias = Literal["before", "after", "soon"]
ANY: tuple[Kind, ...] = ("read", "write", "token", "mail")


@dataclass(frozen=True)
class End:
    """The nth of some kinds of steps: `before` the other side acts on it, `after` that and before
    its answer, or so many seconds after the answer, `soon`."""

    nth: int
    when: When
    among: tuple[Kind, ...] = ANY
    seconds: float = 0.0


class Trap:
    """Sees every step of the processes, and kills the one that it is set for."""

    def __init__(self) -> None:
        self.seen: list[tuple[Kind, str]] = []
        """Every step that the other side acted on, with its path or Message-ID."""
        self._guard = threading.Lock()
        self._process: Process | None = None
        self._end: End | None = None
        self._left = 0

    def set(self, process: Process, end: End) -> None:
        """Wait for this process. Its steps until now do not count."""
        with self._guard:
            self._process, self._end, self._left = process, end, end.nth

    def clear(self) -> None:
        with self._guard:
            self._process = self._end = None

    def count(self, *kinds: Kind) -> int:
        with self._guard:
            return sum(kind in kinds for kind, _ in self.seen)

    def step(self, kind: Kind, name: str, act: Any) -> Any:
        """One step, of which the other side's part is `act`. Raises ConnectionDropped."""
        process, end = self._caught(kind)
        if process is not None and end is not None and end.when == "before":
            process.kill()
            raise ConnectionDropped
        answer = act()
        with self._guard:
            self.seen.append((kind, name))
        if process is not None and end is not None:
            if end.when == "after":
                process.kill()
                raise ConnectionDropped
            threading.Timer(end.seconds, process.kill).start()
        return answer

    def _caught(self, kind: Kind) -> tuple[Process | None, End | None]:
        with self._guard:
            if self._end is None or kind not in self._end.among:
                return None, None
            self._left -= 1
            if self._left:
                return None, None
            caught = self._process, self._end
            self._process = self._end = None
            return caught

    # where the steps come by ----------------------------------------------------------------------

    def around(self, sandbox: Sandbox) -> Running:
        """Serve a sandbox of which every call is a step."""
        server = SandboxServer(self._watched(sandbox, sandbox.handle))
        found = sandbox.addresses(server.base_url)
        addresses = {name: getattr(found, name) for name in found.__struct_fields__}
        return Running(base_url=server.base_url, server=server, **addresses)

    def _watched(self, sandbox: Sandbox, handler: Handler) -> Handler:
        def handle(request: Request) -> Response:
            kind: Kind = "read"
            if request.path == sandbox.oauth.terms.token_path:
                kind = "token"
            elif sandbox.face.is_write(request):
                kind = "write"
            answer: Response = self.step(kind, request.path, lambda: handler(request))
            return answer

        return handle


class WatchedMailbox(LocalMailbox):
    """A mail server of which every mail is a step."""

    def __init__(self, trap: Trap) -> None:
        super().__init__()
        self._trap = trap

    def keep(self, mail: ReceivedMail) -> None:
        def take() -> None:
            LocalMailbox.keep(self, mail)

        self._trap.step("mail", mail.message_id, take)
