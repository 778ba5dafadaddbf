"""How a command records a person's word: whom it is about, amounts, owner, review, what to say."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.word_options import day_ahead
from ar_bridge.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ar_bridge.context import BookContext
    from rules.model import Commitment, Customer, Invoice

ENDLESS: Final = ("dispute", "stop")
"""Kinds of words that only a person ends."""


@dataclass(frozen=True, kw_only=True)
class Saying:
    """A customer who told us something, within one transaction."""

    desk: "BookContext"
    conn: "Connection"
    customer: "Customer"
    invoices: "tuple[Invoice, ...]"
    today: date
    wants_json: bool

    @property
    def numbers(self) -> str:
        """The invoices as people see them; empty for the whole account."""
        return ", ".join(invoice.number for invoice in self.invoices)

    @property
    def currency(self) -> str:
        """Of amounts: the invoices', else the customer's."""
        if self.invoices:
            return self.invoices[0].currency
        return self.customer.currency or self.desk.company.base_currency

    def sum(self, text: str, option: str = "--amount") -> int:
        """An amount that somebody typed, above zero, in minor units. Raises UsageError."""
        from rules.model import AmountError, parse_minor

        try:
            minor = parse_minor(text, self.currency)
        except AmountError as error:
            raise UsageError(f"{option}: {error}.", remedy="write it like 750.00") from None
        if minor <= 0:
            raise UsageError(f"{option} {text} is no amount.", remedy="write it like 750.00")
        return minor

    def part_of(self, invoice: "Invoice", text: str, remedy: str) -> int:
        """A part of what is open on an invoice, in minor units. Raises UsageError above it."""
        from ar_bridge.promising import not_above

        minor = self.sum(text)
        not_above(minor, invoice.balance, self.currency, f"on {invoice.number}", remedy)
        return minor

    def part_of_all(self, text: str) -> int:
        """A part of all that is open on the invoices named, else on the account. Raises
        UsageError above it."""
        from ar_bridge.promising import not_above_open

        minor = self.sum(text)
        not_above_open(
            self.conn,
            self.desk,
            minor,
            self.currency,
            customer=self.customer.id,
            name=self.customer.name,
            invoices=self.invoices,
        )
        return minor

    def one_invoice(self, what: str) -> "Invoice":
        """The only invoice named. Raises UsageError."""
        if len(self.invoices) != 1:
            raise UsageError(f"Of which invoice is {what}?", remedy="name one invoice a command")
        return self.invoices[0]

    def common(
        self, kind: str, reason: str, owner: str | None, review_on: str | None
    ) -> dict[str, Any]:
        """What every commitment has, as keywords. What does not end by itself is looked at again
        when the policy says so, where nobody names a day."""
        from ar_bridge.store import commitments
        from ar_bridge.word_subject import ids
        from rules.calendar import BusinessCalendar
        from rules.model import HolidaySet

        rules = self.desk.policy.commitments
        review = None
        if review_on is not None:
            review = day_ahead(review_on, "--review-on", self.today, "a review is ahead")
        elif kind in ENDLESS:
            calendar = BusinessCalendar(HolidaySet(region=""), ())
            review = calendar.shift(self.today, rules.review_after)
        return {
            "id": commitments.new_id(
                self.conn, self.desk.book_id, kind, self.customer.id, self.today
            ),
            "customer": self.customer.id,
            "invoices": ids(self.invoices),
            "on": self.today,
            "reason": reason,
            "actor": self.desk.worker,
            "owner": owner or rules.owner,
            "review_on": review,
        }

    def record(self, commitment: "Commitment", text: str, *more: str) -> None:
        """Keep it, order its note, and say so."""
        from ar_bridge.telling import tell

        told = tell(
            self.conn, self.desk, commitment, actor=self.desk.worker, currency=self.currency
        )
        self.answer([commitment], f"{text} ({commitment.id}); {told}", *more, note=told)

    def answer(self, about: "Sequence[Commitment]", *lines: str, note: str = "") -> None:
        """Say what was done: sentences for people, or the commitments as JSON."""
        import msgspec

        from rules.model.commitment import kind_of

        if not self.wants_json:
            console.say(*lines)
            return
        console.print_json(
            {
                "schema": 1,
                "customer": self.customer.id,
                "customer_name": self.customer.name,
                "currency": self.currency,
                "commitments": [
                    {"kind": kind_of(one), **msgspec.to_builtins(one)} for one in about
                ],
                "note": note,
            }
        )


@contextmanager
def saying(
    ctx: typer.Context,
    book: str | None,
    subject: Sequence[str] | None,
    customer: str | None,
    invoice: Sequence[str] | None,
    json: bool,
    *,
    of_customers: bool = False,
) -> Iterator[Saying]:
    """The book open for writing, and whom the word is about. Raises UsageError."""
    from ar_bridge.word_subject import subject_of

    with opened(ctx, book) as desk, desk.store.write() as conn:
        owner, invoices = subject_of(
            conn, desk.book_id, customer, invoice or (), subject or (), of_customers=of_customers
        )
        currencies = sorted({one.currency for one in invoices})
        if len(currencies) > 1:
            raise UsageError(
                f"These invoices are in {' and '.join(currencies)}.",
                remedy="one command a currency",
            )
        yield Saying(
            desk=desk,
            conn=conn,
            customer=owner,
            invoices=invoices,
            today=desk.today(),
            wants_json=json,
        )
