"""Serving the web application on one address until a signal ends it."""

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from ar_bridge.errors import SetupError

_STOPS_WITHIN = 5
"""Seconds that requests under way may take when the server is told to end."""


def listening(host: str, port: int, *, keys: tuple[str, str] | None = None) -> socket.socket:
    """The socket to serve on; port 0 takes a free one. Raises SetupError where it is taken; its
    remedy names the options of the command, or `keys` of the settings."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    wanted = socket.socket(family, socket.SOCK_STREAM)
    try:
        wanted.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wanted.bind((host, port))
    except OSError as error:
        wanted.close()
        raise SetupError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}",
            remedy=f"choose another: {keys[0]} and {keys[1]} in [daemon]"
            if keys is not None
            else "choose another with --host and --port",
        ) from error
    return wanted


def _server(app: Starlette) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=_STOPS_WITHIN,
        )
    )


def serve(app: Starlette, on: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, which is its proper end."""
    server = _server(app)

    def end(*_: object) -> None:
        server.should_exit = True

    # The server hands a signal on to whoever listened before it: nobody did, and the process
    # would die of it after having ended well.
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[on])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def serving(app: Starlette, on: socket.socket) -> Iterator[str]:
    """Serve from a thread of its own while the block runs; gives the address."""
    server = _server(app)
    thread = threading.Thread(target=server.run, args=([on],), name="web", daemon=True)
    on.listen()  # connections wait until the server takes them
    thread.start()
    host, port = on.getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()
        on.close()
