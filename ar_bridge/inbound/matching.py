"""Whose a mail is: by the message of ours that it names, else by who sent it.

A Message-ID of ours is known to nobody but those who got the message: what names one is sure.
A sender's address is not: anybody can write it, and one mailbox may serve several customers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import msgspec
from sqlalchemy import Connection

from ar_bridge.facts_file import CustomerFacts, augment
from ar_bridge.inbound.reading import Reading
from ar_bridge.store import inbound, mirror
from ar_bridge.store.bodies import Bodies
from ar_bridge.store.inbound import SentMail
from rules.actions.table import ACTIONS
from rules.model import Customer

FACING: Final = frozenset(action.kind for action in ACTIONS if action.is_customer_facing)
"""Kinds of actions whose messages go to customers; others go to colleagues."""

_customers: Bodies[Customer] = Bodies(Customer)


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Who a mail is from or about. None of it known: it is nobody's."""

    book_id: int | None = None
    customer: str | None = None
    sent: SentMail | None = None
    """The message of ours that it names."""
    others: tuple[str, ...] = ()
    """Further customers with the same address."""

    @property
    def is_sure(self) -> bool:
        return self.sent is not None


NOBODY: Final = Whose()

Senders: TypeAlias = Callable[[Connection], dict[str, list[tuple[int, str]]]]
"""Address in lower case -> (book, customer), worked out when the first mail asks for it."""


def whose(conn: Connection, reading: Reading, senders: Senders) -> Whose:
    """Whose it is; NOBODY where nothing tells."""
    for message_id in reading.answers:
        sent = inbound.sent_mail(conn, message_id)
        if sent is not None:
            customer = sent.customer if sent.kind in FACING else None
            return Whose(book_id=sent.book_id, customer=customer, sent=sent)
        book_id = inbound.brief_named(conn, message_id)
        if book_id is not None:
            return Whose(book_id=book_id)
    named = reading.recipients if reading.kind in ("bounce", "soft_bounce") else (reading.sender,)
    known = senders(conn)
    found = list(dict.fromkeys(one for address in named for one in known.get(address, ())))
    if not found:
        return NOBODY
    book_id, customer = found[0]
    return Whose(book_id=book_id, customer=customer, others=tuple(one for _, one in found[1:]))


def addresses_of(
    conn: Connection, books: Iterable[tuple[int, CustomerFacts]]
) -> dict[str, list[tuple[int, str]]]:
    """Every address under which a customer of these books is known."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for book_id, facts in books:
        for name, body in sorted(mirror.bodies(conn, book_id, "customers")):
            customer = augment(_customers.read(body), facts)
            for address in (customer.email, *(one.email for one in customer.contacts)):
                for one in address.replace(";", ",").split(","):
                    entry = (book_id, name)
                    if one.strip() and entry not in found[one.strip().lower()]:
                        found[one.strip().lower()].append(entry)
    return dict(found)
