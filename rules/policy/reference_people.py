"""Names of people and segments that have to exist elsewhere in the policy file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from rules.policy.reading import Misread, PathPart, did_you_mean

Table: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[PathPart, ...]

MANAGED = ("credit", "write_off")
"""Tables whose `owner` names a person."""


def people_problems(
    data: Table,
    people: Sequence[tuple[int, Table]],
    stages: Sequence[tuple[int, Table]],
    segments: Sequence[str],
) -> Iterator[Misread]:
    """Owners, deputies and segments that nothing in the file is called."""
    ids = [row["id"] for _, row in people if isinstance(row.get("id"), str)]
    roles = [role for _, row in people for role in _texts(row.get("roles"))]
    for number, row in people:
        place: Place = ("person", number)
        yield from _unknown(row, (*place, "segments"), segments)
        absent = row.get("absent")
        deputy = absent.get("deputy") if isinstance(absent, Mapping) else None
        path = (*place, "absent", "deputy")
        if isinstance(deputy, str) and deputy not in ids:
            yield Misread(
                f'the deputy "{deputy}" is nobody in this file', did_you_mean(deputy, ids), path
            )
        elif isinstance(deputy, str) and deputy == row.get("id"):
            yield Misread(f'"{deputy}" cannot stand in for themselves', "name somebody else", path)
    if people:
        owners: list[tuple[Place, Any]] = [
            (("stage", number, "owner"), row.get("owner")) for number, row in stages
        ]
        for name in MANAGED:
            section = data.get(name)
            if isinstance(section, Mapping):
                owners.append(((name, "owner"), section.get("owner")))
        for path, owner in owners:
            if isinstance(owner, str) and owner and owner not in ids and owner not in roles:
                known = list(dict.fromkeys([*ids, *roles]))
                yield Misread(
                    f'the owner "{owner}" is neither a person nor a role in this file',
                    did_you_mean(owner, known),
                    path,
                )
    yield from _credit(data.get("credit"), segments)


def _credit(credit: object, segments: Sequence[str]) -> Iterator[Misread]:
    if not isinstance(credit, Mapping):
        return
    for key in ("only", "skip"):
        yield from _unknown(credit, ("credit", key), segments)
        deposit = credit.get("deposit")
        if isinstance(deposit, Mapping):
            yield from _unknown(deposit, ("credit", "deposit", key), segments)
    rows = credit.get("segment_limit")
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        name = row.get("segment") if isinstance(row, Mapping) else None
        if isinstance(name, str) and name not in segments:
            yield _no_segment(name, segments, ("credit", "segment_limit", number, "segment"))


def _unknown(row: Table, place: Place, known: Sequence[str]) -> Iterator[Misread]:
    named = row.get(str(place[-1]))
    for number, name in enumerate(named if isinstance(named, list) else ()):
        if isinstance(name, str) and name not in known:
            yield _no_segment(name, known, (*place, number))


def _no_segment(name: str, known: Sequence[str], path: Place) -> Misread:
    hint = did_you_mean(name, known) or "there is no segment in this file"
    return Misread(f'there is no segment "{name}"', hint, path)


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
