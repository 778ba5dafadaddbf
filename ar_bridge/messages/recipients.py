"""From roles to addresses: who the message goes to, or why it can reach nobody."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from rules.model.customer import Customer
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\]+")


class Unreachable(msgspec.Struct, frozen=True, kw_only=True):
    """No address for the roles asked for: the planner makes a Skip `unreachable` of it."""

    customer: CustomerId
    roles: tuple[str, ...]
    reason: str


class Recipients(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses in the order of the roles, none twice; nobody in `cc` who is in `to`."""

    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    name: str = ""
    """The person greeted: the contact behind the first address, empty where unknown."""


def resolve(
    customer: Customer,
    invoices: Sequence[Invoice],
    roles: Sequence[str],
    cc_roles: Sequence[str] = (),
) -> Recipients | Unreachable:
    """Addresses of the payer for these roles.

    `invoice` is the address that the ledger sent the invoices to, `billing` the contacts with
    that role and else the customer's main address; any other role only its contacts.
    A field may hold several addresses, parted by comma or semicolon.
    """
    malformed: list[str] = []
    to = _addresses(customer, invoices, roles, malformed)
    if not to:
        asked = " or ".join(roles) or "any role"
        if malformed:
            reason = f"{malformed[0]!r} of {customer.name} is not an e-mail address"
        else:
            reason = f"{customer.name} has no e-mail address for {asked}"
        return Unreachable(customer=customer.id, roles=tuple(roles), reason=reason)
    known = {address.casefold() for address in to}
    cc = [
        address
        for address in _addresses(customer, invoices, cc_roles, malformed)
        if address.casefold() not in known
    ]
    return Recipients(to=tuple(to), cc=tuple(cc), name=_name(customer, to[0]))


def _addresses(
    customer: Customer, invoices: Sequence[Invoice], roles: Iterable[str], malformed: list[str]
) -> list[str]:
    found: dict[str, str] = {}
    for role in roles:
        for field in _fields(customer, invoices, role):
            for part in re.split(r"[,;]", field):
                address = part.strip()
                if _ADDRESS.fullmatch(address):
                    found.setdefault(address.casefold(), address)
                elif address:
                    malformed.append(address)
    return list(found.values())


def _fields(customer: Customer, invoices: Sequence[Invoice], role: str) -> list[str]:
    if role == "invoice":
        return [invoice.email for invoice in invoices if invoice.email]
    named = [each.email for each in customer.contacts if role in each.roles and each.email]
    if not named and role == "billing" and customer.email:
        return [customer.email]
    return named


def _name(customer: Customer, address: str) -> str:
    for contact in customer.contacts:
        if contact.email.casefold() == address.casefold():
            return contact.name
    return ""
