"""How a value of the policy file is read: errors that say what was probably meant, exact numbers.

Every reader raises `Misread` (or `Misreads` for several at once); the loader adds file and line.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import core_schema

PathPart: TypeAlias = str | int


class Misread(ValueError):
    """A value that cannot be read: what is wrong, and what was probably meant."""

    def __init__(self, message: str, hint: str = "", path: Sequence[PathPart] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = tuple(path)
        """Where, below the value that was being read."""


class Misreads(ValueError):
    """Several misread places inside one value."""

    def __init__(self, each: Iterable[Misread]) -> None:
        self.each = tuple(each)
        super().__init__("; ".join(one.message for one in self.each))


def nearest(word: object, known: Iterable[str]) -> str:
    """The known word that was probably meant, or an empty string."""
    if not isinstance(word, str):
        return ""
    by_folded = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else ""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A hint: the nearest known word, or the words there are."""
    words = tuple(known)
    close = nearest(word, words)
    if close:
        return f'did you mean "{close}"?'
    return "possible: " + ", ".join(words) if words else ""


def shown(value: object) -> str:
    """A value as it stands in the file, near enough to be found there."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return str(value)


def exact_number(value: object) -> Decimal:
    """A number, quoted or not, as an exact decimal. Raises Misread."""
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    elif isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            plain = re.sub(r"[ '%€£$]", "", value)
            # A single comma before one or two last digits is how much of Europe writes a point,
            # and then points part the thousands: 5.000,00.
            european = re.fullmatch(r"(\d{1,3}(?:\.\d{3})+|\d+),(\d{1,2})", plain)
            if european:
                plain = f"{european[1].replace('.', '')}.{european[2]}"
            plain = plain.replace(",", "")
            try:
                hint = f"write {Decimal(plain)}"
            except InvalidOperation:
                hint = "write digits with a point, such as 12.50"
            raise Misread(f"{shown(value)} is not a number", hint) from None
    else:
        raise Misread(f"{shown(value)} is not a number", "write digits, such as 12.50")
    if not number.is_finite():
        raise Misread(f"{shown(value)} is not a number", "write digits, such as 12.50")
    return number


def whole_number(value: object) -> int:
    """A whole number, quoted or not. Raises Misread."""
    try:
        number = exact_number(value)
    except Misread as trouble:
        # "90d" where days are counted: the digits are what was meant.
        digits = re.fullmatch(r"\s*(\d+)\s*[a-z ]*", value) if isinstance(value, str) else None
        hint = f"write {digits[1]}" if digits else "write a whole number, such as 3"
        raise Misread(trouble.message, hint) from None
    if number != number.to_integral_value():
        raise Misread(f"{shown(value)} is not a whole number", f"write {round(number)}")
    return int(number)


def plain_decimal(value: Decimal) -> str:
    """One spelling for equal numbers, so that 5 and 5.00 are the same policy."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


Exact: TypeAlias = Annotated[
    Decimal,
    BeforeValidator(exact_number),
    PlainSerializer(plain_decimal, return_type=str, when_used="json"),
]
"""An exact decimal."""


def plain_day(value: object) -> date:
    """A date, as TOML knows it or in quotes. Raises Misread."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        with suppress(ValueError):
            return date.fromisoformat(value.strip())
    raise Misread(f"{shown(value)} is not a date", "write it like 2026-01-31")


Day: TypeAlias = Annotated[date, BeforeValidator(plain_day)]
"""A date."""

Count: TypeAlias = Annotated[int, BeforeValidator(whole_number)]
"""A whole number."""

_V = TypeVar("_V", bound="Value")


class Value(msgspec.Struct, frozen=True):
    """A small value written as text or as an inline table, read once and never changed."""

    @classmethod
    def parse(cls: type[_V], value: object) -> _V:
        """Read it as it stands in the file. Raises Misread."""
        raise NotImplementedError

    @property
    def word(self) -> str:
        """The word that decides what it means, for telling what is available."""
        return ""

    def plain(self) -> Any:
        """The canonical way to write it, in JSON terms; `parse(plain())` gives it back."""
        return str(self)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        def read(value: object) -> Any:
            return value if isinstance(value, cls) else cls.parse(value)

        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.plain(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"description": (cls.__doc__ or "").strip().splitlines()[0]}
