"""What the ledger and `customers.toml` leave open about invoices and customers, as far as it
keeps somebody from being reminded."""

from collections.abc import Callable, Iterator
from typing import Final

from ar_bridge.health.book import ExaminedBook
from connectors.port import Finding
from rules.model import Book, Customer, Invoice

NAMED: Final = 5
"""Customers that a finding names; the others are counted."""


def of_sent_marks(examined: ExaminedBook) -> Iterator[Finding]:
    """How many open invoices count as never sent, and what follows from that?"""
    book = examined.loaded
    if book is None:
        return
    mine = _open(book)
    if not mine:
        return
    rule = examined.desk.policy.do_not_chase.unsent_invoice
    unsent = sum(invoice.sent is False for invoice in mine)
    unknown = sum(invoice.sent is None for invoice in mine)
    held = {"hold": unsent, "strict": unsent + unknown}.get(rule, 0)
    text = f"{unsent} of {len(mine)} open invoices are not marked as sent"
    if unknown:
        text += f", of {unknown} the ledger does not say"
    if held:
        text += f': with unsent_invoice = "{rule}", {held} of them are not chased'
    yield Finding(
        level="warning" if held else "ok",
        subject=examined.subject("sent invoices"),
        text=text,
        remedy="mark them as sent in the ledger, or say in [do_not_chase] what counts as sent "
        "(treat_as_sent)"
        if held
        else "",
    )


def of_facts(examined: ExaminedBook) -> Iterator[Finding]:
    """What is missing about customers who owe something?"""
    book = examined.loaded
    if book is None:
        return
    owing = _payers(book)
    if not owing:
        return
    is_formal = any(stage.formal for stage in examined.desk.policy.stage)
    gaps: list[tuple[str, Callable[[Customer], bool], str, str]] = [
        ("an e-mail address", lambda one: not _has_mail(one), "warning", "nobody writes to them"),
        (
            "a confirmed entity type",
            lambda one: one.entity_type == "unknown" or one.entity_type_is_guess,
            "warning" if is_formal else "ok",
            "formal notices and statutory fees wait",
        ),
        ("a country", lambda one: not one.country, "ok", "the company's own is taken"),
        ("a language", lambda one: not one.language, "ok", "messages are in English"),
    ]
    for what, is_open, level, follows in gaps:
        found = [one for one in owing if is_open(one)]
        if not found:
            continue
        names = ", ".join(one.name for one in found[:NAMED])
        others = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        yield Finding(
            level=level,
            subject=examined.subject("customers"),
            text=f"{len(found)} of {len(owing)} customers who owe something have no "
            f"{what.split(' ', 1)[1]}: {follows} ({names}{others})",
            remedy="fill it in in the ledger, or in customers.toml" if level != "ok" else "",
        )


def _open(book: Book) -> list[Invoice]:
    return [invoice for invoice in book.invoices if invoice.status == "open" and not invoice.is_fee]


def _payers(book: Book) -> list[Customer]:
    """Who pays the open invoices: the parent, where there is one."""
    ids = {invoice.customer for invoice in _open(book)}
    found = [book.customers[one] for one in ids if one in book.customers]
    payers = {book.customers.get(one.parent or one.id, one).id: one for one in found}
    return sorted(
        (book.customers.get(key, one) for key, one in payers.items()), key=lambda one: one.name
    )


def _has_mail(customer: Customer) -> bool:
    return bool(customer.email) or any(contact.email for contact in customer.contacts)
