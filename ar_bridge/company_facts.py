"""What a check of the ledger leaves behind about a company, for the plans of the days after."""

from typing import Final

import msgspec

from connectors.port import CompanyCheck, Finding
from rules.model import Company

FEE_SUBJECTS: Final = ("fee account", "fee item", "fee tax")
"""What connectors call their findings about the set-up of late fees."""


def company_of(check: CompanyCheck, fee_account: str, fee_tax: str) -> Company:
    """The company to be stored: with the account and tax of late fees, where the ledger has
    them. A late fee waits until both were seen."""
    if not (fee_account and fee_tax):
        return check.company
    seen = ("", "") if any(map(_stops_fees, check.findings)) else (fee_account, fee_tax)
    return msgspec.structs.replace(check.company, fee_setup_seen=seen)


def can_charge(company: Company, fee_account: str, fee_tax: str) -> bool:
    """Whether late fees have an account and a tax to go to that the ledger knows."""
    given = (fee_account, fee_tax)
    return all(given) and company.fee_setup_seen in (None, given)


def _stops_fees(finding: Finding) -> bool:
    return finding.level == "error" and finding.subject in FEE_SUBJECTS
