"""What the lines of an invoice tell: tracking options, and late fees that others have added.

Xero charges no late fees by itself; add-ons and people do, as lines or as invoices. A line is a
fee where its words say so (`Late fee`, `Interest on overdue invoice`), or where its words may
say so (`Interest`, `Penalty`) and it is booked to the book's own fee account. The account alone
proves nothing: many books have their fees in the account of their sales.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeVar

import msgspec

from connectors.xero import wire
from connectors.xero.rows import Context
from rules.model.money import Minor, round_minor

_SURELY: Final = re.compile(
    r"\blate[ -]?(?:payment[ -]?)?(?:fees?|charges?|interest|penalt|compensation|surcharge)"
    r"|\boverdue[ -](?:fees?|charges?|interest|penalt)"
    r"|\b(?:interest|penalty|charges?|fees?|compensation) (?:on|for|of) "
    r"(?:the |an? |your )?(?:late (?:payment|settlement|invoice)|overdue)\b"
    r"|\bstatutory (?:late payment )?(?:interest|compensation)"
    r"|\bdebt recovery (?:cost|fee|compensation)",
    re.I,
)
_PERHAPS: Final = re.compile(r"\b(?:interest|penalt|overdue|compensation)", re.I)
# The cheap question: no line is decoded where none of these is met.
_HINTS: Final = (b"late", b"interest", b"overdue", b"penalt", b"recovery", b"compensation")
_NOTHING: Final[tuple[tuple[str, ...], Minor, bool]] = ((), 0, False)
_NO_CODE: Final = b"null"
_TEXT: Final = msgspec.json.Decoder(str | None)
_AMOUNT: Final = msgspec.json.Decoder(Decimal | None, strict=False)
_T = TypeVar("_T")


def told_by_lines(
    lines: Sequence[wire.XeroLine] | None,
    currency: str,
    line_amount_types: str,
    context: Context,
    *,
    is_ours: bool,
) -> tuple[tuple[str, ...], Minor, bool]:
    """Tags of the tracking options, the sum of others' fee lines with their tax, and whether
    the document holds nothing else.

    What of a line cannot be read tells nothing: the invoice is what its totals say.
    """
    if not lines:
        return _NOTHING
    tags: tuple[str, ...] = ()
    if any([line.tracking for line in lines]):
        tags = _tags(lines)
    if not is_ours:
        words = b"|".join([line.description for line in lines]).lower()
        for hint in _HINTS:
            if hint in words:
                is_net = line_amount_types not in ("Inclusive", "NoTax")
                return (tags, *_fees(lines, currency, context, is_net=is_net))
    return (tags, 0, False) if tags else _NOTHING


def items_of(lines: Sequence[wire.XeroLine]) -> tuple[str, ...]:
    """Codes of the items on the lines; a line without an item has none."""
    codes = {bytes(line.item_code): None for line in lines}  # in their order, each once
    if list(codes) == [_NO_CODE]:
        return ()
    return tuple(code for raw in codes if (code := _decoded(_TEXT, msgspec.Raw(raw))))


def _tags(lines: Sequence[wire.XeroLine]) -> tuple[str, ...]:
    refs = [ref for line in lines for ref in line.tracking or ()]
    return tuple(
        dict.fromkeys(
            f"{ref.name}: {ref.option}" if ref.name else ref.option for ref in refs if ref.option
        )
    )


def _fees(
    lines: Sequence[wire.XeroLine], currency: str, context: Context, *, is_net: bool
) -> tuple[Minor, bool]:
    fees, others = Decimal(0), 0
    for line in lines:
        amount = _decoded(_AMOUNT, line.line_amount) or Decimal(0)
        if is_net:
            amount += _decoded(_AMOUNT, line.tax_amount) or 0
        account = _decoded(_TEXT, line.account_code) or ""
        if is_fee(_decoded(_TEXT, line.description) or "", account, context.fee_account):
            fees += amount
        elif amount:
            others += 1  # a line without an amount is text
    # A fee that was taken off again leaves nothing to keep out of the base.
    return round_minor(Fraction(max(fees, Decimal(0))), currency), fees > 0 and others == 0


def is_fee(words: str, account: str, fee_account: str) -> bool:
    """Whether a line that is not ours charges for paying late."""
    if _SURELY.search(words):
        return True
    return account != "" and account == fee_account and _PERHAPS.search(words) is not None


def decoded_text(raw: msgspec.Raw) -> str:
    """The words of a line; empty where they cannot be read."""
    return _decoded(_TEXT, raw) or ""


def _decoded(decoder: msgspec.json.Decoder[_T], raw: msgspec.Raw) -> _T | None:
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError:
        return None
