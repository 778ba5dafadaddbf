"""Accounts, items and taxes that the settings and the policy name, looked up in the ledger.

Those of late fees are looked at with the company itself: fees wait until they were seen.
"""

from collections.abc import Iterator

from ar_bridge.health.book import ExaminedBook
from connectors.budget import serving_writes
from connectors.lookup import LedgerName, ListKind, LooksUpNames
from connectors.port import Finding
from rules.policy.schema import Policy


def of_names(examined: ExaminedBook) -> Iterator[Finding]:
    """Does the ledger know every name that something will be booked under one day?"""
    connector = examined.desk.connector
    named = [*_of_settings(examined), *_of_policy(examined.desk.policy)]
    if not named or not isinstance(connector, LooksUpNames):
        return
    with serving_writes():
        troubles = connector.trouble_with(named)
    for one, trouble in zip(named, troubles, strict=True):
        yield Finding(
            level="error" if trouble else "ok",
            subject=examined.subject("accounts"),
            text=f"{one.key}: {trouble}" if trouble else f"{one.key}: the ledger has {one.name}",
            remedy="correct the name, or add it in the ledger; until then what is booked there "
            "is refused"
            if trouble
            else "",
        )


def _of_settings(examined: ExaminedBook) -> Iterator[LedgerName]:
    book = examined.book
    named: tuple[tuple[ListKind, str, str], ...] = (
        ("account", book.bad_debt_account, "bad_debt_account"),
        ("tax", book.bad_debt_tax, "bad_debt_tax"),
    )
    for kind, name, key in named:
        if name:
            yield LedgerName(kind, name, key)


def _of_policy(policy: Policy) -> Iterator[LedgerName]:
    """Of the policy in force and of its earlier and later versions, each name once."""
    every = [policy, *(version.policy for version in policy.versions)]
    rules = [one.discount for one in every if one.discount is not None]
    yield from dict.fromkeys(
        LedgerName(kind, name, f"[discount] {kind}")
        for rule in rules
        for kind, name in _booked(rule.account, rule.tax)
        if name
    )


def _booked(account: str, tax: str) -> tuple[tuple[ListKind, str], tuple[ListKind, str]]:
    return ("account", account), ("tax", tax)
