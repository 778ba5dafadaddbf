"""What the lines of a QuickBooks invoice tell of the sale: products, classes, the location."""

from collections.abc import Iterable

from connectors.quickbooks.wire import Reference, WireInvoice


def items_of(raw: WireInvoice) -> tuple[str, ...]:
    """Products and services by name, in the order of the lines."""
    return _names(
        line.sales_item_line_detail.item_ref
        for line in raw.line or ()
        if line.sales_item_line_detail is not None
    )


def tracking_of(raw: WireInvoice) -> tuple[str, ...]:
    """Classes of the invoice and of its lines, and its location (a "department" in the API)."""
    classes = _names(
        line.sales_item_line_detail.class_ref
        for line in raw.line or ()
        if line.sales_item_line_detail is not None
    )
    if raw.class_ref is None and raw.department_ref is None and not classes:
        return ()
    classes = tuple(dict.fromkeys((*_names((raw.class_ref,)), *classes)))
    return (
        *(f"Class: {name}" for name in classes),
        *(f"Location: {name}" for name in _names((raw.department_ref,))),
    )


def _names(references: Iterable[Reference | None]) -> tuple[str, ...]:
    # A reference without a name is of no use in a policy; QuickBooks names nearly all.
    found = [each.name for each in references if each is not None and each.name]
    return tuple(dict.fromkeys(found)) if found else ()
