"""What is decided for an account as a whole, beside the procedure of each of its invoices.

Each rule speaks for itself: it says whether a policy wants it at all, and gives the acts and
skips of one account on one day. A rule whose day has not come gives a Skip `not_due` without an
invoice and with its `next_on`, so that the account is looked at again on that day.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import msgspec

from rules.account_day import AccountDay
from rules.acknowledging import acknowledgements, wants_acknowledgements
from rules.contacting import ContactBudget
from rules.credit_control import credit_decisions, wants_credit_control
from rules.decision import Decision
from rules.deposits import deposit_decisions, wants_deposits
from rules.discounts import discount_decisions
from rules.letters import letter_tasks, wants_letters
from rules.policy.schema import Policy
from rules.statements import statement_decisions
from rules.write_offs import small_balance_decisions, wants_small_balances

Decide: TypeAlias = Callable[[AccountDay, ContactBudget], Iterator[Decision]]


class AccountRule(msgspec.Struct, frozen=True):
    """One rule about whole accounts."""

    is_wanted: Callable[[Policy], bool]
    """Whether the policy asks for it: nothing is computed for policies that do not."""
    decide: Decide
    """Acts and skips; what goes to the customer asks the budget, which reminders used before."""


ACCOUNT_RULES: Final[tuple[AccountRule, ...]] = (
    AccountRule(is_wanted=wants_acknowledgements, decide=acknowledgements),
    AccountRule(is_wanted=lambda policy: policy.discount is not None, decide=discount_decisions),
    AccountRule(is_wanted=lambda policy: bool(policy.statement), decide=statement_decisions),
    AccountRule(is_wanted=wants_deposits, decide=deposit_decisions),
    AccountRule(is_wanted=wants_credit_control, decide=credit_decisions),
    AccountRule(is_wanted=wants_small_balances, decide=small_balance_decisions),
    AccountRule(is_wanted=wants_letters, decide=letter_tasks),
)
"""In the order in which they take from the contact budget, after the reminders of the day."""


def rules_wanted(policy: Policy) -> tuple[AccountRule, ...]:
    """The rules that a policy asks for."""
    return tuple(rule for rule in ACCOUNT_RULES if rule.is_wanted(policy))
