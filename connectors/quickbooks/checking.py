"""Looking a company over: what stands in the way of late fees, and what to do about it."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from connectors.errors import ConnectorError, RefusedError
from connectors.port import CompanyCheck, Finding
from connectors.quickbooks import wire
from connectors.quickbooks.answers import rows
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.names import NATIVE_FEE_ACCOUNT, Vocabulary
from connectors.quickbooks.pulling import changed_since
from connectors.quickbooks.requests import PAGE, one_of, select
from connectors.quickbooks.sources import INVOICES
from connectors.quickbooks.standing import Standing
from rules.model.invoice import Invoice

NATIVE_FEES_SEEN_FOR: Final = timedelta(days=90)
"""Fee lines of others in invoices changed since then say that QuickBooks charges fees itself."""

_SWITCH_OFF: Final = "switch them off under Account and settings, Sales, Late fees"


class Checkup:
    """One look at a company."""

    def __init__(self, api: MountedQuickBooks, standing: Standing, now: datetime) -> None:
        self._api = api
        self._standing = standing
        self._vocabulary: Vocabulary = standing.vocabulary
        self._now = now
        self._item: wire.WireItem | None = None

    def result(self) -> CompanyCheck:
        """The company, and findings: all at once. Raises AuthorizationError."""
        setup = self._standing.setup()
        found = setup.findings()
        if self._standing.fee_account:
            found += self._fee_item()
        if self._standing.fee_tax:
            found += self._fee_tax()
        charges, native = self._native_late_fees()
        found += native
        if all(finding.level == "ok" for finding in found):
            found.insert(
                0, Finding(level="ok", subject="company", text="nothing stands in the way")
            )
        company = msgspec.structs.replace(setup.company, native_late_fees=charges)
        return CompanyCheck(company=company, findings=found)

    def _fee_tax(self) -> list[Finding]:
        """The tax code exists and is active."""
        try:
            self._standing.fee_tax_code()
        except RefusedError as error:
            return [Finding(level="error", subject="fee tax", text=error.message)]
        return []

    def _fee_item(self) -> list[Finding]:
        """The item exists and is active, is a service, and has an income account in use."""
        try:
            item = self._standing.fee_item()
        except RefusedError as error:
            return [Finding(level="error", subject="fee account", text=error.message)]
        self._item = item
        name = item.name or item.id
        found: list[Finding] = []
        if item.type and item.type != "Service":
            found.append(
                Finding(
                    level="warning",
                    subject="fee item",
                    text=f"the item {name!r} for late fees is of type {item.type}",
                    remedy="use a product or service of type Service",
                )
            )
        account = item.income_account_ref.value if item.income_account_ref else None
        if not account:
            found.append(
                Finding(
                    level="error",
                    subject="fee item",
                    text=f"the item {name!r} for late fees has no income account",
                    remedy="give it one in QuickBooks, such as 'Late fee income'",
                )
            )
        elif not self._is_in_use(account):
            found.append(
                Finding(
                    level="error",
                    subject="fee item",
                    text=f"the income account of the item {name!r} is inactive or gone",
                    remedy="make it active in QuickBooks, or give the item another",
                )
            )
        return found

    def _is_in_use(self, account: str) -> bool:
        """Lists give active entries only."""
        try:
            answer = self._api.select(select("Account", f"Id in {one_of([account])}"))
            return bool(rows(answer, "Account").records)
        except RefusedError:
            return True  # beyond this implementation's query language: nothing is said

    def _native_late_fees(self) -> tuple[bool | None, list[Finding]]:
        """QuickBooks' own late fees cannot be read, but they leave an account and lines behind.

        Our own fee item may book to that account too; then the account proves nothing.
        """
        try:
            self._vocabulary.learn_fee_items()
            lines, is_whole = self._fees_of_others()
        except ConnectorError as error:
            return None, [Finding(level="warning", subject="late fees", text=str(error))]
        if lines:
            text = (
                f"QuickBooks, or somebody, charges late fees already: {len(lines)} of the invoices "
                f"that changed in the last 90 days hold such a line (one is {lines[0]})"
            )
            return True, [
                Finding(level="warning", subject="late fees", text=text, remedy=_SWITCH_OFF)
            ]
        ours = self._item.income_account_ref if self._item else None
        is_ours = ours is not None and ours.name == NATIVE_FEE_ACCOUNT
        if self._vocabulary.has_fee_account and not is_ours:
            text = (
                f"the account {NATIVE_FEE_ACCOUNT!r} exists: QuickBooks' own late fees may be on, "
                "and customers may be charged twice"
            )
            return None, [
                Finding(level="warning", subject="late fees", text=text, remedy=_SWITCH_OFF)
            ]
        return (False if is_whole else None), []

    def _fees_of_others(self) -> tuple[list[str], bool]:
        """Numbers of recently changed invoices with late fees that are not ours, and whether
        all of those were seen. One call."""
        since = self._now - NATIVE_FEES_SEEN_FOR
        answer = self._api.select(select("Invoice", changed_since(since)))
        records = rows(answer, "Invoice").records
        read, _ = self._vocabulary.read(INVOICES, records)
        found = [each.number for each in read if isinstance(each, Invoice) and each.fee_lines]
        return found, len(records) < PAGE
