"""Walking long answers: nothing is passed over while the ledger changes, and nothing is asked
twice after a crash."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ar_bridge.clock import VirtualClock
from connectors.errors import TransientError
from connectors.port import Page
from connectors.quickbooks.walking import TAIL
from tests.connectors.quickbooks.canned import START, CannedCompany, an_invoice, connected
from tests.connectors.quickbooks.test_pull import a_company


class Moving:
    """A company in which something happens just before the n-th page of open invoices."""

    def __init__(self, company: CannedCompany, happens: dict[int, Any]) -> None:
        self.company = company
        self.happens = happens
        self.pages = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if b"from Invoice where Balance > '0'" in request.content:
            self.pages += 1
            change = self.happens.get(self.pages)
            if change is not None:
                change(self.company.lists["Invoice"])
        return self.company(request)


def ids(pages: list[Page], entity: str = "invoices") -> list[str]:
    return [record.id for page in pages if page.entity == entity for record in page.records]


def paid(*places: int) -> Any:
    def change(rows: list[Any]) -> None:
        for place in places:
            rows[place]["Balance"] = 0

    return change


def deleted(first: int, last: int) -> Any:
    def change(rows: list[Any]) -> None:
        del rows[first:last]

    return change


def reopened(rows: list[Any]) -> None:
    rows.insert(0, an_invoice("0"))


@pytest.mark.parametrize(
    ("happens", "gone", "pages"),
    [
        ({2: paid(5)}, {"6"}, 4),  # one before the seam leaves: the page begins one row too late
        ({2: paid(999)}, {"1000"}, 4),  # the row at the seam itself
        ({2: paid(*range(980, 1000))}, set(), 4),  # all that would be recognised of the last page
        ({2: deleted(0, 1000)}, set(), 5),
        ({3: deleted(0, 1500)}, set(), 7),
        ({2: reopened}, set(), 3),
        ({2: paid(1200)}, {"1201"}, 3),  # behind the seam: nothing to notice
        ({}, set(), 3),
    ],
)
def test_an_unchanged_invoice_is_never_passed_over(
    happens: dict[int, Any], gone: set[str], pages: int
) -> None:
    company = a_company(2500)
    moving = Moving(company, happens)
    found = list(connected(moving, base_currency="USD").pull())
    still_open = {row["Id"] for row in company.lists["Invoice"] if row["Balance"]}
    got = ids(found)
    assert len(got) == len(set(got))
    # What was opened again in mid-walk is in the next answer of what changed.
    assert still_open - {"0"} <= set(got)
    assert not gone & still_open
    assert moving.pages <= pages


def test_an_answer_that_repeats_itself_is_no_end() -> None:
    company = a_company(1000)

    def deaf(request: httpx.Request) -> httpx.Response:
        content = request.content
        for start in range(1, 10_000):
            content = content.replace(b"STARTPOSITION %d " % start, b"STARTPOSITION 1 ")
        return company(httpx.Request("POST", request.url, content=content))

    with pytest.raises(TransientError, match="repeats"):
        list(connected(deaf, base_currency="USD").pull())


def test_a_walk_goes_on_in_another_process_without_repeating_a_call() -> None:
    company = a_company(2500, CustomerType=[{"Id": "5", "Name": "vip"}])
    company.lists["Customer"][0]["CustomerTypeRef"] = {"value": "5"}
    whole = list(connected(company).pull())
    spent = len(company.requests)
    for broken_off in range(len(whole) - 1):
        company.requests.clear()
        clock = VirtualClock(START + timedelta(hours=3))
        begun = []
        for page in connected(company).pull():
            begun.append(page)
            if len(begun) > broken_off:
                break
        before = len(company.requests)
        rest = list(connected(company, clock).pull(None, resume=begun[-1].resume))
        assert [page.records for page in rest] == [p.records for p in whole[broken_off + 1 :]]
        assert rest[-1].cursor == whole[-1].cursor
        assert len(company.requests) - before <= spent - before


def test_the_seam_is_recognised_in_another_process_too() -> None:
    company = a_company(2500)
    pages = connected(company).pull()
    begun = [next(pages), next(pages), next(pages)]
    assert ids(begun[2:]) == [str(n + 1) for n in range(1000)]
    for row in company.lists["Invoice"][1000 - TAIL : 1000]:
        row["Balance"] = 0
    rest = list(connected(company).pull(None, resume=begun[-1].resume))
    assert {str(n + 1) for n in range(1000, 2500)} <= set(ids(rest))


@pytest.mark.parametrize("text", ["", "nonsense", "{}", '{"v":9,"at":null,"stage":"sky"}'])
def test_a_place_that_cannot_be_read_begins_anew(text: str) -> None:
    company = a_company(3)
    assert ids(list(connected(company).pull(None, resume=text))) == ["1", "2", "3"]


def test_a_walk_of_long_ago_begins_anew() -> None:
    company = a_company(1500)
    resume = list(connected(company).pull())[2].resume
    later = VirtualClock(START + timedelta(days=4))
    assert len(ids(list(connected(company, later).pull(None, resume=resume)))) == 1500
    soon = VirtualClock(START + timedelta(hours=4))
    assert len(ids(list(connected(company, soon).pull(None, resume=resume)))) == 500


def test_live_estimates_come_along() -> None:
    company = a_company(
        0,
        Estimate=[
            {
                "Id": "8",
                "DocNumber": "Q-8",
                "CustomerRef": {"value": "1"},
                "TxnDate": "2026-02-01",
                "ExpirationDate": "2026-03-01",
                "TotalAmt": 1200,
                "TxnStatus": "Accepted",
            }
        ],
    )
    found = list(connected(company).pull())
    assert ids(found, "estimates") == ["8"] and found[-1].entity == "estimates"
    assert "TxnStatus in ('Pending', 'Accepted')" in company.queries[-1]


def test_a_company_without_estimates_is_read_all_the_same() -> None:
    company = a_company(1)
    company.refuse = lambda entity, where: entity == "Estimate"
    pages = list(connected(company).pull())
    assert ids(pages) == ["1"] and pages[-1].cursor is not None
    (remark,) = pages[-1].remarks
    assert "estimates cannot be read" in remark and "tid-9" in remark
    assert json.loads(pages[0].resume)["stage"] == "customers"
