"""The statement of account: what is open, and what happened on the account."""

from datetime import date
from typing import ClassVar

import msgspec

from rules.actions.messages import SendReminder
from rules.model.ids import InvoiceId
from rules.model.money import Minor


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One movement in the period of an activity statement."""

    on: date
    kind: str
    """invoice, late_fee, payment, payment_returned, credit_note or deposit."""
    number: str = ""
    amount: Minor
    """What it adds to the balance; payments and credits are negative."""


class StatementPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """The movements of an activity statement: `opening` and the lines make `closing`, and what
    was entered `after` the period makes it what is owed on the day of the statement."""

    since: date
    through: date
    opening: Minor
    lines: tuple[StatementLine, ...] = ()
    closing: Minor
    after: Minor = 0


class SendStatement(SendReminder, frozen=True, kw_only=True, tag="statement"):
    """A statement of account in one currency. It demands nothing: contested parts are listed as
    such, and what is not due yet stands beside what is overdue.

    `qualified` are the invoices that it lists, `total` is what may be asked for on them.
    """

    kind: ClassVar[str] = "statement"

    statement: str
    """Id of the statement in the policy, or of the stage that sends it."""
    name: str = ""
    period: StatementPeriod | None = None
    """Of an activity statement."""
    contested: Minor = 0
    """Disputed and withheld parts of what is listed."""
    lists_not_due: bool = True
    in_instalments: tuple[tuple[InvoiceId, date, Minor], ...] = ()
    """Listed invoices under a plan that is kept, with the day of its next part and what is open
    of that: they are not past due."""

    @property
    def amount(self) -> Minor | None:
        """What is owed on what is listed, contested parts included, credit deducted."""
        return self.total + self.contested

    @property
    def what(self) -> str:
        return f"statement {self.statement}"

    @property
    def noted_on(self) -> tuple[InvoiceId, ...]:
        """The customer: a statement is about the account."""
        return ()
