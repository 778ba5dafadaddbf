"""From an action and the account to the view: every figure of a message is made here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction

from ar_bridge.messages.courtesy import apology_part, plan_rows, thanks_part, word_part
from ar_bridge.messages.deposit_part import deposit_part
from ar_bridge.messages.formats import Formats, clean, quotient
from ar_bridge.messages.late import PAY_LINK
from ar_bridge.messages.sender import Sender
from ar_bridge.messages.statement_part import statement_part
from ar_bridge.messages.undertaken import instalment_part, promise_part, returned_rows
from ar_bridge.messages.view import AsideRow, BasisRow, FeeRow, InvoiceRow, MessageView, StepRow
from rules.actions.courtesy import OfferPlan
from rules.actions.deposit import RequestDeposit
from rules.actions.fee_claim import FeeClaim
from rules.actions.late_fee import ChargeLateFee, Derivation, DerivationRow
from rules.actions.messages import SendReminder
from rules.actions.statement import SendStatement
from rules.aging import is_fee_document
from rules.model.book import Account
from rules.model.company import Company
from rules.model.ids import InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor, exact_major

_SILENT_STEPS = frozenset({"rounding"})
_WRITTEN_KINDS = frozenset({"reminder", "fee_notice", "statement"})


class UnknownInvoiceError(LookupError):
    """The message is about an invoice that the account does not hold."""


def compose(
    action: SendReminder,
    account: Account,
    company: Company,
    sender: Sender,
    formats: Formats,
    *,
    on: date,
    included_through: date,
    is_read_only: bool = False,
    charges: Sequence[ChargeLateFee] = (),
    consequences: Sequence[str] = (),
    greeting_name: str = "",
) -> MessageView:
    """The view of a message. Raises UnknownInvoiceError."""
    known = {invoice.id: invoice for invoice in account.invoices}
    asked = _pick(known, action.qualified, action)
    others = _pick(known, action.also_open, action)
    make = _Rows(account, action, formats, on)
    rows = [make.of(invoice) for invoice in asked]
    fees_sum = sum([charge.charge for charge in charges])
    asked_sum = sum([make.asked(invoice) for invoice in asked])
    others_sum = sum([make.asked(invoice) for invoice in others])
    money, currency = formats.money, action.currency
    days = [days_past_due(invoice, on) for invoice in asked]
    due = [invoice.due_on for invoice in asked if invoice.due_on]
    deadline = on + timedelta(days=action.deadline_days) if action.deadline_days else None
    numbers = {invoice.id: clean(invoice.number) for invoice in account.invoices}
    plan, plan_total = plan_rows(action, formats)
    return MessageView(
        on=formats.long_day(on),
        greeting_name=clean(greeting_name or account.payer.name),
        customer_name=clean(account.payer.name),
        company_name=clean(sender.name or company.name),
        currency=currency,
        invoices=tuple(rows),
        also_open=tuple([make.of(invoice) for invoice in others]),
        fees=tuple(
            _fee(part, charge.number(company.id), known, formats)
            for charge in charges
            for part in charge.itemised
        ),
        claims=tuple(_claim(claim, numbers, formats, currency) for claim in action.claims),
        claims_total=money(action.claimed, currency) if action.claims else "",
        earlier_fees=tuple(_earlier_fees(action, account, numbers, charges, company, formats)),
        count=len(rows),
        numbers=tuple(row.number for row in rows),
        first_due_on=formats.long_day(min(due, default=None)),
        most_days_past_due=max(days, default=0),
        is_anything_open=asked_sum > 0,
        invoices_total=money(asked_sum, currency),
        open_total=money(action.total, currency),
        unapplied=money(action.unapplied, currency) if action.unapplied else "",
        fees_total=money(fees_sum, currency) if charges else "",
        total=money(action.total + fees_sum + action.claimed, currency),
        also_open_total=money(others_sum, currency) if others else "",
        deadline_on=formats.long_day(deadline),
        earlier_mails=_earlier_mails(action, account, formats, on),
        consequences=tuple(consequences),
        included_through=formats.long_day(included_through),
        is_read_only=is_read_only,
        promise=promise_part(action, formats),
        returned=returned_rows(action, formats),
        part=instalment_part(action, formats),
        terms=sender.terms,
        fee_tax_note=sender.fee_tax_note,
        reply_to=sender.reply_to,
        phone=sender.phone,
        postal_address=sender.postal_address,
        registration=sender.registration,
        bank_details=sender.bank_details,
        signed_by=sender.signed_by,
        pay_link=PAY_LINK,
        thanks=thanks_part(action, account, formats),
        word=word_part(action, formats),
        plan=tuple(plan),
        plan_total=plan_total,
        answer_by=formats.long_day(action.answer_by) if isinstance(action, OfferPlan) else "",
        statement=statement_part(action, asked, formats, on)
        if isinstance(action, SendStatement)
        else None,
        apology=apology_part(action, formats),
        deposit=deposit_part(action, formats, on) if isinstance(action, RequestDeposit) else None,
    )


def days_past_due(invoice: Invoice, on: date) -> int:
    """Days after the due date, never negative."""
    return max(0, (on - invoice.due_on).days) if invoice.due_on else 0


def asked_amount(invoice: Invoice, action: SendReminder) -> Minor:
    """What a message asks for on this invoice: its balance without the contested part."""
    return invoice.balance - dict(action.set_aside).get(invoice.id, 0)


def _pick(
    known: Mapping[InvoiceId, Invoice], wanted: Iterable[InvoiceId], action: SendReminder
) -> list[Invoice]:
    ids = list(dict.fromkeys(wanted))
    absent = [each for each in ids if each not in known]
    if absent:
        raise UnknownInvoiceError(
            f"it speaks of {', '.join(absent)}, which {action.customer} does not have"
        )
    return sorted(
        (known[each] for each in ids), key=lambda one: (one.due_on or date.max, one.number)
    )


class _Rows:
    """Makes the rows of one message: what the action says of single invoices is looked up once."""

    def __init__(self, account: Account, action: SendReminder, formats: Formats, on: date) -> None:
        self._account, self._formats, self._on = account, formats, on
        self._aside = dict(action.set_aside)
        self._grounds: dict[InvoiceId, list[tuple[str, Minor]]] = {}
        for invoice, ground, part in action.aside_as:
            self._grounds.setdefault(invoice, []).append((ground, part))
        self._discounts: dict[InvoiceId, tuple[Minor, date]] = {}
        for invoice, amount, last in action.discounts:
            self._discounts.setdefault(invoice, (amount, last))
        self._is_statement = isinstance(action, SendStatement)
        self._parts: dict[InvoiceId, tuple[date, Minor]] = {}
        if isinstance(action, SendStatement):
            for invoice, day, left in action.in_instalments:
                self._parts.setdefault(invoice, (day, left))

    def asked(self, invoice: Invoice) -> Minor:
        """What the message asks for on an invoice."""
        return invoice.balance - self._aside.get(invoice.id, 0)

    def of(self, invoice: Invoice) -> InvoiceRow:
        """One invoice as a row."""
        formats, currency, account = self._formats, invoice.currency, self._account
        asked = self.asked(invoice)
        aside = invoice.balance - asked
        paid = invoice.total - invoice.balance
        deducted, until = self._discounts.get(invoice.id, (0, None))
        part_on, part_left = self._parts.get(invoice.id, (None, 0))
        is_quiet = self._is_statement and (part_on is not None or aside >= invoice.balance)
        billed = account.members.get(invoice.customer)
        is_branch = billed is not None and billed.id != account.payer.id
        return InvoiceRow(
            number=clean(invoice.number),
            po=clean(invoice.po) if invoice.po else "",
            branch=clean(billed.name) if billed is not None and is_branch else "",
            issued_on=formats.day(invoice.issued_on),
            due_on=formats.day(invoice.due_on),
            days_past_due=0 if is_quiet else days_past_due(invoice, self._on),
            original=formats.money(invoice.total, currency),
            paid=formats.money(paid, currency) if paid > 0 else "",
            set_aside=formats.money(aside, currency) if aside else "",
            asides=tuple(
                [
                    AsideRow(ground=ground, amount=formats.money(part, currency))
                    for ground, part in self._grounds.get(invoice.id, ())
                ]
            ),
            open=formats.money(asked, currency),
            balance=formats.money(invoice.balance, currency),
            instalment=formats.money(part_left, currency) if part_on else "",
            instalment_on=formats.long_day(part_on),
            is_fee=is_fee_document(invoice),
            discount=formats.money(deducted, currency) if deducted else "",
            discount_until=formats.long_day(until),
            discounted=formats.money(asked - deducted, currency) if deducted else "",
        )


def _fee(
    charge: ChargeLateFee,
    number: str,
    known: Mapping[InvoiceId, Invoice],
    formats: Formats,
) -> FeeRow:
    derivation, currency = charge.derivation, charge.currency
    about = known.get(charge.invoice)
    return FeeRow(
        document=number,
        name=clean(charge.fee_name),
        amount=formats.money(charge.charge, currency),
        invoice=clean(about.number if about is not None else charge.invoice),
        rule=clean(charge.description),
        through=formats.day(charge.through),
        basis=_basis(derivation, currency, formats),
        steps=tuple(
            StepRow(step=each.step, amount=formats.exact_ratio(*quotient(each.amount), currency))
            for each in derivation.steps
            if each.step not in _SILENT_STEPS and quotient(each.amount)[0]
        ),
        per_day=_per_day(charge, formats) if about is not None and about.balance > 0 else "",
    )


def _basis(derivation: Derivation, currency: str, formats: Formats) -> tuple[BasisRow, ...]:
    return tuple(
        BasisRow(
            kind=row.kind,
            base="" if row.base is None else formats.money(row.base, currency),
            rate="" if row.annual_rate is None else formats.rate(row.annual_rate),
            share=_share(row, currency, formats),
            days=row.days or 0,
            from_on=formats.day(row.from_),
            to_on=formats.day(row.to),
            amount=formats.exact_ratio(*quotient(row.exact), currency),
        )
        for row in derivation.rows
    )


def _claim(
    claim: FeeClaim, numbers: Mapping[InvoiceId, str], formats: Formats, currency: str
) -> FeeRow:
    """A fee that is claimed and not posted: it has no document."""
    per_day = quotient(claim.per_day)
    return FeeRow(
        document="",
        name=clean(claim.name),
        amount=formats.money(claim.amount, currency),
        invoice=numbers.get(claim.invoice, clean(claim.invoice)),
        through=formats.day(claim.through),
        basis=_basis(claim.derivation, currency, formats),
        per_day=formats.exact_ratio(*per_day, currency) if per_day[0] else "",
    )


def _share(row: DerivationRow, currency: str, formats: Formats) -> str:
    """What part of the base a row charges, for a percentage that counts no days."""
    if row.kind != "fixed" or not row.base:
        return ""
    percent = Fraction(row.exact) / exact_major(row.base, currency) * 100
    return formats.rate(f"{float(percent):.4f}".rstrip("0").rstrip("."))


def _per_day(charge: ChargeLateFee, formats: Formats) -> str:
    """What the next day adds, where the last day charged was one of interest."""
    rows = charge.derivation.rows
    last = rows[-1] if rows else None
    if last is None or last.kind != "segment" or not last.days or not last.base:
        return ""
    if last.to is None or last.to < charge.through:
        return ""
    above, below = quotient(last.exact)
    return formats.exact_ratio(above, below * last.days, charge.currency)


def _earlier_fees(
    action: SendReminder,
    account: Account,
    numbers: Mapping[InvoiceId, str],
    charges: Sequence[ChargeLateFee],
    company: Company,
    formats: Formats,
) -> Iterable[FeeRow]:
    if not account.fees:
        return
    announced = {charge.number(company.id) for charge in charges}
    documents = {invoice.number: invoice for invoice in account.invoices if invoice.is_fee}
    listed = {invoice.number for invoice in account.invoices if invoice.id in action.also_open}
    unlisted: dict[str, Minor] = {}
    waived: dict[str, Minor] = {}
    for waiver in account.waivers:
        waived[waiver.document] = waived.get(waiver.document, 0) + waiver.amount
    for fee in account.fees:
        if fee.invoice not in action.qualified or fee.document in announced:
            continue
        if fee.currency != action.currency or fee.document in listed:
            continue
        if fee.state != "done":
            # On its way, or nobody knows whether it was posted: not to be asked for.
            continue
        document = documents.get(fee.document)
        # Several invoices may bear a document: what was let off or paid of it counts once.
        let_off = min(max(waived.get(fee.document, 0), 0), fee.amount - fee.corrected)
        waived[fee.document] = waived.get(fee.document, 0) - let_off
        left = fee.amount - fee.corrected - let_off
        if document is not None:
            left = min(left, unlisted.setdefault(fee.document, document.balance))
            unlisted[fee.document] -= left
        if left > 0:
            yield FeeRow(
                document=fee.document,
                name=clean(str(fee.fee)),
                amount=formats.money(left, fee.currency),
                invoice=numbers.get(fee.invoice, fee.invoice),
                issued_on=formats.day(fee.on),
                through=formats.day(fee.through),
            )


def _earlier_mails(
    action: SendReminder, account: Account, formats: Formats, on: date
) -> tuple[str, ...]:
    days = {
        served.on
        for served in account.served
        if served.kind in _WRITTEN_KINDS
        and served.invoice in action.qualified
        and served.state == "done"
        and served.on < on
    }
    return tuple(formats.long_day(day) for day in sorted(days))
