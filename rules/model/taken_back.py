"""What waivers, reinstatements and corrections leave of the fees that were charged."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from rules.model.history import FeePosted, Waiver


def after_taking_back(
    fees: Sequence[FeePosted], given: Iterable[Waiver]
) -> tuple[list[FeePosted], list[Waiver]]:
    """The fees less what may be charged again, and what is waived of them: a reinstatement as a
    negative amount, corrections left out.

    Of a document with several parts, what names no invoice is taken off the parts in their order.
    """
    again: dict[str, list[Waiver]] = defaultdict(list)
    waived: list[Waiver] = []
    for one in given:
        if one.kind != "waiver":
            again[one.document].append(one)
        if one.kind == "waiver":
            waived.append(one)
        elif one.kind == "reinstatement":
            waived.append(msgspec.structs.replace(one, amount=-one.amount))
    if not again:
        return list(fees), waived
    left = {document: [one.amount for one in found] for document, found in again.items()}
    found: list[FeePosted] = []
    for fee in fees:
        for place, one in enumerate(again.get(fee.document, ())):
            if one.invoice is not None and one.invoice != fee.invoice:
                continue
            part = min(left[fee.document][place], fee.amount - fee.corrected)
            if part <= 0:
                continue
            left[fee.document][place] -= part
            fee = msgspec.structs.replace(
                fee,
                corrected=fee.corrected + part,
                corrected_on=max(one.on, fee.corrected_on or one.on),
            )
        found.append(fee)
    return found, waived
