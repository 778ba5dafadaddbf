"""Walking a list of Xero's to its end, in as few calls as there are pages."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from connectors.xero.reads import PAGE_SIZE
from connectors.xero.rows import Rows

_DEFAULT_PAGE: Final = 100
"""Rows that Xero gives where it does not know `pageSize`."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a walk, and where the walk goes on after it."""

    rows: Rows
    next_page: int
    """0 where this was the last page."""


def walk(
    read_page: Callable[[int], Rows], *, first_page: int = 1, before: Rows | None = None
) -> Iterator[Step]:
    """Every page from `first_page` on; `before` is what is known of the page before that.

    Rows that leave the list while we walk (an invoice is paid) pull the following ones
    forward across the page boundary, where they would be missed. The count that comes with
    each page betrays it, and the page before is read again; rows may then come twice.
    """
    page = first_page
    while True:
        rows = read_page(page)
        if before is not None and rows.first_id and rows.first_id == before.first_id:
            return  # the service does not page: it gave the same rows again
        if before is not None and _has_shrunk(before, rows):
            yield Step(rows=read_page(page - 1), next_page=page)
        is_last = _is_last(rows, page, before)
        yield Step(rows=rows, next_page=0 if is_last else page + 1)
        if is_last:
            return
        before = rows
        page += 1


def _has_shrunk(before: Rows, rows: Rows) -> bool:
    if before.item_count is None or rows.item_count is None:
        return False
    return rows.item_count < before.item_count


def _is_last(rows: Rows, page: int, before: Rows | None) -> bool:
    if rows.page_count is not None:
        return page >= rows.page_count
    if rows.seen == 0:
        return True
    # Without a page count a short page ends the list, unless it may be a full smaller one of a
    # service that has not shown yet that it gives as many rows as were asked for.
    gives_what_is_asked = before is not None and before.seen == PAGE_SIZE
    is_small_page = not gives_what_is_asked and rows.seen % _DEFAULT_PAGE == 0
    return rows.seen < PAGE_SIZE and not is_small_page
