"""Serving the web application on one address until a signal ends it."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial

import uvicorn
from starlette.applications import Starlette

from ar_bridge.errors import SetupError

_STOPS_WITHIN = 5
"""Seconds that requests under way may take when the server is told to end."""

_LOOKS_EVERY = 1.0


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


class _QuietServer(uvicorn.Server):
    """Looks around once a second instead of ten times, and at once when it is told to end."""

    _wakes: Callable[[], object] | None = None

    async def main_loop(self) -> None:
        """Until it is told to end."""
        told = asyncio.Event()
        self._wakes = partial(asyncio.get_running_loop().call_soon_threadsafe, told.set)
        # The first of ten looks keeps the date of the answers right.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), _LOOKS_EVERY)

    def end(self) -> None:
        """From any thread, or from a signal."""
        self.should_exit = True
        if self._wakes is not None:
            self._wakes()


def _server(app: Starlette) -> _QuietServer:
    return _QuietServer(
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


class Ending:
    """SIGTERM and SIGINT as the proper end of a server, from before it listens until it is gone.

    The server itself hands a signal on to whoever listened before it: without this nobody did,
    and the process would die of it after having ended well.
    """

    def __init__(self) -> None:
        self._server: _QuietServer | None = None
        self._is_told = False

    def __enter__(self) -> "Ending":
        numbers = (signal.SIGTERM, signal.SIGINT)
        self._before = {number: signal.signal(number, self._told) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def serve(self, app: Starlette, on: socket.socket) -> None:
        """Serve until a signal says to end; returns at once where one has."""
        self._server = _server(app)
        if not self._is_told:
            self._server.run(sockets=[on])

    def _told(self, *_: object) -> None:
        self._is_told = True
        if self._server is not None:
            self._server.end()


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
        server.end()
        thread.join()
        on.close()
