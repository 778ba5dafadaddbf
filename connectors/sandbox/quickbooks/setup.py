"""The lists and preferences of a QuickBooks company: items, accounts, terms, tax codes."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connectors.sandbox.face import Setup
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.rows import Row


class ListRow(Row, frozen=True, kw_only=True):
    """An entry of a list: everything but name and state is in `extra`, as it is served."""

    name: str
    is_active: bool = True


class CompanyLists:
    """What a bookkeeper set up before we came. It does not change while the sandbox runs."""

    def __init__(self, ledger: Ledger, setup: Setup) -> None:
        self._at = datetime.fromisoformat("2015-01-02T09:00:00-08:00")
        self._is_us = (ledger.company.country or "US").upper() == "US"
        self._named = ledger.facts.items
        self.accounts = self._accounts(setup)
        self.items = self._items(setup)
        self.terms = {
            str(days): self._row(
                str(position),
                f"Net {days}" if days else "Due on receipt",
                {"Type": "STANDARD", "DueDays": days},
            )
            for position, days in enumerate(ledger.facts.terms, start=1)
        }
        self.tax_codes, self.tax_rates = self._tax_codes()
        self.customer_types = {
            tag: self._row(str(position), tag, {})
            for position, tag in enumerate(
                dict.fromkeys((*ledger.facts.tags, *setup.customer_types)), start=1
            )
        }

    @property
    def is_us(self) -> bool:
        return self._is_us

    def item_id(self, line_item: str) -> str:
        """Id of the item of a line, which a client names by id and a book file by name."""
        if line_item in self._named:
            return str(self._named.index(line_item) + 10)
        return line_item

    def rows(self, entity: str) -> list[ListRow]:
        """The rows of a list entity."""
        lists: dict[str, dict[str, ListRow]] = {
            "Item": self.items,
            "Account": self.accounts,
            "Term": self.terms,
            "TaxCode": self.tax_codes,
            "CustomerType": self.customer_types,
        }
        return list(lists[entity].values())

    def _row(self, key: str, name: str, extra: dict[str, Any]) -> ListRow:
        return ListRow(id=key, name=name, extra=extra, created_at=self._at, updated_at=self._at)

    def _accounts(self, setup: Setup) -> dict[str, ListRow]:
        receivable = {
            "Classification": "Asset",
            "AccountType": "Accounts Receivable",
            "AccountSubType": "AccountsReceivable",
        }
        sales = {
            "Classification": "Revenue",
            "AccountType": "Income",
            "AccountSubType": "ServiceFeeIncome",
        }
        late = {
            "Classification": "Revenue",
            "AccountType": "Other Income",
            "AccountSubType": "OtherMiscellaneousIncome",
        }
        found = {
            "1": self._row("1", "Accounts Receivable (A/R)", receivable),
            "2": self._row("2", "Sales", sales),
        }
        if setup.fee_account:
            found["3"] = self._row("3", setup.fee_account, late)
        for row in list(found.values()):
            full = {**row.extra, "FullyQualifiedName": row.name, "SubAccount": False}
            found[row.id] = self._row(row.id, row.name, full)
        return found

    def _items(self, setup: Setup) -> dict[str, ListRow]:
        def service(account: str) -> dict[str, Any]:
            return {
                "Type": "Service",
                "Taxable": False,
                "UnitPrice": 0,
                "IncomeAccountRef": {"value": account, "name": self.accounts[account].name},
            }

        found = {"1": self._row("1", "Goods and services", service("2"))}
        if setup.fee_item and setup.fee_account:
            found["2"] = self._row("2", setup.fee_item, service("3"))
        for number, name in enumerate(self._named, start=10):
            found[str(number)] = self._row(str(number), name, service("2"))
        for row in list(found.values()):
            found[row.id] = self._row(
                row.id, row.name, {**row.extra, "FullyQualifiedName": row.name}
            )
        return found

    def _tax_codes(self) -> tuple[dict[str, ListRow], dict[str, Decimal]]:
        if self._is_us:
            # Pseudo codes: the lines of US companies say only whether tax applies.
            codes = {"TAX": ("TAX", True, Decimal(0)), "NON": ("NON", False, Decimal(0))}
        else:
            codes = {
                "2": ("20.0% S", True, Decimal(20)),
                "3": ("0.0% Z", True, Decimal(0)),
                "4": ("Exempt", False, Decimal(0)),
                "5": ("No VAT", False, Decimal(0)),
            }
        rows = {
            key: self._row(key, name, {"Description": name, "Taxable": taxable, "TaxGroup": True})
            for key, (name, taxable, _) in codes.items()
        }
        return rows, {key: rate for key, (_, _, rate) in codes.items()}

    def company_info(self, ledger: Ledger, company_id: str) -> dict[str, Any]:
        company = ledger.company
        return {
            "CompanyName": company.name,
            "LegalName": company.name,
            "Country": company.country or "US",
            "DefaultTimeZone": company.timezone,
            "Email": {"Address": "accounts@company.example"},
            "FiscalYearStartMonth": "January",
            "SupportedLanguages": "en",
            "Id": "1",
            "domain": "QBO",
            "sparse": False,
            "SyncToken": "0",
            "MetaData": self._meta(),
        }

    def preferences(self, ledger: Ledger, locked_through: date | None) -> dict[str, Any]:
        accounting: dict[str, Any] = {
            "UseAccountNumbers": False,
            "TrackDepartments": False,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": False,
            "CustomerTerminology": "Customers",
        }
        if locked_through is not None:
            accounting["BookCloseDate"] = locked_through.isoformat()
        return {
            "AccountingInfoPrefs": accounting,
            "SalesFormsPrefs": {
                "CustomTxnNumbers": True,
                "AllowDeposit": False,
                "AllowDiscount": False,
                "ETransactionPaymentEnabled": False,
                "EmailCopyToCompany": False,
                "AutoApplyCredit": False,
                "AutoApplyPayments": False,
            },
            "CurrencyPrefs": {
                "MultiCurrencyEnabled": len(ledger.facts.currencies) > 1,
                "HomeCurrency": {"value": ledger.company.base_currency},
            },
            "TaxPrefs": {"UsingSalesTax": not self._is_us},
            "Id": "1",
            "domain": "QBO",
            "sparse": False,
            "SyncToken": "0",
            "MetaData": self._meta(),
        }

    def _meta(self) -> dict[str, Any]:
        at = self._at.isoformat()
        return {"CreateTime": at, "LastUpdatedTime": at}
