"""The small tables inside a `[[fee]]`: dated rates, caps, tiers, bands, slices."""

from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator

from rules.policy.reading import Count, Day, Exact, Misread, did_you_mean
from rules.policy.section import Section, key
from rules.policy.values import MoneyTable

EU_MEMBERS: Final = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"),
    *("IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
)

SCHEME_NAMES: Final = (
    *("uk", "eu", "de", "de:consumer", "ie", "nl", "in:msmed", "us:prompt-payment"),
    *(f"eu:{country}" for country in EU_MEMBERS),
)
"""Laws of late payment that a statutory fee can follow."""


def _known_scheme(name: str | None) -> str | None:
    if name is not None and name not in SCHEME_NAMES:
        raise Misread(f'there is no scheme "{name}"', did_you_mean(name, SCHEME_NAMES))
    return name


SchemeName: TypeAlias = Annotated[str | None, AfterValidator(_known_scheme)]


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


class CapGroup(Section):
    """Limits that several fees share. Lifetime caps forfeit what is above them, those of a month
    or of a number defer it. What one fee used, the others no longer have."""

    name: str = key(..., "What fees call it in `cap_group`.", min_length=1, max_length=80)
    per_invoice: MoneyTable | None = key(
        None, "Most that the fees of the group together can come to on one invoice."
    )
    percent_of_original: Exact | None = key(
        None, "Most that they can come to, in percent of the invoice total.", gt=0, le=1000
    )
    annual_percent: Exact | None = key(
        None, "Most that they can come to, in percent of the base and a year.", gt=0, le=1000
    )
    posts: Count | None = key(None, "Most documents that they make for one invoice.", ge=1, le=1000)
    per_customer_month: MoneyTable | None = key(
        None, "Most that they charge one customer in a calendar month; the rest waits."
    )


class AppliesTo(Section):
    """Invoices that a fee is for."""

    issued_from: Day | None = key(None, "Only invoices issued on or after this day.")


class Tier(Section):
    """A step of a `tiered` fee, reached so many days after due."""

    from_day: Count = key(..., "Day late on which the step is reached.", ge=1, le=36500)
    percent: Exact | None = key(None, "Percent of the base.", gt=0, le=100)
    amount: MoneyTable | None = key(None, "A fixed sum, never converted.")
    daily_percent: Exact | None = key(None, "Percent of the base for each day.", gt=0, le=10)


class Band(Section):
    """A fixed sum for debts from a size on."""

    from_: Exact = key(..., "Least debt of the band, in its own currency.", alias="from", ge=0)
    amount: MoneyTable = key(..., "The sum, never converted.")


class Slice(Section):
    """A percentage of a slice of the debt; the last slice may be without end."""

    width: Exact | None = key(
        None, "How much of the debt the slice takes; without it the rest.", gt=0
    )
    percent: Exact = key(..., "Percent of the slice.", ge=0, le=100)
