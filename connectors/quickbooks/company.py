"""The company behind a QuickBooks connection and its set-up, as far as late fees need it."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connectors.errors import RefusedError
from connectors.port import Finding
from connectors.quickbooks import wire
from connectors.quickbooks.countries import country_code
from connectors.quickbooks.parse import day
from rules.model.company import Company

_PSEUDO_TAX_CODES: Final = ("tax", "non")


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """CompanyInfo and Preferences, read once."""

    company_id: str
    info: wire.WireCompany
    preferences: wire.WirePreferences
    base_currency: str = ""
    """What the book is said to be in, where the company does not say it itself."""

    @property
    def currency(self) -> str:
        prefs = self.preferences.currency_prefs
        home = prefs.home_currency.value if prefs and prefs.home_currency else None
        return home or self.base_currency or "USD"

    @property
    def locked_through(self) -> date | None:
        """The books are closed up to this day."""
        prefs = self.preferences.accounting_info_prefs
        try:
            return day(prefs.book_close_date) if prefs else None
        except ValueError:
            return None

    @property
    def country(self) -> str:
        """Two letters; empty where the company does not state one that is known."""
        return country_code(self.info.country)

    @property
    def is_us(self) -> bool:
        """Sales tax works by pseudo codes. A company without a country is taken for one."""
        return self.country == "US" or not (self.info.country or "").strip()

    @property
    def company(self) -> Company:
        zone = self.info.default_time_zone or ""
        return Company(
            id=self.company_id,
            ledger="quickbooks",
            name=self.info.company_name or self.info.legal_name or "",
            base_currency=self.currency,
            timezone=zone if _is_zone(zone) else "UTC",
            country=self.country,
            locked_through=self.locked_through,
        )

    def findings(self) -> list[Finding]:
        """What stands in the way, and what to do about it."""
        found: list[Finding] = []
        zone = self.info.default_time_zone or ""
        if not _is_zone(zone):
            found.append(
                Finding(
                    level="warning",
                    subject="time zone",
                    text=f"the time zone {zone!r} that QuickBooks states is not known; UTC is used",
                    remedy="set `timezone` of the book in config.toml, such as Europe/London",
                )
            )
        if not self.country:
            found.append(
                Finding(
                    level="warning",
                    subject="country",
                    text=f"the country {(self.info.country or '')!r} that QuickBooks states is not "
                    "known"
                    + ("; taxes are taken for those of the United States" if self.is_us else ""),
                    remedy="state it in QuickBooks under Account and settings, Company",
                )
            )
        prefs = self.preferences.currency_prefs
        if prefs is not None and prefs.multi_currency_enabled is not None:
            word = "on" if prefs.multi_currency_enabled else "off"
            found.append(
                Finding(level="ok", subject="currencies", text=f"multicurrency is switched {word}")
            )
        if self.locked_through is not None:
            found.append(
                Finding(
                    level="ok",
                    subject="closing date",
                    text=f"the books are closed up to {self.locked_through.isoformat()}: late fees "
                    "are dated after it",
                )
            )
        if not (prefs and prefs.home_currency and prefs.home_currency.value):
            found.append(
                Finding(
                    level="warning",
                    subject="currency",
                    text=f"QuickBooks does not state its home currency; {self.currency} is used",
                )
            )
        forms = self.preferences.sales_forms_prefs
        if forms is not None and forms.custom_txn_numbers is False:
            found.append(
                Finding(
                    level="warning",
                    subject="document numbers",
                    text="QuickBooks numbers invoices itself: a late fee may not keep its number",
                    remedy="switch on custom transaction numbers under Account and settings, Sales",
                )
            )
        return found


def fee_item(configured: str, items: Sequence[wire.WireItem]) -> wire.WireItem:
    """The item that late fees are booked to: by id, name, full name, else by income account.

    Raises RefusedError, naming the remedy.
    """
    if not configured:
        raise RefusedError("no item for late fees: set fee_account to a product or service")
    active = [item for item in items if item.active is not False]
    wanted = configured.casefold()

    def account(item: wire.WireItem) -> tuple[str, str]:
        ref = item.income_account_ref
        return ((ref.value or "") if ref else "", (ref.name or "").casefold() if ref else "")

    def names(item: wire.WireItem) -> tuple[str, str, str]:
        name, full = (item.name or "").casefold(), (item.fully_qualified_name or "").casefold()
        return (item.id, name, full)

    for place in range(3):
        for item in active:
            if names(item)[place] in (configured, wanted):
                return item
    for item in active:
        if configured == account(item)[0] or wanted == account(item)[1]:
            return item
    raise RefusedError(
        f"fee_account {configured!r} is no active product or service, nor the income account of "
        "one: add one in QuickBooks (type Service, such as 'Late fee') and name it"
    )


def tax_code(
    configured: str, codes: Sequence[wire.WireNamed], *, is_us: bool, key: str = "fee_tax"
) -> str:
    """The tax code of the fee line, by id or name; empty for none. `key` is that of the setting.

    TAX and NON are no codes of a list but the words that companies of the United States use;
    there a late fee is not taxed unless the book says so. Elsewhere every line needs a code of
    the company, and only one that keeps no codes at all has none. Raises RefusedError.
    """
    wanted = configured.casefold()
    if is_us and wanted in ("", *_PSEUDO_TAX_CODES):
        return configured.upper() or "NON"
    active = [code for code in codes if code.active is not False]
    if not configured or (wanted == "non" and not active):
        return ""
    for code in active:
        if code.id == configured or (code.name or "").casefold() == wanted:
            return code.id
    known = ", ".join(sorted(code.name or code.id for code in active)) or "it has none"
    is_inactive = any(wanted in (code.id, (code.name or "").casefold()) for code in codes)
    if is_inactive:
        reason = "is inactive"
    elif wanted in _PSEUDO_TAX_CODES:
        reason = "is a word for companies of the United States"
    else:
        reason = "is no tax code of this company"
    raise RefusedError(f"{key} {configured!r} {reason}: name one of its active tax codes ({known})")


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError):
        return False
