"""What a brief tells, as values: the same for the mail, the terminal and `--json`.

Amounts are decimal strings in their currency's own digits.
"""

from datetime import date, datetime

import msgspec


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """A sum in one currency."""

    currency: str
    amount: str


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one kind that was done since the last brief."""

    kind: str
    count: int
    customers: tuple[str, ...]
    """Names, sorted; each once."""
    sums: tuple[Money, ...] = ()


class MoneyIn(msgspec.Struct, frozen=True, kw_only=True):
    """One payment that became known since the last brief."""

    id: str
    customer: str
    on: date
    money: Money
    invoices: tuple[str, ...] = ()
    """Numbers of the invoices that it settled, wholly or in part."""
    after: str = ""
    """The last contact about one of them before the money came; empty: there was none."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person."""

    key: str
    kind: str
    customer: str
    invoices: tuple[str, ...] = ()
    money: Money | None = None
    owner: str = ""
    text: str = ""
    since: date
    days: int
    """How long it waits already."""
    due_on: date | None = None
    is_late: bool = False
    expires_on: date | None = None


class Unsure(msgspec.Struct, frozen=True, kw_only=True):
    """An action that may or may not have been done, or that stopped half way."""

    key: str
    kind: str
    customer: str
    state: str
    why: str
    since: date | None = None


class OverdueHold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold that should have been looked at."""

    id: str
    kind: str
    customer: str
    invoices: tuple[str, ...]
    since: date
    review_on: date
    owner: str
    text: str


class Unallocated(msgspec.Struct, frozen=True, kw_only=True):
    """Money that no invoice was settled with yet, and what it may be for."""

    id: str
    customer: str
    on: date
    money: Money
    suggestion: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Mail of a customer that nobody dealt with, or a message that came back."""

    id: int
    kind: str
    customer: str
    on: date
    subject: str = ""
    urgent: str = ""
    """The word that makes it urgent."""


class Stuck(msgspec.Struct, frozen=True, kw_only=True):
    """Something that keeps ar-bridge from working, with what to do about it."""

    text: str
    remedy: str = ""
    is_urgent: bool = False


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What customers owe in one currency, by age; unused money and credits are taken off."""

    currency: str
    total: str
    overdue: str
    buckets: tuple[tuple[str, str, int], ...]
    """Name, amount, and its part of the total in percent."""


class AuditHead(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entry of the audit chain: kept elsewhere, it shows when the end is cut off."""

    seq: int
    hash: str


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """One book's brief of one day."""

    schema: int = 1
    book: str
    company: str
    on: date
    since: datetime | None
    """When the last brief was made that surely went out; None: there was none."""
    mode: str
    done: tuple[Deed, ...]
    money_in: tuple[MoneyIn, ...]
    money_sums: tuple[Money, ...]
    approvals: tuple[Waiting, ...]
    tasks: tuple[Waiting, ...]
    unsure: tuple[Unsure, ...]
    answers: tuple[Answer, ...]
    holds_past_review: tuple[OverdueHold, ...]
    holds_standing: int
    unallocated: tuple[Unallocated, ...]
    stuck: tuple[Stuck, ...]
    owed: tuple[Owed, ...]
    entered_through: date | None
    read_at: datetime | None
    head: AuditHead
    payments_told: tuple[str, ...] = ()
    """Ids of recent payments, for the next brief."""

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing that anybody has to know or to do."""
        return not (
            self.done
            or self.money_in
            or self.approvals
            or self.tasks
            or self.unsure
            or self.answers
            or self.holds_past_review
            or self.unallocated
            or self.stuck
        )
