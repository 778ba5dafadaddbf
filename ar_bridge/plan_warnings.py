"""What the reader of a plan has to know besides its actions: what the ledger does by itself, and
that our own records were lost."""

import shlex

from rules.model import Company
from rules.policy.schema import Policy

LEDGERS = {"quickbooks": "QuickBooks", "xero": "Xero"}


def plan_warnings(
    company: Company, policy: Policy, *, state: str, book_name: str
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
