"""Faults on demand: what goes wrong between a company and its accounting system, by name.

A count may start later: `drop-after-commit=2@5` drops the answers of two writes, from the fifth
write on.
"""

import difflib
import threading
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import msgspec

from connectors.sandbox.faultnames import FAULTS, Fault, ValueKind

__all__ = ["FAULTS", "FaultOrder", "FaultOrderError", "FaultPlan", "parse_faults"]

_BY_NAME: Final = {fault.name: fault for fault in FAULTS}


class FaultOrderError(ValueError):
    """A fault was ordered that the sandbox does not have, or with a value that makes no sense."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class FaultOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One fault with its value: `count` after letting `skip` chances pass, `on` or `seconds`."""

    name: str
    count: int = 0
    skip: int = 0
    on: date | None = None
    seconds: float = 0.0


def parse_faults(orders: Iterable[str]) -> tuple[FaultOrder, ...]:
    """Read `NAME=VALUE` texts; a count of 1 may be left out.

    Raises FaultOrderError with every problem at once.
    """
    parsed: list[FaultOrder] = []
    problems: list[str] = []
    for order in orders:
        name, _, value = order.partition("=")
        fault = _BY_NAME.get(name.strip())
        if fault is None:
            near = difflib.get_close_matches(name.strip(), _BY_NAME, n=1)
            hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(_BY_NAME)
            problems.append(f"{order!r}: there is no fault named {name.strip()!r} ({hint})")
            continue
        try:
            parsed.append(_ordered(fault, value.strip()))
        except ValueError:
            problems.append(f"{order!r}: {_EXPECTED[fault.value].format(name=fault.name)}")
    if problems:
        raise FaultOrderError(problems)
    return tuple(parsed)


_EXPECTED: Final[dict[ValueKind, str]] = {
    "count": "a number is expected, such as {name}=1, or {name}=1@3 to begin with the third",
    "date": "a date is expected, such as {name}=2026-03-31",
    "seconds": "a number of seconds is expected, such as {name}=2.5",
}


def _ordered(fault: Fault, value: str) -> FaultOrder:
    if fault.value == "date":
        return FaultOrder(name=fault.name, on=date.fromisoformat(value))
    if fault.value == "seconds":
        seconds = float(value)
        if not 0 <= seconds < 86_400:
            raise ValueError(value)
        return FaultOrder(name=fault.name, seconds=seconds)
    count, _, first = (value or "1").partition("@")
    skip = int(first) - 1 if first else 0
    if int(count) < 1 or skip < 0:
        raise ValueError(value)
    return FaultOrder(name=fault.name, count=int(count), skip=skip)


class FaultPlan:
    """The faults that are still to happen. Safe to use from several threads."""

    def __init__(self, orders: Iterable[FaultOrder] = ()) -> None:
        self._guard = threading.Lock()
        self._left: dict[str, int] = {}
        self._skip: dict[str, int] = {}
        self._rows: dict[str, set[str]] = {}
        self.fired: dict[str, int] = {}
        self.closed_through: date | None = None
        self.slow_seconds = 0.0
        for order in orders:
            self.order(order)

    def order(self, order: FaultOrder) -> None:
        """One more fault."""
        if order.on is not None:
            self.closed_through = order.on
        elif order.seconds or order.name == "slow":
            self.slow_seconds = order.seconds
        else:
            with self._guard:
                self._left[order.name] = self._left.get(order.name, 0) + order.count
                self._skip[order.name] = order.skip

    def lift(self, name: str) -> None:
        """What is left of a counted fault happens no more, and rows that it struck are well."""
        with self._guard:
            self._left.pop(name, None)
            self._rows.pop(name, None)

    def strikes(self, name: str) -> bool:
        """A chance for this fault; True uses one up."""
        with self._guard:
            if self._left.get(name, 0) <= 0:
                return False
            if self._skip.get(name, 0) > 0:
                self._skip[name] -= 1
                return False
            self._left[name] -= 1
            self.fired[name] = self.fired.get(name, 0) + 1
            return True

    def strikes_row(self, name: str, row: str) -> bool:
        """Like `strikes`, for a row: once struck, a row stays so."""
        struck = self._rows.get(name)
        if struck is not None and row in struck:
            return True
        if not self.strikes(name):
            return False
        self._rows.setdefault(name, set()).add(row)
        return True

    def is_ordered(self, *names: str) -> bool:
        """Any of these may strike, or has struck a row that stays so."""
        return any(self._left.get(name, 0) > 0 or name in self._rows for name in names)

    def snapshot(self) -> dict[str, Any]:
        """How often each fault has struck."""
        return dict(self.fired)
