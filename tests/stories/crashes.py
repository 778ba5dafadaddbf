"""Ends of a process at a chosen point: around a write to the ledger, each of its requests, a
mail, or a commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import httpx
from sqlalchemy import Connection

from ar_bridge.store.engine import Store

Where: TypeAlias = Literal["ledger", "wire", "mail", "commit"]
When: TypeAlias = Literal["before", "after"]


class Crash(BaseException):
    """The process ends here: nothing may catch this and go on."""


class Rope:
    """Counts what passes and breaks at the nth; once broken, nothing passes any more."""

    def __init__(self, where: Where, nth: int, when: When) -> None:
        self.where = where
        self.nth = nth
        self.when = when
        self.passed = 0
        self.is_broken = False

    def step(self, where: Where, when: When) -> None:
        """A point is reached."""
        if self.is_broken:
            raise Crash
        if where != self.where:
            return
        if when == "before":
            self.passed += 1
        if self.passed == self.nth and when == self.when:
            self.is_broken = True
            raise Crash


class OnRope:
    """A connector or channel of which the methods that send are watched."""

    def __init__(self, real: Any, methods: tuple[str, ...], rope: Rope, where: Where) -> None:
        self._real = real
        self._methods = methods
        self._rope = rope
        self._where = where

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in self._methods:
            return found

        def watched(*args: Any) -> Any:
            self._rope.step(self._where, "before")
            answer = found(*args)
            self._rope.step(self._where, "after")
            return answer

        return watched


class WireOnRope(httpx.BaseTransport):
    """The way to the ledger, of which each request that writes is watched."""

    def __init__(self, real: httpx.BaseTransport, rope: Rope) -> None:
        self._real = real
        self._rope = rope

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_read = request.method == "GET" or request.url.path.endswith("/query")
        if is_read or "token" in request.url.path:
            return self._real.handle_request(request)
        self._rope.step("wire", "before")
        answer = self._real.handle_request(request)
        self._rope.step("wire", "after")
        return answer


class StoreOnRope:
    """A store of which each commit is watched: before it, everything is rolled back."""

    def __init__(self, real: Store, rope: Rope) -> None:
        self._real = real
        self._rope = rope

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._real.write() as conn:
            yield conn
            self._rope.step("commit", "before")
        self._rope.step("commit", "after")
