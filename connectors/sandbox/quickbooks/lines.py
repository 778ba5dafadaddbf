"""The lines of a sale: items, amounts and tax."""

from collections.abc import Sequence
from decimal import Decimal

from connectors.sandbox.quickbooks.faults import QuickBooksFault
from connectors.sandbox.quickbooks.setup import CompanyLists
from connectors.sandbox.quickbooks.values import (
    Body,
    bad_reference,
    minor,
    missing,
    number,
    reference,
    required,
)
from connectors.sandbox.rows import Line
from rules.model.money import Minor

_TAX_MODES = (None, "TaxExcluded", "TaxInclusive", "NotApplicable")
_HALF_A_CENT = Decimal("0.005")


def sales_lines(body: Body, currency: str, lists: CompanyLists) -> tuple[Line, ...]:
    """The sales lines of a document. Raises QuickBooksFault 2020, 2170, 2500, 6000 or 6070."""
    found: list[Line] = []
    for position, line in enumerate(body.get("Line") or (), start=1):
        kind = line.get("DetailType")
        if kind == "SubTotalLineDetail":
            continue
        required(line, "DetailType")
        if kind != "SalesItemLineDetail":
            raise QuickBooksFault("2170", f"DetailType {kind} is not valid", "DetailType")
        required(line, "Amount", "SalesItemLineDetail")
        found.append(_sales_line(line, currency, position, lists))
    if not found:
        raise missing("Line")
    mode = body.get("GlobalTaxCalculation")
    if mode not in _TAX_MODES:
        raise QuickBooksFault("2170", f"GlobalTaxCalculation {mode} is not valid")
    is_taxed = not lists.is_us and mode != "NotApplicable"
    if is_taxed and any(not line.tax_code for line in found):
        raise QuickBooksFault(
            "6000", "Make sure all your transactions have a tax rate before you save."
        )
    return tuple(found)


def tax_of(body: Body, lines: Sequence[Line], currency: str) -> Minor:
    """Tax on top of the lines."""
    if body.get("GlobalTaxCalculation") in ("NotApplicable", "TaxInclusive"):
        return 0
    given = (body.get("TxnTaxDetail") or {}).get("TotalTax")
    if given is not None:
        return minor(given, currency, "TxnTaxDetail.TotalTax")
    return sum(line.tax for line in lines)


def _sales_line(line: Body, currency: str, position: int, lists: CompanyLists) -> Line:
    detail = line["SalesItemLineDetail"]
    item = reference(detail, "ItemRef") or "1"
    if item not in lists.items:
        raise bad_reference("ItemRef", item)
    tax_code = reference(detail, "TaxCodeRef")
    if tax_code and tax_code not in lists.tax_codes:
        raise bad_reference("TaxCodeRef", tax_code)
    given = number(line["Amount"], "Amount")
    amount = minor(given, currency, "Amount")
    quantity = number(detail["Qty"], "Qty") if detail.get("Qty") is not None else None
    price = detail.get("UnitPrice")
    unit_price = number(price, "UnitPrice") if price is not None else None
    if (
        quantity is not None
        and unit_price is not None
        and abs(quantity * unit_price - given) > _HALF_A_CENT
    ):
        raise QuickBooksFault(
            "6070", f"Amount is not equal to UnitPrice * Qty. Supplied value:{given}", "Amount"
        )
    rate = lists.tax_rates.get(tax_code, Decimal(0))
    return Line(
        id=str(line.get("Id") or position),
        description=str(line.get("Description") or ""),
        amount=amount,
        tax=int((amount * rate / 100).to_integral_value("ROUND_HALF_UP")),
        quantity=Decimal(1) if quantity is None else quantity,
        unit_price=given if unit_price is None else unit_price,
        item=item,
        tax_code=tax_code,
    )
