"""A billing address of QuickBooks as it is written on a letter."""

from connectors.quickbooks.wire import Address


def address_of(raw: Address, name: str) -> tuple[str, ...]:
    """Line by line, without the customer's own name; empty where it is no postal address."""
    town = " ".join(
        part for part in (raw.city, raw.country_sub_division_code, raw.postal_code) if part
    )
    lines = (raw.line1, raw.line2, raw.line3, raw.line4, raw.line5, town)
    written = [line.strip() for line in lines if line and line.strip()]
    if written and written[0].casefold() == name.casefold():
        del written[0]
    if not written:
        # A country alone is where the customer is, not where a letter goes.
        return ()
    return (*written, raw.country) if raw.country else tuple(written)
