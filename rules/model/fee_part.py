"""What one invoice bears of a fee document that is about a whole account, as its lines tell it.

A line ends with a machine tag, `[arb1 inv=INV-7 sum=950]`, the sum in minor units: with our own
records lost, the document still says what was charged for which invoice, even where the amounts
of its lines were set to nothing when it was voided.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from rules.model.ids import InvoiceId
from rules.model.money import Minor

ALL_INVOICES: Final = InvoiceId("*")
"""Stands for the invoice in the tag of a fee document about a whole account."""

LINE_LIMIT: Final = 4000
"""Characters that QuickBooks and Xero take in the description of a line."""

_TAG: Final = re.compile(r"\[arb1 inv=(\S+) sum=(\d+)( minimum)?\]\s*$")


class FeePart(msgspec.Struct, frozen=True):
    """What one invoice bears, in minor units of the document's currency."""

    invoice: InvoiceId
    amount: Minor
    is_minimum: bool = False
    """What raises the document to its minimum, beside what the invoice itself bears."""


def part_line(text: str, invoice: InvoiceId, amount: Minor, *, is_minimum: bool = False) -> str:
    """The description of a line: words for people, cut where they are too many, and the tag."""
    tag = f"[arb1 inv={invoice} sum={amount}{' minimum' if is_minimum else ''}]"
    return f"{text[: LINE_LIMIT - len(tag) - 1].rstrip()} {tag}"


def parts_told(lines: Iterable[str]) -> tuple[FeePart, ...]:
    """The parts that lines name; lines without our tag name none."""
    found = (_TAG.search(line) for line in lines)
    return tuple(
        FeePart(InvoiceId(tag[1]), int(tag[2]), tag[3] is not None)
        for tag in found
        if tag is not None
    )
