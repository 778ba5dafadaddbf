"""A contact's addresses in Xero as one that is written on a letter."""

from collections.abc import Sequence

from connectors.xero.wire import Address


def address_of(addresses: Sequence[Address]) -> tuple[str, ...]:
    """Line by line, without the contact's name: the postal address (`POBOX`), else the street's."""
    for kind in ("POBOX", "STREET"):
        for address in addresses:
            if address.address_type == kind and (lines := _lines(address)):
                return lines
    return ()


def _lines(raw: Address) -> tuple[str, ...]:
    town = " ".join(part for part in (raw.city, raw.region, raw.postal_code) if part)
    lines = (raw.address_line1, raw.address_line2, raw.address_line3, raw.address_line4, town)
    written = tuple(line.strip() for line in lines if line and line.strip())
    if not written:
        # A country alone is where the customer is, not where a letter goes.
        return ()
    attention = (f"Attn: {raw.attention_to.strip()}",) if raw.attention_to else ()
    return (*attention, *written, *((raw.country,) if raw.country else ()))
