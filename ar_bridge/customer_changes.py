"""A person changes what `customers.toml` says: validated, written, audited with who and why."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.errors import UsageError
from ar_bridge.facts_editing import Edited, edit_facts, said_of
from ar_bridge.facts_reading import CUSTOMER_KEYS
from ar_bridge.store import mirror
from rules.model import Customer
from rules.policy.reading import did_you_mean

EVENT = "CustomerFactsChanged"

_OWN_COMMANDS: Mapping[str, str] = {
    "contacts": "ar-bridge customer add-contact",
    "override": "ar-bridge customer override",
    "exempt": "ar-bridge exempt",
}
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def typed(key: str, text: str) -> Any:
    """What somebody typed, as the file has it; whether it is right is judged with the file.

    Raises UsageError for a key that has a command of its own or does not exist.
    """
    if key in _OWN_COMMANDS:
        raise UsageError(f"{key} is more than one value.", remedy=f"use {_OWN_COMMANDS[key]}")
    if key not in CUSTOMER_KEYS:
        raise UsageError(f"There is no key {key}.", remedy=did_you_mean(key, CUSTOMER_KEYS))
    text = text.strip()
    if key == "tags":
        return parts(text, ",")
    if key == "address":
        return parts(text, ";")
    if key == "autopay":
        return _TRUTH.get(text.casefold(), text)
    if key == "terms_days" and text.isdigit():
        return int(text)
    return text


def parts(text: str, sign: str) -> list[str]:
    """The pieces of a list that somebody typed in one piece."""
    return [part.strip() for part in text.split(sign) if part.strip()]


def change(
    conn: Connection,
    desk: BookContext,
    file: Path,
    customer: Customer,
    changes: Mapping[str, Any],
    *,
    reason: str,
) -> list[Edited]:
    """Change keys of one customer (None: say no more about it); returns what is different now.

    The file is written last in the transaction: what the audit tells of has happened, or neither
    has. The customer's invoices are looked at again in the next run.

    Raises UsageError without a reason and with every wrong value, SetupError where the file is
    wrong already.
    """
    if not reason.strip():
        raise UsageError("Why?", remedy='say --reason "..."; it is kept in the audit')
    said = said_of(file, customer.id)
    for key, value in changes.items():
        if said.get(key) == value:
            continue
        edited = Edited(customer=customer.id, key=key, before=said.get(key), after=value)
        audit.append(
            conn,
            book_id=desk.book_id,
            at=desk.clock.now(),
            actor=desk.worker,
            event=EVENT,
            subject=f"{file.name}/{customer.id}",
            payload={"file": str(file), "reason": reason, **edited.evidence()},
        )
    # With those who share the account, of old and from now on.
    account = desk.load(conn, desk.today(), [customer.id], ()).customers
    touched = {customer.id, *account, str(changes.get("parent") or customer.id)}
    mirror.decide_again(conn, desk.book_id, touched)
    return [each for each in edit_facts(file, customer.id, changes) if each.is_change]


def with_tags(file: Path, customer: str, more: Iterable[str], less: Iterable[str]) -> Any:
    """The tags that the file would have then; None for none."""
    gone = {tag.casefold() for tag in less}
    tags = [*said_of(file, customer).get("tags", ()), *more]
    return [tag for tag in dict.fromkeys(tags) if tag.casefold() not in gone] or None


def with_contact(file: Path, customer: str, contact: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The contacts that the file would have with this one, which takes the place of one with the
    same address."""
    others = _others(file, customer, str(contact.get("email", "")))
    return [*others, {key: value for key, value in contact.items() if value}]


def without_contact(file: Path, customer: str, email: str) -> Any:
    """The contacts without that address; None for none. Raises UsageError where nobody has it."""
    contacts = said_of(file, customer).get("contacts", [])
    others = _others(file, customer, email)
    if len(others) == len(contacts):
        known = ", ".join(str(each.get("email", "")) for each in contacts) or "none"
        raise UsageError(
            f"{file.name} has no contact {email} of {customer}.", remedy=f"its contacts: {known}"
        )
    return others or None


def _others(file: Path, customer: str, email: str) -> list[dict[str, Any]]:
    contacts: list[dict[str, Any]] = said_of(file, customer).get("contacts", [])
    wanted = email.casefold()
    return [each for each in contacts if not wanted or each.get("email", "").casefold() != wanted]
