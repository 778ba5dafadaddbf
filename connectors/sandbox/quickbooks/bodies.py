"""What a request body sets on a row of the ledger.

A full update empties what it does not mention; a sparse one leaves it alone. A `Line` replaces
all lines either way.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from connectors.sandbox.ledger import Ledger
from connectors.sandbox.quickbooks.faults import QuickBooksFault
from connectors.sandbox.quickbooks.lines import sales_lines, tax_of
from connectors.sandbox.quickbooks.setup import CompanyLists
from connectors.sandbox.quickbooks.values import (
    Body,
    address,
    bad_reference,
    day,
    minor,
    missing,
    reference,
    required,
)
from connectors.sandbox.rows import Allocation, CustomerRow
from rules.model.money import Minor

Fields = dict[str, Any]

KIND_OF = {
    "Invoice": "invoice",
    "Payment": "payment",
    "CreditMemo": "credit_note",
    "Customer": "customer",
    "Attachable": "note",
}
"""Entities that can be written, and the ledger's word for them."""

_EMAIL_STATUS = {"NotSet": None, "NeedToSend": False, "EmailSent": True}

_OWN = """
    Id SyncToken sparse domain status MetaData DocNumber CustomerRef CurrencyRef ExchangeRate
    TxnDate DueDate Line TotalAmt Balance HomeBalance HomeTotalAmt BillEmail EmailStatus
    PrivateNote TxnTaxDetail UnappliedAmt RemainingCredit LinkedTxn Note AttachableRef DisplayName
    PrimaryEmailAddr Active CustomerTypeRef ParentRef FullyQualifiedName BalanceWithJobs Level
    DeliveryInfo InvoiceLink
"""
_OWN_NAMES = frozenset(_OWN.split())
"""Kept in fields of the row, or read-only. The rest of a body comes back as it was sent."""


class BodyReader:
    """Checks bodies against the ledger. Raises QuickBooksFault; changes nothing."""

    def __init__(self, ledger: Ledger, lists: CompanyLists) -> None:
        self._ledger = ledger
        self._lists = lists

    def fields(self, entity: str, body: Body, current: Any) -> Fields:
        """Fields to set: of a new row where `current` is None, else of that one."""
        is_sparse = current is not None and body.get("sparse") is True
        fields = _READERS[entity](self, _Sent(body, is_sparse), current)
        passed = {
            name: value
            for name, value in body.items()
            if name not in _OWN_NAMES and value not in (None, "")
        }
        fields["extra"] = {**(current.extra if is_sparse else {}), **passed}
        return fields

    def found(self, kind: str, key: str, *, as_reference: str = "") -> Any:
        """A row by id; 610, or 2500 where something else refers to it."""
        tables: dict[str, Any] = {
            "invoice": self._ledger.invoices,
            "payment": self._ledger.payments,
            "credit_note": self._ledger.credits,
            "customer": self._ledger.customers,
            "note": self._ledger.notes,
        }
        row = tables.get(kind, {}).get(key)
        if row is None and as_reference:
            raise bad_reference(as_reference, key)
        if row is None:
            raise QuickBooksFault(
                "610", "Object Not Found : Something you're trying to use has been made inactive."
            )
        return row

    def open_period(self, on: date | None) -> None:
        """Refuse with 6210 a document of a closed period."""
        if on is not None and self._ledger.is_locked(on):
            raise QuickBooksFault(
                "6210",
                f"The account period has closed through {self._ledger.locked_through} and the "
                "account books cannot be updated through the API",
            )

    # --- entities -----------------------------------------------------------------------------

    def invoice(self, sent: "_Sent", current: Any) -> Fields:
        fields = self._sale(sent, current, "issued_on", "balance")
        body = sent.body
        customer = self._ledger.customers[fields.get("customer") or current.customer]
        if sent.sets("DueDate"):
            issued = fields.get("issued_on") or current.issued_on
            fields["due_on"] = day(body, "DueDate") or issued + timedelta(customer.terms_days or 0)
        if sent.sets("BillEmail"):
            fields["email"] = address(body, "BillEmail")
        if sent.sets("EmailStatus"):
            status = body.get("EmailStatus") or "NotSet"
            if status not in _EMAIL_STATUS:
                raise QuickBooksFault("2170", f"EmailStatus {status} is not valid", "EmailStatus")
            fields["sent"] = _EMAIL_STATUS[status]
            if status == "NeedToSend" and not fields.get("email", current and current.email):
                raise missing("BillEmail")
        if "lines" in fields and current is not None and current.status == "void":
            fields["status"] = "open"
        return fields

    def credit(self, sent: "_Sent", current: Any) -> Fields:
        return self._sale(sent, current, "on", "remaining")

    def _sale(self, sent: "_Sent", current: Any, dated: str, left: str) -> Fields:
        fields: Fields = {}
        body = sent.body
        if not sent.is_sparse:
            required(body, "CustomerRef", "Line")
        if sent.sets("CustomerRef"):
            fields["customer"] = self._customer_of(body).id
        fields["currency"] = currency = self._currency(body, fields, current)
        if current is not None:
            self.open_period(getattr(current, dated))
        if sent.sets("TxnDate"):
            fields[dated] = day(body, "TxnDate") or self._ledger.today
            self.open_period(fields[dated])
        if sent.sets("Line"):
            lines = sales_lines(body, currency, self._lists)
            tax = tax_of(body, lines, currency)
            total = sum(line.amount for line in lines) + tax
            fields |= {"lines": lines, "tax": tax, "total": total}
            if current is None:
                fields[left] = total
        if sent.sets("DocNumber"):
            fields["number"] = body.get("DocNumber") or ""
        if sent.sets("PrivateNote"):
            fields["private_note"] = body.get("PrivateNote") or ""
        return fields

    def payment(self, sent: "_Sent", current: Any) -> Fields:
        fields: Fields = {}
        body = sent.body
        if not sent.is_sparse:
            required(body, "CustomerRef", "TotalAmt")
        if sent.sets("CustomerRef"):
            fields["customer"] = self._customer_of(body).id
        fields["currency"] = currency = self._currency(body, fields, current)
        if current is not None:
            self.open_period(current.on)
        if sent.sets("TxnDate"):
            fields["on"] = day(body, "TxnDate") or self._ledger.today
            self.open_period(fields["on"])
        if sent.sets("TotalAmt"):
            fields["amount"] = minor(body["TotalAmt"], currency, "TotalAmt")
        if sent.sets("Line"):
            amount = fields.get("amount", current.amount if current is not None else 0)
            fields |= self._links(body, currency, amount, fields.get("on"), current)
        if sent.sets("PrivateNote"):
            fields["private_note"] = body.get("PrivateNote") or ""
        return fields

    def _links(
        self, body: Body, currency: str, amount: Minor, on: date | None, current: Any
    ) -> Fields:
        parts: list[Allocation] = []
        credits: list[tuple[str, Minor]] = []
        own: dict[str, Minor] = {}
        for part in current.allocations if current is not None else ():
            own[part.invoice] = own.get(part.invoice, 0) + part.amount
        own_credits = dict(current.credits_used) if current is not None else {}
        for line in body.get("Line") or ():
            required(line, "Amount")
            part = minor(line["Amount"], currency, "Line.Amount")
            for link in line.get("LinkedTxn") or ():
                key, kind = str(link.get("TxnId")), link.get("TxnType")
                if kind == "Invoice":
                    invoice = self.found("invoice", key, as_reference="LinkedTxn.TxnId")
                    if part > invoice.balance + own.get(key, 0):
                        raise QuickBooksFault("6000", f"Invoice {key} is open for less than that")
                    parts.append(Allocation(key, part, on))
                elif kind == "CreditMemo":
                    credit = self.found("credit_note", key, as_reference="LinkedTxn.TxnId")
                    if part > credit.remaining + own_credits.get(key, 0):
                        raise QuickBooksFault("6000", f"Credit {key} has less than that left")
                    credits.append((key, part))
                else:
                    raise QuickBooksFault("2170", f"TxnType {kind} is not valid", "TxnType")
        applied = sum(part.amount for part in parts)
        if applied > amount + sum(used for _, used in credits):
            raise QuickBooksFault("6000", "The amount applied is more than the payment")
        return {"allocations": tuple(parts), "credits_used": tuple(credits)}

    def customer(self, sent: "_Sent", current: Any) -> Fields:
        fields: Fields = {}
        body = sent.body
        if not sent.is_sparse:
            required(body, "DisplayName")
        if sent.sets("DisplayName"):
            name = str(body["DisplayName"])
            own = current.id if current is not None else None
            if any(r.name == name and r.id != own for r in self._ledger.customers.values()):
                raise QuickBooksFault("6240", f"The name supplied already exists: {name}")
            fields["name"] = name
        if current is None:
            base = self._ledger.company.base_currency
            fields["currency"] = reference(body, "CurrencyRef") or base
        if sent.sets("PrimaryEmailAddr"):
            fields["email"] = address(body, "PrimaryEmailAddr")
        if sent.sets("CustomerTypeRef"):
            fields["tags"] = self._tags(body, current)
        if "Active" in body:
            fields["is_active"] = bool(body["Active"])
        return fields

    def _tags(self, body: Body, current: Any) -> tuple[str, ...]:
        """A customer has one type: the first of the book's tags."""
        key = reference(body, "CustomerTypeRef")
        types = {row.id: row.name for row in self._lists.customer_types.values()}
        if key and key not in types:
            raise bad_reference("CustomerTypeRef", key)
        others = current.tags[1:] if current is not None else ()
        return (types[key], *others) if key else ()

    def attachable(self, sent: "_Sent", current: Any) -> Fields:
        fields: Fields = {}
        body = sent.body
        if not sent.is_sparse and not (body.get("Note") or body.get("FileName")):
            raise missing("Note")
        if sent.sets("Note"):
            fields["text"] = body.get("Note") or ""
        if sent.sets("AttachableRef"):
            targets: list[tuple[str, str]] = []
            for ref in body.get("AttachableRef") or ():
                entity = ref.get("EntityRef") or {}
                kind, key = str(entity.get("type", "")), str(entity.get("value", ""))
                self.found(KIND_OF.get(kind, ""), key, as_reference="AttachableRef.EntityRef")
                targets.append((KIND_OF[kind], key))
            fields["targets"] = tuple(targets)
            fields["is_sent_along"] = any(
                ref.get("IncludeOnSend") for ref in body.get("AttachableRef") or ()
            )
        return fields

    # --- references ---------------------------------------------------------------------------

    def _customer_of(self, body: Body) -> CustomerRow:
        key = reference(body, "CustomerRef")
        row: CustomerRow = self.found("customer", key, as_reference="CustomerRef")
        if not row.is_active:
            raise bad_reference("CustomerRef", key)
        return row

    def _currency(self, body: Body, fields: Fields, current: Any) -> str:
        customer = self._ledger.customers[fields.get("customer") or current.customer]
        own = str(current.currency if current is not None else customer.currency)
        own = own or self._ledger.company.base_currency
        given = reference(body, "CurrencyRef")
        if not given and current is None and len(self._ledger.facts.currencies) > 1:
            raise missing("CurrencyRef")
        if given and given != own:
            raise QuickBooksFault(
                "6000", f"The transaction currency {given} is not the customer's currency {own}"
            )
        return own


class _Sent:
    """A body, and whether what it leaves out stays as it is."""

    def __init__(self, body: Body, is_sparse: bool) -> None:
        self.body = body
        self.is_sparse = is_sparse

    def sets(self, name: str) -> bool:
        return name in self.body or not self.is_sparse


_READERS: dict[str, Callable[[BodyReader, _Sent, Any], Fields]] = {
    "Invoice": BodyReader.invoice,
    "Payment": BodyReader.payment,
    "CreditMemo": BodyReader.credit,
    "Customer": BodyReader.customer,
    "Attachable": BodyReader.attachable,
}
