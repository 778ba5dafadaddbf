"""What a company has set up, read when it is needed and trusted for an hour."""

from collections.abc import Callable
from typing import Final, TypeVar

from connectors.errors import RefusedError, StaleError
from connectors.lookup import LedgerName
from connectors.port import Clock
from connectors.quickbooks import wire
from connectors.quickbooks.answers import decoded, one, rows
from connectors.quickbooks.company import SetUp, fee_item, tax_code
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.names import Vocabulary
from connectors.quickbooks.requests import select
from connectors.transport import Answer

_REMEMBERED_FOR: Final = 3600.0
"""Seconds for which the company's set-up (its closing date, its items) is trusted."""

_NAMED: Final = 12
"""Products and services that a refusal names."""

_PSEUDO_TAX_CODES: Final = ("TAX", "NON")

_T = TypeVar("_T")


class Standing:
    """CompanyInfo, Preferences, the item and the tax code of late fees."""

    def __init__(
        self,
        api: MountedQuickBooks,
        clock: Clock,
        *,
        company_id: str,
        fee_account: str,
        fee_tax: str,
        base_currency: str,
    ) -> None:
        self._api = api
        self._clock = clock
        self._company_id = company_id
        self._base_currency = base_currency
        self._preferences: wire.WirePreferences | None = None
        self._info: wire.WireCompany | None = None
        self._fee_item: wire.WireItem | None = None
        self._fee_tax_code: str | None = None
        self._trusted_until = float("-inf")
        self.fee_account = fee_account
        self.fee_tax = fee_tax
        self.vocabulary = Vocabulary(api, self._currency)

    def forget(self) -> None:
        """Everything is read anew when it is needed next."""
        self._trusted_until = float("-inf")
        self.vocabulary.forget()

    def setup(self) -> SetUp:
        """CompanyInfo and Preferences."""
        preferences = self._stated()
        if self._info is None:
            self._info = self._record(
                "CompanyInfo",
                lambda: self._api.record("CompanyInfo", self._company_id),
                wire.WireCompany,
            )
        return SetUp(
            company_id=self._company_id,
            info=self._info,
            preferences=preferences,
            base_currency=self._base_currency,
        )

    def fee_line(self) -> tuple[wire.WireItem, str]:
        """The item and the tax code of late fees. Raises RefusedError, naming the remedy."""
        return self.fee_item(), self.fee_tax_code()

    def fee_item(self) -> wire.WireItem:
        """Raises RefusedError, naming the remedy."""
        self.setup()
        if self._fee_item is None:
            items = self.vocabulary.all("Item", wire.WireItem)
            self._fee_item = fee_item(self.fee_account, items)
        return self._fee_item

    def item_named(self, name: str) -> str:
        """Id of a product or service, by id or name. Raises RefusedError for an unknown one."""
        items = self.vocabulary.all("Item", wire.WireItem)
        active = [item for item in items if item.active is not False]
        for item in active:
            if name in (item.id, item.name, item.fully_qualified_name):
                return item.id
        known = ", ".join(sorted(item.name or item.id for item in active)[:_NAMED]) or "none"
        raise RefusedError(
            f"{name!r} is no active product or service in QuickBooks: it has {known}"
        )

    def tax_named(self, name: str) -> str:
        """Id of a tax code, by id or name. Raises RefusedError for an unknown one."""
        setup = self.setup()
        codes: list[wire.WireNamed] = []
        if not (setup.is_us and name.upper() in _PSEUDO_TAX_CODES):
            codes = self.vocabulary.all("TaxCode", wire.WireNamed)
        return tax_code(name, codes, is_us=setup.is_us, key="the tax of a credit")

    def trouble_with(self, name: LedgerName) -> str:
        """Why it cannot be used; empty where it can."""
        try:
            if name.kind == "account":
                self.item_named(name.name)
            else:
                self.tax_named(name.name)
        except RefusedError as error:
            return error.message
        return ""

    def fee_tax_code(self) -> str:
        """Empty for none. Raises RefusedError, naming the remedy."""
        setup = self.setup()
        if self._fee_tax_code is None:
            codes: list[wire.WireNamed] = []
            if self.fee_tax and not (setup.is_us and self.fee_tax.upper() in _PSEUDO_TAX_CODES):
                codes = self.vocabulary.all("TaxCode", wire.WireNamed)
            self._fee_tax_code = tax_code(self.fee_tax, codes, is_us=setup.is_us)
        return self._fee_tax_code

    def _currency(self) -> str:
        """The home currency, without a call where it is known from an earlier look."""
        if self._base_currency and self._preferences is None:
            return self._base_currency
        setup = SetUp(
            company_id=self._company_id,
            info=wire.WireCompany(),
            preferences=self._stated(),
            base_currency=self._base_currency,
        )
        return setup.currency

    def _stated(self) -> wire.WirePreferences:
        now = self._clock.monotonic()
        if now >= self._trusted_until:
            self._preferences = self._info = self._fee_item = self._fee_tax_code = None
            self._trusted_until = now + _REMEMBERED_FOR
        if self._preferences is None:
            self._preferences = self._record(
                "Preferences", self._api.settings, wire.WirePreferences
            )
        return self._preferences

    def _record(self, entity: str, read: Callable[[], Answer], shape: type[_T]) -> _T:
        """A record that every company has one of: read it, or query for it."""
        try:
            return one(read(), entity, shape)
        except (RefusedError, StaleError):
            found = rows(self._api.select(select(entity)), entity).records
            if not found:
                raise
            return decoded(found[0], shape)
