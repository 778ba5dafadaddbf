"""Credit notes on invoices of the company's own: a discount that was earned, a bad debt."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from connectors.errors import HalfDoneError, RefusedError
from connectors.port import Clock, Prepared, Receipt
from connectors.xero import reversal_requests, wire
from connectors.xero.answers import readable
from connectors.xero.credit_notes import CreditNotes, amounts_of
from connectors.xero.dates import parse_day
from connectors.xero.parse import lock_date
from connectors.xero.sdk import MountedApi
from rules.actions.effects import PostCredit

_UNTAXED: Final = frozenset({"", "NONE"})


class InvoiceCredits(CreditNotes):
    """Prepares, sends and finds credit notes on invoices."""

    def __init__(
        self, api: MountedApi, clock: Clock, organisation: Callable[[], wire.XeroOrganisation]
    ) -> None:
        super().__init__(api, clock)
        self._organisation = organisation

    def prepare(self, effect: PostCredit, today: date) -> Prepared:
        """Read the invoice by id. Raises RefusedError where so much is not open on it, and where
        its lines bear different taxes and none is named."""
        invoice = self.document(effect.invoice)
        if invoice is None:
            raise RefusedError(f"invoice {effect.invoice_number} is not in Xero any more")
        made = self.credit_note(effect.number, effect.tag)
        dated = readable(lambda: parse_day(invoice.date)) or today
        on = max(effect.issued_on, dated)
        locked = lock_date(self._organisation())
        if locked is not None and on <= locked:
            on = locked + timedelta(days=1)
        if made is not None:
            on = readable(lambda: parse_day(made.date)) or on
        elif invoice.status != "AUTHORISED" or amounts_of(invoice, effect.currency)[1] < (
            effect.amount
        ):
            raise RefusedError(
                f"less than the credit is open on invoice {effect.invoice_number} in Xero"
            )
        lines = invoice.line_items or []
        taxes = {line.tax_type or "" for line in lines}
        if not effect.tax and len(taxes) > 1:
            raise RefusedError(
                f"the lines of invoice {effect.invoice_number} bear different taxes: credit it by "
                "hand, or name a tax for credits in the policy"
            )
        tax = effect.tax or next(iter(taxes), "")
        first = next((line.account_code for line in lines if line.account_code), "")
        return reversal_requests.invoice_credit(
            effect,
            on=on,
            account=effect.account or first,
            tax=tax,
            is_taxed=invoice.line_amount_types != "NoTax" and tax not in _UNTAXED,
        )

    def find(self, effect: PostCredit) -> Receipt | None:
        """Our credit note, allocated as far as it can be. Raises HalfDoneError where it is there,
        and of it something is still to be allocated."""
        made = self.credit_note(effect.number, effect.tag)
        if made is None:
            return None
        if self.to_allocate(made, effect.invoice, effect.currency) > 0:
            raise HalfDoneError(
                f"the credit note {made.credit_note_number} is in Xero, but not allocated to "
                f"invoice {effect.invoice_number}"
            )
        return self.credit_receipt(made, effect.currency, None, was_found=True)
