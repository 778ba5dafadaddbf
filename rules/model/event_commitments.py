"""What people told us, as events of a book file: promises, disputes, pauses, stops."""

from collections.abc import Callable
from datetime import date
from typing import Final, Literal, cast

import msgspec

from rules.model.commitment import (
    Commitment,
    Dispute,
    Instalments,
    Part,
    Pause,
    Placement,
    Promise,
    Stop,
    Withheld,
)
from rules.model.event_reading import BadEvent, Reference, Row
from rules.model.ids import CustomerId, InvoiceId


class _Told(msgspec.Struct, frozen=True):
    """What every commitment has."""

    id: str
    customer: CustomerId
    invoices: tuple[InvoiceId, ...]
    currency: str


def _told(row: Row, refer: Reference) -> _Told:
    customer, invoices = refer.subject(row)
    on = row.needed_day("date")
    kind = row.needed("t")
    named = ",".join(invoices)
    return _Told(
        id=row.text("id") or f"{kind}/{customer}/{named}/{on.isoformat()}",
        customer=customer,
        invoices=invoices,
        currency=refer.currency(row, invoices),
    )


def _dispute(row: Row, refer: Reference) -> Commitment:
    told = _told(row, refer)
    return Dispute(
        id=told.id,
        customer=told.customer,
        invoices=told.invoices,
        on=row.needed_day("date"),
        reason=row.text("reason"),
        owner=row.text("owner"),
        review_on=row.day("review_on"),
        amount=row.amount("amount", told.currency),
    )


def _promise(row: Row, refer: Reference) -> Commitment:
    told = _told(row, refer)
    return Promise(
        id=told.id,
        customer=told.customer,
        invoices=told.invoices,
        on=row.needed_day("date"),
        reason=row.text("reason"),
        owner=row.text("owner"),
        amount=row.amount("amount", told.currency),
        currency=told.currency,
        due_on=row.needed_day("on"),
    )


def _instalments(row: Row, refer: Reference) -> Commitment:
    told = _told(row, refer)
    parts = tuple(
        sorted(
            (
                Part(part.needed_day("on"), part.needed_amount("amount", told.currency))
                for part in row.rows("parts")
            ),
            key=lambda part: part.due_on,
        )
    )
    if not parts:
        raise BadEvent("parts is missing", 'add "parts" with "on" and "amount"')
    return Instalments(
        id=told.id,
        customer=told.customer,
        invoices=told.invoices,
        on=row.needed_day("date"),
        reason=row.text("reason"),
        owner=row.text("owner"),
        parts=parts,
    )


def _pause(row: Row, refer: Reference) -> Commitment:
    told = _told(row, refer)
    return Pause(
        id=told.id,
        customer=told.customer,
        invoices=told.invoices,
        on=row.needed_day("date"),
        reason=row.text("reason"),
        owner=row.text("owner"),
        until=row.needed_day("until"),
    )


def _withheld(row: Row, refer: Reference) -> Commitment:
    told = _told(row, refer)
    return Withheld(
        id=told.id,
        customer=told.customer,
        invoices=told.invoices,
        on=row.needed_day("date"),
        reason=row.text("reason"),
        amount=row.needed_amount("amount", told.currency),
        until=row.needed_day("until"),
    )


def _stop(row: Row, refer: Reference) -> Commitment:
    told = _told(row, refer)
    because = row.chosen(
        "because", "other", ("insolvency", "deceased", "lawyer", "vulnerable", "other")
    )
    return Stop(
        id=told.id,
        customer=told.customer,
        invoices=told.invoices,
        on=row.needed_day("date"),
        reason=row.text("reason"),
        owner=row.text("owner"),
        review_on=row.day("review_on"),
        because=cast(Literal["insolvency", "deceased", "lawyer", "vulnerable", "other"], because),
    )


def _placement(row: Row, refer: Reference) -> Commitment:
    told = _told(row, refer)
    return Placement(
        id=told.id,
        customer=told.customer,
        invoices=told.invoices,
        on=row.needed_day("date"),
        reason=row.text("reason"),
        actor=row.text("actor"),
        owner=row.text("owner"),
        review_on=row.day("review_on"),
        to=cast(Literal["agency", "legal"], row.chosen("to", "agency", ("agency", "legal"))),
        name=row.text("name"),
    )


COMMITMENTS: Final[dict[str, Callable[[Row, Reference], Commitment]]] = {
    "dispute": _dispute,
    "promise": _promise,
    "instalments": _instalments,
    "pause": _pause,
    "withheld": _withheld,
    "stop": _stop,
    "placement": _placement,
}


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the disputes of an invoice, or of the stop of a customer."""

    on: date
    of: type[Dispute] | type[Stop] | type[Placement]
    customer: CustomerId
    invoices: tuple[InvoiceId, ...]
    won_by: Literal["customer", "us", ""] = ""

    def ends(self, commitment: Commitment) -> bool:
        """Whether this event speaks of that commitment."""
        return (
            isinstance(commitment, self.of)
            and commitment.customer == self.customer
            and commitment.on <= self.on
            and (
                not self.invoices
                or not commitment.invoices
                or bool(set(self.invoices) & set(commitment.invoices))
            )
        )

    def applied_to(self, commitment: Commitment) -> Commitment:
        """The commitment, ended."""
        if isinstance(commitment, Dispute):
            return msgspec.structs.replace(commitment, ended_on=self.on, won_by=self.won_by)
        return msgspec.structs.replace(commitment, ended_on=self.on)


def _end(row: Row, refer: Reference, of: type[Dispute] | type[Stop] | type[Placement]) -> End:
    customer, invoices = refer.subject(row)
    won = row.chosen("won_by", "", ("customer", "us", ""))
    return End(
        on=row.needed_day("date"),
        of=of,
        customer=customer,
        invoices=invoices,
        won_by=cast(Literal["customer", "us", ""], won),
    )


def dispute_end_of(row: Row, refer: Reference) -> End:
    """The dispute is over."""
    return _end(row, refer, Dispute)


def resume_of(row: Row, refer: Reference) -> End:
    """The stop is over."""
    return _end(row, refer, Stop)


def recall_of(row: Row, refer: Reference) -> End:
    """The invoices were taken back from the collector or the lawyer."""
    return _end(row, refer, Placement)
