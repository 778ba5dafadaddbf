"""The web application: nothing but what is named here is served."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ar_bridge.store import schema
from ar_bridge.store.engine import Store
from ar_bridge.web.webhooks import Receiver
from connectors.port import Clock

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


def web_app(
    store: Store,
    clock: Clock,
    *,
    webhook_keys: Mapping[str, str],
    health: Callable[[], tuple[int, dict[str, Any]]] | None = None,
    metrics: Callable[[], bytes] | None = None,
) -> Starlette:
    """Everything that is served. `webhook_keys`: ledger to the key that signs its webhooks; a
    vendor without a key is answered with 401. `health`: status and body of /healthz, where more
    is known than whether the database answers; `metrics`: what /metrics answers."""
    receiver = Receiver(store, clock, webhook_keys)

    async def numbers(request: Request) -> Response:
        assert metrics is not None
        return Response(await run_in_threadpool(metrics), media_type=PROMETHEUS)

    routes = [
        _healthz(health or (lambda: _looked(store))),
        Route("/webhooks/{ledger}", receiver.receive, methods=["POST"]),
    ]
    if metrics is not None:
        routes.append(Route("/metrics", numbers, methods=["GET"]))
    return Starlette(routes=routes)


def health_app(health: Callable[[], tuple[int, dict[str, Any]]]) -> Starlette:
    """Nothing but /healthz, for a process that still waits for its database."""
    return Starlette(routes=[_healthz(health)])


def _healthz(health: Callable[[], tuple[int, dict[str, Any]]]) -> Route:
    async def answer(request: Request) -> Response:
        status, body = await run_in_threadpool(health)
        return JSONResponse(body, status_code=status)

    return Route("/healthz", answer, methods=["GET"])


def _looked(store: Store) -> tuple[int, dict[str, Any]]:
    try:
        with store.read() as conn:
            schema.revision(conn)
    except Exception:
        return 503, {"status": "failing"}
    return 200, {"status": "ok"}
