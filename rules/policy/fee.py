"""`[[fee]]`: what a late payment costs, and when that is charged."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from rules.model.money import Rounding
from rules.policy.conditions import Conditions
from rules.policy.fee_tables import AppliesTo, Band, Cap, DatedRate, SchemeName, Slice, Tier
from rules.policy.posting import PostingSchedule
from rules.policy.reading import Day, Exact, Misread
from rules.policy.section import Section, key
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


class Fee(Section):
    """One late fee. It is always a document of its own, never a line on the invoice."""

    id: str = key(
        ...,
        "Identity of the fee in everything that we store and write; never change it, add `was`.",
        pattern=ID_PATTERN,
    )
    name: str = key("", "What the customer reads on the document.", max_length=80)
    type: FeeType = key(
        ...,
        "How the amount is found.",
        available=(
            "flat",
            "percent",
            "flat_then_percent",
            "tiered",
            "interest",
            "statutory",
            "compensation",
            "scale",
        ),
    )

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
    rates: tuple[DatedRate, ...] = key(
        (),
        "`interest`: rates that change, each from its day on; `statutory`: reference rates "
        "published since, without the points on top.",
    )
    rate_fix: Literal["floating", "at_start"] = key(
        "floating",
        "`interest`: a new rate applies from its day, or the first day's rate stays.",
    )
    day_count: Literal["act/365", "act/360", "30/360", "act/act"] = key(
        "act/365", "`interest`: how days become years."
    )
    compounding: Literal["none", "daily", "monthly", "yearly"] = key(
        "none",
        "How often what accrued is added to what bears interest; `percent` takes none or monthly.",
    )
    scheme: SchemeName = key(
        None,
        "`statutory`: whose law: uk, eu:FR (or another member state), de, de:consumer, ie, nl, "
        "in:msmed, us:prompt-payment.",
    )
    compensation: bool = key(
        False, "`statutory`: add the fixed sum that the law gives for each invoice.", strict=True
    )
    tiers: tuple[Tier, ...] = key(
        (),
        "`tiered`: the steps, as `{ from_day = 8, percent = 1 }`, or `amount`, or `daily_percent`.",
    )
    tier_mode: Literal["replace", "additive", "marginal", "whole"] | None = key(
        None,
        "`tiered`: of steps in percent or amounts the highest reached (replace, the default) or "
        "all (additive); of daily percentages each day at its own (marginal, the default) or all "
        "days at the highest (whole).",
    )
    bands: tuple[Band, ...] = key(
        (), '`compensation`: amounts by the debt\'s size, as `{ from = "1000", amount = "70.00" }`.'
    )
    scale: tuple[Slice, ...] = key(
        (),
        '`scale`: slices of the debt, as `{ width = "2500", percent = 15 }`; the last is open.',
    )
    minimum: MoneyTable | None = key(None, "`scale`: least it comes to.")
    maximum: MoneyTable | None = key(None, "`scale`: most it comes to.")

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
        "invoice",
        "A document for each invoice, or one for the whole account and currency with a line for "
        "each invoice; a `flat` sum is then charged once for all of them.",
    )
    was: tuple[str, ...] = key((), "Earlier ids of this fee, so that its history still counts.")
    due_in: CalendarDays | None = key(None, "Time until the fee document itself is due.")
    when_principal_paid: Literal["leave", "chase", "propose_waiver"] = key(
        "leave",
        "What happens to an unpaid fee once the invoice is paid: it stays open and is shown, the "
        "ordinary reminders of the policy go out for it from its own due date, or it is proposed "
        "to a person to be waived. No fee is ever charged on it.",
    )
    due_roll: Literal["none", "following"] = key(
        "none",
        "A due date on a weekend, a holiday or a closed day stays, or moves to the next working "
        "day before days late are counted.",
    )

    on: Literal["lateness", "returned_payment"] = key(
        "lateness",
        "What it is charged for: paying late, or each payment that came back; a percentage is then "
        "taken of the payment.",
    )
    minimum_per: Literal["invoice", "charge"] = key(
        "invoice",
        "`minimum_charge` raises what an invoice comes to in all, or each single charge. "
        'With "charge", fewer and larger charges (after an outage) may come to less in all.',
    )
    cap_group: str | None = key(
        None, "Name of a `[[cap_group]]`: all fees that name it share its limits."
    )
    reversal: Literal["gap", "void"] = key(
        "gap",
        "When a payment comes back: the days between it and its return stay free, or count as if "
        "it was never paid.",
    )
    allocation: Literal["principal_first", "interest_first"] = key(
        "principal_first",
        "`interest`, `statutory`: a part payment lowers the debt, or first what interest came to.",
    )
    on_dispute_won: Literal["keep_pause", "lift_pause"] = key(
        "keep_pause",
        "When a dispute ends in our favour: its days stay free, or are charged after all.",
    )

    @property
    def is_daily_tiers(self) -> bool:
        """Whether the steps are daily percentages."""
        return any(tier.daily_percent is not None for tier in self.tiers)

    @property
    def is_charged_once(self) -> bool:
        """Whether it has one slot for its whole life."""
        once = self.type == "percent" and self.per == "once"
        return self.repeat is None and (once or self.type in ("flat", "compensation", "scale"))
