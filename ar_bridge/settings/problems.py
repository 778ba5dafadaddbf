"""What is wrong in the settings, each problem with its place and what was probably meant."""

import os
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from ar_bridge.settings.schema import BookSettings, Settings
from ar_bridge.settings.section import Problems

_KINDS = {
    "missing": "missing",
    "extra_forbidden": "there is no such key",
    "string_type": "should be text in quotes",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "tuple_type": 'should be a list, such as ["..."]',
    "model_type": "should be a section with keys",
    "dict_type": "should be a section with keys",
}


def problems_of(error: ValidationError, file: Path, text: str, books: Sequence[str]) -> list[str]:
    """One line for each thing that is wrong, all at once, without repeating a secret.

    `books` are the keys of the books in the order of the file.
    """
    return [line for detail in error.errors() for line in _lines(detail, file, text, books)]


def unknown_variables(environment: Sequence[str]) -> list[str]:
    """Environment variables that look like settings and are none."""
    found = []
    for variable in sorted(environment):
        section = variable.removeprefix("AR_BRIDGE_").partition("__")[0].lower()
        is_setting = variable.startswith("AR_BRIDGE_") and "__" in variable
        if is_setting and section not in Settings.model_fields:
            found.append(
                f"environment {variable}: there is no section `{section}`"
                + _meant(section, Settings.model_fields)
            )
    return found


def _lines(detail: ErrorDetails, file: Path, text: str, books: Sequence[str]) -> Iterator[str]:
    path = tuple(part for part in detail["loc"] if part != "[key]")
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Problems):
        for key, sentence in cause.found:
            yield f"{_place((*path, key), file, text, books)}: {sentence}"
        return
    yield f"{_place(path, file, text, books)}: {_sentence(detail, path)}"


def _sentence(detail: ErrorDetails, path: tuple[int | str, ...]) -> str:
    kind = detail["type"]
    value = detail["input"]
    if kind == "literal_error":
        expected = detail["ctx"]["expected"]
        names = re.findall(r"'([^']*)'", expected)
        return f"{_shown(value)} is not one of {expected}{_meant(str(value), names)}"
    if kind == "value_error":
        return f"{_shown(value)}: {detail['ctx']['error']}"
    sentence = _KINDS.get(kind) or detail["msg"][0].lower() + detail["msg"][1:]
    if kind == "extra_forbidden":
        sentence += _meant(str(path[-1]), _keys(_model_at(path[:-1])))
    return sentence


def _shown(value: Any) -> str:
    """The value, unless it is too long to help; passwords in addresses stay hidden."""
    if isinstance(value, SecretStr) or not isinstance(value, str | int | float | Path):
        return "the value"
    shown = re.sub(r"(://[^/\s:@]*:)[^@\s/]+@", r"\1***@", str(value))
    return f'"{shown}"' if len(shown) <= 120 else "the value"


def _meant(word: str, known: Any) -> str:
    close = get_close_matches(word.lower(), list(known), n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _keys(model: type[BaseModel] | None) -> list[str]:
    fields = model.model_fields.items() if model is not None else ()
    return [field.alias or name for name, field in fields]


def _model_at(path: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The class that describes the section at `path`."""
    model: type[BaseModel] | None = Settings
    steps = list(path)
    while steps and model is not None:
        step = str(steps.pop(0))
        if model is Settings and step == "book":
            model = BookSettings
            steps = steps[1:]
            continue
        field = next((f for name, f in model.model_fields.items() if step in (name, f.alias)), None)
        if field is not None and steps and isinstance(steps[0], int):
            steps = steps[1:]
        model = _section_in(field.annotation) if field is not None else None
    return model


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _section_in(part)
        if found is not None:
            return found
    return None


def _place(path: tuple[int | str, ...], file: Path, text: str, books: Sequence[str]) -> str:
    """Where it stands: the variable that set it, or the file, its line and the key."""
    variable = "AR_BRIDGE_" + "__".join(str(part).upper() for part in path)
    if variable in os.environ:
        return f"environment {variable}"
    section, key = _named(path)
    line = line_of(text, path, books)
    where = f"{file.name}:{line}" if line else file.name
    return f"{where}: {section} {key}".rstrip()


def _named(path: tuple[int | str, ...]) -> tuple[str, str]:
    parts = [str(part) for part in path]
    if parts[:1] == ["book"]:
        return f"[[book]] {parts[1]}" if len(parts) > 1 else "[[book]]", ".".join(parts[2:])
    if len(parts) > 1:
        return f"[{parts[0]}]", ".".join(parts[1:])
    return f"[{parts[0]}]", ""


def line_of(text: str, path: tuple[int | str, ...], books: Sequence[str]) -> int | None:
    """The line on which a key stands, or else its section begins; None where neither is found.

    A reading of the file by its lines: good enough to point a person to the place.
    """
    header, key = _header(path, books)
    current: tuple[str, int] = ("", 0)
    counts: dict[str, int] = {}
    begins: int | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        found = re.match(r"\[\[?\s*([\w.\"-]+)\s*\]\]?", line)
        if found and not line.startswith("[ "):
            name = found[1].replace('"', "")
            if line.startswith("[["):
                counts[name] = counts.get(name, -1) + 1
            current = (name, counts.get(name.partition(".")[0], 0))
            if current == header:
                begins = number
        elif current == header and re.match(rf"\"?{re.escape(key)}\"?\s*[=.]", line):
            return number
    return begins


def _header(path: tuple[int | str, ...], books: Sequence[str]) -> tuple[tuple[str, int], str]:
    parts = [str(part) for part in path]
    if parts[:1] == ["book"] and len(parts) > 1:
        index = books.index(parts[1]) if parts[1] in books else 0
        inner = parts[2:]
        if len(inner) > 1 and inner[0] in ("sender", "mail"):
            return (f"book.{inner[0]}", index), inner[1]
        return ("book", index), inner[0] if inner else ""
    if len(parts) > 1:
        return (parts[0], 0), parts[1]
    return (parts[0], 0), ""
