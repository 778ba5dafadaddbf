"""Walking a list of Xero's to its end, in as few calls as there are pages."""

from collections.abc import Callable, Iterator

from connectors.xero.parse import Rows
from connectors.xero.requests import PAGE_SIZE

_DEFAULT_PAGE = 100
"""Rows that Xero gives where it does not know `pageSize`."""


def walk(read_page: Callable[[int], Rows]) -> Iterator[Rows]:
    """Every page, the first being 1.

    Rows that leave the list while we walk (an invoice is paid) pull the following ones
    forward across the page boundary, where they would be missed. The count that comes with
    each page betrays it, and the page before is read again; rows may then come twice.
    """
    page = 1
    before: Rows | None = None
    while True:
        rows = read_page(page)
        if before is not None and rows.first_id and rows.first_id == before.first_id:
            return  # the service does not page: it gave the same rows again
        if before is not None and _has_shrunk(before, rows):
            yield read_page(page - 1)
        yield rows
        if _is_last(rows, page, before):
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
