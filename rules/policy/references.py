"""What one part of a policy says about another: ids, names and the keys that belong together.

It looks at the file as TOML reads it, so that one mistake elsewhere hides none of these.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from rules.model.own_stages import OWN_STAGES
from rules.policy.fee import Fee
from rules.policy.fee_tables import Tier
from rules.policy.reading import Misread, PathPart, did_you_mean, nearest
from rules.policy.reference_people import people_problems
from rules.policy.reference_statements import statement_problems
from rules.policy.scopes import scope_problems
from rules.policy.section import Section
from rules.policy.stage import Stage
from rules.policy.values import At
from rules.policy.wording import key_fields

Table: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = Sequence[tuple[int, Table]]

# Keys that only some fee types act on; on another type they would be ignored silently.
_TYPE_KEYS: Final[dict[str, frozenset[str]]] = {
    "amount": frozenset({"flat", "flat_then_percent"}),
    "repeat": frozenset({"flat", "percent", "flat_then_percent"}),
    "percent": frozenset({"percent", "flat_then_percent"}),
    "per": frozenset({"percent"}),
    "month_count": frozenset({"percent", "flat_then_percent"}),
    "annual_rate": frozenset({"interest"}),
    "rates": frozenset({"interest", "statutory"}),
    "rate_fix": frozenset({"interest"}),
    "day_count": frozenset({"interest"}),
    "compounding": frozenset({"interest", "percent", "flat_then_percent"}),
    "base": frozenset({"interest", "percent", "flat_then_percent", "tiered", "statutory"}),
    "tiers": frozenset({"tiered"}),
    "tier_mode": frozenset({"tiered"}),
    "scheme": frozenset({"statutory"}),
    "compensation": frozenset({"statutory"}),
    "bands": frozenset({"compensation"}),
    "scale": frozenset({"scale"}),
    "minimum": frozenset({"scale"}),
    "maximum": frozenset({"scale"}),
    "allocation": frozenset({"interest", "statutory"}),
}

_EXAMPLES: Final = {
    "flat": 'write amount = "25.00"',
    "percent": 'write percent = "2"',
    "flat_then_percent": 'write amount = "25.00", percent = "2" and repeat',
    "tiered": "write tiers = [{ from_day = 8, percent = 1 }, { from_day = 31, percent = 3 }]",
    "interest": 'write annual_rate = "8"',
    "statutory": 'write scheme = "uk"',
    "compensation": 'write bands = [{ from = "0", amount = "40.00" }]',
    "scale": 'write scale = [{ width = "2500", percent = 15 }, { percent = "0.5" }]',
}

_TYPE_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "flat": ("amount",),
    "percent": ("percent",),
    "flat_then_percent": (),
    "tiered": ("tiers",),
    "interest": ("annual_rate", "rates"),
    "statutory": ("scheme",),
    "compensation": ("bands",),
    "scale": ("scale",),
}
"""One of these keys has to be there."""

_ALL_OF: Final[dict[str, tuple[str, ...]]] = {
    "flat_then_percent": ("amount", "percent", "repeat"),
}
"""Each of these keys has to be there."""

_TIER_KINDS: Final = ("percent", "amount", "daily_percent")
_TIER_MODES: Final = {True: ("marginal", "whole"), False: ("replace", "additive")}


def reference_problems(
    data: Table, line_of: Callable[[tuple[PathPart, ...]], int]
) -> Iterator[Misread]:
    """Mistakes between the parts of one policy file."""
    segments, stages, fees = (_rows(data, name) for name in ("segment", "stage", "fee"))
    yield from _twice("segment", "name", segments, line_of)
    yield from _twice("stage", "id", stages, line_of)
    yield from _twice("fee", "id", fees, line_of)
    people = _rows(data, "person")
    yield from _twice("person", "id", people, line_of)
    names = [row["name"] for _, row in segments if isinstance(row.get("name"), str)]
    yield from people_problems(data, people, stages, names)
    ids = [row["id"] for _, row in stages if isinstance(row.get("id"), str)]
    statements = _rows(data, "statement")
    yield from _twice("statement", "id", statements, line_of)
    yield from statement_problems(data, statements, ids, names)
    groups = _rows(data, "cap_group")
    yield from _twice("cap_group", "name", groups, line_of)
    shared = [row["name"] for _, row in groups if isinstance(row.get("name"), str)]
    deadlines = {row["id"] for _, row in stages if row.get("deadline") and row.get("id") in ids}
    for kind, rows in (("stage", stages), ("fee", fees)):
        for number, row in rows:
            place = (kind, number)
            yield from _unknown(row, place, ("skip", "only"), names, "segment")
            yield from _unknown(row, place, ("requires",), ids, "stage")
    for number, row in _rows(_table(data, "approval"), "ask"):
        yield from _unknown(row, ("approval", "ask", number), ("skip", "only"), names, "segment")
    yield from _notice(data.get("hand_off"), ids)
    for number, row in stages:
        yield from _stage(row, ("stage", number), ids, deadlines)
    yield from scope_problems(stages)
    for number, row in fees:
        yield from _fee(row, ("fee", number), ids)
        yield from _shared(row, ("fee", number), shared)


def _table(data: Table, name: str) -> Table:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}


def _rows(data: Table, name: str) -> list[tuple[int, Table]]:
    rows = data.get(name)
    if not isinstance(rows, list):
        return []
    return [(number, row) for number, row in enumerate(rows) if isinstance(row, dict)]


def _texts(value: object) -> list[tuple[int, str]]:
    if not isinstance(value, list):
        return []
    return [(number, one) for number, one in enumerate(value) if isinstance(one, str)]


def _is_given(row: Table, key: str, section: type[Section]) -> bool:
    """Whether the key is there, or is there misspelt, which is said already."""
    if row.get(key) not in (None, "", []):
        return True
    known = key_fields(section)
    return any(nearest(other, (key,)) for other in row if other not in known)


def _twice(
    kind: str, key: str, rows: Rows, line_of: Callable[[tuple[PathPart, ...]], int]
) -> Iterator[Misread]:
    seen: dict[str, int] = {}
    for number, row in rows:
        own = row.get(key)
        earlier = [((kind, number, "was", at), old) for at, old in _texts(row.get("was"))]
        named = [((kind, number, key), own)] if isinstance(own, str) else []
        for path, name in [*named, *earlier]:
            if name in seen:
                yield Misread(
                    f'the {kind} {key} "{name}" is used twice; it is also in line {seen[name]}',
                    f"give each {kind} {'a name' if key == 'name' else 'an id'} of its own",
                    path,
                )
            else:
                seen[name] = line_of(path)


def _unknown(
    row: Table,
    place: tuple[PathPart, ...],
    keys: Sequence[str],
    known: Sequence[str],
    what: str,
) -> Iterator[Misread]:
    for key in keys:
        for number, name in _texts(row.get(key)):
            if name not in known:
                hint = did_you_mean(name, known) or f"there is no {what} in this file"
                yield Misread(
                    f'{key} names the unknown {what} "{name}"', hint, (*place, key, number)
                )


def _stage(
    row: Table, place: tuple[PathPart, ...], ids: Sequence[str], deadlines: set[str]
) -> Iterator[Misread]:
    own = row.get("id")
    if own in OWN_STAGES:
        yield Misread(
            f'"{own}" is a name that messages and tasks of no stage have',
            "give the stage another id",
            (*place, "id"),
        )
    for number, name in _texts(row.get("requires")):
        if name == own:
            yield Misread(
                f'the stage "{own}" requires itself', "leave it out", (*place, "requires", number)
            )
    reminds = "remind" in [verb for _, verb in _texts(row.get("do"))]
    if reminds and not _is_given(row, "template", Stage):
        yield Misread(
            "a stage that reminds needs a template", 'write template = "overdue_1"', place
        )
    try:
        at = At.parse(row.get("at"))
    except Misread:
        return  # said where it is read
    if at.anchor != "deadline":
        return
    path = (*place, "at")
    if at.arg not in ids:
        yield Misread(
            f'at counts from the unknown stage "{at.arg}"', did_you_mean(at.arg, ids), path
        )
    elif at.arg == own:
        yield Misread(f'the stage "{own}" counts from its own deadline', "name another stage", path)
    elif at.arg not in deadlines:
        yield Misread(
            f'at counts from the deadline of "{at.arg}", which has none',
            f'write deadline = "14d" in the stage "{at.arg}"',
            path,
        )


def _notice(hand_off: object, ids: Sequence[str]) -> Iterator[Misread]:
    notice = hand_off.get("notice") if isinstance(hand_off, dict) else None
    if isinstance(notice, str) and notice and notice not in ids:
        yield Misread(
            f'the notice before a hand-off is the unknown stage "{notice}"',
            did_you_mean(notice, ids) or "there is no stage in this file",
            ("hand_off", "notice"),
        )


def _fee(row: Table, place: tuple[PathPart, ...], ids: Sequence[str]) -> Iterator[Misread]:
    post = row.get("post")
    stage = post.get("with_stage") if isinstance(post, dict) else None
    if isinstance(stage, str) and stage not in ids:
        yield Misread(
            f'post goes with the unknown stage "{stage}"',
            did_you_mean(stage, ids),
            (*place, "post", "with_stage"),
        )
    kind = row.get("type")
    if not isinstance(kind, str):
        return
    needs = _TYPE_NEEDS.get(kind, ())
    given = [key for key in needs if row.get(key) not in (None, [])]
    if needs and not any(_is_given(row, key, Fee) for key in needs):
        yield Misread(f"a fee of type {kind} needs " + " or ".join(needs), _EXAMPLES[kind], place)
    lacking = [key for key in _ALL_OF.get(kind, ()) if not _is_given(row, key, Fee)]
    if lacking:
        yield Misread(
            f"a fee of type {kind} needs " + " and ".join(lacking), _EXAMPLES[kind], place
        )
    if kind == "tiered":
        yield from _tiers(row, place)
    if kind == "scale":
        yield from _slices(row, place)
    if row.get("compounding") in ("daily", "yearly") and kind != "interest":
        yield Misread(
            f'compounding = "{row["compounding"]}" means nothing on a fee of type {kind}',
            'write "monthly", or charge interest',
            (*place, "compounding"),
        )
    if len(given) > 1:
        yield Misread(
            " and ".join(given) + " cannot both be given",
            f"leave out {given[0]}",
            (*place, given[0]),
        )
    if kind == "percent" and row.get("per", "once") == "once" and "month_count" in row:
        yield Misread(
            "month_count means nothing where the percentage is charged once",
            'write per = "month"',
            (*place, "month_count"),
        )
    if kind == "percent" and row.get("per") == "month" and "repeat" in row:
        yield Misread(
            'repeat and per = "month" are two rhythms for one fee',
            "leave one of them out",
            (*place, "repeat"),
        )
    for key in row:
        types = _TYPE_KEYS.get(key)
        if types is not None and kind not in types and kind in _TYPE_NEEDS:
            yield Misread(
                f"{key} means nothing on a fee of type {kind}",
                "it belongs to " + " and ".join(sorted(types)),
                (*place, key),
            )


def _shared(row: Table, place: tuple[PathPart, ...], groups: Sequence[str]) -> Iterator[Misread]:
    """A group of fees that there is, and an event that the fee can be charged for."""
    group = row.get("cap_group")
    if isinstance(group, str) and group not in groups:
        hint = did_you_mean(group, groups) or f'write [[cap_group]] with name = "{group}"'
        yield Misread(f'cap_group names the unknown group "{group}"', hint, (*place, "cap_group"))
    if row.get("on") != "returned_payment":
        return
    if row.get("type") not in ("flat", "percent") or row.get("per", "once") != "once":
        yield Misread(
            "a fee for a returned payment is a flat sum or a percentage, once",
            'write type = "flat" or type = "percent"',
            (*place, "type"),
        )
    for key in ("repeat", "grace", "post"):
        if key in row and row[key] != "when_due":
            yield Misread(
                f"{key} means nothing on a fee for a returned payment",
                "leave it out: it is charged when the payment came back",
                (*place, key),
            )


def _tiers(row: Table, place: tuple[PathPart, ...]) -> Iterator[Misread]:
    """Steps of one kind, each on a day of its own, and a mode that fits them."""
    tiers = row.get("tiers")
    steps = [one for one in tiers if isinstance(one, dict)] if isinstance(tiers, list) else []
    kinds: set[str] = set()
    for number, step in enumerate(steps):
        said = [kind for kind in _TIER_KINDS if kind in step]
        kinds.update(said)
        if len(said) > 1 or not any(_is_given(step, kind, Tier) for kind in _TIER_KINDS):
            yield Misread(
                "a step needs one of percent, amount and daily_percent",
                "write { from_day = 8, percent = 1 }",
                (*place, "tiers", number),
            )
    if "daily_percent" in kinds and len(kinds) > 1:
        yield Misread(
            "steps of daily_percent do not mix with other steps",
            "write a second fee for them",
            (*place, "tiers"),
        )
    days = [step.get("from_day") for step in steps]
    for number, day in enumerate(days):
        if day is not None and day in days[:number]:
            yield Misread(
                f"two steps begin on day {day}", "leave one out", (*place, "tiers", number)
            )
    mode, fitting = row.get("tier_mode"), _TIER_MODES["daily_percent" in kinds]
    if isinstance(mode, str) and steps and mode not in fitting:
        yield Misread(
            f'tier_mode = "{mode}" does not fit these steps',
            "possible: " + ", ".join(fitting),
            (*place, "tier_mode"),
        )


def _slices(row: Table, place: tuple[PathPart, ...]) -> Iterator[Misread]:
    slices = row.get("scale")
    rows = slices if isinstance(slices, list) else []
    for number, one in enumerate(rows[:-1]):
        if isinstance(one, dict) and "width" not in one:
            yield Misread(
                "a slice without width takes all the rest: what follows it counts for nothing",
                "give it a width, or move it to the end",
                (*place, "scale", number),
            )
