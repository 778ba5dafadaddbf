"""Reading a book of several pages, killed at a call: the next process goes on where it ended."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ar_bridge.store import tables
from tests.cli.newcomer import TODAY, LedgerName, customer, invoice
from tests.soak.company import Company, pick
from tests.soak.conftest import Founds
from tests.soak.processes import KILLED
from tests.soak.test_killed_writes import WHENS, late_book
from tests.soak.traps import End

FEW, MANY = 1_200, 2_500
"""Two and three pages of a thousand."""

EMPTY_LISTS = 3
"""A list without records leaves no place to go on from: it is asked for again."""


def large_book(invoices: int) -> list[dict[str, Any]]:
    names = [f"N{number:02}" for number in range(50)]
    return [
        late_book(0)[0],
        *map(customer, names),
        *(
            invoice(f"I-{n:04}", names[n % 50], TODAY + timedelta(days=n % 20 - 10), "40.00")
            for n in range(invoices)
        ),
        {
            "t": "payment",
            "id": "P1",
            "date": TODAY.isoformat(),
            "customer": "N00",
            "currency": "GBP",
            "amount": "40.00",
            "alloc": [{"invoice": "I-0000", "amount": "40.00"}],
        },
    ]


def connected(founds: Founds, ledger: LedgerName, invoices: int = MANY) -> Company:
    company = founds(ledger, large_book(invoices))
    company.done("init")
    company.configure()
    company.connect()
    return company


def book_of(company: Company) -> dict[str, Any]:
    """Everything that was read, and whether anything of a reading is left over."""
    store = company.store()
    try:
        with store.read() as conn:
            return {
                table.name: sorted(repr(row) for row in conn.execute(select(table)))
                for table in (
                    tables.customers,
                    tables.invoices,
                    tables.payments,
                    tables.credits,
                    tables.quarantine,
                    tables.pull_pages,
                )
            }
    finally:
        store.close()


def calls_of(company: Company, *, end: End | None = None) -> tuple[int, int]:
    """Exit code of a sync, and the calls that the ledger answered."""
    before = company.trap.count("read")
    code = company.process("sync", end=end)
    return code, company.trap.count("read") - before


def test_a_reading_goes_on_after_a_kill(founds: Founds) -> None:
    fresh = connected(founds, "xero", FEW)
    code, whole = calls_of(fresh)
    assert code == 0
    expected = book_of(fresh)
    assert len(expected["invoices"]) == FEW - 1  # one is paid
    # What changed meanwhile is asked for once more: as much as a sync with nothing new.
    _, again = calls_of(fresh)
    goes_on(connected(founds, "xero", FEW), End(3, "after", ("read",)), whole + again, expected)


@pytest.mark.soak
@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_a_reading_that_is_killed_at_any_call(founds: Founds, ledger: LedgerName) -> None:
    fresh = connected(founds, ledger)
    _, whole = calls_of(fresh)
    _, again = calls_of(fresh)
    for nth in range(1, whole + 1):
        seconds = pick(f"{ledger} {nth}", 30) / 1000
        end = End(nth, WHENS[nth % 3], ("read",), seconds)
        goes_on(connected(founds, ledger), end, whole + again, book_of(fresh))


def goes_on(company: Company, end: End, calls: int, expected: dict[str, Any]) -> None:
    """Killed there, the reading goes on and comes to what it would have come to."""
    code, first = calls_of(company, end=end)
    assert code == KILLED or end.when == "soon", end
    company.time.advance(60)
    code, rest = calls_of(company)
    assert code == 0, end
    # The page that was under way is asked for again, and no other one.
    assert first + rest <= calls + 1 + EMPTY_LISTS, (end, first, rest)
    assert book_of(company) == expected, end
    company.close()


@pytest.mark.soak
@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_a_reading_that_is_killed_at_every_call(founds: Founds, ledger: LedgerName) -> None:
    fresh = connected(founds, ledger)
    _, whole = calls_of(fresh)
    company = connected(founds, ledger)
    for _ in range(4 * whole):
        company.time.advance(60)
        # Each process gets one page further, whatever it is killed at next.
        code, _ = calls_of(company, end=End(2, "before", ("read",)))
        if code == 0:
            break
    company.time.advance(60)
    assert calls_of(company)[0] == 0
    assert book_of(company) == book_of(fresh)


@pytest.mark.soak
@pytest.mark.parametrize(("ledger", "when"), [("quickbooks", "before"), ("xero", "after")])
def test_a_reading_that_is_killed_at_every_commit(
    founds: Founds, ledger: LedgerName, when: str
) -> None:
    fresh = connected(founds, ledger)
    assert fresh.process("sync") == 0
    expected = book_of(fresh)
    for nth in range(1, 40):
        company = connected(founds, ledger)
        code = company.process("sync", commit=nth, when=when)
        company.time.advance(60)
        assert company.process("sync") == 0
        assert book_of(company) == expected, nth
        company.close()
        if code == 0:
            break
    else:
        raise AssertionError("more commits than expected")
    assert nth > 3
