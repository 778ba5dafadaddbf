"""Rows of the ledger as QuickBooks serves them, rendered once and kept while nothing in them
changes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import encoded
from connectors.sandbox.ledger import Ledger
from connectors.sandbox.quickbooks.applying import Applications
from connectors.sandbox.quickbooks.sales import Sales, major
from connectors.sandbox.quickbooks.setup import CompanyLists, ListRow
from connectors.sandbox.quickbooks.striking import STRUCK, struck
from connectors.sandbox.rows import (
    CreditRow,
    CustomerRow,
    EstimateRow,
    InvoiceRow,
    NoteRow,
    PaymentRow,
    Row,
)
from rules.model.money import Minor

Shown = dict[str, Any]

_ENTITY_OF: Final = {
    "customer": "Customer",
    "invoice": "Invoice",
    "payment": "Payment",
    "credit_note": "CreditMemo",
    "estimate": "Estimate",
}


class Renderer:
    """Turns rows into bytes, and keeps them while the row's version stands."""

    def __init__(
        self,
        ledger: Ledger,
        lists: CompanyLists,
        faults: FaultPlan,
        *,
        takes_online_payments: bool = True,
    ) -> None:
        self._ledger = ledger
        self._lists = lists
        self._faults = faults
        self._kept: dict[tuple[str, str], tuple[Any, bytes]] = {}
        self._children: tuple[int, dict[str, list[str]]] = (-1, {})
        self.applications = Applications(ledger)
        self._sales = Sales(
            ledger, lists, self.applications, takes_online_payments=takes_online_payments
        )

    # --- pages --------------------------------------------------------------------------------

    def page(self, entity: str, rows: Iterable[Row], *, is_list: bool = True) -> bytes:
        """The rows as the inside of a JSON list."""
        return b",".join(self.row(entity, row, is_list=is_list) for row in rows)

    def row(self, entity: str, row: Row, *, is_list: bool = False) -> bytes:
        """One row as JSON."""
        if self._faults.is_ordered(*STRUCK.get(entity, ())):
            shown = self.shown(entity, row)
            return encoded(struck(shown, entity, self._faults, is_list=is_list))
        state = self._state(row)
        kept = self._kept.get((entity, row.id))
        if kept is not None and kept[0] == state:
            return kept[1]
        content = encoded(self.shown(entity, row))
        self._kept[entity, row.id] = (state, content)
        return content

    def _state(self, row: Row) -> Any:
        """Everything besides the row itself that shows in it."""
        customer = self._ledger.customers.get(getattr(row, "customer", ""))
        if customer is not None:
            state = (row.version, customer.version, self._sales.rate(getattr(row, "currency", "")))
            if not isinstance(row, InvoiceRow):
                return state
            sources = self._ledger.settled_by(row.id)
            return (*state, *((source.id, source.status) for source, _ in sources))
        if isinstance(row, CustomerRow):
            return (row.version, *self._owed(row))
        return row.version

    def shown(self, entity: str, row: Row) -> Shown:
        """One row as a JSON object."""
        head: Shown = {
            "Id": row.id,
            "SyncToken": str(row.version),
            "domain": "QBO",
            "sparse": False,
            "MetaData": {
                "CreateTime": self.time(row.created_at),
                "LastUpdatedTime": self.time(row.updated_at),
            },
        }
        if isinstance(row, ListRow):
            return {**row.extra, **head, "Name": row.name, "Active": row.is_active}
        return {**row.extra, **head, **self._own(row)}

    def _own(self, row: Row) -> Shown:
        if isinstance(row, InvoiceRow):
            return self._sales.invoice(row)
        if isinstance(row, PaymentRow):
            return self._sales.payment(row)
        if isinstance(row, CreditRow):
            return self._sales.credit(row)
        if isinstance(row, EstimateRow):
            return self._sales.estimate(row)
        if isinstance(row, CustomerRow):
            return self._customer(row)
        assert isinstance(row, NoteRow)
        return _note(row)

    def time(self, at: datetime) -> str:
        """An instant as QuickBooks writes it: with the company's offset."""
        return self._sales.time(at)

    # --- customers ----------------------------------------------------------------------------

    def _customer(self, row: CustomerRow) -> Shown:
        ledger = self._ledger
        own, below = self._owed(row)
        currency = row.currency or ledger.company.base_currency
        shown: Shown = {
            "DisplayName": row.name,
            "FullyQualifiedName": row.name,
            "PrintOnCheckName": row.name,
            "Active": row.is_active,
            "Taxable": False,
            "Job": row.parent is not None,
            "BillWithParent": row.parent is not None,
            "Balance": major(own, currency),
            "BalanceWithJobs": major(own + below, currency),
            "PreferredDeliveryMethod": "Email" if row.email else "None",
        }
        parent = ledger.customers.get(row.parent or "")
        if parent is not None:
            shown["ParentRef"] = {"value": parent.id}
            shown["Level"] = 1
            shown["FullyQualifiedName"] = f"{parent.name}:{row.name}"
        if row.email:
            shown["PrimaryEmailAddr"] = {"Address": row.email}
        if row.phone:
            shown["PrimaryPhone"] = {"FreeFormNumber": row.phone}
        if row.country or row.street:
            shown["BillAddr"] = self._sales.address(row.id, row.street, row.country)
        if str(row.terms_days) in self._lists.terms:
            shown["SalesTermRef"] = self._sales.term(row.terms_days)
        if row.tags:
            kind = self._lists.customer_types.get(row.tags[0])
            if kind is not None:
                shown["CustomerTypeRef"] = {"value": kind.id, "name": kind.name}
        if self._sales.is_multicurrency:
            shown["CurrencyRef"] = {"value": currency}
        return shown

    def _owed(self, row: CustomerRow) -> tuple[Minor, Minor]:
        """What the customer owes, and what its sub-customers owe."""
        ledger = self._ledger
        if self._children[0] != ledger.changes:
            children: dict[str, list[str]] = {}
            for one in ledger.customers.values():
                if one.parent is not None:
                    children.setdefault(one.parent, []).append(one.id)
            self._children = (ledger.changes, children)
        below = sum(ledger.owed(child) for child in self._children[1].get(row.id, ()))
        return ledger.owed(row.id), below


def _note(row: NoteRow) -> Shown:
    shown: Shown = {}
    if row.text:
        shown["Note"] = row.text
    if row.targets:
        shown["AttachableRef"] = [
            {
                "IncludeOnSend": row.is_sent_along,
                "EntityRef": {"type": _ENTITY_OF[kind], "value": key},
            }
            for kind, key in row.targets
        ]
    return shown
