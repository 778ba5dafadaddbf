"""The web application: nothing but what is named here is served."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ar_bridge.store import schema
from ar_bridge.store.engine import Store
from ar_bridge.web.webhooks import Receiver
from connectors.port import Clock


def web_app(store: Store, clock: Clock, *, webhook_keys: Mapping[str, str]) -> Starlette:
    """Everything that is served. `webhook_keys`: ledger to the key that signs its webhooks; a
    vendor without a key is answered with 401."""
    receiver = Receiver(store, clock, webhook_keys)

    async def healthz(request: Request) -> Response:
        try:
            await run_in_threadpool(_look, store)
        except Exception:
            return JSONResponse({"status": "failing"}, status_code=503)
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route("/webhooks/{ledger}", receiver.receive, methods=["POST"]),
        ]
    )


def _look(store: Store) -> None:
    with store.read() as conn:
        schema.revision(conn)
