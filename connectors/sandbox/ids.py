"""Ids as each vendor forms them, the same on every run.

Every id that a book file mentions gets its vendor id when the book is loaded, so that a test or
a report can translate between the two. Ids of what clients write continue from there.
"""

import hashlib
from collections import defaultdict
from typing import Literal, Protocol, TypeAlias

Kind: TypeAlias = Literal[
    "customer", "invoice", "payment", "credit_note", "estimate", "note", "group"
]

_SEQUENCE_OF: dict[str, str] = {
    # In QuickBooks all transactions share one row of numbers; name lists and notes have theirs.
    "invoice": "transaction",
    "payment": "transaction",
    "credit_note": "transaction",
    "estimate": "transaction",
}


class VendorIds(Protocol):
    """How one vendor makes ids."""

    def of_book(self, kind: str, book_id: str) -> str:
        """Vendor id of a thing in the book file; the same answer every time."""
        ...

    def new(self, kind: str) -> str:
        """Vendor id of something that a client writes."""
        ...

    def known(self, kind: str, book_id: str) -> str | None:
        """Vendor id of a thing that the book file mentions; None for a strange one."""
        ...

    def book_id(self, kind: str, vendor_id: str) -> str | None:
        """Id in the book file; None for what a client wrote."""
        ...


class QuickBooksIds:
    """Numbers as text, in the order in which the book mentions things."""

    def __init__(self) -> None:
        self._next: dict[str, int] = defaultdict(lambda: 1)
        self._of_book: dict[tuple[str, str], str] = {}
        self._to_book: dict[tuple[str, str], str] = {}

    def of_book(self, kind: str, book_id: str) -> str:
        key = (kind, book_id)
        known = self._of_book.get(key)
        if known is None:
            known = self._of_book[key] = self.new(kind)
            self._to_book[kind, known] = book_id
        return known

    def new(self, kind: str) -> str:
        sequence = _SEQUENCE_OF.get(kind, kind)
        number = self._next[sequence]
        self._next[sequence] = number + 1
        return str(number)

    def known(self, kind: str, book_id: str) -> str | None:
        return self._of_book.get((kind, book_id))

    def book_id(self, kind: str, vendor_id: str) -> str | None:
        return self._to_book.get((kind, vendor_id))


class XeroIds:
    """UUIDs of version 5 shape in a namespace of the tenant."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._written: dict[str, int] = defaultdict(int)
        self._to_book: dict[tuple[str, str], str] = {}

    def of_book(self, kind: str, book_id: str) -> str:
        vendor_id = self.derived(kind, "book", book_id)
        self._to_book[kind, vendor_id] = book_id
        return vendor_id

    def new(self, kind: str) -> str:
        self._written[kind] += 1
        return self.derived(kind, "written", str(self._written[kind]))

    def known(self, kind: str, book_id: str) -> str | None:
        vendor_id = self.derived(kind, "book", book_id)
        return vendor_id if (kind, vendor_id) in self._to_book else None

    def book_id(self, kind: str, vendor_id: str) -> str | None:
        return self._to_book.get((kind, vendor_id))

    def derived(self, kind: str, *parts: str) -> str:
        """Id of a record that only Xero has, such as one payment for each allocation."""
        return uuid_from("|".join((self._tenant, kind, *parts)))


def uuid_from(text: str) -> str:
    """A UUID of version 5 shape that depends on the text alone."""
    digest = bytearray(hashlib.sha256(text.encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x50
    digest[8] = (digest[8] & 0x3F) | 0x80
    digits = digest.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def realm_from(company_id: str) -> str:
    """A QuickBooks company id (realm): 16 digits that depend on the book's company alone."""
    if company_id.isdigit():
        return company_id
    return "9130" + str(int(hashlib.sha256(company_id.encode()).hexdigest(), 16) % 10**12).zfill(12)
