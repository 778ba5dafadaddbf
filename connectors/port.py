"""The one interface between ar-bridge and an accounting system.

A connector translates. It keeps no state of its own between calls other than caches, decides
nothing, and raises only the errors of `connectors.errors`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol, TypeAlias, runtime_checkable

import msgspec

from connectors.errors import ConnectorError
from rules.actions.effects import Effect, LedgerEffect
from rules.model.commitment import Commitment
from rules.model.company import Company
from rules.model.credit import CreditNote
from rules.model.customer import Customer
from rules.model.estimate import Estimate
from rules.model.history import FeePosted, Served, Waiver
from rules.model.ids import CustomerId, EstimateId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.model.payment import Payment

_LONGEST_ID: Final = 80

Record: TypeAlias = Customer | Invoice | Payment | CreditNote | Estimate

__all__ = [
    "Capabilities",
    "Clock",
    "CompanyCheck",
    "Connector",
    "Cursor",
    "CustomerReading",
    "Effect",
    "Finding",
    "FindsMarks",
    "LedgerEffect",
    "LooksFirst",
    "Mark",
    "MoneyReading",
    "Page",
    "Prepared",
    "Quarantined",
    "Reading",
    "ReadsCustomers",
    "ReadsMoney",
    "Receipt",
    "Record",
    "ShowsInvoices",
    "TellsMore",
    "Told",
    "WritesBatches",
]


class Clock(Protocol):
    """Time as an argument: rate budgets and token expiry run on it, so months pass in seconds."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None: ...


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What this accounting system can do."""

    ledger: str
    effects: frozenset[str]
    """Names from EFFECT_NAMES that `write` accepts."""
    note_limit: int
    """Characters that a note may have, our mark included."""
    one_note_for_many_invoices: bool = False
    has_drafts: bool = False
    shows_holds: bool = False
    """Whether a customer that is read back tells that credit is on hold."""
    can_find_notes_in_bulk: bool = False
    read_batch: int = 100
    """Invoices that one call of `read` asks for."""
    write_batch: int = 0
    """Writes that one call may carry; 0 where every write is a call of its own."""
    batch_effects: frozenset[str] = frozenset()
    """Names of the effects that may travel in a batch."""
    link_days: int = 0
    """Days for which an online link is good once it was given; 0 where each message asks anew."""
    effect_calls: Mapping[str, int] = {}
    """Calls that writing an effect takes, by its name, what is read to prepare it included; one
    where none is named."""
    recheck_calls: int = 1
    """Calls that one look again takes beside the invoices and customers that it names, of which
    a call takes `read_batch` each: the company's set-up, what was paid and credited since."""
    write_at_once: int = 1
    """Calls that may be on their way at once. More than 1 promises that any thread may call."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be read: named and kept out, while the others go on."""

    entity: str
    id: str
    reason: str
    customer: str = ""
    """The ledger's id of whose it is, where the bad row still tells it."""
    invoices: Sequence[str] = ()
    """Invoices that a bad payment or credit settles, where it does not tell whose it is."""


def told_id(value: object) -> str:
    """The id in a field of a row that cannot be read; empty where it can be none."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_LONGEST_ID:
        return str(value)
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST_ID and text.isprintable() else ""


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """Where reading stopped, in the vendor's own terms. Stored as it is, with `v`."""

    v: int = 1
    at: datetime
    """The vendor's time of the answer; the next incremental read starts a little before."""
    state: dict[str, str] = {}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a pull. The last page carries the cursor."""

    entity: str
    """customers, invoices, payments, credits or estimates."""
    records: Sequence[Record] = ()
    quarantined: Sequence[Quarantined] = ()
    removed: Sequence[str] = ()
    """Ids of this entity that no longer exist, where an incremental answer names them."""
    total: int | None = None
    """Rows of this entity in all pages, where the vendor tells (for progress bars)."""
    cursor: Cursor | None = None
    remarks: Sequence[str] = ()
    """What a person should know about this reading, in plain sentences."""
    resume: str = ""
    """Handed to `pull` again, the walk goes on after this page: in another process too. Empty
    where it can only begin anew."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Invoices read again by id, whatever their status."""

    invoices: Sequence[Invoice] = ()
    missing: Sequence[InvoiceId] = ()
    """Asked for and no longer there: deleted in the ledger."""
    quarantined: Sequence[Quarantined] = ()


class CustomerReading(msgspec.Struct, frozen=True, kw_only=True):
    """Customers read again by id."""

    customers: Sequence[Customer] = ()
    missing: Sequence[CustomerId] = ()
    """Asked for and no longer there: deleted in the ledger."""
    quarantined: Sequence[Quarantined] = ()


class EstimateReading(msgspec.Struct, frozen=True, kw_only=True):
    """Estimates read again by id."""

    estimates: Sequence[Estimate] = ()
    missing: Sequence[EstimateId] = ()
    """Asked for and no longer there, or drafts again."""
    quarantined: Sequence[Quarantined] = ()


class MoneyReading(msgspec.Struct, frozen=True, kw_only=True):
    """Payments and credits read again."""

    records: Sequence[Payment | CreditNote] = ()
    quarantined: Sequence[Quarantined] = ()
    """Those of the customers asked for, and those that do not tell whose they are."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A note of ours met in the ledger: its text begins with the mark `[arb:`."""

    text: str
    invoices: Sequence[InvoiceId] = ()
    customer: CustomerId | None = None
    on: date
    """Day on which it was written, in the ledger's own time."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One observation of `check`: what is wrong, and what to do about it."""

    level: str
    """ok, warning or error."""
    subject: str
    text: str
    remedy: str = ""


class CompanyCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What `check` saw: the company and what stands in the way of working with it."""

    company: Company
    findings: Sequence[Finding] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a source of books knows besides the ledger's own records."""

    commitments: Sequence[Commitment] = ()
    served: Sequence[Served] = ()
    fees: Sequence[FeePosted] = ()
    waivers: Sequence[Waiver] = ()


@runtime_checkable
class TellsMore(Protocol):
    """A connector that also knows what people told us and what was done: a book file does."""

    def told(self, on: date) -> Told:
        """All of it, as known on that day."""
        ...


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """One request, ready to be stored before it is sent: the same bytes on every attempt."""

    effect: str
    """Name of the effect, from EFFECT_NAMES."""
    effect_key: str
    method: str
    path: str
    """Relative to the book's API address."""
    params: Sequence[tuple[str, str]] = ()
    content_type: str = "application/json"
    body: bytes = b""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof of a write: where to find it in the ledger."""

    v: int = 1
    id: str
    """The ledger's id of what was written."""
    number: str = ""
    """Document number as the ledger states it; compared with ours by the caller."""
    amount: Minor | None = None
    at: datetime
    request_id: str = ""
    was_found: bool = False
    """True where `find` met it instead of `write` making it."""


@runtime_checkable
class ReadsCustomers(Protocol):
    """A connector that reads customers again just before somebody writes to them."""

    def read_customers(self, customers: Sequence[CustomerId]) -> CustomerReading:
        """These customers as they are now, active or not, in as few calls as possible."""
        ...


@runtime_checkable
class ReadsEstimates(Protocol):
    """A connector that reads estimates again just before a deposit is asked for."""

    def read_estimates(self, estimates: Sequence[EstimateId]) -> EstimateReading:
        """These estimates as they are now, whatever became of them."""
        ...


@runtime_checkable
class ReadsMoney(Protocol):
    """A connector that also names the payments and credits that it could not read."""

    def read_money(self, customers: Sequence[CustomerId], since: datetime) -> MoneyReading:
        """What `Connector.read_credits` gives, and what cannot be read of it."""
        ...


@runtime_checkable
class FindsMarks(Protocol):
    """A connector that finds our notes again after our own records were lost."""

    def find_marks(self, invoices: Sequence[InvoiceId]) -> Sequence[Mark]:
        """Notes of ours on these invoices and their customers, oldest first.

        Where notes are found in bulk, all of the company's may be given.
        """
        ...


@runtime_checkable
class ShowsInvoices(Protocol):
    """A connector that knows where a customer can see and pay an invoice."""

    def online_link(self, invoice: InvoiceId) -> str:
        """The address for the customer; empty where there is none."""
        ...

    def pdf(self, invoice: InvoiceId) -> bytes:
        """The invoice as the ledger prints it; empty where it cannot be had."""
        ...


@runtime_checkable
class LooksFirst(Protocol):
    """A connector that looks for a write in doubt before it sends it again."""

    def doubt(self, vendor_key: str) -> None:
        """The answer to a write under this key was lost, in another process perhaps: the next
        `write` or `write_batch` under it begins with a look."""
        ...


@runtime_checkable
class WritesBatches(Protocol):
    """A connector that sends several writes in one call, each judged by itself."""

    def prepare_batch(self, members: Sequence[Prepared]) -> Prepared:
        """One request made of several prepared ones; the same members give the same bytes.

        Its `effect_key` names the members. Pure: reads nothing.
        """
        ...

    def write_batch(
        self, batch: Prepared, vendor_key: str, members: Sequence[Prepared]
    ) -> Sequence[Receipt | ConnectorError]:
        """Send it once; one outcome for each member, in their order.

        Raises OutcomeUnknownError when the answer was lost, and whatever befell the call as a
        whole: then nothing is known to be done, or nothing was.
        """
        ...


class Connector(Protocol):
    """An accounting system, as far as ar-bridge needs one."""

    @property
    def capabilities(self) -> Capabilities: ...

    def check(self) -> CompanyCheck:
        """Read the company and its set-up. The first call after connecting."""
        ...

    def pull(self, cursor: Cursor | None = None, *, resume: str = "") -> Iterator[Page]:
        """Read the working set, page by page to the end.

        `cursor` None asks for everything. `resume` is that of the last page of a walk with the
        same cursor that broke off: it goes on from there.
        Raises TransientError or AuthorizationError; a bad record never ends the walk, it is
        quarantined.
        """
        ...

    def read(self, invoices: Sequence[InvoiceId]) -> Reading:
        """Read these invoices as they are now, in as few calls as possible."""
        ...

    def read_credits(
        self, customers: Sequence[CustomerId], since: datetime
    ) -> Sequence[Payment | CreditNote]:
        """Payments and credits of these customers that changed since, applied or not."""
        ...

    def prepare(self, effect: LedgerEffect, today: date) -> Prepared:
        """Spell the effect as a request. Raises UnsupportedError, or RefusedError where the
        set-up (account, tax, lock date) does not allow it. May read, never writes."""
        ...

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Send it once. Raises OutcomeUnknownError when the answer was lost."""
        ...

    def find(self, effect: LedgerEffect) -> Receipt | None:
        """Look for the effect's own marker in the ledger.

        Raises HalfDoneError where the effect takes two writes and only the first is there.
        `write` of the same request, however old, then does the second and nothing else.
        """
        ...

    def close(self) -> None:
        """Let go of sockets."""
        ...
