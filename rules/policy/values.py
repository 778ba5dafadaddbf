"""The words of the policy that are more than a number: durations, anchors, windows, schedules."""

import re
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

from rules.model.currency_codes import CURRENCIES
from rules.policy.reading import (
    Misread,
    Value,
    did_you_mean,
    exact_number,
    nearest,
    plain_decimal,
    shown,
    whole_number,
)

Unit: TypeAlias = Literal["h", "d", "bd", "m"]

UNIT_NAMES: Final[dict[str, str]] = {
    "h": "hours",
    "d": "days",
    "bd": "business days",
    "m": "months",
}

_DURATION = re.compile(r"(\d{1,5})\s*(h|d|bd|m)")
_WORDS: Final[dict[str, str]] = {
    "hour": "h",
    "hr": "h",
    "day": "d",
    "business day": "bd",
    "businessday": "bd",
    "working day": "bd",
    "workday": "bd",
    "month": "m",
    "mo": "m",
}


class Mode(StrEnum):
    """How far an action may go by itself, strictest first."""

    OBSERVE = "observe"
    DRAFT = "draft"
    APPROVE = "approve"
    AUTO = "auto"

    @property
    def strictness(self) -> int:
        """0 for auto, 3 for observe."""
        return _STRICTNESS[self]


_STRICTNESS: Final[dict[str, int]] = {"auto": 0, "approve": 1, "draft": 2, "observe": 3}


def strictest(*modes: str | None) -> Mode:
    """The strictest of the modes that are set; auto where none is: it adds no restriction."""
    found = [Mode(mode) for mode in modes if mode is not None]
    return max(found, key=lambda mode: mode.strictness, default=Mode.AUTO)


class Duration(Value, frozen=True):
    """A length of time such as 26h, 5d, 3bd (business days) or 1m (months)."""

    count: int
    unit: Unit

    @classmethod
    def parse(cls, value: object) -> "Duration":
        if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
            return cls(int(found[1]), found[2])  # type: ignore[arg-type]
        raise Misread(f"{shown(value)} is not a length of time", _duration_hint(value))

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def words(self) -> str:
        """`3 business days`, for people."""
        name = UNIT_NAMES[self.unit]
        return f"{self.count} {name[:-1] if self.count == 1 else name}"


def _duration_hint(value: object) -> str:
    general = "write a whole number and h, d, bd (business days) or m (months), such as 5d"
    if isinstance(value, int) and not isinstance(value, bool):
        return f'did you mean "{value}d"?' if value >= 0 else "it cannot be negative"
    if not isinstance(value, str):
        return general
    text = value.strip().casefold()
    if text.startswith("-"):
        return f'it cannot be negative; did you mean "{text.lstrip("- ")}"?'
    if text.isdigit():
        return f'did you mean "{text}d"?'
    if found := re.fullmatch(r"(\d{1,5})\s*(weeks?|w|wk)", text):
        return f'did you mean "{int(found[1]) * 7}d"?'
    if found := re.fullmatch(r"(\d{1,5})\s*([a-z ]+)", text):
        word = found[2].strip()
        unit = _WORDS.get(word.removesuffix("s")) or (word if word in UNIT_NAMES else "")
        if unit:
            return f'did you mean "{found[1]}{unit}"?'
    return general


Anchor: TypeAlias = Literal[
    "due",
    "issued",
    "paid",
    "returned",
    "promise",
    "previous",
    "deadline",
    "field",
    "month_end_due",
    "month_end_shifted",
]

ANCHORS: Final[tuple[str, ...]] = (
    "due",
    "issued",
    "paid",
    "returned",
    "promise",
    "previous",
    "deadline",
    "field",
    "month_end",
)

_AT = re.compile(r"([a-z_]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*(?:([+-])\s*(.+))?")
_INNER = re.compile(r"due\s*([+-])\s*(.+)")


class At(Value, frozen=True):
    """A trigger: an anchor date and an offset, such as `due + 3d` or `deadline(final-notice) + 1d`.

    `month_end_due` is the last day of the due date's month, then the offset;
    `month_end_shifted` is the last day of the month of (due date and offset).
    `arg` is the stage id of `deadline(...)` or the name of `field(...)`.
    """

    anchor: Anchor
    arg: str = ""
    offset: Duration | None = None
    sign: Literal[1, -1] = 1

    @classmethod
    def parse(cls, value: object) -> "At":
        example = 'write something like "due + 3d"'
        text = value.strip() if isinstance(value, str) else ""
        found = _AT.fullmatch(text)
        if not found:
            raise Misread(f"{shown(value)} is not a trigger date", example)
        name, arg, sign, offset = found[1], found[2] or "", found[3], found[4]
        if name not in ANCHORS:
            raise Misread(
                f'"{name}" is not a date that a stage can start from', did_you_mean(name, ANCHORS)
            )
        if name in ("deadline", "field") and not arg:
            inside = "a stage id" if name == "deadline" else "the name of a date field"
            raise Misread(f'"{name}" needs {inside} in brackets', f'write "{name}(...) + 1d"')
        if name == "month_end":
            return cls._month_end(value, arg, sign, offset)
        if arg and name not in ("deadline", "field"):
            raise Misread(f'"{name}" takes nothing in brackets', f'write "{name} + 3d"')
        return cls(name, arg, *_offset(sign, offset))  # type: ignore[arg-type]

    @classmethod
    def _month_end(cls, value: object, arg: str, sign: str | None, offset: str | None) -> "At":
        if arg == "due":
            return cls("month_end_due", "", *_offset(sign, offset))
        inner = _INNER.fullmatch(arg)
        if inner and offset is None:
            return cls("month_end_shifted", "", *_offset(inner[1], inner[2]))
        raise Misread(
            f"{shown(value)} is not a trigger date",
            'write "month_end(due) + 5d" or "month_end(due + 5d)"',
        )

    @property
    def word(self) -> str:
        return "month_end" if self.anchor.startswith("month_end") else self.anchor

    def __str__(self) -> str:
        shift = f" {'+' if self.sign > 0 else '-'} {self.offset}" if self.offset else ""
        if self.anchor == "month_end_due":
            return f"month_end(due){shift}"
        if self.anchor == "month_end_shifted":
            return f"month_end(due{shift})"
        return f"{self.anchor}({self.arg}){shift}" if self.arg else f"{self.anchor}{shift}"


def _offset(sign: str | None, text: str | None) -> tuple[Duration | None, Literal[1, -1]]:
    if text is None:
        return None, 1
    duration = Duration.parse(text)
    if duration.unit == "h":
        raise Misread(f"{text.strip()} is hours, but triggers are whole days", "use d, bd or m")
    return (duration if duration.count else None), (-1 if sign == "-" else 1)


class LocalWindow(Value, frozen=True):
    """Hours of the customer's day in which messages go out; the end itself is outside."""

    start: time
    end: time

    @classmethod
    def parse(cls, value: object) -> "LocalWindow":
        example = 'write it like "09:00-16:30"'
        found = (
            re.fullmatch(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", value.strip())
            if isinstance(value, str)
            else None
        )
        if not found:
            raise Misread(f"{shown(value)} is not a window of hours", example)
        try:
            start = time(int(found[1]), int(found[2]))
            end = time(int(found[3]), int(found[4]))
        except ValueError:
            raise Misread(f"{shown(value)} has an hour that no clock shows", example) from None
        if start >= end:
            raise Misread(
                f"{shown(value)} ends before it starts", f'did you mean "{cls(end, start)}"?'
            )
        return cls(start, end)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


class ClosedDays(Value, frozen=True):
    """Days on which the company is closed, both ends included."""

    first: date
    last: date

    @classmethod
    def parse(cls, value: object) -> "ClosedDays":
        if isinstance(value, date):
            return cls(value, value)
        text = value.strip() if isinstance(value, str) else ""
        first, dots, last = text.partition("..")
        try:
            start = date.fromisoformat(first.strip())
            end = date.fromisoformat(last.strip()) if dots else start
        except ValueError:
            raise Misread(
                f"{shown(value)} is not a day or a range of days",
                'write "2026-12-24..2027-01-01" or "2026-12-24"',
            ) from None
        if end < start:
            raise Misread(
                f"{shown(value)} ends before it starts", f'did you mean "{end}..{start}"?'
            )
        return cls(start, end)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"


class MoneyTable(Value, frozen=True):
    """An amount, either bare (in the company's base currency) or per currency; never converted."""

    bare: Decimal | None = None
    by_currency: tuple[tuple[str, Decimal], ...] = ()

    @classmethod
    def parse(cls, value: object) -> "MoneyTable":
        if not isinstance(value, dict):
            return cls(bare=_not_negative(exact_number(value), value))
        rows = []
        for code, amount in sorted(value.items()):
            if not re.fullmatch(r"[A-Z]{3}", code):
                raise Misread(
                    f'"{code}" is not a currency code', f"write {code.upper()[:3]}", (code,)
                )
            if code not in CURRENCIES:
                # The first two letters are the country: GBX is more like GBP than like UGX.
                same = (one for one in sorted(CURRENCIES) if one[:2] == code[:2])
                close = next(same, "") or nearest(code, sorted(CURRENCIES))
                raise Misread(
                    f'there is no currency "{code}"',
                    f'did you mean "{close}"?' if close else "write its code of ISO 4217",
                    (code,),
                )
            rows.append((code, _not_negative(exact_number(amount), amount)))
        if not rows:
            raise Misread("an empty table has no amount", 'write { GBP = "25.00" }')
        return cls(by_currency=tuple(rows))

    def of(self, currency: str, base_currency: str) -> Decimal | None:
        """The amount in major units for an invoice in `currency`; None where there is none."""
        for code, amount in self.by_currency:
            if code == currency:
                return amount
        return self.bare if currency == base_currency else None

    def plain(self) -> Any:
        if self.bare is not None:
            return plain_decimal(self.bare)
        return {code: plain_decimal(amount) for code, amount in self.by_currency}


def _not_negative(amount: Decimal, value: object) -> Decimal:
    if amount < 0:
        raise Misread(f"{shown(value)} is negative", f"did you mean {-amount}?")
    return amount


class Above(Value, frozen=True):
    """Consolidate only when a customer has more than `n` invoices to be reminded of."""

    n: int

    @classmethod
    def parse(cls, value: object) -> "Above":
        if isinstance(value, dict) and set(value) == {"above"}:
            n = whole_number(value["above"])
            if n < 1:
                raise Misread(f"above = {n} must be at least 1", path=("above",))
            return cls(n)
        raise Misread(f"{shown(value)} is not a way to consolidate", "write { above = 3 }")

    def plain(self) -> Any:
        return {"above": self.n}


class Repeat(Value, frozen=True):
    """Again and again: every so often, at most so many times in all."""

    every: Duration
    times: int

    @classmethod
    def parse(cls, value: object) -> "Repeat":
        example = 'write { every = "14d", times = 6 }'
        if not isinstance(value, dict):
            raise Misread(f"{shown(value)} is not a repetition", example)
        for key in value:
            if key not in ("every", "times"):
                raise Misread(f'unknown key "{key}"', did_you_mean(key, ("every", "times")), (key,))
        for key in ("every", "times"):
            if key not in value:
                raise Misread(f'a repetition needs "{key}"', example)
        every = Duration.parse(value["every"])
        times = whole_number(value["times"])
        if every.count < 1 or every.unit == "h":
            raise Misread(f"every {every} is not a rhythm in days", example, ("every",))
        if not 1 <= times <= 1000:
            raise Misread(f"times = {times} must be 1 to 1000", path=("times",))
        return cls(every, times)

    def plain(self) -> Any:
        return {"every": str(self.every), "times": self.times}
