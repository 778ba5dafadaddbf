"""Walking a long answer page by page, so that no row is passed over.

Positions shift while we walk: an invoice that is paid leaves the open ones and all behind it
move up. So every page begins at the last row of the page before. Where that row is not met
again, the walk steps back until a page holds a row that is known: then nothing lies between.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from connectors.errors import TransientError
from connectors.quickbooks.answers import Rows, id_of, rows
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.requests import PAGE, select

TAIL: Final = 20
"""Rows of the last page that are remembered to recognise the seam in another process."""

_FRUITLESS: Final = 4
"""Pages in a row without one new row before we call it a repetition."""


class Position(msgspec.Struct, frozen=True):
    """Where a walk goes on."""

    start: int = 1
    tail: tuple[str, ...] = ()


START: Final = Position()


class Step(msgspec.Struct, frozen=True):
    """One page of a walk: the rows not seen before, and where to go on (None at the end)."""

    records: Sequence[msgspec.Raw]
    rows: Rows
    next: Position | None


def walk(
    api: MountedQuickBooks,
    entity: str,
    where: str = "",
    position: Position = START,
) -> Iterator[Step]:
    """Every row once, in pages.

    Raises TransientError for an answer that repeats itself.
    """
    known = set(position.tail)
    start, back, fruitless = position.start, 0, 0
    while True:
        page = rows(api.select(select(entity, where, start=start)), entity)
        ids = [id_of(record) for record in page.records]
        if known and start > 1 and known.isdisjoint(ids):
            # The row at the seam is gone, and others moved up past it perhaps.
            back = 100 if not back else back * 10
            start = max(1, start - back)
            continue
        back = 0
        # What has no id cannot be recognised: it is handed on and named unreadable.
        fresh = [
            record
            for record, id in zip(page.records, ids, strict=True)
            if not id or id not in known
        ]
        known.update(ids)
        fruitless = 0 if fresh or not ids else fruitless + 1
        count = len(ids)
        is_last = count == 0 or (count < PAGE and count % 100 != 0)
        if fruitless and not is_last and fruitless >= _FRUITLESS:
            raise TransientError(f"QuickBooks repeats a page of {entity}: read it again")
        start += min(count, PAGE) - 1
        if count == 1:
            is_last = True
        following = None if is_last else Position(start, tuple(ids[-TAIL:]))
        yield Step(fresh, page, following)
        if is_last:
            return
