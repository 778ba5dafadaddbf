"""A mail server on this machine that delivers nowhere: for the demo, rehearsals and tests."""

import logging
import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import Envelope, Session

# It would write down every line of every mail, attachments included.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class ReceivedMail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    def parsed(self) -> EmailMessage:
        """Headers and parts."""
        return message_from_bytes(self.content, policy=SMTP)

    @property
    def message_id(self) -> str:
        """The Message-ID header."""
        return str(self.parsed()["Message-ID"])

    @property
    def subject(self) -> str:
        """The Subject header, decoded."""
        return str(self.parsed()["Subject"])


class MailFaults(msgspec.Struct, kw_only=True):
    """What goes wrong, on demand. Changed while the mailbox runs."""

    refuse: dict[str, str] = {}
    """Address to the answer it gets, such as "550 5.1.1 no such user"."""
    answer_data: str = ""
    """Answer to the content of the next message, such as "451 try later"; used once."""
    drop_after_data: int = 0
    """So many messages are taken and then answered by silence."""
    is_dropped_kept: bool = True
    """Whether such a message was delivered all the same."""


class LocalMailbox:
    """Collects mail on a free loopback port. `directory` keeps a copy of each as .eml."""

    def __init__(self, directory: Path | None = None, **server: Any) -> None:
        self.messages: list[ReceivedMail] = []
        self.faults = MailFaults()
        self._directory = directory
        self._server = server
        self._controller: _OnFreePort | None = None

    def start(self, port: int = 0) -> tuple[str, int]:
        """Listen; returns host and port. Raises OSError where a given port is taken."""
        self._controller = _OnFreePort(self, port, **self._server)
        self._controller.start()
        return self._controller.hostname, self._controller.port

    def stop(self) -> None:
        """Stop listening; what arrived stays in `messages`."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> "LocalMailbox":
        if self._controller is None:
            self.start()
        return self

    def __exit__(self, *trouble: object) -> None:
        self.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port while it runs."""
        if self._controller is None:
            raise RuntimeError("the mailbox is not running: call start() first")
        return self._controller.hostname, self._controller.port

    def keep(self, mail: ReceivedMail) -> None:
        """Take one mail in."""
        self.messages.append(mail)
        if self._directory is not None:
            self._directory.mkdir(parents=True, exist_ok=True)
            (self._directory / f"{len(self.messages):05}.eml").write_bytes(mail.content)

    # called by the server ---------------------------------------------------------------------

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self.faults.refuse.get(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        answer, self.faults.answer_data = self.faults.answer_data, ""
        if answer and not answer.startswith("2"):
            return answer
        is_dropped = self.faults.drop_after_data > 0
        if not is_dropped or self.faults.is_dropped_kept:
            content = envelope.content
            assert isinstance(content, bytes)
            self.keep(
                ReceivedMail(
                    sender=envelope.mail_from or "",
                    recipients=tuple(envelope.rcpt_tos),
                    content=content,
                )
            )
        if is_dropped:
            self.faults.drop_after_data -= 1
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]
        return answer or "250 OK"


class _OnFreePort(Controller):
    """Binds before it starts, so that the port is known and nobody else can take it."""

    def __init__(self, handler: LocalMailbox, port: int, **server: Any) -> None:
        # Named as TCP, because asyncio switches off its delays (TCP_NODELAY) only then.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        # Its own name is given, because asking the machine for it may hang.
        super().__init__(
            handler,
            hostname="127.0.0.1",
            port=self._socket.getsockname()[1],
            server_hostname="localhost",
            **server,
        )

    def _create_server(self) -> Any:
        return self.loop.create_server(
            self._factory_invoker, sock=self._socket, ssl=self.ssl_context
        )
