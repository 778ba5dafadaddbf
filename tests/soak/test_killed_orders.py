"""What a person orders, killed on its way: done once, or not begun and said again."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.newcomer import LEDGERS, LedgerName
from tests.soak.company import LEASE, Company
from tests.soak.conftest import Founds
from tests.soak.evidence import nothing_hidden, nothing_twice
from tests.soak.processes import KILLED
from tests.soak.test_killed_writes import on_the_day_of_the_fees
from tests.soak.traps import End, When

BOTH: tuple[When, ...] = ("before", "after")


def charged(founds: Founds, ledger: LedgerName, customers: int) -> Company:
    """Each customer has been charged a late fee, and told so."""
    company = on_the_day_of_the_fees(founds, ledger, customers)
    company.process("run")
    assert len(company.sandbox.records().fees) == customers
    company.time.advance(timedelta(minutes=1))
    return company


def ordered(company: Company, end: End | None, commit: int, when: When, *order: str) -> bool:
    """Give an order in a process that is killed, then again until it stands, and see it done.
    False where the process came to its end before it was killed."""
    code = company.process(*order, end=end, commit=commit, when=when)
    company.time.advance(LEASE)
    again = company(*order)
    assert again.code in (0, 1, 2) and "unexpected" not in again.err, again.err
    company.carry_on()
    # What did not happen is not brought back by a plan: the person says it again.
    assert company(*order).code in (0, 2)
    nothing_twice(company)
    nothing_hidden(company)
    return code == KILLED


def ends(calls: int) -> list[tuple[End | None, int, When]]:
    """Around the first calls that an order makes, and around the first commits."""
    return [
        *((End(nth, when), 0, when) for nth in range(1, calls + 1) for when in BOTH),
        *((None, nth, when) for nth in range(1, calls + 1) for when in BOTH),
    ]


def waives(company: Company, at: list[tuple[End | None, int, When]]) -> int:
    """Let a customer off for each of these ends; how many processes were killed."""
    killed = 0
    fees = company.sandbox.records().fees
    for fee, (end, commit, when) in zip(fees, at, strict=True):
        order = ("waive", fee.number, "--reason", "a good customer")
        killed += ordered(company, end, commit, when, *order)
        (one,) = [one for one in company.sandbox.records().fees if one.id == fee.id]
        credited = sum(
            row.total
            for row in company.sandbox.ledger.credits.values()
            if row.by == "client" and row.customer == fee.customer
        )
        assert (one.status, credited) in (("void", 0), ("paid", fee.amount)), (end, commit, when)
    return killed


def attaches(company: Company, at: list[tuple[End | None, int, When]], folder: Path) -> int:
    """Put a file on an invoice for each of these ends; how many processes were killed."""
    killed = 0
    for number, (end, commit, when) in enumerate(at):
        file = folder / f"delivery-{number}.pdf"
        file.write_bytes(b"%PDF-1.4 delivered " + str(number).encode())
        before = company.trap.count("write")
        order = ("attach", f"I-N{number:02}", str(file), "--reason", "signed")
        killed += ordered(company, end, commit, when, *order)
        invoice = company.sandbox.vendor_id("invoice", f"I-N{number:02}")
        (found,) = company.sandbox.ledger.files[invoice].values()
        assert found.content == file.read_bytes(), (end, commit, when)
        # It was sent once: a second one of its name would take the place of the first.
        assert company.trap.count("write") - before <= 2, (end, commit, when)
    return killed


def test_a_waiver_and_a_file_are_killed(founds: Founds, tmp_path: Path) -> None:
    company = charged(founds, "xero", 1)
    killed = waives(company, [(End(1, "after", ("write",)), 0, "after")])
    killed += attaches(company, [(End(1, "after", ("write",)), 0, "after")], tmp_path)
    assert killed == 2


@pytest.mark.soak
@pytest.mark.parametrize("ledger", LEDGERS)
def test_a_waiver_killed_anywhere(founds: Founds, ledger: LedgerName) -> None:
    at = ends(4)
    assert waives(charged(founds, ledger, len(at)), at) > len(at) // 2


@pytest.mark.soak
@pytest.mark.parametrize("ledger", LEDGERS)
def test_a_file_killed_on_its_way(founds: Founds, ledger: LedgerName, tmp_path: Path) -> None:
    at = ends(3)
    assert attaches(charged(founds, ledger, len(at)), at, tmp_path) > len(at) // 3
