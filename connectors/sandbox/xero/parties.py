"""The organisation, its chart of accounts and tax rates, its contacts and groups, as JSON."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from connectors.sandbox.face import Setup
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.ids import XeroIds
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import CustomerRow, InvoiceRow
from connectors.sandbox.xero.spelling import amount, ms_date, ms_instant
from connectors.sandbox.xero.striking import struck_contact

Json = dict[str, Any]

# Xero's names of the zones that sample books are likely to be in; others are served under the
# name of one that keeps the same time.
_ZONES: Final = {
    "UTC": "UTC",
    "Europe/London": "GMTSTANDARDTIME",
    "Europe/Berlin": "WEUROPESTANDARDTIME",
    "Europe/Paris": "ROMANCESTANDARDTIME",
    "Europe/Bucharest": "GTBSTANDARDTIME",
    "Europe/Kyiv": "FLESTANDARDTIME",
    "Europe/Istanbul": "TURKEYSTANDARDTIME",
    "Europe/Moscow": "RUSSIANSTANDARDTIME",
    "Africa/Johannesburg": "SOUTHAFRICASTANDARDTIME",
    "Africa/Lagos": "WCENTRALAFRICASTANDARDTIME",
    "Africa/Nairobi": "EAFRICASTANDARDTIME",
    "America/New_York": "EASTERNSTANDARDTIME",
    "America/Chicago": "CENTRALSTANDARDTIME",
    "America/Denver": "MOUNTAINSTANDARDTIME",
    "America/Phoenix": "USMOUNTAINSTANDARDTIME",
    "America/Los_Angeles": "PACIFICSTANDARDTIME",
    "America/Anchorage": "ALASKANSTANDARDTIME",
    "America/Halifax": "ATLANTICSTANDARDTIME",
    "America/St_Johns": "NEWFOUNDLANDSTANDARDTIME",
    "America/Bogota": "SAPACIFICSTANDARDTIME",
    "America/Sao_Paulo": "ESOUTHAMERICASTANDARDTIME",
    "Asia/Dubai": "ARABIANSTANDARDTIME",
    "Asia/Kolkata": "INDIASTANDARDTIME",
    "Asia/Karachi": "PAKISTANSTANDARDTIME",
    "Asia/Dhaka": "BANGLADESHSTANDARDTIME",
    "Asia/Bangkok": "SEASIASTANDARDTIME",
    "Asia/Singapore": "SINGAPORESTANDARDTIME",
    "Asia/Shanghai": "CHINASTANDARDTIME",
    "Asia/Tokyo": "TOKYOSTANDARDTIME",
    "Australia/Perth": "WAUSTRALIASTANDARDTIME",
    "Australia/Adelaide": "CENAUSTRALIASTANDARDTIME",
    "Australia/Brisbane": "EAUSTRALIASTANDARDTIME",
    "Australia/Sydney": "AUSEASTERNSTANDARDTIME",
    "Pacific/Auckland": "NEWZEALANDSTANDARDTIME",
    "Pacific/Honolulu": "HAWAIIANSTANDARDTIME",
}
_COUNTRIES: Final = {"USD": "US", "CAD": "CA", "AUD": "AU", "NZD": "NZ", "ZAR": "ZA", "EUR": "IE"}
_ACTIONS: Final = (
    "CreateApprovedInvoice",
    "CreateDraftInvoice",
    "CreateRepeatingInvoice",
    "AttachFilesIntoInvoice",
    "UseMulticurrency",
)
_LONGEST_TERM: Final = 31


class TaxRate(msgspec.Struct, frozen=True):
    type: str
    name: str
    percent: Decimal


TAX_RATES: Final = (
    TaxRate("OUTPUT2", "20% (Tax on Sales)", Decimal(20)),
    TaxRate("ZERORATEDOUTPUT", "Zero Rated Income", Decimal(0)),
    TaxRate("EXEMPTOUTPUT", "Exempt Income", Decimal(0)),
    TaxRate("NONE", "No Tax", Decimal(0)),
)


class Parties:
    """Renders what documents are about."""

    def __init__(
        self, ledger: Ledger, ids: XeroIds, setup: Setup, company_id: str, faults: FaultPlan
    ) -> None:
        self._ledger = ledger
        self._faults = faults
        self._plan = setup.plan
        self._denied = setup.denied_actions
        self._ids = ids
        self._company_id = company_id
        self.accounts: list[Json] = [
            self._account("090", "Bank", "BANK", "ASSET", "NONE"),
            self._account("200", "Sales", "REVENUE", "REVENUE", "OUTPUT2"),
            self._account("400", "Advertising", "OVERHEADS", "EXPENSE", "NONE"),
        ]
        if setup.fee_account_code:
            self.accounts.append(
                self._account(
                    setup.fee_account_code, setup.fee_account, "OTHERINCOME", "REVENUE", "NONE"
                )
            )

    def organisation(self) -> Json:
        company = self._ledger.company
        country = company.country or _COUNTRIES.get(company.base_currency, "GB")
        shown = {
            "OrganisationID": self._company_id,
            "Name": company.name,
            "LegalName": company.name,
            "PaysTax": True,
            "Version": "GLOBAL",
            "OrganisationType": "COMPANY",
            "BaseCurrency": company.base_currency,
            "CountryCode": country,
            "IsDemoCompany": False,
            "OrganisationStatus": "ACTIVE",
            "FinancialYearEndDay": 31,
            "FinancialYearEndMonth": 12,
            "SalesTaxBasis": "ACCRUALS",
            "CreatedDateUTC": ms_date(date(2015, 1, 1)),
            "Timezone": windows_zone(company.timezone),
            "OrganisationEntityType": "COMPANY",
            "ShortCode": "!arb01",
            "Class": self._plan,
            "Edition": "BUSINESS",
            "Addresses": [],
            "Phones": [],
            "ExternalLinks": [],
            "PaymentTerms": {},
        }
        if self._ledger.locked_through is not None:
            shown["PeriodLockDate"] = ms_date(self._ledger.locked_through)
        return shown

    def actions(self) -> list[Json]:
        """What the token may do and what it may not."""
        return [
            {"Name": name, "Status": "NOT-ALLOWED" if name in self._denied else "ALLOWED"}
            for name in _ACTIONS
        ]

    @staticmethod
    def tax_rates() -> list[Json]:
        return [
            {
                "Name": rate.name,
                "TaxType": rate.type,
                "Status": "ACTIVE",
                "CanApplyToAssets": True,
                "CanApplyToEquity": True,
                "CanApplyToExpenses": rate.type == "NONE",
                "CanApplyToLiabilities": True,
                "CanApplyToRevenue": True,
                "DisplayTaxRate": rate.percent,
                "EffectiveRate": rate.percent,
                "TaxComponents": [{"Name": "Tax", "Rate": rate.percent, "IsCompound": False}],
            }
            for rate in TAX_RATES
        ]

    # --- contacts -----------------------------------------------------------------------------

    def contact(self, row: CustomerRow, overdue: dict[str, int], *, is_whole: bool = True) -> Json:
        """One contact; `overdue` holds minor units by customer. Whole: of a page or alone."""
        base = self._ledger.company.base_currency
        currency = row.currency or base
        shown: Json = {
            "ContactID": row.id,
            "ContactStatus": contact_status(row),
            "Name": row.name,
            "EmailAddress": row.email,
            "BankAccountDetails": "",
            "Addresses": _addresses(row),
            "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": row.phone}] if row.phone else [],
            "UpdatedDateUTC": ms_instant(row.updated_at),
            "ContactGroups": [
                {"ContactGroupID": key, "Name": name, "Status": "ACTIVE", "Contacts": []}
                for key, name in self.groups_of(row)
            ],
            "IsSupplier": False,
            "IsCustomer": True,
            "DefaultCurrency": currency,
            "ContactPersons": [
                {
                    "FirstName": person.first_name,
                    "LastName": person.last_name,
                    "EmailAddress": person.email,
                    "IncludeInEmails": person.is_mailed,
                }
                for person in row.persons[:5]
            ],
            "HasAttachments": False,
            "HasValidationErrors": False,
            "Balances": {
                "AccountsReceivable": {
                    "Outstanding": amount(max(0, self._ledger.owed(row.id)), currency),
                    "Overdue": amount(overdue.get(row.id, 0), currency),
                }
            },
        }
        if row.terms_days is not None and 0 <= row.terms_days <= _LONGEST_TERM:
            terms = {"Day": row.terms_days, "Type": "DAYSAFTERBILLDATE"}
            shown["PaymentTerms"] = {"Sales": terms}
        if row.merged_into and is_whole:
            shown["MergedToContactID"] = row.merged_into
        return struck_contact(shown, self._faults)

    def overdue(self) -> dict[str, int]:
        """What is past due, by customer."""
        sums: dict[str, int] = {}
        for row in self._ledger.invoices.values():
            if row.status == "open" and row.due_on and row.due_on < self._ledger.today:
                sums[row.customer] = sums.get(row.customer, 0) + row.balance
        return sums

    # --- groups: those of the book's tags, and those that clients made ------------------------

    def groups(self) -> dict[str, str]:
        """Every contact group: id and name."""
        tags = {tag: None for customer in self._ledger.customers.values() for tag in customer.tags}
        found = {self._ids.derived("group", "tag", tag): tag for tag in tags}
        found.update({group.id: group.name for group in self._ledger.groups.values()})
        return found

    def groups_of(self, row: CustomerRow) -> list[tuple[str, str]]:
        """The groups of one contact."""
        found = [(self._ids.derived("group", "tag", tag), tag) for tag in row.tags]
        for group in self._ledger.groups.values():
            if row.id in group.members:
                found.append((group.id, group.name))
        return found

    def group(self, key: str, *, with_contacts: bool) -> Json:
        """One group. Its contacts are shown only where it is asked for alone."""
        members = self.members(key) if with_contacts else []
        return {
            "ContactGroupID": key,
            "Name": self.groups()[key],
            "Status": "ACTIVE",
            "Contacts": [
                {"ContactID": member, "Name": self._ledger.customers[member].name}
                for member in members
            ],
        }

    def members(self, key: str) -> list[str]:
        if key in self._ledger.groups:
            return sorted(self._ledger.groups[key].members)
        tag = self.groups().get(key)
        return sorted(row.id for row in self._ledger.customers.values() if tag in row.tags)

    def put_members(self, key: str, members: set[str]) -> None:
        """The group has exactly these members from now on."""
        before = set(self.members(key))
        if key in self._ledger.groups:
            self._ledger.change("group", key, members=frozenset(members))
        tag = self.groups().get(key, "")
        for customer in sorted(before ^ members):
            fields: Json = {}
            if key not in self._ledger.groups:
                tags = self._ledger.customers[customer].tags
                is_in = customer in members
                fields["tags"] = (*tags, tag) if is_in else tuple(t for t in tags if t != tag)
            self._ledger.change("customer", customer, **fields)

    def _account(self, code: str, name: str, type: str, group: str, tax: str) -> Json:
        return {
            "AccountID": self._ids.derived("account", code),
            "Code": code,
            "Name": name,
            "Status": "ACTIVE",
            "Type": type,
            "TaxType": tax,
            "Class": group,
            "EnablePaymentsToAccount": type == "BANK",
            "ShowInExpenseClaims": False,
            "HasAttachments": False,
            "UpdatedDateUTC": ms_date(date(2015, 1, 1)),
        }


def _addresses(row: CustomerRow) -> list[Json]:
    if not (row.street or row.country):
        return []
    shown = {"AddressType": "POBOX", "AddressLine1": row.street, "Country": row.country}
    return [{name: value for name, value in shown.items() if value}]


def contact_status(row: CustomerRow) -> str:
    """ACTIVE, ARCHIVED (merged contacts too) or GDPRREQUEST."""
    if row.is_erased:
        return "GDPRREQUEST"
    return "ACTIVE" if row.is_active else "ARCHIVED"


def windows_zone(zone: str) -> str:
    """Xero's name of an IANA zone, or of one that keeps the same time in winter and summer."""
    if zone in _ZONES:
        return _ZONES[zone]
    wanted = _offsets(zone)
    return next((name for known, name in _ZONES.items() if _offsets(known) == wanted), "UTC")


def _offsets(zone: str) -> tuple[object, ...]:
    keeps = ZoneInfo(zone)
    return tuple(datetime(2025, month, 1, 12, tzinfo=keeps).utcoffset() for month in (1, 4, 7, 11))


def number_is_taken(invoices: dict[str, InvoiceRow], number: str, but: str = "") -> bool:
    """Numbers of sales invoices are unique; a deleted draft gives its number free."""
    return any(
        row.number == number and row.id != but and row.status != "deleted"
        for row in invoices.values()
    )
