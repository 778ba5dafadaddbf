"""HTTP as values: what a client asked and what it gets, whatever carries it."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Header names are lower case; `path` is decoded and without the query."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes = b""
    read_timeout: float | None = None
    """Seconds that an in-process client is willing to wait."""

    def param(self, name: str, default: str = "") -> str:
        """First value of a query parameter."""
        for key, value in self.query:
            if key == name:
                return value
        return default

    def header(self, name: str, default: str = "") -> str:
        return self.headers.get(name.lower(), default)

    def json(self) -> Any:
        """The body as JSON with exact decimals. Raises ValueError."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except UnicodeDecodeError as trouble:
            raise ValueError(str(trouble)) from trouble

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One answer."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    is_cut: bool = False
    """The connection ends when half of the body is sent."""

    def with_headers(self, headers: Mapping[str, str]) -> "Response":
        """The same answer with more headers."""
        return msgspec.structs.replace(self, headers={**self.headers, **headers})


class ConnectionDropped(Exception):
    """The connection ends without an answer. `before_request`: it was never accepted."""

    def __init__(self, *, before_request: bool = False) -> None:
        super().__init__("the sandbox dropped the connection")
        self.before_request = before_request


Handler: TypeAlias = Callable[[Request], Response]

_encoder = msgspec.json.Encoder(decimal_format="number")


def encoded(value: Any) -> bytes:
    """JSON with decimals as numbers."""
    return _encoder.encode(value)


def json_response(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer. Header names are given with underscores."""
    return Response(
        status=status,
        headers={
            "Content-Type": "application/json;charset=UTF-8",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        },
        body=encoded(value),
    )


def text_response(text: str, status: int = 200, content_type: str = "text/plain") -> Response:
    return Response(
        status=status,
        headers={"Content-Type": f"{content_type};charset=UTF-8"},
        body=text.encode(),
    )


def split_target(target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Path and query parameters of a request target such as `/a/b?x=1`."""
    path, _, query = target.partition("?")
    return unquote(path), tuple(parse_qsl(query, keep_blank_values=True))
