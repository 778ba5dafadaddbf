"""Reads a policy: a syntax error alone, or else every other mistake at once.

The text and the presets are handed in; nothing is opened here.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from rules.policy.positions import Path, positions
from rules.policy.problems import PolicyError, Problem
from rules.policy.reading import Misread, Value, shown
from rules.policy.references import reference_problems
from rules.policy.salvage import rest_of
from rules.policy.schema import Policy
from rules.policy.section import Section
from rules.policy.wording import key_fields, misreads, section_class

__all__ = ["PolicyError", "Problem", "load_policy"]


def load_policy(
    text: str, *, source: str = "policy.toml", presets: Mapping[str, str] = {}
) -> Policy:
    """Read a policy from TOML text. `source` is the file named in problems.

    `presets` (name to text) are those that a person can start from, for advice only: a policy
    stands alone. Raises PolicyError with every mistake.
    """
    plain = text.removeprefix("\ufeff")
    try:
        data = tomllib.loads(plain, parse_float=Decimal)
    except tomllib.TOMLDecodeError as trouble:
        raise PolicyError([_syntax_problem(str(trouble), plain, source)]) from None
    found: list[Misread] = []
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(data)
    except ValidationError as trouble:
        found += misreads(trouble.errors(include_url=False))
    lines = positions(plain)
    found += reference_problems(data, lines.line)
    taken = {misread.path for misread in found}
    found += [one for one in _not_available(Policy, data, ()) if one.path not in taken]
    if policy is not None and not found:
        return policy
    problems = {
        Problem(
            file=source,
            line=lines.line(one.path),
            path=one.path,
            message=one.message,
            hint=_advice(one, presets),
        )
        for one in found
    }
    rest = rest_of(data, [one.path for one in found])
    for path, finding in rest.checked() if rest is not None else ():
        problems.add(
            Problem(
                file=source,
                line=lines.line(path),
                path=path,
                message=finding.message,
                hint=finding.hint,
            )
        )
    raise PolicyError(
        sorted(problems, key=lambda one: (one.line, str(one.path), one.message)), rest=rest
    )


def _advice(misread: Misread, presets: Mapping[str, str]) -> str:
    if misread.path == ("extends",):
        names = ", ".join(presets)
        return "a policy stands alone; begin with a copy" + (f" of {names}" if names else "")
    return misread.hint


def _syntax_problem(message: str, text: str, source: str) -> Problem:
    placed = re.search(r"\s*\(at line (\d+), column (\d+)\)", message)
    line = int(placed[1]) if placed else max(1, text.rstrip().count("\n") + 1)
    said = message[: placed.start()] if placed else message.removesuffix(" (at end of document)")
    row = text.split("\n")[line - 1].strip() if text else ""
    return Problem(
        file=source,
        line=line,
        message=f"this is not TOML: {said[:1].lower()}{said[1:]}",
        hint=_syntax_hint(said, row),
    )


def _syntax_hint(said: str, row: str) -> str:
    if "overwrite" in said or "twice" in said or "more than once" in said:
        return "the same key or table stands twice"
    if "Invalid value" in said and re.match(r"[\w.-]+\s*=\s*[A-Za-z]", row):
        return "text stands in quotes; yes and no are written true and false"
    if re.match(r"[\w.-]+\s*:", row):
        return "a key and its value are joined by =, not by a colon"
    if row.startswith("[") and not row.startswith("[[") and "]" not in row:
        return "the bracket of the table is not closed"
    return f"look at: {row}" if row else ""


def _not_available(
    section: type[Section], data: Mapping[str, Any], path: Path
) -> Iterator[Misread]:
    """Words of the language that this version does not act on: said, never ignored."""
    fields = key_fields(section)
    kind = fields["type"].json_schema_extra["available"] if "type" in fields else ()
    type_is_later = "type" in fields and data.get("type") not in kind
    for name, value in data.items():
        field = fields.get(name)
        if field is None:
            continue
        available = (field.json_schema_extra or {}).get("available")
        place = (*path, name)
        if available is None:
            yield from _inside(place, value)
        elif not available:
            # The keys of a type that is not available are part of the same trouble.
            if not type_is_later:
                yield Misread(f"{name} is not available in this version", "leave it out", place)
        else:
            yield from _words(place, value, available, field.annotation)


def _inside(path: Path, value: object) -> Iterator[Misread]:
    section = section_class(path)
    if section is None:
        return
    rows = value if isinstance(value, list) else [value]
    for number, row in enumerate(rows):
        if isinstance(row, dict):
            place = (*path, number) if isinstance(value, list) else path
            yield from _not_available(section, row, place)


def _words(path: Path, value: object, available: list[str], annotation: Any) -> Iterator[Misread]:
    if isinstance(annotation, type) and issubclass(annotation, Value):
        try:
            words = [(path, annotation.parse(value).word)]
        except ValueError:
            return  # said where it is read
    elif isinstance(value, list):
        words = [((*path, at), one) for at, one in enumerate(value) if isinstance(one, str)]
    else:
        words = [(path, value)] if isinstance(value, str) else []
    for place, word in words:
        if word not in available:
            written = value if isinstance(value, str) and place == path else word
            yield Misread(
                f"{path[-1]}: {shown(written)} is not available in this version",
                "available: " + ", ".join(available),
                place,
            )
