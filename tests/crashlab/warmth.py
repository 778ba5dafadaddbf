"""What makes a fork cheap: everything that a process would do first is done before it is born."""

import gc
from typing import Any

import httpx
import httpx._transports.default as transports
from sqlalchemy import Engine

import ar_bridge.store.engine as store_engine

_first: dict[str, Engine] = {}
"""Of each kind of database, the engine that was made first."""


def keep_warm() -> None:
    """From now on engines of one kind share what SQLAlchemy has compiled, and clients one TLS
    context: in the laboratory there is no TLS."""
    real = store_engine._engine

    def engine(address: Any) -> Engine:
        made = real(address)
        first = _first.setdefault(made.name, made)
        made.dialect, made._compiled_cache = first.dialect, first._compiled_cache
        return made

    store_engine._engine = engine
    context = transports.create_ssl_context()
    transports.create_ssl_context = lambda *_, **__: context
    httpx.HTTPTransport().close()
    httpx.Client().close()
    gc.disable()
    # Counting what is frozen means walking through all of it, in every process anew.
    gc.get_freeze_count = lambda: 1
