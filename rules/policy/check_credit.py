"""Lint of credit limits, deposits, write-offs and people: what would do nothing, or come and go."""

from collections.abc import Iterator
from decimal import Decimal

from rules.policy.credit import CreditRules
from rules.policy.finding import Finding
from rules.policy.reading import plain_decimal
from rules.policy.schema import Policy
from rules.policy.values import Mode, strictest


def credit(policy: Policy) -> Iterator[Finding]:
    """Limits that nothing is measured by, holds that never end or never last."""
    rules = policy.credit
    if rules is None:
        return
    if not rules.has_limits and rules.deposit is None:
        yield Finding(
            severity="warning",
            code="credit_idle",
            path=("credit",),
            message="[credit] names neither a limit nor an age nor a deposit, so it does nothing",
            hint="write limit = 5000, hold_overdue or deposit",
        )
    yield from _levels(rules)
    longest, least = rules.release_overdue, rules.hold_overdue
    if least is not None and longest.unit == least.unit and longest.count >= least.count:
        yield Finding(
            severity="error",
            code="credit_flaps",
            path=("credit", "release_overdue"),
            message=f"credit is held for what is {least.words} overdue, and released while "
            f"something is overdue for {longest.words}: it would come and go",
            hint=f'write release_overdue = "0d", or less than {least}',
        )
    for number, stage in enumerate(policy.stage):
        if "release_credit" in stage.do and rules.has_limits:
            yield Finding(
                severity="warning",
                code="credit_twice",
                path=("stage", number, "do"),
                message=f'stage "{stage.id}" releases credit, and so does [credit]: above the '
                "limit it is held again the next day",
                hint="leave the release to [credit]",
            )


def _levels(rules: CreditRules) -> Iterator[Finding]:
    released = rules.released_at
    held = rules.hold_above
    if held is not None and released is not None and released > held:
        yield Finding(
            severity="error",
            code="credit_flaps",
            path=("credit", "release_below"),
            message=f"credit is released at {plain_decimal(released)} % of the limit, above the "
            f"{plain_decimal(held)} % at which it is held: it would come and go",
            hint=f"write less than {plain_decimal(held)}",
        )
    if rules.warn_at is not None and held is not None and rules.warn_at > held:
        yield Finding(
            severity="warning",
            code="credit_warns_late",
            path=("credit", "warn_at"),
            message=f"the warning at {plain_decimal(rules.warn_at)} % comes after the hold at "
            f"{plain_decimal(held)} %",
            hint="warn before you hold, such as at 80",
        )


def deposits(policy: Policy) -> Iterator[Finding]:
    """Deposits that customers are asked for without anybody looking."""
    rule = policy.credit.deposit if policy.credit is not None else None
    if rule is None:
        return
    if strictest(policy.mode, rule.mode) is Mode.AUTO:
        yield Finding(
            severity="warning",
            code="deposit_auto",
            path=("credit", "deposit", "mode"),
            message="deposits are asked for without a person, where the book allows auto: what a "
            "customer paid before the books were connected may not be known",
            hint='write mode = "approve"',
        )
    if rule.percent == Decimal(100):
        yield Finding(
            severity="info",
            code="deposit_whole",
            path=("credit", "deposit", "percent"),
            message="the deposit is the whole estimate: that is payment in advance",
        )


def write_offs(policy: Policy) -> Iterator[Finding]:
    """A table that proposes nothing."""
    rules = policy.write_off
    if rules is None:
        return
    proposes = any("propose_write_off" in stage.do for stage in policy.stage)
    if rules.small_balance is None and not (proposes and rules.remark):
        yield Finding(
            severity="warning",
            code="write_off_idle",
            path=("write_off",),
            message="[write_off] names no small_balance, so it proposes nothing",
            hint='write small_balance = "2.00"',
        )


def people(policy: Policy) -> Iterator[Finding]:
    """Colleagues who are to be notified and cannot be."""
    notifies = any("notify" in stage.do for stage in policy.stage)
    for number, person in enumerate(policy.person):
        if notifies and not person.email:
            yield Finding(
                severity="info",
                code="person_without_mail",
                path=("person", number),
                message=f'"{person.id}" has no e-mail address: notifications only stand on the '
                "worklist",
            )
