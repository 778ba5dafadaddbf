"""An IMAP server of its own, over TCP, for as long as the tests of a file run."""

import contextlib
import imaplib
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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
    with _serving("--no-tls") as port:
        yield Mailboxes(port)


class Certificate:
    """Of a server called localhost, signed by itself."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = SystemClock().now()
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .sign(key, hashes.SHA256())
        )
        self.file, self.key = folder / "cert.pem", folder / "key.pem"
        self.file.write_bytes(made.public_bytes(Encoding.PEM))
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def trusted(self) -> ssl.SSLContext:
        """By somebody who knows it."""
        return ssl.create_default_context(cafile=str(self.file))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def starttls_port(certificate: Certificate) -> Iterator[int]:
    """Where the same server is that lets nobody in before STARTTLS."""
    with _serving("--cert", str(certificate.file), "--key", str(certificate.key)) as port:
        yield port


@pytest.fixture(scope="session")
def tls_port(mailboxes: Mailboxes, certificate: Certificate) -> Iterator[int]:
    """The server behind somebody who speaks TLS from the first byte."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                contextlib.suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as outer,
                socket.create_connection(("127.0.0.1", mailboxes.port)) as inner,
            ):
                threading.Thread(target=_copy, args=(inner, outer), daemon=True).start()
                _copy(outer, inner)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65_536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def _serving(*options: str) -> Iterator[int]:
    program = Path(sys.executable).with_name("pymap")
    if not program.is_file():
        pytest.skip("no IMAP server is installed (pymap, of the test extra)")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    user = ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
    server = subprocess.Popen(
        [str(program), "--host", "127.0.0.1", "--port", str(port), *options, *user],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(server, port)
        yield port
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
