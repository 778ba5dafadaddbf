"""By which channels a message reaches a customer, and how each of them is addressed."""

import re
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from ar_bridge.messages.recipients import Recipients, Unreachable, resolve
from rules.actions.messages import SendReminder
from rules.model.customer import Customer
from rules.model.invoice import Invoice

ALWAYS: Final = frozenset({"email", "letter"})
"""Channels that need no gateway: without a mail server a mail waits, a letter is a file."""

_PHONE: Final = re.compile(r"\+?[\d\s()./-]{6,24}")


class Way(msgspec.Struct, frozen=True):
    """One channel that reaches the customer."""

    channel: str
    people: Recipients


def ways_to(
    action: SendReminder,
    customer: Customer,
    invoices: Sequence[Invoice],
    set_up: Collection[str],
) -> list[Way] | Unreachable:
    """Every channel of the message that reaches the customer, in the order of the policy; with
    none of them, why. `set_up` are the channels that somebody has set up."""
    found: list[Way] = []
    reasons: list[str] = []
    for channel in dict.fromkeys((action.channel, *action.also_by)):
        if channel not in set_up and channel not in ALWAYS:
            reasons.append(f"no {channel} channel is set up (section [gateway])")
            continue
        people = _recipients(channel, action, customer, invoices)
        if isinstance(people, Recipients):
            found.append(Way(channel, people))
        else:
            reasons.append(people)
    if found:
        return found
    return Unreachable(customer=customer.id, roles=action.roles, reason="; ".join(reasons))


def _recipients(
    channel: str, action: SendReminder, customer: Customer, invoices: Sequence[Invoice]
) -> Recipients | str:
    if channel == "letter":
        if not customer.address:
            return f"{customer.name} has no postal address"
        return Recipients(to=(customer.name, *customer.address))
    if channel == "sms":
        numbers = _phones(customer, action.roles)
        if not numbers:
            return f"{customer.name} has no telephone number for {' or '.join(action.roles)}"
        return Recipients(to=numbers)
    people = resolve(customer, invoices, action.roles, action.cc_roles)
    if isinstance(people, Recipients):
        return people
    # What stands behind a webhook knows its customers itself.
    return Recipients(to=(customer.id,)) if channel == "webhook" else people.reason


def _phones(customer: Customer, roles: Sequence[str]) -> tuple[str, ...]:
    """Numbers of the contacts with a role; of `billing` without any, the customer's own."""
    found: list[str] = []
    for role in roles:
        named = [each.phone for each in customer.contacts if role in each.roles and each.phone]
        if not named and role == "billing" and customer.phone:
            named = [customer.phone]
        found += [number.strip() for number in named if _PHONE.fullmatch(number.strip())]
    return tuple(dict.fromkeys(found))
