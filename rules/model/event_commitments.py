"""What people told us, as events of a book file: promises, disputes, pauses, stops."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, Literal, cast

import msgspec

from rules.model.commitment import (
    Commitment,
    CreditExpected,
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


def _told(row: Row, refer: Reference) -> dict[str, Any]:
    """What every commitment has, as keywords."""
    customer, invoices = refer.subject(row)
    on = row.needed_day("date")
    kind = row.needed("t")
    named = ",".join(invoices)
    return {
        "id": row.text("id") or f"{kind}/{customer}/{named}/{on.isoformat()}",
        "customer": customer,
        "invoices": invoices,
        "on": on,
        "reason": row.text("reason"),
        "actor": row.text("actor"),
        "owner": row.text("owner"),
        "review_on": row.day("review_on"),
    }


def _currency(row: Row, refer: Reference) -> str:
    return refer.currency(row, refer.subject(row)[1])


def _dispute(row: Row, refer: Reference) -> Commitment:
    return Dispute(**_told(row, refer), amount=row.amount("amount", _currency(row, refer)))


def _promise(row: Row, refer: Reference) -> Commitment:
    currency = _currency(row, refer)
    return Promise(
        **_told(row, refer),
        amount=row.amount("amount", currency),
        currency=currency,
        due_on=row.needed_day("on"),
        consented=row.fields.get("consented") is True,
    )


def _instalments(row: Row, refer: Reference) -> Commitment:
    currency = _currency(row, refer)
    parts = tuple(
        sorted(
            (
                Part(part.needed_day("on"), part.needed_amount("amount", currency))
                for part in row.rows("parts")
            ),
            key=lambda part: part.due_on,
        )
    )
    if not parts:
        raise BadEvent("parts is missing", 'add "parts" with "on" and "amount"')
    return Instalments(**_told(row, refer), parts=parts, currency=currency)


def _pause(row: Row, refer: Reference) -> Commitment:
    return Pause(**_told(row, refer), until=row.needed_day("until"))


def _withheld(row: Row, refer: Reference) -> Commitment:
    return Withheld(
        **_told(row, refer),
        amount=row.needed_amount("amount", _currency(row, refer)),
        until=row.needed_day("until"),
    )


def _credit_expected(row: Row, refer: Reference) -> Commitment:
    return CreditExpected(
        **_told(row, refer),
        amount=row.needed_amount("amount", _currency(row, refer)),
        until=row.needed_day("by"),
    )


def _stop(row: Row, refer: Reference) -> Commitment:
    because = row.chosen(
        "because", "other", ("insolvency", "deceased", "lawyer", "vulnerable", "other")
    )
    return Stop(
        **_told(row, refer),
        because=cast(Literal["insolvency", "deceased", "lawyer", "vulnerable", "other"], because),
    )


def _placement(row: Row, refer: Reference) -> Commitment:
    return Placement(
        **_told(row, refer),
        to=cast(Literal["agency", "legal"], row.chosen("to", "agency", ("agency", "legal"))),
        name=row.text("name"),
    )


COMMITMENTS: Final[dict[str, Callable[[Row, Reference], Commitment]]] = {
    "dispute": _dispute,
    "promise": _promise,
    "instalments": _instalments,
    "pause": _pause,
    "withheld": _withheld,
    "credit_expected": _credit_expected,
    "stop": _stop,
    "placement": _placement,
}


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the disputes of an invoice, of the stop or the pause of a customer, of a
    placement."""

    on: date
    of: tuple[type, ...]
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


def _end(row: Row, refer: Reference, of: tuple[type, ...]) -> End:
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
    return _end(row, refer, (Dispute,))


def resume_of(row: Row, refer: Reference) -> End:
    """The stop, or the pause, is over."""
    return _end(row, refer, (Stop, Pause))


def recall_of(row: Row, refer: Reference) -> End:
    """The invoices were taken back from the collector or the lawyer."""
    return _end(row, refer, (Placement,))
