"""Which acts a person looks at first, by `[approval]` of the policy, and why."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.decision import Act, Decision, Reason
from rules.frame import Frame
from rules.model.book import Account
from rules.model.invoice import Invoice
from rules.model.money import currency_digits, format_minor
from rules.policy.approval import Asking
from rules.policy.reading import plain_decimal
from rules.stand_ins import account_as_invoice

NEEDS_APPROVAL: Final = "needs_approval"
"""Code of the reason."""


def asking(
    frame: Frame, account: Account, decisions: list[Decision], day: AccountDay | None
) -> list[Decision]:
    """The decisions, acts that a person has to look at marked as such: mode `approve` at most,
    and one more reason. Only tightens."""
    rules = frame.asks
    if not rules:
        return decisions
    found: list[Decision] = []
    for decision in decisions:
        if isinstance(decision, Act):
            day = day or AccountDay(frame, account)
            whys = [why for rule in rules if (why := _why(rule, decision, day))]
            if whys:
                reason = Reason(NEEDS_APPROVAL, (("why", "; ".join(dict.fromkeys(whys))),))
                decision = msgspec.structs.replace(
                    decision,
                    mode="approve" if decision.mode == "auto" else decision.mode,
                    reasons=(*decision.reasons, reason),
                )
        found.append(decision)
    return found


def without_asking(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Reasons of an act that nobody is asked about after all, because it is only a draft."""
    return tuple(reason for reason in reasons if reason.code != NEEDS_APPROVAL)


def segments_of(
    frame: Frame, account: Account, about: Sequence[Invoice], names: Iterable[str]
) -> frozenset[str]:
    """Which of the segments hold all these invoices of the account; without any invoice, the
    account as such."""
    day = AccountDay(frame, account)
    about = about or (account_as_invoice(day, frame.base_currency),)
    return frozenset(
        name for name in names if all(day.is_in_any((name,), invoice) for invoice in about)
    )


def _why(rule: Asking, act: Act, day: AccountDay) -> str:
    """Why this rule asks about this act; empty where it does not."""
    action = act.action
    if rule.kinds and action.kind not in rule.kinds:
        return ""
    parts: list[str] = []
    if rule.above is not None:
        if action.amount is None:
            return ""
        digits = currency_digits(action.currency)
        if Decimal(action.amount).scaleb(-digits) <= rule.above:
            return ""
        amount = f"{format_minor(action.amount, action.currency)} {action.currency}"
        parts.append(f"{amount} is above {plain_decimal(rule.above)}")
    about = _about(act, day)
    if rule.only:
        names = [n for n in rule.only if any(day.is_in_any((n,), one) for one in about)]
        if not names:
            return ""
        parts.append(f"the customer belongs to {' and '.join(names)}")
    if rule.skip and all(day.is_in_any(rule.skip, one) for one in about):
        return ""
    if rule.unless is not None and all(day.holds(rule.unless, one) for one in about):
        return ""
    if rule.when is not None:
        holding = [one for one in about if day.holds(rule.when, one)]
        if not holding:
            return ""
        parts.append(str(rule.when))
    if rule.why:
        return rule.why.strip().rstrip(".")
    if not parts:
        return f"every {action.kind.replace('_', ' ')} is" if rule.kinds else "everything is"
    return " and ".join(parts)


def _about(act: Act, day: AccountDay) -> tuple[Invoice, ...]:
    named = tuple(day.invoices[one] for one in act.action.about if one in day.invoices)
    currency = act.action.currency or day.frame.base_currency
    return named or (account_as_invoice(day, currency),)
