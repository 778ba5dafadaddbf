"""What the reader of a plan has to know besides its actions: what the ledger does by itself, and
that our own records were lost, and what could not be read and does not tell whose it is."""

import shlex
from collections.abc import Sequence
from typing import Final

from ar_bridge.store.quarantine import QuarantineRow
from rules.model import Company
from rules.policy.schema import Policy

LEDGERS = {"quickbooks": "QuickBooks", "xero": "Xero"}

_NAMED: Final = 3
"""Unreadable records that a warning names; the others are counted."""


def plan_warnings(
    company: Company,
    policy: Policy,
    *,
    state: str,
    book_name: str,
    nobodys: Sequence[QuarantineRow] = (),
) -> list[dict[str, str]]:
    """`warnings` of `plan --json`: code, text and remedy of each."""
    ledger = LEDGERS.get(company.ledger, "the ledger")
    found: list[dict[str, str]] = []

    def warn(code: str, text: str, remedy: str) -> None:
        found.append({"code": code, "text": text, "remedy": remedy})

    if state == "rebuilt":
        warn(
            "rebuilt",
            "our own records were lost and found again in the ledger: every action waits for "
            "your approval",
            f"look through them, then: ar-bridge trust --book {shlex.quote(book_name)} "
            "--reason ...",
        )
    if nobodys:
        named = "; ".join(f"{bad.entity} {bad.id}: {bad.reason}" for bad in nobodys[:_NAMED])
        more = len(nobodys) - _NAMED
        warn(
            "unread",
            f"{len(nobodys)} record(s) of {ledger} cannot be read and do not tell whose they are, "
            f"so nobody waits for them: {named}" + (f"; and {more} more" if more > 0 else ""),
            f"look at them in {ledger} before you approve, and mend them there",
        )
    if company.native_reminders and any("remind" in stage.do for stage in policy.stage):
        warn(
            "native_reminders",
            f"{ledger} reminds customers by itself, so they may hear of the same invoice twice",
            f"switch the reminders of {ledger} off",
        )
    if company.native_late_fees and policy.fee:
        if policy.native_late_fees == "refuse":
            warn(
                "native_late_fees",
                f"{ledger} charges late fees by itself, so none of this policy is charged",
                f"switch the late fees of {ledger} off; where they are off already, write "
                'native_late_fees = "off-confirmed" in the policy',
            )
        else:
            warn(
                "native_late_fees",
                f"{ledger} seems to charge late fees by itself; the policy says that they are "
                "off, so its own are charged",
                f"see in {ledger} that they are off",
            )
    return found
