"""Several late fees in one call, each judged by itself.

Xero answers a batch with one element for each member, in which it says whether that one was
made. A member that was refused may be there all the same, from an earlier call whose answer was
lost: so refused ones are looked for by their numbers, all of them in one call.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from connectors.errors import (
    ConnectorError,
    OutcomeUnknownError,
    RefusedError,
    TransientError,
)
from connectors.port import Prepared, Receipt
from connectors.transport import Answer
from connectors.xero import reads, requests, wire
from connectors.xero.answers import listed, written
from connectors.xero.faults import check_answer, check_written
from connectors.xero.sdk import MountedApi

MOST: Final = 50
"""Elements that Xero advises for one call."""
LARGEST: Final = 3_500_000
"""Bytes that a body may have."""

Outcome = Receipt | ConnectorError
Adopt = Callable[[wire.Written, Answer, str], Receipt | None]
"""An invoice of that number, if its Reference is that tag's: the receipt of what was found."""


class _Invoices(msgspec.Struct, frozen=True):
    rows: list[msgspec.Raw] = msgspec.field(name="Invoices")


_BODY: Final = msgspec.json.Decoder(_Invoices)


def prepare_batch(members: Sequence[Prepared]) -> Prepared:
    """One request with the elements of all, byte for byte.

    Raises ValueError for what does not belong into a batch, RefusedError where it is too large.
    """
    if not 0 < len(members) <= MOST:
        raise ValueError(f"a batch has 1 to {MOST} members, not {len(members)}")
    if any(each.effect != "post_charge" or each.path != "Invoices" for each in members):
        raise ValueError("only new late fees travel in a batch")
    rows = [row for each in members for row in _BODY.decode(each.body).rows]
    if len(rows) != len(members):
        raise ValueError("each member of a batch is one late fee")
    body = msgspec.json.encode(_Invoices(rows))
    if len(body) > LARGEST:
        raise RefusedError(
            f"a batch of {len(members)} late fees has {len(body)} bytes and Xero takes {LARGEST}: "
            "send fewer at once"
        )
    keys = "|".join(each.effect_key for each in members)
    return Prepared(
        effect="post_charge",
        effect_key=f"batch/{hashlib.sha256(keys.encode()).hexdigest()[:32]}",
        method="PUT",
        path="Invoices",
        params=members[0].params,
        body=body,
    )


class Batches:
    """Sends batches and reads what Xero made of each member."""

    def __init__(
        self,
        api: MountedApi,
        *,
        made: Callable[[wire.Written, Answer], Receipt],
        adopt: Adopt,
    ) -> None:
        self._api = api
        self._made = made
        self._adopt = adopt

    def write(self, batch: Prepared, vendor_key: str, members: Sequence[Prepared]) -> list[Outcome]:
        """One outcome for each member. Raises OutcomeUnknownError where the answer was lost."""
        said = [requests.charged(each) for each in members]
        answer = self._api.write(batch, batch.path, vendor_key)
        if answer.status == 400:
            return self._refused_whole(answer, said)
        check_answer(answer, f"{len(members)} late fees")
        by_number: dict[str, wire.Written] = {}
        for element in written(answer, "Invoices"):
            by_number.setdefault(element.invoice_number or "", element)
        outcomes: list[Outcome] = []
        for number, _ in said:
            outcomes.append(self._judged(number, by_number.get(number), answer))
        return self._with_adopted(outcomes, said)

    def _judged(self, number: str, element: wire.Written | None, answer: Answer) -> Outcome:
        if element is None:
            return OutcomeUnknownError(
                f"Xero's answer does not name the late fee {number}", request_id=answer.request_id
            )
        try:
            check_written(answer, [element], f"the late fee {number}")
        except RefusedError as error:
            return error
        if not element.invoice_id:
            return OutcomeUnknownError(
                f"Xero's answer does not say where the late fee {number} is",
                request_id=answer.request_id,
            )
        return self._made(element, answer)

    def _refused_whole(self, answer: Answer, said: Sequence[tuple[str, str]]) -> list[Outcome]:
        """Nothing was made; the elements at fault are named, the others may be sent again."""
        try:
            check_answer(answer, "the late fees")
        except RefusedError as error:
            whole = error
        at_fault = {
            element.invoice_number or "": element
            for element in listed(answer, "Elements", wire.Written)
            if element.validation_errors
        }
        if not at_fault.keys() & {number for number, _ in said}:
            raise whole
        outcomes: list[Outcome] = []
        for number, _ in said:
            if number in at_fault:
                outcomes.append(self._judged(number, at_fault[number], answer))
            else:
                outcomes.append(
                    TransientError(
                        f"the late fee {number} was not made: another one of its batch was refused",
                        request_id=answer.request_id,
                    )
                )
        return self._with_adopted(outcomes, said)

    def _with_adopted(
        self, outcomes: list[Outcome], said: Sequence[tuple[str, str]]
    ) -> list[Outcome]:
        """In place of refusals, what is in Xero already under that very number and tag."""
        doubtful = [
            number
            for outcome, (number, _) in zip(outcomes, said, strict=True)
            if isinstance(outcome, RefusedError | TransientError)
        ]
        if not doubtful:
            return outcomes
        try:
            answer = check_answer(
                self._api.read(reads.invoices_by_number(*doubtful)), "the late fees"
            )
            there = _by_number(listed(answer, "Invoices", wire.Written))
        except ConnectorError as error:
            # Refused or made before: without a look nobody can say which.
            return [
                OutcomeUnknownError(
                    f"the late fee {number} was refused, and could not be looked for "
                    f"({error.message})",
                    request_id=error.request_id,
                )
                if number in doubtful
                else outcome
                for outcome, (number, _) in zip(outcomes, said, strict=True)
            ]
        return [
            self._adopted(outcome, there.get(number, ()), answer, tag)
            if number in doubtful
            else outcome
            for outcome, (number, tag) in zip(outcomes, said, strict=True)
        ]

    def _adopted(
        self, outcome: Outcome, there: Sequence[wire.Written], answer: Answer, tag: str
    ) -> Outcome:
        for row in there:
            found = self._adopt(row, answer, tag)
            if found is not None:
                return found
        if there and isinstance(outcome, RefusedError):
            return number_taken(there[0].invoice_number or "", there[0].reference or "", outcome)
        return outcome


def number_taken(number: str, reference: str, refusal: ConnectorError) -> RefusedError:
    """The number of a late fee stands on somebody else's invoice."""
    return RefusedError(
        f"the number {number} is taken in Xero by an invoice that is not ours "
        f"(reference {reference!r}): give that invoice another number",
        code="ValidationException",
        request_id=refusal.request_id,
    )


def _by_number(rows: Sequence[wire.Written]) -> Mapping[str, list[wire.Written]]:
    found: dict[str, list[wire.Written]] = {}
    for row in rows:
        found.setdefault(row.invoice_number or "", []).append(row)
    return found
