"""Who pays for whom, found without reading all customers."""

from collections.abc import Iterable

from sqlalchemy import Connection

from ar_bridge.facts_file import CustomerFacts
from ar_bridge.store import payers
from rules.model import CustomerId


class Families:
    """Parents of customers as the ledger and the file of facts name them: the same payers as
    `Book.payer_of` finds in a book of all customers."""

    def __init__(self, conn: Connection, book_id: int, facts: CustomerFacts) -> None:
        named = payers.parents(conn, book_id)
        stated = {str(name): said.parent for name, said in facts.customers.items() if said.parent}
        known = payers.known(conn, book_id, {*named.values(), *stated, *stated.values()})
        named.update({name: parent for name, parent in stated.items() if name in known})
        self._parents = {name: parent for name, parent in named.items() if parent in known}
        self._members: dict[str, set[str]] = {}
        for name in self._parents:
            self._members.setdefault(self.payer_of(CustomerId(name)), set()).add(name)

    def payer_of(self, customer: CustomerId) -> CustomerId:
        """Follow parents to the customer that pays; a loop or a missing parent ends the walk."""
        seen = {str(customer)}
        current = str(customer)
        while (parent := self._parents.get(current)) is not None and parent not in seen:
            seen.add(parent)
            current = parent
        return CustomerId(current)

    def accounts_of(self, asked: Iterable[str]) -> frozenset[str]:
        """The customers asked for, with everybody who shares their payer."""
        found: set[str] = set()
        for customer in asked:
            payer = self.payer_of(CustomerId(customer))
            found |= {customer, payer, *self._members.get(payer, ())}
        return frozenset(found)
