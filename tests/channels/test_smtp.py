"""Mail over a real socket: what arrives, and which trouble is which error."""

import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ar_bridge.channels import (
    ChannelRefusedError,
    ChannelSetupError,
    ChannelTransientError,
    ChannelUnknownError,
    SmtpChannel,
    SmtpServer,
)
from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.clock import VirtualClock
from ar_bridge.messages import Attachment, LateSlots
from tests.channels.cases import NOW, SENDER, SLOTS, message, running


def test_a_mail_arrives_complete() -> None:
    with running() as (mailbox, channel):
        receipt = channel.send(message("ap@north.example", cc=("tom@north.example",)), SLOTS)
    (mail,) = mailbox.messages
    parsed = mail.parsed()
    assert receipt.accepted == mail.recipients == ("ap@north.example", "tom@north.example")
    assert receipt.at == NOW
    assert receipt.response.startswith("250")
    assert mail.sender == SENDER.address
    assert parsed["Message-ID"] == message().message_id == receipt.message_id
    assert parsed["From"] == "Harbour Lane Supplies <accounts@harbourlane.example>"
    assert parsed["Reply-To"] == "credit@harbourlane.example"
    assert parsed["Cc"] == "tom@north.example"
    assert parsed["Subject"] == "Invoice INV-7: £1,200.00 open"
    assert parsed["Date"].datetime == NOW
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert "OOF" in parsed["X-Auto-Response-Suppress"]
    assert "List-Unsubscribe" not in parsed
    text = parsed.get_body(("plain",))
    html = parsed.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "\n.a line that begins with a dot" in text.get_content()
    assert "Pay online: https://pay.example/1" in text.get_content()
    assert "href='https://pay.example/1'" in html.get_content()


def test_without_a_link_no_slot_is_left() -> None:
    file = Attachment(filename="INV-7.pdf", content_type="application/pdf", content=b"%PDF-1")
    with running() as (mailbox, channel):
        channel.send(message(), LateSlots(date=NOW, attachments=(file,)))
    (mail,) = mailbox.messages
    assert b"pay_link" not in mail.content
    (part,) = mail.parsed().iter_attachments()
    assert part.get_filename() == "INV-7.pdf"
    assert part.get_content() == b"%PDF-1"


def test_the_same_message_is_the_same_bytes() -> None:
    with running() as (mailbox, channel):
        channel.send(message(), SLOTS)
        channel.send(message(), SLOTS)
    assert mailbox.messages[0].content == mailbox.messages[1].content


def test_a_refused_recipient_is_a_refusal() -> None:
    with running() as (mailbox, channel):
        mailbox.faults.refuse["gone@north.example"] = "550 5.1.1 no such user"
        with pytest.raises(ChannelRefusedError, match=r"550 5\.1\.1 no such user") as refused:
            channel.send(message("gone@north.example", cc=("tom@north.example",)), SLOTS)
    assert refused.value.addresses == ("gone@north.example",)
    assert mailbox.messages == []


def test_one_refused_of_two_is_told_in_the_receipt() -> None:
    with running() as (mailbox, channel):
        mailbox.faults.refuse["gone@north.example"] = "550 5.1.1 no such user"
        receipt = channel.send(message("gone@north.example", "ap@north.example"), SLOTS)
    assert receipt.accepted == ("ap@north.example",)
    assert receipt.refused[0].address == "gone@north.example"
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("451 4.7.1 greylisted", ChannelTransientError),
        ("550 5.7.1 relaying denied", ChannelSetupError),
    ],
)
def test_a_recipient_put_off_or_relaying_denied(answer: str, error: type[Exception]) -> None:
    with running() as (mailbox, channel):
        mailbox.faults.refuse["ap@north.example"] = answer
        with pytest.raises(ChannelTransientError) as trouble:
            channel.send(message(), SLOTS)
    assert type(trouble.value) is error


@pytest.mark.parametrize(
    ("answer", "error"),
    [("451 try later", ChannelTransientError), ("554 5.6.0 not this", ChannelRefusedError)],
)
def test_an_answer_to_the_content_is_definitive(answer: str, error: type[Exception]) -> None:
    with running() as (mailbox, channel):
        mailbox.faults.answer_data = answer
        with pytest.raises(error):
            channel.send(message(), SLOTS)
        channel.send(message(), SLOTS)
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("kept", [True, False])
def test_silence_after_the_content_is_unknown(kept: bool) -> None:
    with running() as (mailbox, channel):
        mailbox.faults.drop_after_data = 1
        mailbox.faults.is_dropped_kept = kept
        with pytest.raises(ChannelUnknownError, match="may have been delivered"):
            channel.send(message(), SLOTS)
    assert len(mailbox.messages) == int(kept)


def test_nobody_listening_is_transient() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    server = SmtpServer(host="127.0.0.1", port=port, tls="none")
    with pytest.raises(ChannelTransientError, match="nothing was sent"):
        SmtpChannel(server, SENDER, VirtualClock(NOW)).send(message(), SLOTS)


@pytest.mark.parametrize("last", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_content_is_transient(last: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_hang_up_after, args=(listening, last), daemon=True).start()
        server = SmtpServer(
            host="127.0.0.1", port=listening.getsockname()[1], tls="none", timeout=10
        )
        with pytest.raises(ChannelTransientError, match="nothing was sent"):
            SmtpChannel(server, SENDER, VirtualClock(NOW)).send(message(), SLOTS)


def _hang_up_after(listening: socket.socket, last: str) -> None:
    connection, _ = listening.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 here\r\n")
        for line in lines:
            if line.upper().startswith((last.encode(), b"HELO")):
                return
            connection.sendall(b"250 fine\r\n")


def test_plain_connections_leave_this_machine_never() -> None:
    with pytest.raises(ValueError, match="would travel unencrypted"):
        SmtpServer(host="mail.example", tls="none")
    assert SmtpServer(host="::1", tls="none").tls == "none"


def test_a_server_without_starttls_is_a_matter_of_settings() -> None:
    with LocalMailbox() as mailbox:
        host, port = mailbox.address
        channel = SmtpChannel(SmtpServer(host=host, port=port), SENDER, VirtualClock(NOW))
        with pytest.raises(ChannelSetupError, match="offers no STARTTLS"):
            channel.send(message(), SLOTS)


def test_addresses_that_are_none() -> None:
    with running() as (mailbox, channel):
        with pytest.raises(ChannelRefusedError, match="no mail address"):
            channel.send(message("nobody"), SLOTS)
        with pytest.raises(ChannelRefusedError, match="no mail address"):
            channel.send(message("a@b.example\r\nBcc: x@y.example"), SLOTS)
        channel.send(message("ap@bücher.example"), SLOTS)
    assert [mail.recipients for mail in mailbox.messages] == [("ap@xn--bcher-kva.example",)]


def test_encrypted_and_logged_in(tmp_path: Path) -> None:
    served, trusted = _certificate(tmp_path)

    def check(server: object, session: object, envelope: object, kind: str, data: object) -> object:
        return AuthResult(success=getattr(data, "password", b"") == b"right", handled=False)

    with LocalMailbox(
        tls_context=served, require_starttls=True, authenticator=check, auth_required=True
    ) as mailbox:
        host, port = mailbox.address

        def channel(password: str, context: ssl.SSLContext | None) -> SmtpChannel:
            server = SmtpServer(host=host, port=port, username="u", password=password, timeout=10)
            return SmtpChannel(server, SENDER, VirtualClock(NOW), tls_context=context)

        with pytest.raises(ChannelSetupError, match="is not trusted"):
            channel("right", None).send(message(), SLOTS)
        with pytest.raises(ChannelSetupError, match="does not accept the user name") as refused:
            channel("wrong", trusted).send(message(), SLOTS)
        assert "wrong" not in str(refused.value)
        channel("right", trusted).send(message(), SLOTS)
    assert len(mailbox.messages) == 1


def _certificate(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = directory / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(path)
    trusted = ssl.create_default_context(
        cadata=certificate.public_bytes(serialization.Encoding.PEM).decode()
    )
    return served, trusted
