"""One line of a book file, read field by field with errors that say what to do."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import msgspec

from rules.model.date_fields import field_name, read_date
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import AmountError, Minor, parse_minor
from rules.model.payment import Allocation


class BadEvent(ValueError):
    """A record that cannot be used; `hint` is the remedy."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Row:
    """An event and the place where it stands. Fields that nobody asks for are ignored."""

    __slots__ = ("fields", "line")

    def __init__(self, fields: Mapping[str, object], line: int) -> None:
        self.fields = fields
        self.line = line

    def text(self, name: str, default: str = "") -> str:
        """A text field; a number counts as its digits, because ids often are numbers."""
        value = self.fields.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise BadEvent(f"{name} should be text, not {value!r}")
        return str(value)

    def needed(self, name: str) -> str:
        """A text field that must be there."""
        value = self.text(name)
        if not value:
            raise BadEvent(f"{name} is missing", f'add "{name}"')
        return value

    def day(self, name: str) -> date | None:
        """A date field as YYYY-MM-DD."""
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            raise BadEvent(f"{name} {value!r} is not a date", "write it as YYYY-MM-DD") from None

    def dates(self, name: str) -> tuple[tuple[str, date], ...]:
        """A table of named date fields, by name; what is no date is no date field."""
        value = self.fields.get(name)
        if value is None:
            return ()
        if not isinstance(value, Mapping):
            raise BadEvent(f"{name} should be a table, not {value!r}", 'write {"work_date": ...}')
        read = ((field_name(str(name)), read_date(str(text))) for name, text in value.items())
        return tuple(sorted((name, day) for name, day in read if name and day is not None))

    def needed_day(self, name: str) -> date:
        """A date field that must be there."""
        value = self.day(name)
        if value is None:
            raise BadEvent(f"{name} is missing", f'add "{name}" as YYYY-MM-DD')
        return value

    def known(self) -> date:
        """The day from which the books know of this event."""
        return self.day("known") or self.day("date") or date.min

    def amount(self, name: str, currency: str) -> Minor | None:
        """An amount in major units, exact; None where it is not given."""
        return _amount(self.fields.get(name), name, currency)

    def needed_amount(self, name: str, currency: str, *, signed: bool = False) -> Minor:
        """An amount that must be there and, unless `signed`, must not be negative."""
        value = self.amount(name, currency)
        if value is None:
            raise BadEvent(f"{name} is missing", f'add "{name}" such as "120.00"')
        if value < 0 and not signed:
            raise BadEvent(
                f"{name} {self.fields.get(name)!r} is negative",
                "a reduction is a credit_note or a payment_reversed",
            )
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        value = self.fields.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, Sequence):
            raise BadEvent(f"{name} should be a list, not {value!r}")
        return tuple(str(part) for part in value)

    def chosen(self, name: str, default: str, allowed: Sequence[str]) -> str:
        """A text field that takes one of a few words."""
        value = self.text(name, default)
        if value not in allowed:
            raise BadEvent(f"{name} {value!r} is not known", f"one of {', '.join(allowed)}")
        return value

    def rows(self, name: str) -> list["Row"]:
        """A list of tables inside the event."""
        value = self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise BadEvent(f"{name} should be a list, not {value!r}")
        found: list[Row] = []
        for part in value:
            if not isinstance(part, Mapping):
                raise BadEvent(f"{name} should hold tables, not {part!r}")
            found.append(Row(part, self.line))
        return found

    def allocations(self, currency: str, amount: Minor) -> tuple[Allocation, ...]:
        """What the document settles; together at most its amount."""
        parts = tuple(
            Allocation(
                InvoiceId(part.needed("invoice")),
                part.needed_amount("amount", currency),
                part.day("date"),
            )
            for part in self.rows("alloc")
        )
        if sum(part.amount for part in parts) > amount:
            raise BadEvent(
                "alloc adds up to more than the amount",
                "the parts may be less than the amount, never more",
            )
        return parts


class Reference(msgspec.Struct, frozen=True):
    """What an event may refer to."""

    base_currency: str
    customers: Collection[str]
    invoices: Mapping[str, Invoice]

    def customer(self, row: Row) -> CustomerId:
        """The customer named, who must be in the book."""
        customer = row.needed("customer")
        if customer not in self.customers:
            raise BadEvent(f"customer {customer} is not in the book", "add the customer's event")
        return CustomerId(customer)

    def invoice(self, row: Row, name: str) -> Invoice:
        """The invoice named, which must be in the book."""
        invoice = self.invoices.get(row.needed(name))
        if invoice is None:
            raise BadEvent(
                f"invoice {row.text(name)} is not in the book", "add the invoice's event"
            )
        return invoice

    def subject(self, row: Row) -> tuple[CustomerId, tuple[InvoiceId, ...]]:
        """Customer and invoices that a commitment speaks of; no invoice: the whole account."""
        names = row.texts("invoices") or row.texts("invoice")
        for name in names:
            if name not in self.invoices:
                raise BadEvent(f"invoice {name} is not in the book", "add the invoice's event")
        if names and not row.text("customer"):
            return self.invoices[names[0]].customer, tuple(InvoiceId(name) for name in names)
        return self.customer(row), tuple(InvoiceId(name) for name in names)

    def currency(self, row: Row, invoices: Sequence[InvoiceId]) -> str:
        """Currency of an amount in a commitment: its own, its invoice's, the base currency."""
        if row.text("currency"):
            return row.text("currency")
        return self.invoices[invoices[0]].currency if invoices else self.base_currency


def _amount(value: object, name: str, currency: str) -> Minor | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadEvent(f"{name} should be an amount, not {value!r}")
    try:
        return parse_minor(str(value), currency)
    except AmountError as error:
        raise BadEvent(f"{name}: {error}", 'write amounts as text such as "120.00"') from None
