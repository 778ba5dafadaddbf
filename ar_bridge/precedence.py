"""Who decides what is known of a customer: `customers.toml`, the ledger, a default, a guess.

    customers.toml [customer.ID]  >  the ledger  >  customers.toml [defaults]  >  a guess

An override makes the mode stricter, never freer: of the book's, the policy's, the stage's and
the override's, the strictest holds.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ar_bridge.entity_type import guess_entity_type
from ar_bridge.facts_file import CustomerFacts, Facts
from rules.model import Customer, format_minor

_NAMES: Final[dict[str, str]] = {
    "entity_type": "Entity type",
    "language": "Language",
    "timezone": "Time zone",
    "region": "Holidays",
    "country": "Country",
    "credit_limit": "Credit limit",
    "terms_days": "Payment terms",
    "parent": "Paid by",
    "address": "Address",
}
_NOTHING: Final = Facts()


def facts_told(ledger: Customer, facts: CustomerFacts, today: date) -> tuple[str, ...]:
    """One sentence for each fact that somebody states, with who that is and whom it outranks.

    `ledger` is the customer as the ledger has it, before the file was asked.
    """
    said = facts.of(ledger.id) or _NOTHING
    return (
        *_override(said, facts.source, today),
        *_exemption(said, facts.source, today),
        *(line for name in _NAMES for line in _fact(name, ledger, said, facts)),
        *_more(ledger, said, facts.source),
    )


def _override(said: Facts, source: str, today: date) -> Iterator[str]:
    held = said.override
    if held is None:
        return
    until = f" until {held.until}" if held.until is not None else " until somebody ends it"
    if held.until is not None and today > held.until:
        yield f"Mode: the override to {held.mode} ended on {held.until} ({source}: {held.reason})."
    else:
        yield f"Mode: no freer than {held.mode}{until} ({source}: {held.reason})."


def _exemption(said: Facts, source: str, today: date) -> Iterator[str]:
    left = said.exempt
    if left is None:
        return
    if left.since is not None and today < left.since:
        yield f"Left alone from {left.since} on ({source}: {left.reason})."
    elif left.until is not None and today > left.until:
        yield f"The exemption ended on {left.until} ({source}: {left.reason})."
    else:
        until = left.until or "somebody ends it"
        yield f"Left alone until {until} ({source}: {left.reason})."


def _fact(name: str, ledger: Customer, said: Facts, facts: CustomerFacts) -> Iterator[str]:
    ours, theirs = getattr(said, name), getattr(ledger, name)
    default = getattr(facts.defaults, name)
    if name == "entity_type":
        theirs = "" if theirs == "unknown" else theirs
    theirs_told = _shown(name, theirs, ledger)
    if _is_said(ours):
        told = _shown(name, ours, ledger)
        outranked = f"; the ledger says {theirs_told}" if theirs_told not in ("", told) else ""
        yield f"{_NAMES[name]} {told}: {facts.source}{outranked}."
    elif _is_said(theirs):
        yield f"{_NAMES[name]} {theirs_told}: the ledger."
    elif _is_said(default):
        yield f"{_NAMES[name]} {_shown(name, default, ledger)}: {facts.source}, [defaults]."
    elif name == "entity_type" and (guess := guess_entity_type(ledger.name)) != "unknown":
        yield (
            f"Entity type {guess}: a guess from the name; formal notices and statutory fees wait "
            "until somebody confirms it."
        )


def _more(ledger: Customer, said: Facts, source: str) -> Iterator[str]:
    """What adds up instead of outranking."""
    if ledger.tags:
        yield f"Tags {', '.join(ledger.tags)}: the ledger."
    if said.tags:
        yield f"Tags {', '.join(said.tags)}: {source}."
    for contact in said.contacts:
        who = contact.email or contact.phone
        yield f"Contact {who} ({', '.join(contact.roles)}): {source}."
    if said.autopay:
        yield f"Pays by itself: {source}."


def _is_said(value: Any) -> bool:
    return value is not None and value != "" and value != ()


def _shown(name: str, value: Any, ledger: Customer) -> str:
    if not _is_said(value):
        return ""
    if isinstance(value, Decimal):
        return f"{value:f} {ledger.currency}".strip()
    if name == "credit_limit":
        return f"{format_minor(value, ledger.currency)} {ledger.currency}"
    if name == "terms_days":
        return f"{value} days"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
