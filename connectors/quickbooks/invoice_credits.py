"""Credit memos on invoices of the company's own: a discount that was earned, a bad debt."""

from collections.abc import Callable
from datetime import date, timedelta

from connectors.errors import HalfDoneError, RefusedError
from connectors.port import Clock, Prepared, Receipt
from connectors.quickbooks import requests, wire
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
from rules.actions.effects import PostCredit
from rules.model.money import Minor

_UNTAXED_IN_US = "NON"


class InvoiceCredits(CreditMemos):
    """Prepares, sends and finds credit memos on invoices."""

    def __init__(
        self,
        api: MountedQuickBooks,
        clock: Clock,
        setup: Callable[[], SetUp],
        item_named: Callable[[str], str],
        tax_named: Callable[[str], str],
    ) -> None:
        super().__init__(api, clock)
        self._setup = setup
        self._item_named = item_named
        self._tax_named = tax_named

    def prepare(self, effect: PostCredit, today: date) -> Prepared:
        """Read the invoice by id. Raises RefusedError where so much is not open on it, and where
        its lines bear different taxes and none is named."""
        invoice = self.document(effect.invoice)
        if invoice is None:
            raise RefusedError(f"invoice {effect.invoice_number} is not in QuickBooks any more")
        setup = self._setup()
        total, due = amounts_of(invoice, effect.currency)
        made = self.credit_memo(effect.number, effect.tag)
        dated = day(invoice.txn_date) or today
        on = max(effect.issued_on, dated)
        if setup.locked_through is not None and on <= setup.locked_through:
            on = setup.locked_through + timedelta(days=1)
        if made is not None:
            on = day(made.txn_date) or on
        elif due < effect.amount:
            raise RefusedError(
                f"less than the credit is open on invoice {effect.invoice_number} in QuickBooks"
            )
        details = [
            line.sales_item_line_detail
            for line in invoice.line or ()
            if line.sales_item_line_detail is not None
        ]
        first = details[0] if details else wire.FeeLineDetail()
        item = self._item_named(effect.account) if effect.account else value_of(first.item_ref)
        code, tax = self._tax(effect, invoice, details, total, is_us=setup.is_us)
        return Prepared(
            effect="post_credit",
            effect_key=effect.key,
            method="POST",
            path="creditmemo",
            body=requests.invoice_credit_body(
                effect, on=on, item=item, tax_code=code, tax=tax, is_us=setup.is_us
            ),
        )

    def _tax(
        self,
        effect: PostCredit,
        invoice: wire.WireFee,
        details: list[wire.FeeLineDetail],
        total: Minor,
        *,
        is_us: bool,
    ) -> tuple[str, Minor]:
        """Tax code and tax of the credit: the share of tax that the invoice has. Taxes that the
        ledger of a company in the United States works out by itself are left alone."""
        if effect.tax:
            return self._tax_named(effect.tax), 0
        if is_us:
            return _UNTAXED_IN_US, 0
        codes = {value_of(detail.tax_code_ref) for detail in details}
        if len(codes) > 1:
            raise RefusedError(
                f"the lines of invoice {effect.invoice_number} bear different taxes: credit it by "
                "hand, or name a tax for credits in the policy"
            )
        taxed = tax_of(invoice, effect.currency)
        share = (2 * effect.amount * taxed + total) // (2 * total) if total else 0
        return next(iter(codes), ""), share

    def find(self, effect: PostCredit) -> Receipt | None:
        """Our credit memo, applied as far as it can be. Raises HalfDoneError where it is there,
        and of it something is still to be applied."""
        made = self.credit_memo(effect.number, effect.tag)
        if made is None:
            return None
        if self.to_apply(made, effect.invoice, effect.currency) > 0:
            raise HalfDoneError(
                f"the credit memo {made.doc_number} is in QuickBooks, but not applied to invoice "
                f"{effect.invoice_number}"
            )
        amount = minor_of(made.total_amt, effect.currency)
        return self.receipt(made.id, made.doc_number, amount=amount, was_found=True)
