"""Tokens renewed by a process that is killed: the connection outlives it wherever the vendor
allows that, and where it does not, the next process says so."""

from datetime import timedelta

import pytest

from tests.cli.newcomer import LedgerName
from tests.soak.company import Company
from tests.soak.conftest import Founds
from tests.soak.processes import KILLED
from tests.soak.test_killed_writes import late_book
from tests.soak.traps import End


def with_tokens_that_have_ended(founds: Founds, ledger: LedgerName) -> Company:
    company = founds(ledger, late_book(2))
    company.settle()
    company.time.advance(timedelta(hours=2))
    return company


@pytest.mark.parametrize(
    ("ledger", "end"),
    [
        ("xero", End(1, "after", ("token",))),
        pytest.param("xero", End(1, "before", ("token",)), marks=pytest.mark.soak),
        pytest.param("xero", End(1, "soon", ("token",)), marks=pytest.mark.soak),
        pytest.param("quickbooks", End(1, "before", ("token",)), marks=pytest.mark.soak),
        # With the first call the new token is used: it has to be in the vault by then.
        ("quickbooks", End(1, "before", ("read",))),
        pytest.param("xero", End(1, "after", ("read",)), marks=pytest.mark.soak),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.when} {value.among[0]}",
)
def test_the_connection_outlives_the_process(founds: Founds, ledger: LedgerName, end: End) -> None:
    company = with_tokens_that_have_ended(founds, ledger)
    assert company.process("sync", end=end) == KILLED
    company.time.advance(60)
    assert company.process("sync") == 0
    # And the token after that is renewed as ever.
    company.time.advance(timedelta(hours=2))
    assert company.process("sync") == 0


def test_where_the_vendor_gives_no_grace_it_is_said(founds: Founds) -> None:
    company = with_tokens_that_have_ended(founds, "quickbooks")
    assert company.process("sync", end=End(1, "after", ("token",))) == KILLED
    company.time.advance(60)
    process = company.start("sync")
    assert process.wait() == 4
    assert "was cut off" in process.err and "connect" in process.err
    company.connect()
    assert company.process("sync") == 0


@pytest.mark.soak
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_commit_of_a_renewal(founds: Founds, when: str) -> None:
    company = with_tokens_that_have_ended(founds, "xero")
    for nth in range(1, 40):
        code = company.process("sync", commit=nth, when=when)
        company.time.advance(60)
        assert company.process("sync") == 0
        company.time.advance(timedelta(hours=2))
        if code == 0:
            break
    assert nth > 3


@pytest.mark.soak
@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_tokens_that_last_for_a_few_calls(founds: Founds, ledger: LedgerName) -> None:
    """Refreshes in the midst of a run, with kills at the calls after them."""
    company = with_tokens_that_have_ended(founds, ledger)
    for nth in range(1, 13):
        code = company.process("run", end=End(nth, "before", ("read", "write", "mail")))
        company.time.advance(timedelta(hours=2))
        assert code in (0, KILLED)
    assert company.process("sync") == 0
