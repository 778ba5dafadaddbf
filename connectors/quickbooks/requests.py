"""What we ask of QuickBooks Online and what we write there, as text and bytes. Pure.

The query language is the documented subset: one entity, conditions joined by AND, ORDERBY,
STARTPOSITION, MAXRESULTS. Written bodies hold the few keys that matter and nothing else: a
key that is sent blank erases what the ledger has.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from rules.actions.effects import PostCharge, PostNote, SetHold
from rules.model.money import Minor, currency_digits

PAGE: Final = 1000
"""Rows that one query may return at most."""

NOTE_LIMIT: Final = 2000

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def quoted(text: str) -> str:
    """A value in a query: backslashes first, then quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def one_of(values: Iterable[str]) -> str:
    """A list for IN."""
    return "(" + ", ".join(quoted(value) for value in values) + ")"


def moment(at: datetime) -> str:
    """An instant in a query."""
    return quoted(at.astimezone(UTC).isoformat(timespec="seconds"))


def select(entity: str, where: str = "", *, start: int = 1, rows: int = PAGE) -> str:
    """One page of an entity, in an order that holds from page to page."""
    condition = f" where {where}" if where else ""
    return f"select * from {entity}{condition} ORDERBY Id STARTPOSITION {start} MAXRESULTS {rows}"


def major(amount: Minor, currency: str) -> Decimal:
    """Minor units as a JSON number in the currency's own digits."""
    return Decimal(amount).scaleb(-currency_digits(currency))


def note_body(effect: PostNote) -> bytes:
    """One Attachable for all invoices, or on the customer. Never on a mail to the customer."""
    targets: list[tuple[str, str]] = [("Invoice", invoice) for invoice in effect.invoices]
    targets = targets or [("Customer", effect.customer)]
    return _attachable(effect.text, targets)


def hold_body(effect: SetHold) -> bytes:
    """A credit hold is a note on the customer: QuickBooks has no field for it."""
    what = "Credit hold" if effect.is_on else "Credit hold released"
    text = f"{effect.mark} {what}" + (f": {effect.reason}" if effect.reason else "")
    return _attachable(text, [("Customer", effect.customer)])


def charge_body(
    effect: PostCharge,
    *,
    item: str,
    tax_code: str,
    locked_through: date | None,
    is_us: bool,
) -> bytes:
    """A late fee as an invoice of its own.

    It is dated after the books were closed. Outside the United States QuickBooks wants to know
    how tax is counted: on top with a tax code, else not at all.
    """
    issued_on = effect.issued_on
    if locked_through is not None and issued_on <= locked_through:
        issued_on = locked_through + timedelta(days=1)
    amount = major(effect.amount, effect.currency)
    detail: dict[str, Any] = {"ItemRef": {"value": item}, "Qty": 1, "UnitPrice": amount}
    if tax_code:
        detail["TaxCodeRef"] = {"value": tax_code}
    body: dict[str, Any] = {
        "DocNumber": effect.number,
        "CustomerRef": {"value": effect.customer},
        "CurrencyRef": {"value": effect.currency},
        "TxnDate": issued_on.isoformat(),
        "DueDate": max(effect.due_on, issued_on).isoformat(),
        "Line": [
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": amount,
                "Description": effect.description,
                "SalesItemLineDetail": detail,
            }
        ],
        "PrivateNote": effect.tag,
    }
    if effect.email:
        body["BillEmail"] = {"Address": effect.email}
    if not is_us:
        body["GlobalTaxCalculation"] = "TaxExcluded" if tax_code else "NotApplicable"
    return _encoder.encode(body)


def _attachable(text: str, targets: Iterable[tuple[str, str]]) -> bytes:
    body: Mapping[str, Any] = {
        "AttachableRef": [
            {"IncludeOnSend": False, "EntityRef": {"type": kind, "value": value}}
            for kind, value in targets
        ],
        "Note": text[:NOTE_LIMIT],
    }
    return _encoder.encode(body)
