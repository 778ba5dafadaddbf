"""A list is walked to its end: no row is missed, no call is wasted."""

from connectors.xero.paging import walk
from connectors.xero.rows import Rows


class Service:
    """Pages of a list of numbers; `pages` False ignores the page, `counts` tells the totals."""

    def __init__(
        self, rows: list[int], *, size: int = 1000, pages: bool = True, counts: bool = True
    ) -> None:
        self.rows = rows
        self.size = size
        self.pages = pages
        self.counts = counts
        self.asked: list[int] = []
        self.leaves_after: dict[int, int] = {}

    def read(self, page: int) -> Rows:
        self.asked.append(page)
        start = (page - 1) * self.size if self.pages else 0
        found = self.rows[start : start + self.size]
        answer = Rows(
            records=found,
            seen=len(found),
            first_id=str(found[0]) if found else "",
            page_count=-(-len(self.rows) // self.size) if self.counts else None,
            item_count=len(self.rows) if self.counts else None,
        )
        leaving = self.leaves_after.get(len(self.asked))
        if leaving is not None:
            self.rows.remove(leaving)
        return answer

    def walked(self) -> list[object]:
        return [row for step in walk(self.read) for row in step.rows.records]


def test_one_call_for_each_page_and_none_to_look_for_the_end() -> None:
    for total, calls in ((0, 1), (999, 1), (1000, 1), (1001, 2), (3000, 3)):
        service = Service(list(range(total)))
        assert service.walked() == list(range(total))
        assert len(service.asked) == calls


def test_without_counts_a_short_page_ends_the_list() -> None:
    service = Service(list(range(1500)), counts=False)
    assert service.walked() == list(range(1500)) and service.asked == [1, 2]


def test_a_service_that_knows_only_small_pages_is_walked_to_the_end() -> None:
    service = Service(list(range(250)), size=100, counts=False)
    assert service.walked() == list(range(250))


def test_a_service_that_ignores_the_page_is_asked_twice_and_no_more() -> None:
    service = Service(list(range(1000)), pages=False, counts=False)
    assert service.walked() == list(range(1000)) and service.asked == [1, 2]


def test_a_row_that_leaves_the_list_on_the_way_hides_no_other() -> None:
    service = Service(list(range(2500)))
    service.leaves_after = {1: 5}
    assert set(service.walked()) == set(range(2500))
    assert len(service.asked) == 4
