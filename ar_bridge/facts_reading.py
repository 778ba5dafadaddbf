"""How the values of `customers.toml` are read, and where in the file a wrong one stands."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias, get_args
from zoneinfo import available_timezones

from rules.model.customer import EntityType
from rules.policy.reading import Misread, did_you_mean, exact_number, shown, whole_number

Path: TypeAlias = tuple[str, ...]
Reader: TypeAlias = Callable[[Any], Any]


class FactsReader:
    """Collects every problem of one file."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.problems: list[str] = []
        self._text = text
        self._places: dict[Path, int] | None = None

    def problem(self, path: Path, message: str, hint: str) -> None:
        """Note a problem with its place."""
        if self._places is None:
            self._places = _places(self._text)
        line = next(
            (self._places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._places),
            None,
        )
        place = f"{self.source}:{line}" if line is not None else self.source
        self.problems.append(f"{place}: {message}" + (f" ({hint})" if hint else ""))

    def known(self, entry: Mapping[str, Any], path: Path, keys: Iterable[str]) -> None:
        """Note every key that does not exist, with the nearest that does."""
        names = tuple(keys)
        for key in entry:
            if key not in names:
                self.problem((*path, key), f"there is no key {key}", did_you_mean(key, names))

    def table(self, data: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
        """A table at the top of the file, empty where it is missing or something else."""
        value = data.get(path[0], {})
        if isinstance(value, dict):
            return value
        self.problem(path, f"{path[0]} is no table", f"write [{path[0]}]")
        return {}

    def values(
        self, entry: Mapping[str, Any], path: Path, keys: Mapping[str, Reader]
    ) -> dict[str, Any]:
        """The values that can be read; the others are noted."""
        self.known(entry, path, keys)
        read: dict[str, Any] = {}
        for key, value in entry.items():
            if key not in keys:
                continue
            try:
                read[key] = keys[key](value)
            except Misread as wrong:
                self.problem((*path, key), f"{key}: {wrong.message}", wrong.hint)
        return read


def _places(text: str) -> dict[Path, int]:
    # The TOML reader of the standard library tells no lines. A header or a key is itself valid
    # TOML, so it is asked what each line names.
    places: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if bare.startswith("["):
            table = _named(bare)
            for depth in range(1, len(table) + 1):
                places.setdefault(table[:depth], number)
        elif "=" in bare:
            key = _named(bare.split("=", 1)[0] + "= 0")
            if key:
                places.setdefault((*table, *key), number)
    return places


def _named(toml: str) -> Path:
    try:
        value: Any = tomllib.loads(toml)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(value, dict) and len(value) == 1:
        name, value = next(iter(value.items()))
        path.append(name)
    return tuple(path)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Misread(f"{shown(value)} is no text", "write it in quotes")
    return value.strip()


def _one_of(*words: str) -> Reader:
    def read(value: Any) -> str:
        if value not in words:
            raise Misread(f"{shown(value)} is not possible", did_you_mean(value, words))
        return str(value)

    return read


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misread(f"{shown(value)} is neither true nor false", "write true or false")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Misread(f"{shown(value)} is no list", f"write [{shown(value)}]")
    return tuple(_text(one) for one in value)


def _timezone(value: Any) -> str:
    zone = _text(value)
    zones = available_timezones()
    if zone not in zones:
        raise Misread(f"{shown(value)} is no time zone", did_you_mean(zone, sorted(zones)))
    return zone


def _shaped(pattern: str, what: str, example: str) -> Reader:
    compiled = re.compile(pattern)

    def read(value: Any) -> str:
        text = _text(value)
        if not compiled.fullmatch(text):
            raise Misread(f"{shown(value)} is no {what}", f'write it like "{example}"')
        return text

    return read


def _not_negative(read: Callable[[object], Any]) -> Reader:
    def checked(value: Any) -> Any:
        number: Decimal | int = read(value)
        if number < 0:
            raise Misread(f"{shown(value)} is below zero", "")
        return number

    return checked


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Misread(f"{shown(value)} is no date", "write it like 2026-12-31") from None


def _table_of(keys: Mapping[str, Reader], needed: tuple[str, ...]) -> Reader:
    def checked(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Misread(f"{shown(value)} is no table", f"write {{ {needed[0]} = ... }}")
        for key in value:
            if key not in keys:
                raise Misread(f"there is no key {key}", did_you_mean(key, keys))
        for key in needed:
            if key not in value:
                raise Misread(f"{key} is missing", f"add {key} = ...")
        read: dict[str, Any] = {}
        for key, part in value.items():
            try:
                read[key] = keys[key](part)
            except Misread as wrong:
                raise Misread(f"{key}: {wrong.message}", wrong.hint) from None
        return read

    return checked


_email = _shaped(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+", "e-mail address", "ap@north.example")

_contact = _table_of({"name": _text, "email": _email, "phone": _text, "roles": _texts}, ())


def _contacts(value: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list):
        raise Misread("contacts is no list", 'write [{ email = "ap@north.example" }]')
    contacts: list[dict[str, Any]] = []
    for number, one in enumerate(value, start=1):
        try:
            contact = _contact(one)
        except Misread as wrong:
            raise Misread(f"contact {number}: {wrong.message}", wrong.hint) from None
        if not contact.get("email") and not contact.get("phone"):
            raise Misread(f"contact {number} has neither email nor phone", "add email = ...")
        contacts.append(contact)
    return tuple(contacts)


DEFAULT_KEYS: Final[Mapping[str, Reader]] = {
    "entity_type": _one_of(*get_args(EntityType)),
    "language": _shaped(r"[a-z]{2,3}([-_][A-Za-z0-9]+)*", "language", "de"),
    "timezone": _timezone,
    "region": _shaped(r"[A-Z]{2}(-[A-Z0-9]{1,4})?", "holiday region", "GB-ENG"),
    "country": _shaped(r"[A-Z]{2}", "country", "GB"),
}

CUSTOMER_KEYS: Final[Mapping[str, Reader]] = {
    **DEFAULT_KEYS,
    "contacts": _contacts,
    "address": _texts,
    "tags": _texts,
    "credit_limit": _not_negative(exact_number),
    "terms_days": _not_negative(whole_number),
    "parent": _text,
    "autopay": _truth,
    "exempt": _table_of({"reason": _text, "from": _date, "until": _date}, ("reason",)),
    "override": _table_of(
        {"mode": _one_of("observe", "draft", "approve"), "reason": _text, "until": _date},
        ("mode", "reason"),
    ),
}
