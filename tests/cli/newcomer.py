"""A newcomer with books of their own: a ledger, a mail server, a home, and the program to call.

The ledger is a sandbox behind a real socket, the mail server takes real mail. `Newcomer.clock`
is the time of the ledger and of the program.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

import httpx
import pytest

from ar_bridge.__main__ import main
from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.clock import VirtualClock
from ar_bridge.demo.stage import FEE_SETUP
from connectors.port import Clock
from connectors.sandbox.service import Running, Sandbox
from tests.cli.running import Ended

LedgerName: TypeAlias = Literal["quickbooks", "xero"]
LEDGERS: tuple[LedgerName, ...] = ("quickbooks", "xero")

TODAY = date(2026, 3, 10)
"""A Tuesday."""

CLIENT_SECRET = "canary-client-secret-4711"
MAIL_PASSWORD = "canary-mail-password-4712"

POLICY = """\
schema = 1
name = "own"
legal_basis = "contract:terms"

[contact]
per_customer_per_week = 3
min_gap = "2d"

[[stage]]
id = "first"
name = "First reminder"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second"
name = "Second reminder"
at = "due + 10d"
do = ["remind"]
template = "overdue_2"
requires = ["first"]

[[fee]]
id = "late"
name = "Late fee"
type = "flat"
amount = "25.00"
grace = "2d"
post = "when_due"
cap = { per_invoice = "25.00" }

[limits]
first_apply = 50
"""


def customer(name: str, **more: Any) -> dict[str, Any]:
    return {
        "t": "customer",
        "id": name,
        "date": "2026-01-05",
        "name": f"{name} Ltd",
        "currency": "GBP",
        "email": f"ap@{name.lower()}.example",
        "country": "GB",
        **more,
    }


def invoice(number: str, of: str, due: date, total: str, **more: Any) -> dict[str, Any]:
    return {
        "t": "invoice",
        "id": number,
        "number": number,
        "date": (due - timedelta(days=30)).isoformat(),
        "due": due.isoformat(),
        "customer": of,
        "currency": "GBP",
        "total": total,
        "sent": True,
        **more,
    }


def book_of(today: date = TODAY) -> list[dict[str, Any]]:
    """Four customers who are late (one of them with an invoice to come), one who became late
    yesterday, and one who has paid."""

    def ago(days: int) -> date:
        return today - timedelta(days=days)

    return [
        {
            "t": "company",
            "id": "elm",
            "name": "Elm Street Ltd",
            "base_currency": "GBP",
            "timezone": "Europe/London",
            "country": "GB",
        },
        *map(customer, ("North", "South", "East", "West", "Birch", "Quick")),
        invoice("INV-1", "North", ago(5), "1200.00"),
        invoice("INV-2", "North", ago(-20), "80.00"),
        invoice("INV-3", "South", ago(6), "345.60"),
        invoice("INV-4", "East", ago(7), "50.05"),
        invoice("INV-5", "West", ago(8), "999.00"),
        invoice("INV-6", "Quick", ago(9), "70.00"),
        invoice("INV-7", "Birch", ago(1), "400.00"),
        {
            "t": "payment",
            "id": "P1",
            "date": ago(9).isoformat(),
            "customer": "Quick",
            "currency": "GBP",
            "amount": "70.00",
            "alloc": [{"invoice": "INV-6", "amount": "70.00"}],
        },
    ]


class Person:
    """Standard input of a person who opens the address on the screen and pastes what comes."""

    def __init__(self, screen: "Newcomer", *, pastes: str | None = None) -> None:
        self._screen = screen
        self._pastes = pastes

    def readline(self, size: int = -1) -> str:
        del size
        if self._pastes is not None:
            return self._pastes + "\n"
        found = re.search(r"https?://\S*client_id=\S+", self._screen.peek())
        assert found is not None, "no consent address was shown"
        answer = httpx.get(found[0], follow_redirects=False, timeout=30)
        return str(answer.headers["Location"]) + "\n"

    def isatty(self) -> bool:
        return False


class Newcomer:
    """One company with its ledger and mail server; `ar-bridge --home HOME ...`."""

    def __init__(
        self,
        home: Path,
        capture: pytest.CaptureFixture[str],
        ledger: LedgerName,
        mailbox: LocalMailbox,
        *,
        events: Sequence[Mapping[str, Any]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.home = home
        self.ledger = ledger
        self.mailbox = mailbox
        nine = datetime.combine(TODAY, time(9, 30), tzinfo=UTC)
        self.clock = VirtualClock(nine)
        self.sandbox = Sandbox(
            book_of() if events is None else events,
            ledger=ledger,
            clock=clock or self.clock,
            client_secret=CLIENT_SECRET,
        )
        assert not self.sandbox.problems, self.sandbox.problems
        self.running: Running = self.sandbox.serve()
        self.config = home / "config.toml"
        self.policy = home / "policies" / "standard.toml"
        self._capture = capture
        self.width: int | None = None
        """Columns of the screen, where somebody asks for so many."""
        self._seen = ["", ""]

    # the screen -------------------------------------------------------------------------------

    def peek(self) -> str:
        """What stands on the screen so far."""
        said = self._capture.readouterr()
        self._seen[0] += said.out
        self._seen[1] += said.err
        return self._seen[0] + self._seen[1]

    def __call__(self, *arguments: str, stdin: Any = None) -> Ended:
        self._capture.readouterr()
        self._seen = ["", ""]
        with pytest.MonkeyPatch.context() as place:
            place.setattr(sys, "stdin", stdin or Person(self, pastes=""))
            if self.width is None:
                place.delenv("COLUMNS", raising=False)
            else:
                place.setenv("COLUMNS", str(self.width))
            code = main(["--home", str(self.home), *arguments], clock=self.clock)
        self.peek()
        ended = Ended(code, *self._seen)
        assert "--debug" in arguments or "Traceback" not in ended.err
        return ended

    def done(self, *arguments: str) -> Ended:
        """A call that has to succeed."""
        ended = self(*arguments)
        assert ended.code == 0, ended.err or ended.out
        return ended

    # the set-up -------------------------------------------------------------------------------

    def book_section(self, name: str = "elm", **changes: str) -> str:
        """The `[[book]]` of this company, as a person would write it."""
        account, tax = FEE_SETUP[self.ledger]
        keys = {
            "name": name,
            "ledger": self.ledger,
            "mode": "approve",
            "policy": "policies/standard.toml",
            "customers": f"{name}.customers.toml",
            "fee_account": account,
            "fee_tax": tax,
            "client_id": self.sandbox.client_id,
            "client_secret": CLIENT_SECRET,
            "api_url": self.running.api_url,
            "authorize_url": self.running.authorize_url,
            "token_url": self.running.token_url,
            "connections_url": self.running.connections_url,
            **changes,
        }
        return "[[book]]\n" + "".join(
            f'{key} = "{value}"\n' for key, value in keys.items() if value
        )

    def mail_section(self) -> str:
        host, port = self.mailbox.address
        return (
            f'\n[mail]\nhost = "{host}"\nport = {port}\nsecurity = "none"\n'
            f'from = "Accounts <accounts@elm.example>"\n'
        )

    def configure(self, text: str | None = None, *, policy: str = POLICY, **changes: str) -> None:
        """Write `config.toml` and the policy by hand."""
        self.policy.parent.mkdir(parents=True, exist_ok=True)
        self.policy.write_text(policy)
        self.config.write_text(
            self.book_section(**changes) + self.mail_section() if text is None else text
        )

    def connect(self, book: str = "elm") -> Ended:
        ended = self("connect", book, "--paste", stdin=Person(self))
        assert ended.code == 0, ended.err
        # A person reads what it said before the next command.
        self.clock.advance(timedelta(minutes=1))
        return ended

    def settle(self, **changes: str) -> "Newcomer":
        """Everything up to the first sync."""
        self.done("init")
        self.configure(**changes)
        self.connect()
        self.done("sync")
        return self

    def tomorrow(self, days: int = 1) -> None:
        """The same time, some days later."""
        self.clock.advance(timedelta(days=days))

    # what cannot be argued with ---------------------------------------------------------------

    @property
    def left_in_ledger(self) -> tuple[int, int]:
        """(notes, fees) in the ledger's own records."""
        records = self.sandbox.records()
        return len(records.notes), len(records.fees)

    @property
    def mails(self) -> list[str]:
        """Subjects of what the mail server took."""
        return [mail.subject for mail in self.mailbox.messages]

    def close(self) -> None:
        self.running.close()
