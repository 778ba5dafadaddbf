"""What the checks look at, and how a check says that it does not apply."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from unittest import SkipTest

from connectors.conformance.subject import Subject
from connectors.port import Page
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor

ENTITIES: Final = ("customers", "invoices", "payments", "credits", "estimates")

LONG_AGO: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


class NotClaimedError(SkipTest):
    """The connector does not claim what a check is about. pytest shows it as skipped."""


def needs(subject: Subject, *effects: str) -> None:
    """Raises NotClaimedError unless the connector claims these effects."""
    for effect in effects:
        if effect not in subject.connector.capabilities.effects:
            raise NotClaimedError(
                f"{subject.connector.capabilities.ledger} does not claim {effect}"
            )


def able(subject: Subject, ability: type) -> None:
    """Raises NotClaimedError unless the connector has one of the port's further abilities."""
    if not isinstance(subject.connector, ability):
        ledger = subject.connector.capabilities.ledger
        raise NotClaimedError(f"{ledger} does not claim {ability.__name__}")


def ids_of(pages: Sequence[Page], entity: str) -> list[str]:
    """Ids of one entity, in the order of the pages."""
    return [record.id for page in pages if page.entity == entity for record in page.records]


def invoice_of(pages: Sequence[Page], id: InvoiceId) -> Invoice:
    """That invoice of a pull. Raises AssertionError where it is not among them."""
    for page in pages:
        for record in page.records:
            if isinstance(record, Invoice) and record.id == id:
                return record
    raise AssertionError(f"invoice {id} was not pulled")


def status_of(subject: Subject, id: str) -> tuple[str, Minor]:
    """Status and balance of an invoice as it is now."""
    (invoice,) = subject.connector.read([InvoiceId(id)]).invoices
    return invoice.status, invoice.balance
