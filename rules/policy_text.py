"""What late payment costs, in sentences for a customer: written from the rules that charge it.

Terms that say one thing while the policy does another are the quickest way to lose a dispute, so
this text is never written by hand. It states rules, it is no legal advice.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from rules.fees.schemes import SCHEMES
from rules.policy.check_fees import PLACEHOLDER_BASIS, annual_rate
from rules.policy.fee import Fee
from rules.policy.reading import plain_decimal
from rules.policy.schema import Policy
from rules.policy.values import MoneyTable

_BASE: Final = {
    "outstanding": "what is still open",
    "original": "the invoice amount",
    "outstanding_ex_tax": "what is still open, without tax",
}
_RESTS: Final = {"daily": "every day", "monthly": "every month", "yearly": "every year"}
_LAWS: Final = {
    "uk": "the Late Payment of Commercial Debts (Interest) Act 1998",
    "de": "sections 247 and 288 of the German Civil Code",
    "de:consumer": "sections 247 and 288 of the German Civil Code",
    "ie": "the European Communities (Late Payment in Commercial Transactions) Regulations 2012",
    "nl": "article 6:119a of the Dutch Civil Code",
    "in:msmed": "section 16 of the MSMED Act 2006",
    "us:prompt-payment": "the Prompt Payment Act",
}


def policy_text(policy: Policy, currency: str) -> str:
    """The terms of late payment in Markdown, amounts without a currency of their own in
    `currency`."""
    lines = ["# Late payment", ""]
    if not policy.fee:
        lines.append("We charge nothing for late payment.")
    for fee in policy.fee:
        lines += [f"## {fee.name or fee.id}", "", " ".join(_sentences(policy, fee, currency)), ""]
    lines += [*_discount(policy), *_deposits(policy), *_payment_plans(policy), *_hand_off(policy)]
    return "\n".join(lines).rstrip() + "\n"


def _discount(policy: Policy) -> Iterator[str]:
    rule = policy.discount
    if rule is None:
        return
    base = "of the invoice" if rule.base == "total" else "of the invoice without tax"
    some = "" if not (rule.only or rule.when) else " where we say so on the invoice"
    yield f"# {rule.name}"
    yield ""
    yield (
        f"You may deduct {_plain(rule.percent)} % {base} if your payment reaches us within "
        f"{rule.within.words} of the day of issue{some}. Credit notes come off the invoice first. "
        "A later or a smaller payment earns no discount."
    )
    yield ""


def _deposits(policy: Policy) -> Iterator[str]:
    rule = policy.credit.deposit if policy.credit is not None else None
    if rule is None:
        return
    yield "# Deposits"
    yield ""
    when = "accepted" if rule.estimates == "accepted" else "received"
    told = f"New customers pay a deposit of {_plain(rule.percent)} % of the estimate"
    limits = " where the estimate calls for one" if rule.when is not None or rule.only else ""
    given = f", within {rule.due_in.words} of our request" if rule.due_in is not None else ""
    yield f"{told}{limits} once they have {when} it{given}. It is deducted from the invoice."
    yield ""


def _payment_plans(policy: Policy) -> Iterator[str]:
    """What a customer who pays in parts may count on, where a stage offers that."""
    if not any("offer_plan" in stage.do for stage in policy.stage):
        return
    reminder = policy.commitments.instalment_reminder
    yield "# Payment in parts"
    yield ""
    yield "If we agree that you pay in parts, no late fees arise while each part comes on its day."
    if reminder is not None and reminder.count:
        yield f"We remind you {reminder.words} before each part."
    yield (
        "A part that does not come ends the agreement: what is open is then due at once, with the "
        "terms above."
    )
    yield ""


def _hand_off(policy: Policy) -> Iterator[str]:
    """When a claim is given away, where a stage does that."""
    if not any("hand_off" in stage.do for stage in policy.stage):
        return
    rule = policy.hand_off
    names = {stage.id: stage.name or stage.id for stage in policy.stage}
    to = "a collection agency" if rule.to == "agency" else "a lawyer or the court"
    yield "# Handing over"
    yield ""
    told = f"We may hand what stays unpaid to {rule.agency.name or to}"
    if rule.notice:
        wait = f"{rule.cool_off.words} after " if rule.cool_off.count else "after "
        told += f", {wait}the deadline of our notice ({names.get(rule.notice, rule.notice)})"
    yield f"{told}. An amount that you dispute is not handed over."
    yield ""


def _sentences(policy: Policy, fee: Fee, currency: str) -> Iterator[str]:
    yield from _amount(fee, currency)
    if fee.scope == "customer" and fee.type == "flat":
        yield "It is one charge for all your invoices that are overdue, not one for each."
    elif fee.scope == "customer":
        yield "All your invoices are charged together, on one document that lists each of them."
    rate = annual_rate(fee)
    if rate is not None and fee.type != "interest":
        yield f"That comes to {_plain(round(rate, 2))} % a year."
    yield from _time(fee)
    yield from _limits(fee, currency)
    yield from _shared(policy, fee, currency)
    yield from _exceptions(fee)
    if fee.post.kind == "claim_only":
        yield "It is claimed in our letters and not invoiced."
    basis = fee.legal_basis or policy.legal_basis
    if basis == PLACEHOLDER_BASIS:
        yield "EDIT: It rests on [name the clause of your terms]."
    elif basis:
        yield f"It rests on {_basis(basis)}."
    yield "Nothing is charged on an amount that you dispute, or on late fees themselves."


def _basis(named: str) -> str:
    kind, is_known, what = named.partition(":")
    words = {"contract": "our terms", "statute": "the law"}.get(kind)
    return f"{words} ({what.strip()})" if is_known and words else named


_YEARS: Final = {
    "act/365": "A year counts as 365 days.",
    "act/360": "A year counts as 360 days.",
    "30/360": "A month counts as 30 days and a year as 360.",
    "act/act": "A leap year counts as 366 days, any other year as 365.",
}


def _amount(fee: Fee, currency: str) -> Iterator[str]:
    if fee.on == "returned_payment":
        sum_ = (
            f"{_plain(fee.percent)} % of it"
            if fee.percent is not None
            else _money(fee.amount, currency)
        )
        yield f"For each payment that is returned to us we charge {sum_}."
        return
    base = _BASE[fee.base]
    again = ""
    if fee.repeat is not None:
        every = fee.repeat.every.count
        again = " for each day" if every == 1 else f" on every {_ordinal(every)} day"
        again += " after it was due"
        again += f", {fee.repeat.times} times at most"
    if fee.type == "flat":
        yield f"We charge {_money(fee.amount, currency)}{again or ' once'}."
    elif fee.type == "percent" and fee.per == "month":
        counted = {"elapsed": "full", "started": "begun", "days/30": "full or part"}
        months = f"each {counted[fee.month_count]} month"
        yield f"We charge {_plain(fee.percent)} % of {base} for {months}."
        if fee.compounding != "none":
            yield "What was charged is added to it every month."
    elif fee.type == "percent":
        yield f"We charge {_plain(fee.percent)} % of {base}{again or ', once'}."
    elif fee.type == "flat_then_percent":
        yield (
            f"We charge {_money(fee.amount, currency)} once, and {_plain(fee.percent)} % of "
            f"{base}{again}."
        )
    elif fee.type == "tiered":
        yield from _tiers(fee, base, currency)
    elif fee.type == "interest":
        yield from _interest(fee, base)
    elif fee.type == "statutory":
        yield from _statutory(fee)
    elif fee.type == "compensation":
        parts = [
            f"{_money(band.amount, currency)} on debts of {_plain(band.from_)} and more"
            for band in fee.bands
        ]
        yield f"We charge once for each invoice: {'; '.join(parts)}."
    elif fee.type == "scale":
        yield from _scale(fee, currency)


def _tiers(fee: Fee, base: str, currency: str) -> Iterator[str]:
    steps = []
    for tier in sorted(fee.tiers, key=lambda tier: tier.from_day):
        if tier.amount is not None:
            what = _money(tier.amount, currency)
        elif tier.percent is not None:
            what = f"{_plain(tier.percent)} % of {base}"
        else:
            what = f"{_plain(tier.daily_percent)} % of {base} for each day"
        steps.append(f"from day {tier.from_day}: {what}")
    yield f"We charge by the days late: {'; '.join(steps)}."
    yield {
        "additive": "The steps add up.",
        "whole": "The highest step reached counts for every day.",
        "marginal": "Each day counts at its own step.",
    }.get(
        fee.tier_mode or ("marginal" if fee.is_daily_tiers else ""),
        "Only the highest step reached counts.",
    )


def _interest(fee: Fee, base: str) -> Iterator[str]:
    if fee.rates:
        rates = [f"{_plain(rate.annual)} % a year from {rate.from_}" for rate in fee.rates]
        yield f"We charge interest on {base}: {', '.join(rates)}."
        if fee.rate_fix == "at_start":
            yield "The rate of the first day of interest stays."
    else:
        yield f"We charge interest of {_plain(fee.annual_rate)} % a year on {base}."
    yield _YEARS[fee.day_count]
    if fee.compounding != "none":
        rate = annual_rate(fee)
        assert rate is not None
        yield (
            f"Interest is added to the debt {_RESTS[fee.compounding]}; in a full year that is "
            f"{_plain(round(rate, 2))} %."
        )


def _statutory(fee: Fee) -> Iterator[str]:
    assert fee.scheme is not None
    scheme = SCHEMES[fee.scheme]
    law = _LAWS.get(fee.scheme, "Directive 2011/7/EU on late payment")
    points = f" plus {scheme.margin} percentage points" if scheme.margin != "0" else ""
    times = f"{scheme.factor} times " if scheme.factor > 1 else ""
    yield f"We charge interest under {law}: {times}the {scheme.series.name}{points}."
    if fee.compensation and scheme.bands:
        sums = [f"{scheme.currency} {sum_} on debts from {least}" for least, sum_ in scheme.bands]
        yield f"The fixed sum of the law is added once for each invoice: {'; '.join(sums)}."


def _scale(fee: Fee, currency: str) -> Iterator[str]:
    slices = [
        f"{_plain(one.percent)} % of "
        + (f"the next {_plain(one.width)}" if one.width is not None else "the rest")
        for one in fee.scale
    ]
    yield f"We charge once, by the size of the debt: {', '.join(slices)}."
    if fee.minimum is not None:
        yield f"It is {_money(fee.minimum, currency)} at least."
    if fee.maximum is not None:
        yield f"It is {_money(fee.maximum, currency)} at most."


def _time(fee: Fee) -> Iterator[str]:
    days = fee.grace.count
    if not days:
        return
    yield f"Nothing is charged while a payment is {days} days late or less."
    if fee.grace_mode == "retroactive" and fee.type in ("interest", "statutory", "percent"):
        yield "After that it counts from the first day late."


def _limits(fee: Fee, currency: str) -> Iterator[str]:
    if fee.minimum_charge is not None and fee.minimum_per == "charge":
        yield f"Each charge comes to {_money(fee.minimum_charge, currency)} at least."
    elif fee.minimum_charge is not None:
        yield f"It comes to {_money(fee.minimum_charge, currency)} at least."
    cap = fee.cap
    if cap is None:
        return
    most = []
    if cap.per_invoice is not None:
        most.append(f"{_money(cap.per_invoice, currency)} for each invoice")
    if cap.percent_of_original is not None:
        most.append(f"{_plain(cap.percent_of_original)} % of the invoice amount")
    if cap.annual_percent is not None:
        most.append(f"{_plain(cap.annual_percent)} % a year")
    if most:
        yield f"It never exceeds {' or '.join(most)}."
    if cap.days is not None:
        yield f"It stops to grow {cap.days} days after the due date."


def _shared(policy: Policy, fee: Fee, currency: str) -> Iterator[str]:
    """Limits that the fee shares with others."""
    group = next((one for one in policy.cap_group if one.name == fee.cap_group), None)
    if group is None:
        return
    others = [
        one.name or one.id for one in policy.fee if one.cap_group == group.name and one.id != fee.id
    ]
    together = f"Together with {', '.join(others)} it" if others else "It"
    most = []
    if group.per_invoice is not None:
        most.append(f"{_money(group.per_invoice, currency)} for each invoice")
    if group.percent_of_original is not None:
        most.append(f"{_plain(group.percent_of_original)} % of the invoice amount")
    if group.annual_percent is not None:
        most.append(f"{_plain(group.annual_percent)} % a year")
    if most:
        yield f"{together} never exceeds {' or '.join(most)}."
    if group.per_customer_month is not None:
        yield f"{together} is charged up to {_money(group.per_customer_month, currency)} a month."


def _exceptions(fee: Fee) -> Iterator[str]:
    """What becomes of days and payments that turn out otherwise."""
    if fee.due_roll == "following":
        yield "A due date on a weekend or a holiday counts as the next working day."
    if fee.allocation == "interest_first":
        yield "A part payment settles the interest first, then the debt."
    if fee.reversal == "void" and fee.on == "lateness":
        yield "A payment that is returned to us counts as never made."
    if fee.on_dispute_won == "lift_pause":
        yield "If a dispute ends in our favour, its days are charged after all."


def _money(amount: MoneyTable | None, currency: str) -> str:
    assert amount is not None
    if amount.bare is not None:
        return f"{currency} {amount.bare}"
    return " or ".join(f"{code} {sum_}" for code, sum_ in amount.by_currency)


def _plain(number: Decimal | None) -> str:
    assert number is not None
    return plain_decimal(number)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else ending}"
