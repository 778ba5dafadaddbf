"""The late fees of a policy made ready for a day: names, mode, first day, terms over time."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from rules.calendar import BusinessCalendar
from rules.fees.schedule import latest_posting, next_posting
from rules.fees.versions import grows_by_day
from rules.model.ids import FeeId
from rules.policy.fee import Fee
from rules.policy.schema import Policy
from rules.policy.values import Mode, strictest
from rules.policy.versions import DatedPolicy, Terms, terms_of, vanished

DAYS_OF_A_YEAR: Final = {"act/365": 365, "act/360": 360}
"""Where a year has one length only."""


def _is_plain_interest(fee: Fee) -> bool:
    """Simple interest at one rate, of which no cap but a sum or a share of the invoice takes
    anything: three whole numbers say what it comes to."""
    return (
        fee.type == "interest"
        and fee.annual_rate is not None
        and not fee.rates
        and fee.compounding == "none"
        and fee.base != "outstanding_ex_tax"
        and fee.day_count in DAYS_OF_A_YEAR
        and fee.due_roll == "none"
        and fee.cap_group is None
        and fee.maximum is None
        and fee.minimum_per == "invoice"
        and (fee.cap is None or (fee.cap.days is None and fee.cap.annual_percent is None))
    )


def _last_day(fee: Fee, terms: Sequence[Terms]) -> date | None:
    if not terms or terms[-1].last == date.max or not all(grows_by_day(one.fee) for one in terms):
        return None
    is_deferred = fee.cap is not None and fee.cap.per_customer_month is not None
    return None if is_deferred or fee.cap_group is not None else terms[-1].last


def _plain_rate(fee: Fee) -> tuple[int, int]:
    assert fee.annual_rate is not None
    percent, of = fee.annual_rate.as_integer_ratio()
    return percent, 100 * of * DAYS_OF_A_YEAR[fee.day_count]


def _plain_cap(fee: Fee) -> tuple[int, int] | None:
    if fee.cap is None or fee.cap.percent_of_original is None:
        return None
    percent, of = fee.cap.percent_of_original.as_integer_ratio()
    return percent, 100 * of


class FeeRule:
    """A fee with its id, mode, first day, and its terms where they changed over time."""

    __slots__ = (
        "connected_on",
        "ends_on",
        "fee",
        "free_days",
        "from_day",
        "grace_days",
        "has_basis",
        "id",
        "ids",
        "is_observed",
        "is_plain_interest",
        "mode",
        "plain_cap",
        "plain_rate",
        "sum_cap",
        "terms",
    )

    def __init__(
        self,
        fee: Fee,
        policy: Policy,
        connected_on: date | None,
        versions: Sequence[DatedPolicy] = (),
        own: Policy | None = None,
    ) -> None:
        self.fee = fee
        self.id = FeeId(fee.id)
        self.terms: tuple[Terms, ...] = terms_of({fee.id, *fee.was}, versions)
        """What the versions of the policy said, oldest first; empty where there is one version."""
        earlier = (name for term in self.terms for name in (term.fee.id, *term.fee.was))
        self.ids = frozenset({fee.id, *fee.was, *earlier})
        self.ends_on = _last_day(fee, self.terms)
        """The last day that it grows, where its terms ended; None where they go on, and where a
        monthly limit may leave something over for any later month."""
        self.mode = strictest(policy.mode, fee.mode)
        self.is_observed = self.mode is Mode.OBSERVE
        self.connected_on = connected_on
        self.from_day = fee.from_ or connected_on
        self.is_plain_interest = not self.terms and _is_plain_interest(fee)
        self.grace_days = fee.grace.count
        self.free_days = fee.grace.count if fee.grace_mode == "from_grace_end" else 0
        """Days after the due date that never bear interest, however late it is paid."""
        self.plain_rate = _plain_rate(fee) if self.is_plain_interest else (0, 1)
        """(a, b): of simple interest, a sum earns a/b of itself a day."""
        self.plain_cap = _plain_cap(fee)
        """(a, b): it comes to no more than a/b of what was invoiced."""
        self.sum_cap = None if fee.cap is None else fee.cap.per_invoice
        """It comes to no more than this on an invoice."""
        self.has_basis = bool(fee.legal_basis or (own or policy).legal_basis)

    def next_posting(self, due_on: date, after: date, calendar: BusinessCalendar) -> date | None:
        """The first occasion after a day; None where none is known ahead, or where everything
        that there is to post was there at the last one."""
        if self.ends_on is not None:
            last = latest_posting(self.fee, due_on, after, calendar)
            if last is not None and last.through >= self.ends_on:
                return None
        return next_posting(self.fee, due_on, after, calendar)


class AccountFee(FeeRule):
    """A fee of whole accounts, and the same as it is found for each of their invoices: what the
    policy says of a document is asked of the document alone."""

    __slots__ = ("part",)

    def __init__(
        self,
        fee: Fee,
        policy: Policy,
        connected_on: date | None,
        versions: Sequence[DatedPolicy] = (),
        own: Policy | None = None,
    ) -> None:
        super().__init__(fee, policy, connected_on, versions, own)
        of_documents: dict[str, object] = {"minimum_to_post": None}
        if fee.minimum_per == "charge":
            of_documents["minimum_charge"] = None
        single = fee.model_copy(update=of_documents)
        self.part = FeeRule(single, policy, connected_on, versions, own)


def fee_rules(policy: Policy, today: date, connected_on: date | None) -> tuple[FeeRule, ...]:
    """The fees of today's version in its order, then those that only earlier versions have: what
    accrued until they ended is still owed. Mode is a matter of today's version."""
    versions = policy.versions
    named = [(fee, policy) for fee in policy.fee]
    if versions:
        named += [(fee, version.policy) for fee, version in vanished(versions, today)]
    return tuple(
        (AccountFee if fee.scope == "customer" else FeeRule)(
            fee, policy, connected_on, versions, own
        )
        for fee, own in named
    )
