"""The late fees of a policy made ready for a day: names, mode, first day, terms over time."""

from collections.abc import Sequence
from datetime import date

from rules.model.ids import FeeId
from rules.policy.fee import Fee
from rules.policy.schema import Policy
from rules.policy.values import Mode, strictest
from rules.policy.versions import DatedPolicy, Terms, terms_of, vanished


class FeeRule:
    """A fee with its id, mode, first day, and its terms where they changed over time."""

    __slots__ = (
        "connected_on",
        "fee",
        "from_day",
        "has_basis",
        "id",
        "ids",
        "is_observed",
        "mode",
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
        self.mode = strictest(policy.mode, fee.mode)
        self.is_observed = self.mode is Mode.OBSERVE
        self.connected_on = connected_on
        self.from_day = fee.from_ or connected_on
        self.has_basis = bool(fee.legal_basis or (own or policy).legal_basis)


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
