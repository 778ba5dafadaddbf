"""A policy with its earlier versions: which terms were in force on which day.

A day accrues under the version in force that day, a fixed sum is charged under the version of the
invoice's date, and everything else is today's. A policy carries its versions with it
(`Policy.versions`), so that whoever decides by it has them.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from rules.policy.fee import Fee

if TYPE_CHECKING:
    from rules.policy.schema import Policy

_DAY = timedelta(days=1)


class DatedPolicy(msgspec.Struct, frozen=True):
    """A version of a policy and the first day on which it is in force."""

    from_: date
    policy: "Policy"


class Terms(msgspec.Struct, frozen=True):
    """A fee as one version words it, and the days, both ends included, that it is in force."""

    first: date
    last: date
    fee: Fee
    version: DatedPolicy


def in_force(versions: Sequence[DatedPolicy], day: date) -> DatedPolicy:
    """The version in force on a day, `versions` in order of their day; the first one before it.

    Stages need some version on any day; fees ask `terms_of`, which knows no terms before the first.
    """
    found = versions[0]
    for version in versions:
        if version.from_ <= day:
            found = version
    return found


def terms_of(ids: Iterable[str], versions: Sequence[DatedPolicy]) -> tuple[Terms, ...]:
    """The terms of one fee over time: the same fee is known by its id, or by what it `was`.

    Newest first is how names are followed: each version may know older ones.
    """
    names = set(ids)
    found: list[Terms] = []
    last = date.max
    for version in reversed(versions):
        for fee in version.policy.fee:
            own = {fee.id, *fee.was}
            if own & names:
                names |= own
                found.append(Terms(version.from_, last, fee, version))
                break
        last = version.from_ - _DAY
    return tuple(reversed(found))


def vanished(versions: Sequence[DatedPolicy], today: date) -> list[tuple[Fee, DatedPolicy]]:
    """Fees that today's version no longer has, as the last version that had them words them.

    What accrued under them is still owed.
    """
    known: set[str] = set()
    found: list[tuple[Fee, DatedPolicy]] = []
    in_time = [version for version in versions if version.from_ <= today]
    for place, version in enumerate(reversed(in_time)):
        for fee in version.policy.fee:
            own = {fee.id, *fee.was}
            if place and not own & known:
                found.append((fee, version))
            known |= own
    return found
