"""What outlives everybody: the ledger, the mail server and the gateway, in a process of their own.

Beside what they speak with `ar-bridge`, the world answers two questions of the laboratory:
`GET /lab/facts` what is there, once everything that was on its way has arrived, and
`POST /lab/fault` one more fault from now on. `POST /lab/copy` makes a second world of the same
content, with a time of its own.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ar_bridge.channels.local_mailbox import LocalMailbox
from connectors.sandbox.http import ConnectionDropped, Request, Response, json_response
from connectors.sandbox.server import SandboxServer
from connectors.sandbox.service import Addresses, Sandbox
from tests.crashlab.clock import SharedClock


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a world is reached."""

    pid: int
    clock: SharedClock
    mail: tuple[str, int]
    gateway: str
    addresses: Addresses

    def facts(self) -> Counter[str]:
        """What is in the ledger, the mailbox and at the gateway, each thing by what tells it
        from every other one, with how often it is there."""
        return Counter(self._asked("/lab/facts"))

    def order(self, fault: str) -> None:
        """One more fault of the sandbox, or `mail-...` of the mail server."""
        self._asked("/lab/fault", fault.encode())

    def calls(self) -> dict[str, int]:
        """How often the ledger was asked, by kind."""
        return dict(self._asked("/lab/calls"))

    def copied(self, time: Path) -> "Place":
        """A second world that holds what this one does now, on the time that lies in a file.
        Nobody may be speaking with this one meanwhile."""
        return _place(self._asked("/lab/copy", str(time).encode()), self.clock)

    def end(self) -> float:
        """The end of this world; returns the processor seconds that it took."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _asked(self, path: str, data: bytes | None = None) -> Any:
        base = self.gateway.removesuffix("/messages")
        with urllib.request.urlopen(base + path, data=data, timeout=60) as answer:
            return json.load(answer)


def begin(sandbox: Sandbox, clock: SharedClock) -> Place:
    """Fork a world that holds the ledger as it stands here."""
    return _place(_forked(lambda: Gateway(sandbox, LocalMailbox(), clock)), clock)


def _place(told: dict[str, Any], clock: SharedClock) -> Place:
    return Place(
        pid=told["pid"],
        clock=clock,
        mail=(told["host"], told["port"]),
        gateway=told["gateway"],
        addresses=msgspec.convert(told["addresses"], Addresses),
    )


def _forked(gateway: Callable[[], "Gateway"]) -> dict[str, Any]:
    """Where a world is found that has just been forked off."""
    reading, writing = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            # Copies that end leave nothing behind here.
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            told = gateway().opened()
            os.write(writing, json.dumps({"pid": os.getpid(), **told}).encode() + b"\n")
            # It outlives everybody but the laboratory.
            while os.getppid() == parent:
                threading.Event().wait(2)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found: dict[str, Any] = json.loads(pipe.readline())
    return found


class Gateway:
    """Takes messages, keeps every one of them, and tells what there is."""

    def __init__(self, sandbox: Sandbox, mailbox: LocalMailbox, clock: SharedClock) -> None:
        self._sandbox = sandbox
        self._mailbox = mailbox
        self._clock = clock
        self._taken: list[dict[str, Any]] = []
        self._silent = 0

    def opened(self) -> dict[str, Any]:
        """Open ledger, mail server and gateway; where they are."""
        running = self._sandbox.serve()
        host, port = self._mailbox.start()
        own = SandboxServer(self.handle)
        return {
            "host": host,
            "port": port,
            "gateway": f"{own.base_url}/messages",
            "addresses": {name: getattr(running, name) for name in Addresses.__struct_fields__},
        }

    def _copied(self, time: str) -> dict[str, Any]:
        def other() -> Gateway:
            self._clock.share(Path(time))
            mailbox = LocalMailbox()
            mailbox.messages, mailbox.faults = self._mailbox.messages, self._mailbox.faults
            made = Gateway(self._sandbox, mailbox, self._clock)
            made._taken, made._silent = self._taken, self._silent
            return made

        return _forked(other)

    def handle(self, request: Request) -> Response:
        if request.path == "/messages":
            self._taken.append(request.json())
            if self._silent:
                self._silent -= 1
                raise ConnectionDropped
            return Response(status=202)
        if request.path == "/lab/fault":
            self._order(request.body.decode())
            return json_response({})
        if request.path == "/lab/copy":
            return json_response(self._copied(request.body.decode()))
        if request.path == "/lab/calls":
            return json_response(msgspec.structs.asdict(self._sandbox.stats()))
        self._quiet()
        return json_response(dict(self._facts()))

    def _order(self, fault: str) -> None:
        name, _, value = fault.partition("=")
        if name == "mail-silent":
            self._mailbox.faults.drop_after_data = int(value)
        elif name == "mail-puts-off":
            self._mailbox.faults.answer_data = value
        elif name == "gateway-silent":
            self._silent = int(value)
        else:
            self._sandbox.order(fault)

    def _quiet(self) -> None:
        """Return when no mail is on its way any more: a process that is dead may have sent all
        of its bytes."""
        controller = self._mailbox._controller
        assert controller is not None

        async def sessions() -> None:
            own = asyncio.current_task()
            while any(task is not own for task in asyncio.all_tasks()):
                await asyncio.sleep(0.001)

        asyncio.run_coroutine_threadsafe(sessions(), controller.loop).result(60)

    def _facts(self) -> Counter[str]:
        records, ledger = self._sandbox.records(), self._sandbox.ledger
        found: Counter[str] = Counter()
        for note in records.notes:
            if note.text:
                found[f"note {sorted(note.targets)} {note.text}"] += 1
        for fee in records.fees:
            # A void document has no amount any more: it is told by what became of it.
            state = "void" if fee.status in ("void", "deleted") else f"of {fee.amount}"
            found[f"fee {fee.number} {fee.currency} {fee.customer} {fee.tag} {state}"] += 1
        for row in ledger.credits.values():
            if row.by == "client" and row.status == "live":
                used = sorted((one.invoice, one.amount) for one in row.allocations)
                found[f"credit {row.number} of {row.total} for {used}"] += 1
        for mail in records.mails:
            found[f"the ledger's mail of {mail.invoice} to {mail.to}"] += 1
        for group in records.groups:
            for member in group.members:
                found[f"{member} in group {group.name}"] += 1
        for invoice, files in ledger.files.items():
            for name, file in files.items():
                digest = hashlib.sha256(file.content).hexdigest()[:12]
                found[f"file {name} {digest} on {invoice}"] += 1
        if uploads := sum(not note.text for note in records.notes):
            found["records of files"] = uploads
        for invoice, document in ledger.invoices.items():
            if said := document.extra.get("ExpectedPaymentDate"):
                found[f"{invoice} expected {said}"] += 1
        for letter in self._mailbox.messages:
            found[f"mail {letter.message_id} to {sorted(letter.recipients)}"] += 1
        for post in self._taken:
            found[f"message {post['id']} by {post['channel']} to {post['to']}"] += 1
        return found
