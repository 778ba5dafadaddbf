"""The reference of the policy language, written from the classes that read it."""

import json
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from rules.policy.approval import ApprovalRules, Asking
from rules.policy.credit import CreditRules, Deposit, SegmentLimit
from rules.policy.discount import Discount
from rules.policy.facts import FACTS
from rules.policy.fee import Fee
from rules.policy.fee_tables import AppliesTo, Band, Cap, CapGroup, DatedRate, Slice, Tier
from rules.policy.hand_off import Agency, HandOffRules
from rules.policy.person import Absence, Person
from rules.policy.schema import (
    WEEKDAYS,
    CalendarRules,
    CatchUpRules,
    CommitmentRules,
    ContactRules,
    DoNotChase,
    Limits,
    Policy,
    Segment,
    Stage,
    Wait,
)
from rules.policy.section import Section
from rules.policy.stage import CHANNELS, VERBS, PlanTerms
from rules.policy.statement import Statement
from rules.policy.testing import ExpectedAction, ExpectedSkip, PolicyTest
from rules.policy.write_off import WriteOffRules

PARTS: Final[tuple[tuple[str, type[Section]], ...]] = (
    ("Top of the file", Policy),
    ("`[calendar]`", CalendarRules),
    ("`[contact]`", ContactRules),
    ("`[catch_up]`", CatchUpRules),
    ("`[do_not_chase]`", DoNotChase),
    ("`reply` and `bounce` of `[do_not_chase]`", Wait),
    ("`[[segment]]`", Segment),
    ("`[[stage]]`", Stage),
    ("`plan` of a stage", PlanTerms),
    ("`[[fee]]`", Fee),
    ("`cap` of a fee", Cap),
    ("`rates` of a fee", DatedRate),
    ("`tiers` of a fee", Tier),
    ("`bands` of a fee", Band),
    ("`scale` of a fee", Slice),
    ("`applies_to` of a fee", AppliesTo),
    ("`[[cap_group]]`", CapGroup),
    ("`[[statement]]`", Statement),
    ("`[discount]`", Discount),
    ("`[credit]`", CreditRules),
    ("`[[credit.segment_limit]]`", SegmentLimit),
    ("`deposit` of `[credit]`", Deposit),
    ("`[write_off]`", WriteOffRules),
    ("`[[person]]`", Person),
    ("`absent` of a person", Absence),
    ("`[hand_off]`", HandOffRules),
    ("`agency` of `[hand_off]`", Agency),
    ("`[limits]`", Limits),
    ("`[approval]`", ApprovalRules),
    ("`[[approval.ask]]`", Asking),
    ("`[commitments]`", CommitmentRules),
    ("`[[test]]`", PolicyTest),
    ("`actions` of a test", ExpectedAction),
    ("`skips` of a test", ExpectedSkip),
)

_WRITTEN: Final[dict[str, str]] = {
    "str": "text",
    "bool": "true or false",
    "int": "whole number",
    "Decimal": "number",
    "date": "date",
    "Duration": 'duration: `"5d"`, `"3bd"`, `"1m"`, `"26h"`',
    "At": "trigger",
    "LocalWindow": '`"09:00-16:30"`',
    "ClosedDays": "days",
    "MoneyTable": "amount",
    "Repeat": '`{ every = "14d", times = 6 }`',
    "PostingSchedule": "schedule",
    "Conditions": "condition",
    "Above": "`{ above = 3 }`",
    "DayOfMonth": '1 to 31 or `"last_business_day"`',
}

_CHECKED: Final[dict[str, str]] = {
    "whole_days": 'duration in days: `"5d"`, `"3bd"`, `"1m"`',
    "_calendar_days": 'days: `"5d"`',
    "_hours_or_days": 'duration: `"26h"`, `"2d"`',
    "_weekday": '`"mon"` to `"sun"`',
    "_month_day": "1 to 31",
    "_part_of_a_year": 'months: `"1m"`, `"3m"`',
}
"""How it is written where a further check narrows it, by the name of the check."""

_BOUNDS: Final[dict[str, str]] = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "min_length": "at least {} long",
    "max_length": "at most {} long",
}

_HEAD: Final = """\
# The policy file, key by key

<!-- Written by `python -m ar_bridge.policy_reference`; a test compares the two. -->

A policy is one TOML file. Every key has a default, so a file says only what you want otherwise.
A key that is not on this page is a mistake, and so is a value out of its range: all mistakes are
reported at once, each with its line. Numbers may stand in quotes or not, and are read exactly.

*Later* marks words of the language that this version knows but does not act on: a file that uses
one is refused with a clear message, so that nothing is ignored silently.

When terms change, keep the old file and name both, in the book's settings or in a file that holds
nothing else: each day accrues under the version in force on it, and a fixed sum is charged under
that of the invoice's date.

```toml
# terms.toml
policies = [
  { from = 2025-01-01, file = "terms-2025.toml" },
  { from = 2026-01-01, file = "terms-2026.toml" },
]
```
"""

_CONDITIONS: Final = """\
## Conditions: `when` and `unless`

A condition is a table of facts. All facts of a table have to hold; of a list of tables, one has
to; `unless` stands beside `when` and turns its table round. A fact that is not known holds for
nothing.

| written | means |
|---|---|
| `country = "GB"` | exactly that; capitals do not matter |
| `country = ["GB", "IE"]` | one of these |
| `invoice_balance = ">= 20"` | also `>`, `<=`, `<` |
| `days_past_due = "10..20"` | from 10 to 20, both included |
| `is_on_hold = true` | yes or no |
| `tags = "vip"` | has this tag |

```toml
# policy
[[segment]]
name = "small-debts"
when = [{ invoice_balance = "< 100" }, { tags = ["vip", "partner"], country = "GB" }]
unless = { is_on_hold = true }
```

Amounts compare nominally, in the invoice's own currency. Facts of the customer and the account
speak of whoever pays, where nothing else is said.
"""

_ABOUT: Final[dict[str, str]] = {
    "invoice": "Of the invoice",
    "customer": "Of the customer",
    "account": "Of the account: the paying customer with all that it pays for",
    "behaviour": "Of how the customer pays",
    "history": "Of what we did",
    "commitments": "Of what people told us about the invoice",
    "cash": "Of the cash",
}


def policy_reference() -> str:
    """The whole page, as Markdown."""
    lines = [_HEAD]
    for title, section in PARTS:
        lines += [f"## {title}", "", _purpose(section), ""]
        lines += ["| key | value | default | what it decides |", "|---|---|---|---|"]
        lines += _rows(section)
        lines.append("")
    lines.append(_CONDITIONS)
    for about, title in _ABOUT.items():
        lines += [f"### {title}", "", "| fact | kind | what it is |", "|---|---|---|"]
        lines += _fact_rows(about)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _purpose(section: type[Section]) -> str:
    return " ".join((section.__doc__ or "").split())


def _rows(section: type[Section]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        extra = field.json_schema_extra
        available = extra.get("available") if isinstance(extra, dict) else None
        cells = (
            f"`{field.alias or name}`",
            "*later*" if available == [] else _value(name, field, available),
            _default(field),
            field.description or "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(name: str, field: FieldInfo, available: Any) -> str:
    if name in ("do", "channels", "fallback"):
        kinds = [f'`"{word}"`' for word in (VERBS if name == "do" else CHANNELS)]
    else:
        narrowed = _narrowed(field.metadata)
        kinds = [narrowed] if narrowed else list(dict.fromkeys(_kinds(field.annotation)))
    listed = "list of " if _is_list(field.annotation) else ""
    return listed + ", ".join(_sorted_by_use(kinds, available)) + _range(field)


def _narrowed(metadata: Iterable[Any]) -> str:
    checks = [getattr(getattr(mark, "func", None), "__name__", "") for mark in metadata]
    return next((_CHECKED[check] for check in checks if check in _CHECKED), "")


def _sorted_by_use(kinds: list[str], available: Any) -> list[str]:
    if not available:
        return kinds
    usable = [kind for kind in kinds if kind.strip('`"') in available]
    others = [kind for kind in kinds if kind not in usable]
    words_only = others and all(kind.startswith('`"') for kind in others)
    if not words_only:
        return kinds
    return [*usable, "*later:* " + others[0], *others[1:]]


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) is tuple:
        return True
    return any(_is_list(inner) for inner in get_args(annotation))


def _kinds(annotation: Any) -> Iterator[str]:
    if annotation is None or annotation is type(None) or annotation is Ellipsis:
        return
    if get_origin(annotation) is Literal:
        yield from (f"`{json.dumps(word)}`" for word in get_args(annotation))
    elif isinstance(annotation, type) and issubclass(annotation, StrEnum):
        yield from (f'`"{member.value}"`' for member in annotation)
    elif get_args(annotation):
        # Of an annotated type only the type itself says how it is written.
        inner = get_args(annotation)
        metadata = getattr(annotation, "__metadata__", None)
        if metadata is not None and (narrowed := _narrowed(metadata)):
            yield narrowed
            return
        for one in inner[:1] if metadata is not None else inner:
            yield from _kinds(one)
    elif isinstance(annotation, type) and issubclass(annotation, Section):
        yield "table"
    else:
        yield _WRITTEN.get(getattr(annotation, "__name__", ""), "value")


def _range(field: FieldInfo) -> str:
    bounds = []
    for mark in field.metadata:
        for name, words in _BOUNDS.items():
            bound = getattr(mark, name, None)
            if bound is not None:
                bounds.append(words.format(bound))
    return "; " + ", ".join(bounds) if bounds else ""


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "**needed**"
    if value is None or value == () or value == "":
        return "none"
    if isinstance(value, Section):
        return "see below"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        words = [WEEKDAYS[one] if isinstance(one, int) else one for one in value]
        return json.dumps(words)
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "plain"):
        return json.dumps(value.plain())
    if isinstance(value, str):
        return json.dumps(str(value))
    return str(value)


def _fact_rows(about: str) -> Iterator[str]:
    for fact in FACTS.values():
        if fact.about != about:
            continue
        choices = ": " + ", ".join(f"`{choice}`" for choice in fact.choices) if fact.choices else ""
        kind = {"flag": "true or false", "tags": "tags"}.get(fact.type, fact.type)
        unit = ", days" if fact.unit == "days" else ""
        yield f"| `{fact.name}` | {kind}{unit}{choices} | {fact.sentence} |"


if __name__ == "__main__":
    sys.stdout.write(policy_reference())
