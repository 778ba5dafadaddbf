"""One answer of Xero's, read row by row. Pure: bytes in, values out.

A page is decoded in one go. Where one row of it does not fit, each row is decoded by itself, so
that a bad record is quarantined and the others are kept.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

import msgspec

from connectors.port import Quarantined, Record, told_id
from connectors.xero import wire
from connectors.xero.dates import DateError
from rules.model.ids import CustomerId
from rules.model.money import AmountError, Minor, currency_digits, parse_minor

_Row = TypeVar("_Row")
_T = TypeVar("_T")


class RowError(ValueError):
    """One record that cannot become a value of the book, with the reason."""


class CurrencyMissingError(RowError):
    """An amount without a currency, while the organisation's own is not known here."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a row needs to know that is not in it."""

    base_currency: str = ""
    hold_group: str = "Credit hold"
    fee_account: str = ""
    """The book's account for late fees: what others book there under such a name is a fee."""
    owners: Mapping[str, tuple[CustomerId, str]] = {}
    """Invoice id to its customer and currency, for payments that do not repeat them."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """One page, read."""

    records: Sequence[Record] = ()
    quarantined: Sequence[Quarantined] = ()
    seen: int = 0
    """Rows in the answer, dropped and quarantined ones included."""
    first_id: str = ""
    page_count: int | None = None
    item_count: int | None = None
    needs_currency: bool = False
    """Something was quarantined only for want of the organisation's base currency."""


class RowReader(Generic[_Row]):
    """How one kind of record is read: the shape of its JSON, and what the book makes of it."""

    def __init__(self, shape: type[_Row], build: Callable[[_Row, Context], Record | None]) -> None:
        self.build = build
        self._shape = shape
        self._one = msgspec.json.Decoder(shape, strict=False)
        self._pages: dict[str, msgspec.json.Decoder[Any]] = {}

    def __call__(self, raw: bytes | msgspec.Raw, context: Context) -> Record | None:
        """One record. Raises RowError, AmountError, DateError or MsgspecError."""
        return self.build(self._one.decode(raw), context)

    def decode_page(
        self, content: bytes, collection: str
    ) -> tuple[Sequence[_Row], wire.Pagination]:
        """A whole answer at once. Raises MsgspecError where anything in it does not fit."""
        if collection not in self._pages:
            shape: Any = self._shape  # a value to msgspec, a variable to a type checker
            rows_field = msgspec.field(name=collection, default=None)
            page = msgspec.defstruct(
                "Page",
                [
                    ("rows", list[shape] | None, rows_field),
                    ("pagination", wire.Pagination | None, None),
                ],
            )
            self._pages[collection] = msgspec.json.Decoder(page, strict=False)
        found = self._pages[collection].decode(content)
        return found.rows or (), found.pagination or wire.Pagination()

    def decode(self, raw: bytes | msgspec.Raw) -> _Row:
        return self._one.decode(raw)


def rows(
    content: bytes, collection: str, id_field: str, reader: RowReader[Any], context: Context
) -> Rows:
    """Read one page, each row by itself: a bad one is quarantined and the others are kept.

    Raises msgspec.DecodeError where the answer as a whole is no JSON of the expected shape.
    """
    items: Sequence[Any]
    read: Callable[[Any, Context], Record | None]
    id_of: Callable[[Any], str]
    try:
        items, pagination = reader.decode_page(content, collection)
        read, id_of = reader.build, _id_of_row
    except msgspec.MsgspecError:
        found, pagination = _parts(content, collection)
        items = _RAW_LIST.decode(found) or () if found is not None else ()
        read, id_of = reader, lambda raw: _id_of_raw(raw, id_field)
    records: list[Record] = []
    quarantined: list[Quarantined] = []
    needs_currency = False
    for item in items:
        try:
            record = read(item, context)
        except (RowError, AmountError, DateError, msgspec.MsgspecError) as error:
            needs_currency |= isinstance(error, CurrencyMissingError)
            customer, invoice = _owner(item, context)
            quarantined.append(
                Quarantined(
                    entity=collection,
                    id=id_of(item),
                    reason=str(error),
                    customer=customer,
                    invoices=(invoice,) if invoice else (),
                )
            )
            continue
        if record is not None:
            records.append(record)
    return Rows(
        records=records,
        quarantined=quarantined,
        seen=len(items),
        first_id=id_of(items[0]) if items else "",
        page_count=pagination.page_count,
        item_count=pagination.item_count,
        needs_currency=needs_currency,
    )


def elements(content: bytes, collection: str) -> list[msgspec.Raw]:
    """The undecoded rows of an answer. Raises msgspec.DecodeError."""
    found, _ = _parts(content, collection)
    return _RAW_LIST.decode(found) or [] if found is not None else []


def count(content: bytes, collection: str) -> int:
    """Rows that the whole list has. Raises msgspec.DecodeError."""
    found, pagination = _parts(content, collection)
    if pagination.item_count is not None:
        return pagination.item_count
    return len(_RAW_LIST.decode(found) or []) if found is not None else 0


def listed(content: bytes, collection: str, shape: type[_T]) -> list[_T]:
    """The readable rows of a small list, such as accounts or contact groups."""
    decoder = msgspec.json.Decoder(shape, strict=False)
    found = []
    for raw in elements(content, collection):
        try:
            found.append(decoder.decode(raw))
        except msgspec.MsgspecError:
            continue  # a row that is not understood is a row that is not there
    return found


def needed(value: str | None, name: str) -> str:
    """Raises RowError where a record lacks what it cannot do without."""
    if not value:
        raise RowError(f"it has no {name}")
    return value


def minor(amount: Decimal | None, currency: str, name: str) -> Minor:
    """Raises RowError or AmountError."""
    if amount is None:
        raise RowError(f"it has no {name}")
    if not currency:
        raise CurrencyMissingError("it has no CurrencyCode")
    return parse_minor(amount, currency)


def stated(raw: msgspec.Raw, currency: str, name: str) -> Minor:
    """An amount from the digits of its JSON number, without the detour where they are two.

    Raises RowError, AmountError or MsgspecError.
    """
    whole, dot, part = bytes(raw).partition(b".")
    if dot and len(part) == _USUAL_DIGITS == currency_digits(currency) and currency:
        try:
            return int(whole + part)
        except ValueError:
            pass  # in quotes, or with an exponent
    return minor(_AMOUNT.decode(raw), currency, name)


_USUAL_DIGITS: Final = 2
_AMOUNT: Final = msgspec.json.Decoder(Decimal | None, strict=False)
_ENVELOPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
_PAGINATION: Final = msgspec.json.Decoder(wire.Pagination | None, strict=False)
_encode: Final = msgspec.json.encode
_LOOSE: Final = msgspec.json.Decoder(dict[str, Any])


def _parts(content: bytes, collection: str) -> tuple[msgspec.Raw | None, wire.Pagination]:
    envelope = _ENVELOPE.decode(content)
    raw = envelope.get("pagination")
    pagination = _PAGINATION.decode(raw) if raw is not None else None
    return envelope.get(collection), pagination or wire.Pagination()


def _owner(item: Any, context: Context) -> tuple[str, str]:
    """Whose a row is that cannot be read, and the invoice that it settles, as far as it tells."""
    try:
        # A row that was decoded tells it under the same names as one that was not.
        fields = _LOOSE.decode(item if isinstance(item, bytes | msgspec.Raw) else _encode(item))
    except (msgspec.MsgspecError, TypeError, RecursionError):
        return "", ""
    target = _dict(fields.get("Invoice"))
    invoice = told_id(target.get("InvoiceID"))
    for contact in (fields, _dict(fields.get("Contact")), _dict(target.get("Contact"))):
        customer = told_id(contact.get("ContactID"))
        if customer:
            return customer, invoice
    owner, _ = context.owners.get(invoice, ("", ""))
    return owner, invoice


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id_of_row(row: Any) -> str:
    return row.id or ""


def _id_of_raw(raw: bytes | msgspec.Raw, id_field: str) -> str:
    try:
        return str(_LOOSE.decode(raw).get(id_field) or "")
    except msgspec.MsgspecError:
        return ""
