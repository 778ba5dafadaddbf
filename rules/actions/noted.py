"""What a note says of the items of an action: which stages and fees, of which invoices."""

from collections.abc import Mapping, Sequence

from rules.actions.action import Item
from rules.actions.notes import Serving
from rules.model.ids import InvoiceId


def servings(
    items: Sequence[Item], numbers: Mapping[InvoiceId, str], invoices: Sequence[InvoiceId]
) -> tuple[tuple[Serving, ...], tuple[Serving, ...]]:
    """Stages and announced fees, each with the numbers of its invoices.

    `invoices` are those that the note hangs on. Where that is the only invoice that the items are
    about, its number is left out: the place of the note tells it.
    """
    is_alone = len(invoices) == 1 and {item.invoice for item in items} == set(invoices)
    stages: dict[tuple[str, str], list[str]] = {}
    fees: dict[tuple[str, str], list[str]] = {}
    for item in items:
        name = item.fee if item.kind == "fee_notice" else item.stage
        if name is None:
            continue
        found = fees if item.kind == "fee_notice" else stages
        named = found.setdefault((name, item.key.rsplit("/", 1)[-1]), [])
        if item.invoice is not None and not is_alone:
            named.append(numbers.get(item.invoice, item.invoice))
    return _told(stages), _told(fees)


def _told(found: Mapping[tuple[str, str], Sequence[str]]) -> tuple[Serving, ...]:
    return tuple(Serving(name, slot, tuple(named)) for (name, slot), named in found.items())
