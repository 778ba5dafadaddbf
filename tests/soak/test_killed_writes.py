"""Writing back, killed again and again: nothing twice, nothing lost, and nobody left guessing."""

from datetime import timedelta
from typing import Any

import pytest

from tests.cli.newcomer import TODAY, LedgerName, customer, invoice
from tests.soak.company import LEASE, Company, pick
from tests.soak.conftest import Founds
from tests.soak.evidence import everything_once, nothing_hidden, nothing_twice
from tests.soak.processes import KILLED
from tests.soak.traps import End, When

WHENS: tuple[When, ...] = ("before", "after", "soon")


def late_book(customers: int) -> list[dict[str, Any]]:
    """Each owes one invoice, due yesterday."""
    names = [f"N{number:02}" for number in range(customers)]
    return [
        {
            "t": "company",
            "id": "elm",
            "name": "Elm Street Ltd",
            "base_currency": "GBP",
            "timezone": "Europe/London",
            "country": "GB",
        },
        *map(customer, names),
        *(invoice(f"I-{name}", name, TODAY - timedelta(days=1), "400.00") for name in names),
    ]


def on_the_day_of_the_fees(
    founds: Founds, ledger: LedgerName, customers: int, mode: str = "auto"
) -> Company:
    """A company that has yet to charge every customer, and to say so."""
    company = founds(ledger, late_book(customers))
    company.settle(mode=mode)
    company.tomorrow(2)
    return company


@pytest.mark.parametrize("ledger", ["quickbooks", pytest.param("xero", marks=pytest.mark.soak)])
def test_killed_among_the_writes(founds: Founds, ledger: LedgerName) -> None:
    company = on_the_day_of_the_fees(founds, ledger, 6)
    killed = 0
    for end in (
        End(1, "after", ("write",)),
        End(2, "before", ("mail",)),
        End(2, "after", ("mail",)),
        End(1, "before", ("write",)),
    ):
        # What was in hand is taken up at once: the last of them may find nothing left to write.
        killed += company.process("run", end=end) == KILLED
        nothing_twice(company)
        nothing_hidden(company)
        company.time.advance(LEASE)
    assert killed >= 2
    company.carry_on()
    everything_once(company, 6)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_a_dozen_kills_at_any_moment(founds: Founds, ledger: LedgerName, seed: int) -> None:
    customers = 40
    company = on_the_day_of_the_fees(founds, ledger, customers)
    kills = 0
    for number in range(30):
        name = f"{ledger} {seed} {number}"
        if pick(f"{name} where", 4) == 0:
            when = WHENS[pick(f"{name} when", 2)]
            code = company.process("run", commit=1 + pick(f"{name} nth", 80), when=when)
        else:
            end = End(
                1 + pick(f"{name} nth", 30),
                WHENS[pick(f"{name} when", 3)],
                seconds=pick(f"{name} seconds", 50) / 1000,
            )
            code = company.process("run", end=end)
        kills += code == KILLED
        nothing_twice(company)
        nothing_hidden(company)
        company.time.advance(LEASE)
        if kills == 12:
            break
    assert kills >= 5
    company.carry_on()
    everything_once(company, customers)
