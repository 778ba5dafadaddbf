"""One open book with everything that works on it, put together by `wiring`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
from sqlalchemy import Connection

from ar_bridge.channels.port import Channel
from ar_bridge.company_facts import can_charge
from ar_bridge.drafts import SendAt, Terms
from ar_bridge.facts_file import CustomerFacts
from ar_bridge.families import Families
from ar_bridge.handed_log import HandedLog
from ar_bridge.messages.reaching import Render
from ar_bridge.messages.render import shipped_templates
from ar_bridge.messages.templates import Templates
from ar_bridge.refused_fees import Refusal, Subject, refusals
from ar_bridge.settings.brief import BriefSettings
from ar_bridge.store import actions, books, inbound, marks
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from connectors.port import Clock, Connector, Finding
from rules.actions.late_fee import ChargeLateFee
from rules.calendar import local_date
from rules.model import Book, Company, CustomerId
from rules.policy.schema import Policy

REFUSED_RESTS: Final = timedelta(days=1)
"""What the ledger refused is tried again no sooner than this; a late fee rests for longer."""
ADDRESS_RESTS: Final = timedelta(days=7)
"""How long nothing is sent to an address that the mail server refused, and no fee is charged
that could not be announced there."""

LoadBook: TypeAlias = Callable[[Connection, date, Collection[str] | None, Collection[int]], Book]
"""Reads the book as of a day: for some payers or all, as if some actions did not exist."""


def localized(row: BookRow, timezone: str | None) -> BookRow:
    """The book in another time zone than the ledger's, where one is given."""
    if not timezone:
        return row
    company = msgspec.structs.replace(row.company, timezone=timezone)
    return msgspec.structs.replace(row, company=company)


@dataclass(frozen=True, kw_only=True)
class BookContext:
    """A book, its policy and the parts that read, write, render and tell the time."""

    store: Store
    clock: Clock
    book_id: int
    name: str
    company: Company
    policy: Policy
    policy_hash: str
    """Over the resolved policy and the message templates: what an approval was given under."""
    mode: str
    connector: Connector
    channels: Mapping[str, Channel]
    load: LoadBook
    render: Render
    send_at: SendAt
    mode_of: Callable[[CustomerId], str | None]
    fee_account: str = ""
    fee_tax: str = ""
    bad_debt_account: str = ""
    """Where debts written off are booked; empty: a person books them."""
    bad_debt_tax: str = ""
    templates: Templates = field(default_factory=shipped_templates)
    message_domain: str = "ar-bridge.invalid"
    worker: str = "ar-bridge"
    facts: CustomerFacts = field(default_factory=CustomerFacts)
    """What the file of customers says."""
    basis: str = ""
    """Digest of the settings that decisions and texts rest on."""
    at_once: int = 0
    """How many customers are worked on at once; 0: as many calls as the ledger takes at once."""
    timezone: str = ""
    """The company's zone where the configuration names it: it goes before the ledger's."""
    brief: BriefSettings = field(default_factory=BriefSettings)
    """To whom the daily brief goes, and when."""
    alarms: Callable[[], Sequence[Finding]] = tuple
    """What there is to say about the connection's end; nothing where it lasts."""
    heads: Path | None = None
    """Where heads of the audit are kept, outside of the database; None: nowhere."""
    handed: HandedLog | None = None
    """What was handed to a channel, kept outside of the database; None: nobody keeps it."""
    reconcile_every: timedelta | None = timedelta(hours=24)
    """How old the last reading of everything may become; None: as old as it likes."""
    run_id: int | None = None
    """The run that this is, whose limits what goes by rule counts to."""
    beyond_limits: str = ""
    """A person's reason to go beyond the limits of a day and of a customer; empty: nobody does."""
    on_unknown: Literal["hold", "resend"] = "hold"
    """What becomes of a mail that may have been handed over, or not."""
    stopped: Callable[[], str] = lambda: ""
    """Asked before each effect: why everything is stopped; empty where it is not."""
    leases: dict[int, int] = field(default_factory=dict)
    """The newest lease of each action that this worker took, by its token. Others have theirs."""

    def row(self, conn: Connection) -> BookRow:
        """The stored book, in the time zone that the configuration gives it."""
        return localized(books.get(conn, self.book_id), self.timezone)

    def renewed(self) -> "BookContext":
        """The same book with the company as it was last read."""
        with self.store.read() as conn:
            return replace(self, company=self.row(conn).company)

    def families(self, conn: Connection) -> Families:
        """Who pays for whom."""
        return Families(conn, self.book_id, self.facts)

    def today(self) -> date:
        """The date in the company's time zone."""
        return local_date(self.clock.now(), self.company.timezone)

    def terms(self) -> Terms:
        """What drafting needs to know of this book."""
        return Terms(
            mode=self.mode,
            mode_of=self.mode_of,
            has_drafts=self.connector.capabilities.has_drafts,
            can_charge=can_charge(self.company, self.fee_account, self.fee_tax),
            render=self.render,
            send_at=self.send_at,
            posted=self._posted,
            refused_fees=self._refused_fees(),
            refused=self._refused(),
            found=self._found(),
        )

    def _found(self) -> frozenset[str]:
        with self.store.read() as conn:
            return frozenset(mark for mark, _ in marks.listed(conn, self.book_id))

    def _refused_fees(self) -> Mapping[Subject, Refusal]:
        with self.store.read() as conn:
            return refusals(
                conn,
                self.book_id,
                policy_hash=self.policy_hash,
                account=self.fee_account,
                tax=self.fee_tax,
                timezone=self.company.timezone,
            )

    def _refused(self) -> dict[str, str]:
        since = self.clock.now() - ADDRESS_RESTS
        with self.store.read() as conn:
            rows = actions.actions_in(conn, self.book_id, ("refused",))
            came_back = inbound.bad(conn, self.book_id)
        return {
            address: f"{row.ended_reason} ({row.ended_at:%Y-%m-%d})"
            for row in rows
            if row.message is not None and row.ended_at is not None and row.ended_at >= since
            for address in row.message.to
            if address in (row.ended_reason or "")
        } | came_back

    def _posted(self, keys: Collection[str]) -> dict[str, ChargeLateFee]:
        with self.store.read() as conn:
            rows = actions.actions_in(conn, self.book_id, ("done",), keys=keys)
        return {row.key: row.action for row in rows if isinstance(row.action, ChargeLateFee)}
