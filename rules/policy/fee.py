"""`[[fee]]`: what a late payment costs, and when that is charged."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator

from rules.model.money import Rounding
from rules.policy.conditions import Conditions
from rules.policy.posting import PostingSchedule
from rules.policy.reading import Count, Day, Exact, Misread
from rules.policy.section import Section, key, later
from rules.policy.stage import ID_PATTERN
from rules.policy.values import Duration, Mode, MoneyTable, Repeat

FeeType: TypeAlias = Literal[
    "flat",
    "percent",
    "flat_then_percent",
    "tiered",
    "interest",
    "statutory",
    "compensation",
    "scale",
]


def _calendar_days(value: Duration) -> Duration:
    if value.unit != "d":
        raise Misread(
            f'"{value}" is not in calendar days, the only unit that fees count in here',
            'write days, such as "5d"',
        )
    return value


CalendarDays: TypeAlias = Annotated[Duration, AfterValidator(_calendar_days)]


def _repeats_in_days(value: Repeat | None) -> Repeat | None:
    if value is not None:
        _calendar_days(value.every)
    return value


class DatedRate(Section):
    """An annual rate from a day on."""

    from_: Day = key(..., "First day on which the rate applies.", alias="from")
    annual: Exact = key(..., "Percent a year.", ge=0, le=1000)


class Cap(Section):
    """Limits of one fee. Lifetime caps forfeit what is above them, periodic ones defer it."""

    per_invoice: MoneyTable | None = key(None, "Most that the fee can come to on one invoice.")
    percent_of_original: Exact | None = key(
        None, "Most that it can come to, in percent of the invoice total.", gt=0, le=1000
    )
    days: Count | None = key(None, "Days after due on which it stops to grow.", ge=1, le=36500)
    posts: Count | None = key(None, "Most documents that it makes for one invoice.", ge=1, le=1000)
    annual_percent: Exact | None = key(
        None, "Most that it can come to, in percent of the base and a year.", gt=0, le=1000
    )
    per_customer_month: MoneyTable | None = key(
        None, "Most that is posted to one customer in a calendar month; the rest waits."
    )


class AppliesTo(Section):
    """Invoices that a fee is for."""

    issued_from: Day | None = key(None, "Only invoices issued on or after this day.")


class Fee(Section):
    """One late fee. It is always a document of its own, never a line on the invoice."""

    id: str = key(
        ...,
        "Identity of the fee in everything that we store and write; never change it, add `was`.",
        pattern=ID_PATTERN,
    )
    name: str = key("", "What the customer reads on the document.", max_length=80)
    type: FeeType = key(..., "How the amount is found.", available=("flat", "percent", "interest"))

    amount: MoneyTable | None = key(
        None,
        '`flat`: the sum, in the base currency, or per currency as `{ GBP = "25", USD = "30" }`; '
        "never converted.",
    )
    repeat: Annotated[Repeat | None, AfterValidator(_repeats_in_days)] = key(
        None, "`flat` and `percent`: charge again on days 30, 60, ... after due; without it once."
    )
    percent: Exact | None = key(None, "`percent`: percent of the base.", gt=0, le=100)
    per: Literal["once", "month"] = key("once", "`percent`: charged once or for each month late.")
    month_count: Literal["elapsed", "started", "days/30"] = key(
        "elapsed", "`percent` per month: full months, begun months, or days divided by 30."
    )
    annual_rate: Exact | None = key(None, "`interest`: percent a year.", gt=0, le=1000)
    rates: tuple[DatedRate, ...] = key((), "`interest`: rates that change, each from its day on.")
    rate_fix: Literal["floating", "at_start"] = key(
        "floating",
        "`interest`: a new rate applies from its day, or the first day's rate stays.",
    )
    day_count: Literal["act/365", "act/360", "30/360", "act/act"] = key(
        "act/365", "`interest`: how days become years."
    )
    compounding: Literal["none", "daily", "monthly", "yearly"] = key(
        "none", "Whether interest bears interest.", available=("none",)
    )
    base: Literal["outstanding", "original", "outstanding_ex_tax"] = key(
        "outstanding", "What percent and interest are taken of."
    )

    grace: CalendarDays = key(Duration(0, "d"), "Days after due that are free.")
    grace_mode: Literal["retroactive", "from_grace_end"] = key(
        "retroactive", "Once the grace is over: charge from the first day late, or from its end."
    )
    post: PostingSchedule = key(
        PostingSchedule("when_due"),
        'When it is posted: `"when_due"`, `{ every = "month", on = "last_business_day" }`, '
        '`{ every = "month", on = 28 }`, `{ every = "30d" }`, `{ with_stage = "<id>" }` or '
        '`"claim_only"` (claimed in letters, never posted).',
    )
    minimum_charge: MoneyTable | None = key(
        None, "Least that the fee comes to once there is any; smaller amounts are raised to it."
    )
    minimum_to_post: Exact | None = key(
        None, "Least that is worth a document; smaller amounts wait.", ge=0
    )
    minimum_balance: Exact | None = key(
        None, "Least that must still be owed for the fee to be charged.", ge=0
    )
    cap: Cap | None = key(None, "Limits of the fee.")
    rounding: Rounding = key(
        Rounding.HALF_UP, "How the cumulative amount is rounded, once, to the currency's digits."
    )

    from_: Day | None = key(
        None,
        "Nothing accrues before this day; without it the day on which the book was connected.",
        alias="from",
    )
    applies_to: AppliesTo = key(AppliesTo(), "Invoices that the fee is for.")
    requires: tuple[str, ...] = key((), "Stages that must have been served before it is charged.")
    only: tuple[str, ...] = key((), "Segments that the fee is for; empty means everybody.")
    skip: tuple[str, ...] = key((), "Segments that are not charged.")
    when: Conditions | None = key(None, "Charged only while this holds.")
    unless: Conditions | None = key(None, "Not charged while this holds.")
    mode: Mode | None = key(
        None, "How far this fee may go by itself; the strictest of book, policy and fee wins."
    )
    legal_basis: str | None = key(
        None, "What entitles you to it, such as a clause; without one it is not charged."
    )
    scope: Literal["invoice", "customer"] = key(
        "invoice", "Charged per invoice, or once for the account.", available=("invoice",)
    )
    was: tuple[str, ...] = key((), "Earlier ids of this fee, so that its history still counts.")
    due_in: CalendarDays | None = key(None, "Time until the fee document itself is due.")
    when_principal_paid: Literal["leave", "chase", "propose_waiver"] = key(
        "leave",
        "What happens to an unpaid fee once the invoice is paid.",
        available=("leave",),
    )
    due_roll: Literal["none", "following"] = key(
        "none", "Whether a due date on a closed day moves on.", available=("none",)
    )

    on: Any = later("Charge for an event, such as a returned payment, instead of lateness.")
    minimum_per: Any = later("Whether the minimum is per invoice or per charge.")
    cap_group: Any = later("Fees that share one cap.")
    tiers: Any = later("`tiered`: the steps.")
    tier_mode: Any = later("`tiered`: how the steps add up.")
    scheme: Any = later("`statutory`: whose law.")
    compensation: Any = later("`statutory`: add the fixed compensation.")
    bands: Any = later("`compensation`: amounts by size of the debt.")
    scale: Any = later("`scale`: percent by slice of the debt.")
    minimum: Any = later("`scale`: least it comes to.")
    maximum: Any = later("`scale`: most it comes to.")
    reversal: Any = later("How a fee is taken back when its ground falls away.")
    allocation: Any = later("Whether a payment settles the debt or the interest first.")
    on_dispute_won: Any = later("Whether days in dispute are charged after all.")
