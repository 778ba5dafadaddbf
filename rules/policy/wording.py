"""Turns what the schema found wrong into sentences for the person who wrote the file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic_core import ErrorDetails

from rules.policy.reading import Misread, Misreads, PathPart, did_you_mean, nearest, shown
from rules.policy.schema import Policy
from rules.policy.section import Section

_AT_LEAST: Final = {"greater_than_equal": ("ge", "at least"), "greater_than": ("gt", "more than")}
_AT_MOST: Final = {"less_than_equal": ("le", "at most"), "less_than": ("lt", "less than")}


def section_class(path: Sequence[PathPart]) -> type[Section] | None:
    """The section that a path leads to, or None where it leads to something else."""
    current: type[Section] | None = Policy
    for part in path:
        if isinstance(part, int):
            continue
        if current is None:
            return None
        field = key_fields(current).get(part)
        current = _section_in(field.annotation) if field is not None else None
    return current


def key_fields(section: type[Section]) -> dict[str, Any]:
    """The keys of a section as they are written in the file."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for inner in get_args(annotation):
        if found := _section_in(inner):
            return found
    return None


def misreads(errors: Sequence[ErrorDetails]) -> Iterator[Misread]:
    """Every mistake once, with the path from the top of the file."""
    places = [tuple(error["loc"]) for error in errors]
    unknown = [
        place
        for error, place in zip(errors, places, strict=True)
        if error["type"] == "extra_forbidden"
    ]
    for error, place in zip(errors, places, strict=True):
        # "Too short" is an echo where an element of the list was refused.
        if error["type"] == "too_short" and any(
            other != place and other[: len(place)] == place for other in places
        ):
            continue
        if error["type"] == "missing" and _is_misspelt(place, unknown):
            continue  # said where it is misspelt
        cause = error.get("ctx", {}).get("error")
        if isinstance(cause, Misreads):
            for each in cause.each:
                yield Misread(each.message, each.hint, (*place, *each.path))
        elif isinstance(cause, Misread):
            yield Misread(_named(place, cause.message), cause.hint, (*place, *cause.path))
        else:
            message, hint = _worded(error, place)
            yield Misread(message, hint, place)


def _is_misspelt(place: tuple[PathPart, ...], unknown: Sequence[tuple[PathPart, ...]]) -> bool:
    return any(
        other[:-1] == place[:-1] and nearest(other[-1], (str(place[-1]),)) for other in unknown
    )


def _name(place: Sequence[PathPart]) -> str:
    return next((str(part) for part in reversed(place) if isinstance(part, str)), "the file")


def _named(place: Sequence[PathPart], message: str) -> str:
    return f"{_name(place)}: {message}"


def _worded(error: ErrorDetails, place: tuple[PathPart, ...]) -> tuple[str, str]:
    kind, value = error["type"], error["input"]
    context: Mapping[str, Any] = error.get("ctx", {})
    name = _name(place)
    if kind == "extra_forbidden":
        return _unknown_key(place)
    if kind == "missing":
        return f'{_what(place[:-1])} needs "{place[-1]}"', ""
    if kind in ("literal_error", "enum"):
        expected = re.findall(r"'([^']*)'|(\d+)", str(context.get("expected", "")))
        return (
            f"{name} cannot be {shown(value)}",
            did_you_mean(value, [quoted or number for quoted, number in expected]),
        )
    if kind == "string_pattern_mismatch":
        return _email(value) if name == "email" else _pattern(name, value)
    for words, sides in ((_AT_LEAST, "greater"), (_AT_MOST, "less")):
        if kind in words and kind.startswith(sides):
            bound, text = words[kind]
            return f"{name} = {shown(value)} must be {text} {context.get(bound)}", ""
    if kind == "bool_type":
        return f"{name} is yes or no, not {shown(value)}", "write true or false"
    if kind in ("tuple_type", "list_type"):
        return _not_a_list(name, value)
    if kind == "dict_type":
        return f"{name} holds {shown(value)}, which is not a table", "write { ... }"
    if kind == "string_type":
        return f"{name} is text, not {shown(value)}", f'write "{value}" in quotes'
    if kind in ("model_type", "model_attributes_type"):
        hint = f"write [{name}] with single brackets" if isinstance(value, list) else ""
        return f"{name} is a table, not {shown(value)}", hint or f"write [{name}] and keys below it"
    if kind == "too_short":
        return f"{name} is empty", "name at least one"
    if kind == "string_too_short":
        return f"{name} is empty", "write a text"
    if kind == "string_too_long":
        return f"{name} is longer than {context.get('max_length')} characters", ""
    return f"{name}: {error['msg']}", ""


_ROWS: Final = {
    "actions": "an expected action",
    "bands": "a band",
    "rates": "a rate",
    "scale": "a slice of the scale",
    "skips": "an expected skip",
    "tiers": "a step of tiers",
}
"""What one row of a list is called, where the name of the list does not say it."""


def _what(place: Sequence[PathPart]) -> str:
    name = _name(place)
    # Only a row has an article: `a stage`, but `cap` and `deposit` there is one of.
    is_row = bool(place) and isinstance(place[-1], int)
    return _ROWS.get(name, f"a {name}") if is_row else name


def _unknown_key(place: tuple[PathPart, ...]) -> tuple[str, str]:
    parent = section_class(place[:-1])
    known = key_fields(parent) if parent is not None else {}
    where = f" in {_what(place[:-1])}" if len(place) > 1 else ""
    name = str(place[-1])
    hint = did_you_mean(name, known)
    if not nearest(name, known) and (elsewhere := _elsewhere(name)):
        hint = elsewhere
    return f'unknown key "{name}"{where}', hint


def _elsewhere(name: str) -> str:
    """A key that another part of the file has: it was probably written under the wrong header."""
    homes: dict[str, str] = {}
    for part, field in key_fields(Policy).items():
        if part == "test":
            continue  # what a test has, such as `holidays` and `events`, nobody means elsewhere
        inner = _section_in(field.annotation)
        for key in key_fields(inner) if inner is not None else ():
            homes.setdefault(
                key, f"[[{part}]]" if "tuple" in str(field.annotation) else f"[{part}]"
            )
    close = nearest(name, homes)
    return f'did you mean "{close}"? it belongs to {homes[close]}' if close else ""


def _email(value: object) -> tuple[str, str]:
    return f"email: {shown(value)} is not an address to write to", 'write it like "sam@example.com"'


def _pattern(name: str, value: object) -> tuple[str, str]:
    if name == "region":
        return (
            f"{shown(value)} is not a holiday region",
            "write a country or a country and a part of it, such as GB-ENG",
        )
    plain = re.sub(r"[^a-z0-9_-]+", "-", str(value).casefold()).strip("-_")[:40]
    return (
        f"{shown(value)} cannot be the {name} of anything: at most 40 small letters, digits, "
        "hyphens and underscores",
        f'did you mean "{plain}"?' if plain else 'write it like "first-reminder"',
    )


def _not_a_list(name: str, value: object) -> tuple[str, str]:
    if isinstance(value, dict):
        return f"{name} can stand several times", f"write [[{name}]] with double brackets"
    return f"{name} is a list, not {shown(value)}", f"write [{shown(value)}]"
