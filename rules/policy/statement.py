"""`[[statement]]`: statements of account on a rhythm of their own, overdue or not."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator

from rules.policy.conditions import Conditions
from rules.policy.reading import Exact, Misread, Value, did_you_mean, shown, whole_number
from rules.policy.section import Section, key
from rules.policy.stage import ID_PATTERN, Days
from rules.policy.values import Duration, Mode

StatementKind: TypeAlias = Literal["open_item", "activity"]

STATEMENT_TEMPLATE: Final = "statement"
"""The words around the figures where a statement names no template of its own."""


class DayOfMonth(Value, frozen=True):
    """A day of the month, clamped to the month's length; None means the last business day."""

    day: int | None

    @classmethod
    def parse(cls, value: object) -> "DayOfMonth":
        if value == "last_business_day":
            return cls(None)
        if isinstance(value, str) and not value.strip().isdigit():
            raise Misread(
                f"{shown(value)} is not a day of the month",
                did_you_mean(value, ("last_business_day",)) + " or a day such as 28",
            )
        day = whole_number(value)
        if not 1 <= day <= 31:
            raise Misread(f"{day} is not a day of the month", "write 1 to 31")
        return cls(day)

    def plain(self) -> Any:
        return self.day or "last_business_day"

    @property
    def words(self) -> str:
        """`on day 28`, `on the last business day`, for people."""
        return "on the last business day" if self.day is None else f"on day {self.day}"


def _part_of_a_year(value: Duration) -> Duration:
    if value.unit != "m" or value.count not in (1, 2, 3, 4, 6, 12):
        raise Misread(
            f'"{value}" is not a rhythm for statements',
            'write months that divide a year: "1m", "2m", "3m", "4m", "6m" or "12m"',
        )
    return value


Months: TypeAlias = Annotated[Duration, AfterValidator(_part_of_a_year)]


class Statement(Section):
    """A statement of account that customers get again and again, whether overdue or not."""

    id: str = key(
        ...,
        "Identity of the statement in everything that we store and write; never change it, add "
        "`was`. No stage has the same id.",
        pattern=ID_PATTERN,
    )
    name: str = key("", "What people read; without it the id is shown.", max_length=80)
    kind: StatementKind = key(
        "open_item",
        "`open_item`: everything that is open, by age; `activity`: that and what was invoiced, "
        "paid and credited since the last one, from an opening to a closing balance.",
    )
    day_of_month: DayOfMonth = key(
        DayOfMonth(1),
        "Day of the month on which it goes out, 1 to 31 (a month that is shorter has its last "
        'day), or `"last_business_day"`. A day without sending moves to the next one with.',
    )
    every: Months = key(
        Duration(1, "m"),
        "Each month, or every so many months counted from January: `3m` is January, April, July "
        "and October.",
    )
    catch_up: Days = key(
        Duration(10, "d"),
        "How long after its day it may still go out, after a message that took its place or a "
        "day without a run; then it is left out until the next one.",
    )
    include_not_due: bool = key(
        True, "Whether it lists what is not due yet; `false`: only what is overdue.", strict=True
    )
    minimum_balance: Exact | None = key(
        None, "No statement while less than this is owed, in the currency of the debt.", ge=0
    )
    only_if_changed: bool = key(
        False,
        "Left out when nothing was invoiced, paid or credited since the customer's last one.",
        strict=True,
    )
    only: tuple[str, ...] = key((), "Segments that it is for; empty means everybody.")
    skip: tuple[str, ...] = key((), "Segments that it leaves out.")
    when: Conditions | None = key(
        None, "Has to hold on the day; facts about the customer only, not about an invoice."
    )
    unless: Conditions | None = key(None, "Keeps it back while this holds.")
    to: tuple[str, ...] = key(
        ("billing",), "Roles at the customer that it goes to, as for a stage.", min_length=1
    )
    cc: tuple[str, ...] = key((), "Roles that get a copy.")
    template: str = key(
        STATEMENT_TEMPLATE, "Name of the message template with the words around the figures."
    )
    mode: Mode | None = key(
        None, "How far it may go by itself; the strictest of book, policy and this wins."
    )
    was: tuple[str, ...] = key((), "Earlier ids, so that its history still counts.")
