"""What references in records point at: learned once, kept with the cursor.

Customers name their type and terms by id, and a late fee of QuickBooks' own is told by the item
of its line where somebody renamed it. These lists travel with the cursor and the resume text and
are read again only for an id not met yet. The home currency is asked for only where a record
does not state its own.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from connectors.errors import RefusedError, StaleError
from connectors.port import Quarantined, Record
from connectors.quickbooks import wire
from connectors.quickbooks.answers import decoded, read_records, rows
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.parse import CurrencyUnknownError, Names
from connectors.quickbooks.requests import PAGE, quoted, select
from connectors.quickbooks.sources import CUSTOMERS, Source

NATIVE_FEE_ACCOUNT: Final = "Late fee income"
"""The income account that QuickBooks makes when its own late fees are switched on."""

NATIVE_ACCOUNT_QUERY: Final = select("Account", f"Name = {quoted(NATIVE_FEE_ACCOUNT)}")

_MOST_PAGES: Final = 50

_T = TypeVar("_T")


class Learned(msgspec.Struct, omit_defaults=True):
    """What is known of this company's lists. None: not asked yet."""

    currency: str = ""
    customer_types: dict[str, str] | None = None
    terms: dict[str, int | None] | None = None
    """Days until due; None for terms of another kind."""
    fee_items: list[str] | None = None
    """Items whose income account is that of QuickBooks' own late fees."""
    left: dict[str, str] = {}
    """Customers whose removal or merging already led to a full reading, and when it happened."""


class Vocabulary:
    """The lists of one company, shared by everything that reads its records."""

    def __init__(
        self, api: MountedQuickBooks, currency: Callable[[], str], known: Learned | None = None
    ) -> None:
        """`currency` tells the company's home currency and may have to ask for it."""
        self._api = api
        self._currency = currency
        self._learned = known or Learned()
        self._names: Names | None = None
        self.has_fee_account = False
        """Whether the account of QuickBooks' own late fees was met when it was asked for."""

    @property
    def learned(self) -> Learned:
        return self._learned

    def names(self) -> Names:
        """For the parser."""
        if self._names is None:
            known = self._learned
            self._names = Names(
                currency=known.currency,
                customer_types=known.customer_types or {},
                terms_days={
                    id: days for id, days in (known.terms or {}).items() if days is not None
                },
                fee_items=frozenset(known.fee_items or ()),
            )
        return self._names

    def read(
        self, source: Source, records: Sequence[msgspec.Raw]
    ) -> tuple[list[Record], list[Quarantined]]:
        """Raw records into the book's; what they refer to is looked up where it is not known."""
        if source is CUSTOMERS:
            self._learn_references(records)
        try:
            return read_records(source.page, records, source.shape, source.reader, self.names())
        except CurrencyUnknownError:
            self._learned.currency = self._currency()
            self._names = None
            return self.read(source, records)

    def text(self) -> str:
        """All of it, to be kept with a cursor."""
        return msgspec.json.encode(self._learned).decode()

    def recall(self, text: str) -> bool:
        """Take in what was kept, where nothing newer is known; whether fee items were among it."""
        if not text:
            return False
        try:
            kept = msgspec.json.decode(text, type=Learned)
        except msgspec.DecodeError:
            return False
        known = self._learned
        # The currency that the company states now counts more than a kept one.
        known.currency = known.currency or kept.currency
        if known.customer_types is None:
            known.customer_types = kept.customer_types
        if known.terms is None:
            known.terms = kept.terms
        if known.fee_items is None:
            known.fee_items = kept.fee_items
        known.left = {**kept.left, **known.left}
        self._names = None
        return kept.fee_items is not None

    def forget(self) -> None:
        """The lists are read anew when they are needed next."""
        self._learned = Learned()
        self._names = None

    def learn_fee_items(self) -> None:
        """Ask once; a company without that account answers in one call."""
        if self._learned.fee_items is not None:
            return
        try:
            found = rows(self._api.select(NATIVE_ACCOUNT_QUERY), "Account").records
            accounts = {row.id for row in _readable(found, wire.WireNamed)}
            items = self.all("Item", wire.WireItem) if accounts else []
        except (RefusedError, StaleError):
            accounts, items = set(), []
        self.has_fee_account = bool(accounts)
        self._learned.fee_items = [item.id for item in items if _posts_to(item, accounts)]
        self._names = None

    def _learn_references(self, customers: Iterable[msgspec.Raw]) -> None:
        """Customer types and terms, only where these customers name one that is not known."""
        types, terms = set(), set()
        for record in _readable(customers, wire.WireCustomer):
            kind, term = record.customer_type_ref, record.sales_term_ref
            if kind is not None and kind.value and not kind.name:
                types.add(kind.value)
            if term is not None and term.value:
                terms.add(term.value)
        known = self._learned
        self._names = None
        if types - (known.customer_types or {}).keys():
            # Asked for and not listed: it is not asked for again.
            listed = {row.id: row.name or "" for row in self._list("CustomerType")}
            known.customer_types = {**dict.fromkeys(types, ""), **listed}
        if terms - (known.terms or {}).keys():
            days = {row.id: row.due_days for row in self._list("Term")}
            known.terms = {**dict.fromkeys(terms, None), **days}

    def all(self, entity: str, shape: type[_T]) -> list[_T]:
        """A whole list, page by page; what cannot be read is left out."""
        found: list[_T] = []
        for page in range(_MOST_PAGES):
            query = select(entity, start=1 + page * PAGE)
            records = rows(self._api.select(query), entity).records
            found += _readable(records, shape)
            if len(records) < PAGE:
                break
        return found

    def _list(self, entity: str) -> list[wire.WireNamed]:
        """A short list that only adds words: a refusal leaves it empty."""
        try:
            return _readable(rows(self._api.select(select(entity)), entity).records, wire.WireNamed)
        except (RefusedError, StaleError):
            return []


def _posts_to(item: wire.WireItem, accounts: Collection[str]) -> bool:
    account = item.income_account_ref
    return account is not None and (account.value in accounts or account.name == NATIVE_FEE_ACCOUNT)


def _readable(records: Iterable[msgspec.Raw], shape: type[_T]) -> list[_T]:
    found: list[_T] = []
    for record in records:
        try:
            found.append(decoded(record, shape))
        except msgspec.DecodeError:
            continue
    return found
