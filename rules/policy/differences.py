"""What two policies say differently, by meaning: stages and fees by their ids, the rest by key."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from rules.policy.schema import Policy
from rules.policy.wording import key_fields, section_class

What: TypeAlias = Literal["added", "removed", "changed", "moved", "renamed"]

_NAMED: Final[Mapping[str, str]] = {
    "stage": "id",
    "fee": "id",
    "statement": "id",
    "person": "id",
    "segment": "name",
    "cap_group": "name",
}
"""Lists of tables, and the key by which one of them is known."""

_ORDERED: Final = frozenset({"stage"})
"""Lists whose order means something."""

_LEFT_OUT: Final = frozenset({"test", "name", "schema"})


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. Values are shown as they would stand in the file."""

    what: What
    place: str
    """`stage final-notice`, `[contact]`, `fee late`."""
    key: str = ""
    old: str = ""
    new: str = ""
    means: str = ""
    """What the key is for."""

    def __str__(self) -> str:
        where = f"{self.place}: {self.key}" if self.key else self.place
        if self.what == "changed":
            if not self.old:
                return f"{where} is set to {self.new}"
            return f"{where} was {self.old}, is {self.new or 'not set'}"
        if self.what == "moved":
            return (
                f"{where} stands after {self.new or 'nothing'}, not after {self.old or 'nothing'}"
            )
        if self.what == "renamed":
            return f"{where} was called {self.old}"
        return f"{where} is {self.what}"


def differences(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Every difference in meaning, in the order of the new policy; tests and the name apart."""
    before, after = _plain(old), _plain(new)
    found: list[Change] = []
    for key in dict.fromkeys([*after, *before]):
        if key in _LEFT_OUT:
            continue
        if key in _NAMED:
            found += _listed(key, before.get(key) or [], after.get(key) or [])
        elif isinstance(before.get(key), dict) or isinstance(after.get(key), dict):
            found += _table(f"[{key}]", (key,), before.get(key) or {}, after.get(key) or {})
        else:
            found += _table("the policy", (), _only(before, key), _only(after, key))
    return tuple(found)


def vanished(old: Policy, new: Policy) -> tuple[tuple[str, str], ...]:
    """(stage | fee, id) of the old policy that nothing in the new one is or `was`."""
    return tuple(
        (kind, one.id)
        for kind, before, after in (("stage", old.stage, new.stage), ("fee", old.fee, new.fee))
        for one in before
        if not any(one.id in (other.id, *other.was) for other in after)
    )


def _plain(policy: Policy) -> dict[str, Any]:
    return policy.model_dump(mode="json", by_alias=True, exclude_none=True)


def _only(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {key: table[key]} if key in table else {}


def _listed(
    kind: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[Change]:
    known = _NAMED[kind]
    old = {str(one[known]): one for one in before}
    matched: dict[str, str] = {}
    for one in after:
        names = [str(one[known]), *map(str, one.get("was", ()))]
        found = next((name for name in names if name in old), None)
        if found is not None and found not in matched.values():
            matched[names[0]] = found
    for name in old:
        if name not in matched.values():
            yield Change(what="removed", place=f"{kind} {name}")
    for one in after:
        name = str(one[known])
        place = f"{kind} {name}"
        if name not in matched:
            yield Change(what="added", place=place, new=_in_short(one))
            continue
        if matched[name] != name:
            yield Change(what="renamed", place=place, old=matched[name])
        drop = {known, "was"}
        yield from _table(
            place,
            (kind,),
            {key: value for key, value in old[matched[name]].items() if key not in drop},
            {key: value for key, value in one.items() if key not in drop},
        )
    if kind in _ORDERED:
        yield from _moved(
            kind,
            list(old),
            [matched[str(o[known])] for o in after if str(o[known]) in matched],
            matched,
        )


def _moved(
    kind: str, before: Sequence[str], after: Sequence[str], matched: Mapping[str, str]
) -> Iterator[Change]:
    stayed = [name for name in before if name in matched.values()]
    called = {old: new for new, old in matched.items()}
    for place, (was, now) in enumerate(zip(stayed, after, strict=True)):
        if was != now:
            earlier = stayed[stayed.index(now) - 1] if stayed.index(now) else ""
            yield Change(
                what="moved",
                place=f"{kind} {called[now]}",
                old=called.get(earlier, ""),
                new=called[after[place - 1]] if place else "",
            )
            return


def _table(
    place: str,
    path: tuple[str, ...],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    within: str = "",
) -> Iterator[Change]:
    section = section_class(path) if path else Policy
    fields = key_fields(section) if section is not None else {}
    for key in dict.fromkeys([*after, *before]):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        named = f"{within}.{key}" if within else key
        if isinstance(old, dict) and isinstance(new, dict) and _is_section(old, new):
            yield from _table(place, (*path, key), old, new, named)
            continue
        field = fields.get(key)
        yield Change(
            what="changed",
            place=place,
            key=named,
            old=_shown(old),
            new=_shown(new),
            means=(field.description or "") if field is not None else "",
        )


def _is_section(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a comparison key by key says more than the two tables as wholes."""
    return bool(set(old) & set(new))


def _in_short(table: Mapping[str, Any]) -> str:
    keys = ("at", "do", "type", "amount", "percent", "annual_rate", "scheme", "mode")
    return ", ".join(f"{key} = {_shown(table[key])}" for key in keys if table.get(key))


def _shown(value: object) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_shown(part)}" for key, part in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(_shown(part) for part in value)}]"
    return str(value)
