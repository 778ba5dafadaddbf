"""Taking a late fee back in QuickBooks Online.

A document on which nothing was paid is voided. Otherwise, or where only a part is taken back, or
where its period is closed, a credit memo is made and applied to it by a payment of zero: two
writes. The credit memo is looked for before it is made, so that the same request sent again,
however late, makes up for the second write and never repeats the first.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

import msgspec

from connectors.errors import (
    ConnectorError,
    HalfDoneError,
    OutcomeUnknownError,
    RefusedError,
    StaleError,
    TransientError,
)
from connectors.port import Clock, Prepared, Receipt
from connectors.quickbooks import requests, wire
from connectors.quickbooks.answers import one
from connectors.quickbooks.company import SetUp
from connectors.quickbooks.credit_memos import (
    CreditMemos,
    amounts_of,
    minor_of,
    tax_of,
    value_of,
)
from connectors.quickbooks.mount import MountedQuickBooks
from connectors.quickbooks.parse import day
from connectors.transport import Answer
from rules.actions.effects import ReverseCharge
from rules.model.money import Minor

_VOID: Final = (("operation", "void"),)


class Reversals(CreditMemos):
    """Prepares, sends and finds the taking back of fee documents."""

    def __init__(self, api: MountedQuickBooks, clock: Clock, setup: Callable[[], SetUp]) -> None:
        super().__init__(api, clock)
        self._setup = setup

    def prepare(self, effect: ReverseCharge, today: date) -> Prepared:
        """Read the document by id and choose the way. Raises RefusedError where there is none."""
        document = self.document(effect.document_id)
        if document is None:
            raise RefusedError(f"the late fee {effect.number} is not in QuickBooks any more")
        if document.doc_number != effect.number:
            raise RefusedError(
                f"the document to take back is {document.doc_number!r} in QuickBooks and not "
                f"{effect.number}: it is left alone"
            )
        is_whole = effect.amount is None
        if _is_void(document):
            if is_whole:
                return _void(effect, document)  # it is done: doing it again changes nothing
            raise RefusedError(f"the late fee {effect.number} is void in QuickBooks already")
        setup = self._setup()
        total, due = amounts_of(document, effect.currency)
        dated = day(document.txn_date) or today
        locked = setup.locked_through
        if is_whole and due == total and not (locked is not None and dated <= locked):
            return _void(effect, document)
        on = max(today, dated)
        if locked is not None and on <= locked:
            on = locked + timedelta(days=1)
        return self._credit(effect, document, total, due, on, is_us=setup.is_us)

    def _credit(
        self,
        effect: ReverseCharge,
        document: wire.WireFee,
        total: Minor,
        due: Minor,
        on: date,
        *,
        is_us: bool,
    ) -> Prepared:
        tax = tax_of(document, effect.currency)
        net = effect.amount
        if net is None:
            # What is open holds its share of the tax, which the credit memo adds by itself.
            net = (2 * due * (total - tax) + total) // (2 * total) if total else 0
        made = self.credit_memo(requests.credit_number(effect), requests.credit_tag(effect))
        if made is not None:
            # It is there already: the same bytes again, whatever it has changed since.
            net = minor_of(made.total_amt, effect.currency) - tax_of(made, effect.currency)
            on = day(made.txn_date) or on
        if not 0 < net <= total - tax:
            raise RefusedError(
                f"nothing of the late fee {effect.number} is open in QuickBooks: what was paid is "
                "given back by a person, as a refund"
                if effect.amount is None
                else f"the late fee {effect.number} cannot be taken back by more than it is"
            )
        details = (line.sales_item_line_detail for line in document.line or ())
        detail = next((each for each in details if each is not None), wire.FeeLineDetail())
        return Prepared(
            effect="reverse_charge",
            effect_key=effect.key,
            method="POST",
            path="creditmemo",
            body=requests.credit_body(
                effect,
                net,
                on=on,
                item=value_of(detail.item_ref),
                tax_code=value_of(detail.tax_code_ref),
                is_us=is_us,
            ),
        )

    def write(self, prepared: Prepared, vendor_key: str) -> Receipt:
        """Raises StaleError where the document changed since it was read."""
        if prepared.path == "creditmemo":
            return self.write_credit(prepared, vendor_key)
        try:
            answer = self._api.send(
                prepared.path, prepared.body, vendor_key=vendor_key, params=prepared.params
            )
        except StaleError as error:
            return self._void_already(prepared, error)
        return self._voided(answer)

    def outcome(self, prepared: Prepared, part: Answer, error: ConnectorError | None) -> Receipt:
        """What became of a voiding that was sent together with other writes."""
        if isinstance(error, StaleError):
            return self._void_already(prepared, error)
        if error is not None:
            raise error
        return self._voided(part)

    def _void_already(self, prepared: Prepared, error: StaleError) -> Receipt:
        """Changed since: by our own earlier attempt, or by somebody else."""
        asked = msgspec.json.decode(prepared.body, type=dict[str, str])
        document = self.document(asked["Id"])
        if document is None or not _is_void(document):
            raise error
        return self.receipt(document.id, document.doc_number, was_found=True)

    def _voided(self, answer: Answer) -> Receipt:
        try:
            document = one(answer, "Invoice", wire.WireFee)
        except TransientError as error:
            raise OutcomeUnknownError(error.message, request_id=answer.request_id) from error
        return self.receipt(document.id, document.doc_number, request_id=answer.request_id)

    def find(self, effect: ReverseCharge) -> Receipt | None:
        """The document void, or our credit memo, applied as far as it can be.

        Raises HalfDoneError where it is there, and of it something is still to be applied.
        """
        document = self.document(effect.document_id)
        if document is None or document.doc_number != effect.number:
            return None
        if effect.amount is None and _is_void(document):
            return self.receipt(document.id, document.doc_number, was_found=True)
        made = self.credit_memo(requests.credit_number(effect), requests.credit_tag(effect))
        if made is None:
            return None
        if self.to_apply(made, effect.document_id, effect.currency) > 0:
            raise HalfDoneError(
                f"the credit memo {made.doc_number} is in QuickBooks, but not applied to the late "
                f"fee {effect.number}"
            )
        amount = minor_of(made.total_amt, effect.currency)
        return self.receipt(made.id, made.doc_number, amount=amount, was_found=True)


def _void(effect: ReverseCharge, document: wire.WireFee) -> Prepared:
    return Prepared(
        effect="reverse_charge",
        effect_key=effect.key,
        method="POST",
        path="invoice",
        params=_VOID,
        body=requests.void_body(document.id, document.sync_token or ""),
    )


def _is_void(document: wire.WireFee) -> bool:
    is_empty = not document.total_amt and not document.balance
    return is_empty and (document.private_note or "").startswith("Voided")
