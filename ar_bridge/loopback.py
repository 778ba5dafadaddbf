"""The address on this machine to which the vendor sends the browser after consent."""

import http.server
import threading
from typing import Final
from urllib.parse import parse_qs, urlsplit

from ar_bridge.errors import SetupError
from connectors.oauth2 import is_same_state
from connectors.redaction import keep_secret

CONSENT_SECONDS: Final = 300
"""How long the callback waits for a person."""

_DONE: Final = "ar-bridge has what it needs. You can close this window."
_DECLINED: Final = "Access was not granted. Go back to ar-bridge to see what to do."
_FOREIGN: Final = (
    "This is not the answer that ar-bridge is waiting for. Open the address that it shows, agree "
    "there, and you will be sent back here."
)


def expected_state(consent_address: str) -> str:
    """The state that the answer to a consent address has to carry."""
    return parse_qs(urlsplit(consent_address).query).get("state", [""])[0]


def wait_on_loopback(redirect_uri: str, *, state: str, seconds: float = CONSENT_SECONDS) -> str:
    """Serve the redirect address and return what the browser was sent to.

    Only an answer of this attempt counts, and only the first: a page that somebody opens, a
    browser that loads ahead, an icon that it asks for or an answer of an earlier attempt are told
    so and change nothing. Raises SetupError when the address is no loopback address, when its
    port is taken, or when nobody comes.
    """
    parts = urlsplit(redirect_uri)
    if parts.hostname not in ("localhost", "127.0.0.1", "::1") or parts.scheme != "http":
        raise SetupError(
            f"{redirect_uri} is not on this machine",
            remedy="connect with --paste and paste the address that the browser ends up at",
        )
    arrived: list[str] = []
    done = threading.Event()
    one_at_a_time = threading.Lock()

    class Callback(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = parse_qs(asked.query)
            keep_secret(*query.get("code", ()))
            if asked.path != parts.path:
                self.say(404, _FOREIGN)
            elif "prefetch" in self.headers.get("Sec-Purpose", self.headers.get("Purpose", "")):
                # The browser comes again when the person does.
                self.say(503, _FOREIGN)
            elif not is_same_state(query.get("state", [""])[0], state) or not (
                "error" in query or "code" in query
            ):
                self.say(400, _FOREIGN)
            else:
                with one_at_a_time:
                    if not arrived:
                        arrived.append(self.path)
                self.say(200, _DECLINED if "error" in query else _DONE)
                done.set()

        def do_HEAD(self) -> None:
            """Somebody looks whether the page is there: nobody has agreed by that."""
            self.say(405, "")

        def say(self, status: int, words: str) -> None:
            page = f"{words}\n".encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """The address holds the code: it goes into no log."""

    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", parts.port or 80), Callback)
    except OSError as error:
        raise SetupError(
            f"port {parts.port} cannot be used ({error.strerror})",
            remedy="close what uses it, or connect with --paste",
        ) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        if not done.wait(seconds):
            raise SetupError(
                f"nobody came back from the consent page within {seconds / 60:.0f} minutes",
                remedy="run the command again, or with --paste",
            )
    finally:
        server.shutdown()
        server.server_close()
    return arrived[0]
