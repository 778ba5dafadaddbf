"""Mail by SMTP, with one precise boundary: before or after the content was handed over.

Until the first byte of content leaves, any failure means that nothing was handed over. From
then on only the server's own answer tells; an answer that never comes leaves it unknown.
"""

import ipaddress
import re
import smtplib
import ssl
from typing import Literal, TypeAlias

import msgspec

from ar_bridge.channels.errors import (
    ChannelError,
    ChannelRefusedError,
    ChannelSetupError,
    ChannelTransientError,
    ChannelUnknownError,
)
from ar_bridge.channels.mime import MailFrom, mime, wire_address
from ar_bridge.channels.port import ChannelReceipt, Refusal
from ar_bridge.messages.late import LateSlots
from connectors.port import Clock
from rules.actions.effects import SendMessage

TlsMode: TypeAlias = Literal["starttls", "tls", "none"]


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail is handed over. Raises ValueError where it would travel in the open."""

    host: str
    port: int = 587
    tls: TlsMode = "starttls"
    """`none` only for a server on this machine."""
    username: str = ""
    password: str = ""
    timeout: float = 30.0
    """Seconds to wait for each answer."""

    def __post_init__(self) -> None:
        if self.tls == "none" and not is_loopback(self.host):
            raise ValueError(
                f"mail to {self.host} would travel unencrypted: set tls to starttls or tls"
            )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, judged by its name alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class SmtpChannel:
    """Sends through one mail server, one connection per message."""

    name = "email"
    is_repeatable = False

    def __init__(
        self,
        server: SmtpServer,
        sender: MailFrom,
        clock: Clock,
        *,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._tls_context = tls_context

    def check(self) -> None:
        """Sign in and leave again. Raises ChannelTransientError where that is not possible."""
        try:
            _quit(self._connect())
        except (OSError, smtplib.SMTPException) as trouble:
            raise self._unreachable(trouble) from trouble

    def send(self, message: SendMessage, slots: LateSlots) -> ChannelReceipt:
        """Hand over once; see `Channel.send`. Some recipients refused, others not: the receipt
        says which. All of `to` refused: nothing is handed over to those in copy either."""
        content = mime(message, slots, self._sender).as_bytes()
        try:
            connection = self._connect()
            try:
                accepted, refused = self._envelope(connection, message)
            except BaseException:
                connection.close()
                raise
        except (OSError, smtplib.SMTPException) as trouble:
            raise self._unreachable(trouble) from trouble
        response = self._content(connection, content)
        return ChannelReceipt(
            channel=self.name,
            message_id=message.message_id,
            at=self._clock.now(),
            accepted=accepted,
            refused=refused,
            response=response,
        )

    def close(self) -> None:
        """Nothing is kept open."""

    # before the content ---------------------------------------------------------------------

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        # The name in EHLO: the sender's domain, because asking the machine for its own may hang.
        own_name = self._sender.address.rpartition("@")[2] or "localhost"
        context = None if server.tls == "none" else self._trust()
        connection: smtplib.SMTP
        if server.tls == "tls":
            connection = smtplib.SMTP_SSL(
                server.host, server.port, own_name, timeout=server.timeout, context=context
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, own_name, timeout=server.timeout)
        try:
            connection.ehlo_or_helo_if_needed()
            if server.tls == "starttls":
                if not connection.has_extn("starttls"):
                    raise ChannelSetupError(
                        f"{server.host} offers no STARTTLS on port {server.port}: "
                        'use security = "tls" and port 465, or another server'
                    )
                connection.starttls(context=context)
                connection.ehlo()
            if server.username:
                connection.login(server.username, server.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _trust(self) -> ssl.SSLContext:
        """The machine's certificates, read once: that alone takes as long as a message."""
        if self._tls_context is None:
            self._tls_context = ssl.create_default_context()
        return self._tls_context

    def _envelope(
        self, connection: smtplib.SMTP, message: SendMessage
    ) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
        code, answer = connection.mail(wire_address(self._sender.address))
        if code != 250:
            raise _verdict(code, answer, f"sender {self._sender.address}", is_ours=True)
        accepted: list[str] = []
        refused: list[tuple[str, int, bytes]] = []
        for address in dict.fromkeys((*message.to, *message.cc)):
            code, answer = connection.rcpt(wire_address(address))
            if code in (250, 251):
                accepted.append(address)
            else:
                refused.append((address, code, answer))
        if not any(address in accepted for address in message.to):
            # One that is only deferred may still be reached: the gentlest verdict decides.
            address, code, answer = min(
                (each for each in refused if each[0] in message.to), key=lambda each: each[1]
            )
            raise _verdict(code, answer, f"recipient {address}", addresses=message.to)
        for copy in self._sender.bcc:
            # A copy for ourselves that is refused is no reason to keep the customer waiting.
            connection.rcpt(wire_address(copy))
        code, answer = connection.docmd("DATA")
        if code != 354:
            raise _verdict(code, answer, "message")
        return tuple(accepted), tuple(
            Refusal(address, _answered(code, answer)) for address, code, answer in refused
        )

    def _unreachable(self, trouble: Exception) -> ChannelTransientError:
        where = f"{self._server.host}:{self._server.port}"
        if isinstance(trouble, smtplib.SMTPAuthenticationError):
            if 400 <= trouble.smtp_code < 500:
                return ChannelTransientError(f"{where} cannot log us in at the moment")
            return ChannelSetupError(
                f"{where} does not accept the user name and password for mail: "
                f"{_answered(trouble.smtp_code, trouble.smtp_error)}"
            )
        if isinstance(trouble, ssl.SSLCertVerificationError):
            return ChannelSetupError(
                f"the certificate of {where} is not trusted: {trouble.verify_message}"
            )
        if isinstance(trouble, ssl.SSLError) and trouble.reason == "WRONG_VERSION_NUMBER":
            return ChannelSetupError(
                f'{where} does not begin with TLS: it may want security = "starttls" and port 587'
            )
        if isinstance(trouble, smtplib.SMTPNotSupportedError):
            return ChannelSetupError(f"{where}: {trouble}")
        return ChannelTransientError(
            f"mail server {where} could not be used, nothing was sent: {trouble}"
        )

    # the content ----------------------------------------------------------------------------

    def _content(self, connection: smtplib.SMTP, content: bytes) -> str:
        try:
            connection.send(_stuffed(content))
            code, answer = connection.getreply()
        except (OSError, smtplib.SMTPException) as trouble:
            connection.close()
            raise ChannelUnknownError(
                f"{self._server.host} took the message and then went silent ({trouble}): "
                "it may have been delivered"
            ) from trouble
        _quit(connection)
        if code != 250:
            raise _verdict(code, answer, "message")
        return _answered(code, answer)


def _stuffed(content: bytes) -> bytes:
    """Content as RFC 5321, section 4.5.2, wants it: lines end in CRLF, a leading dot doubled,
    and the final dot, in one piece."""
    lines = re.sub(rb"\r\n|\n|\r(?!\n)", b"\r\n", content)
    stuffed = re.sub(rb"(?m)^\.", b"..", lines)
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _answered(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(text.split())}"


def _verdict(
    code: int,
    answer: bytes,
    what: str,
    *,
    is_ours: bool = False,
    addresses: tuple[str, ...] = (),
) -> ChannelError:
    said = _answered(code, answer)
    if not 500 <= code < 600:
        return ChannelTransientError(f"the mail server put the {what} off: {said}")
    # 5.7.x is about what we may send, not about the customer (RFC 3463, section 3.8).
    if is_ours or re.match(rb"5\.7\.\d", answer):
        return ChannelSetupError(f"the mail server does not let us send ({what}): {said}")
    return ChannelRefusedError(f"the mail server refused the {what}: {said}", addresses=addresses)


def _quit(connection: smtplib.SMTP) -> None:
    # After an answer, politeness must not change the outcome.
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()
