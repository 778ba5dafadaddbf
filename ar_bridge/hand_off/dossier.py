"""Everything about a placement, gathered from our records: what the bundle is made of.

Only what the claim needs leaves the house: the placed invoices with their payments, fees and
messages, what was said about them, and how to reach the debtor. Nothing of other invoices.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection

from ar_bridge.context import BookContext
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, outbox
from ar_bridge.store.actions import ActionRow
from rules.actions.effects import SendMessage
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.frame import Frame
from rules.model import (
    Account,
    Book,
    Commitment,
    Company,
    Customer,
    FeePosted,
    Invoice,
    InvoiceId,
    Minor,
    Placement,
)
from rules.quote import Quote, QuotedFee, quote_in

INTEREST: Final = frozenset({"interest", "statutory"})
"""Types of fees that are interest; all others are charges."""

TOLD_OF: Final = ("done", "unknown", "parked", "refused")
"""States of actions whose messages belong into the log of correspondence."""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A payment or credit, as far as it settled one invoice. Minor units."""

    on: date
    known_on: date | None = None
    kind: str
    """payment, payment returned, credit."""
    id: str
    amount: Minor


class FeeDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A late fee that was charged: what it was and what is open of it. Minor units."""

    posted: FeePosted
    open: Minor
    charge: ChargeLateFee | None
    """As it was decided, with its derivation; None where only the ledger remembers it."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice that is handed over. Minor units of its currency."""

    invoice: Invoice
    customer: Customer
    """Whom it was invoiced to; the debtor may be a parent that pays."""
    movements: tuple[Movement, ...]
    fees: tuple[FeeDocument, ...]
    quote: Quote

    @property
    def principal(self) -> Minor:
        """What is open on the invoice itself."""
        return self.invoice.balance if self.invoice.status == "open" else 0

    @property
    def paid(self) -> Minor:
        """Payments that came and were not returned."""
        return sum(one.amount for one in self.movements if one.kind.startswith("payment"))

    @property
    def credited(self) -> Minor:
        """Credit notes and credits applied."""
        return sum(one.amount for one in self.movements if one.kind == "credit")

    @property
    def charges(self) -> Minor:
        """Open late fees and those that accrued, interest apart."""
        return self._claimed(is_interest=False)

    @property
    def interest(self) -> Minor:
        """Open interest and what accrued of it up to the day of the placement."""
        return self._claimed(is_interest=True)

    @property
    def total(self) -> Minor:
        """All that is claimed on this invoice."""
        return self.principal + self.charges + self.interest

    def _claimed(self, *, is_interest: bool) -> Minor:
        interest = {fee.fee for fee in self.quote.fees if fee.type in INTEREST}
        charged = sum(one.open for one in self.fees if (one.posted.fee in interest) is is_interest)
        return charged + sum(
            fee.to_post for fee in self.accrued if (fee.type in INTEREST) is is_interest
        )

    @property
    def accrued(self) -> tuple[QuotedFee, ...]:
        """Fees that were not charged yet."""
        return tuple(fee for fee in self.quote.fees if fee.to_post > 0)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message that went to the customer, or was meant to."""

    on: date
    at: datetime | None = None
    kind: str
    stage: str
    channel: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    message_id: str = ""
    outcome: str = ""
    text: str = ""
    html: str = ""
    invoices: tuple[str, ...] = ()
    """Numbers of the placed invoices that it was about."""
    is_formal: bool = False
    key: str = ""


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """One placement with all that is known of it."""

    company: Company
    debtor: Customer
    placement: Placement
    client_no: str
    agency_email: str
    book_as_of: datetime | None
    policy_name: str
    policy_hash: str
    terms: str
    """What entitles to late fees, in the words of the policy."""
    claims: tuple[Claim, ...]
    sent: tuple[Sent, ...]
    words: tuple[Commitment, ...]
    """What the customer told about these invoices, or about the whole account."""

    @property
    def numbers(self) -> dict[InvoiceId, str]:
        """Numbers of the placed invoices as people see them."""
        return {claim.invoice.id: claim.invoice.number for claim in self.claims}

    @property
    def totals(self) -> dict[str, tuple[int, Minor, Minor, Minor]]:
        """Per currency: invoices, principal, charges, interest."""
        found: dict[str, tuple[int, Minor, Minor, Minor]] = {}
        for claim in self.claims:
            currency = claim.invoice.currency
            count, principal, charges, interest = found.get(currency, (0, 0, 0, 0))
            found[currency] = (
                count + 1,
                principal + claim.principal,
                charges + claim.charges,
                interest + claim.interest,
            )
        return dict(sorted(found.items()))


def gather(conn: Connection, desk: BookContext, placement: Placement) -> Dossier:
    """The dossier of a placement, as our records stand."""
    today = placement.on
    book = desk.load(conn, desk.today(), {placement.customer}, ())
    account = account_of(book, placement)
    frame = Frame(book, desk.policy, today)
    placed = [
        one for one in account.invoices if one.id in placement.invoices or not placement.invoices
    ]
    rows = action_store.actions_in(conn, desk.book_id, TOLD_OF)
    about = {one.id for one in placed}
    members = set(account.members)
    mine = [row for row in rows if row.customer in members or row.customer == account.payer.id]
    charges = {row.number: row.action for row in mine if isinstance(row.action, ChargeLateFee)}
    numbers = {one.id: one.number for one in placed}
    return Dossier(
        company=desk.company,
        debtor=account.payer,
        placement=placement,
        client_no=desk.policy.hand_off.agency.client_no,
        agency_email=desk.policy.hand_off.agency.email,
        book_as_of=books.get(conn, desk.book_id).synced_at,
        policy_name=desk.policy.name,
        policy_hash=desk.policy_hash,
        terms=desk.policy.legal_basis or "",
        claims=tuple(
            _claim(frame, account, invoice, charges)
            for invoice in placed
            if invoice.fee_of not in about
        ),
        sent=tuple(_correspondence(conn, mine, account, numbers)),
        words=tuple(_words(account.commitments, about)),
    )


def account_of(book: Book, placement: Placement) -> Account:
    """The account that a placement is about. Raises LookupError where the ledger lost it."""
    payer = book.payer_of(placement.customer)
    for account in book.accounts():
        if account.payer.id == payer:
            return account
    raise LookupError(f"customer {placement.customer} is not in our records any more")


def movements(account: Account, invoice: InvoiceId) -> list[Movement]:
    """What settled one invoice, and what was taken back, in order."""
    found: list[Movement] = []
    for payment in account.payments:
        for part in payment.allocations:
            if part.invoice != invoice:
                continue
            on = part.on or payment.on
            found.append(
                Movement(
                    on=on,
                    known_on=payment.known_on,
                    kind="payment",
                    id=payment.id,
                    amount=part.amount,
                )
            )
            if payment.reversed_on is not None:
                found.append(
                    Movement(
                        on=payment.reversed_on,
                        kind="payment returned",
                        id=payment.id,
                        amount=-part.amount,
                    )
                )
    found += [
        Movement(
            on=part.on or credit.on,
            known_on=credit.known_on,
            kind="credit",
            id=credit.number or credit.id,
            amount=part.amount,
        )
        for credit in account.credits
        for part in credit.allocations
        if part.invoice == invoice
    ]
    return sorted(found, key=lambda one: (one.on, one.kind, one.id, one.amount))


def _claim(
    frame: Frame, account: Account, invoice: Invoice, charges: dict[str, ChargeLateFee]
) -> Claim:
    documents = {one.number: one for one in account.invoices if one.is_fee}
    waived: dict[str, Minor] = defaultdict(int)
    for waiver in account.waivers:
        waived[waiver.document] += waiver.amount
    fees: list[FeeDocument] = []
    for fee in sorted(account.fees, key=lambda one: (one.on, one.document)):
        if fee.invoice != invoice.id or fee.state != "done":
            continue
        left = max(fee.amount - waived[fee.document] - fee.corrected, 0)
        document = documents.get(fee.document)
        if document is not None:
            left = min(left, document.balance if document.status == "open" else 0)
        fees.append(FeeDocument(posted=fee, open=left, charge=charges.get(fee.document)))
    return Claim(
        invoice=invoice,
        customer=account.members.get(invoice.customer, account.payer),
        movements=tuple(movements(account, invoice.id)),
        fees=tuple(fees),
        quote=quote_in(frame, account, invoice),
    )


def _words(told: Sequence[Commitment], about: Collection[InvoiceId]) -> Iterable[Commitment]:
    for one in sorted(told, key=lambda word: (word.on, word.id)):
        if not one.invoices or set(one.invoices) & set(about):
            yield one


def _correspondence(
    conn: Connection, rows: Sequence[ActionRow], account: Account, numbers: dict[InvoiceId, str]
) -> list[Sent]:
    found: list[Sent] = []
    known: set[str] = set()
    for row in rows:
        items = row.action.items
        named = tuple(
            dict.fromkeys(numbers[item.invoice] for item in items if item.invoice in numbers)
        )
        if not named or row.message is None:
            continue
        known.update(item.key for item in items)
        found.append(_sent(conn, row, named))
    for served in account.served:
        if served.key in known or not served.is_contact or served.invoice not in numbers:
            continue
        found.append(
            Sent(
                on=served.on,
                at=served.sent_at,
                kind=served.kind,
                stage=served.stage or "",
                channel=served.channel,
                outcome=f"{served.state}; the text is not in our records",
                invoices=(numbers[served.invoice],),
                key=served.key,
            )
        )
    return sorted(found, key=lambda one: (one.on, one.key))


def _sent(conn: Connection, row: ActionRow, named: tuple[str, ...]) -> Sent:
    message = row.message
    assert message is not None
    message_id, outcome, at = "", row.state, row.ended_at
    for effect in outbox.effects_of(conn, row.id):
        if not isinstance(effect.effect, SendMessage):
            continue
        message_id = effect.effect.message_id
        if effect.receipt is not None:
            message_id, at = effect.receipt.id or message_id, effect.receipt.at
            outcome = f"accepted by the mail server: {effect.receipt.number}".rstrip(": ")
        else:
            outcome = f"{effect.state}: {effect.error}" if effect.error else effect.state
    return Sent(
        on=row.send_on,
        at=at,
        kind=row.kind,
        stage=row.stage or "",
        channel=row.channel,
        to=message.to,
        cc=message.cc,
        subject=message.subject,
        message_id=message_id,
        outcome=outcome,
        text=message.text,
        html=message.html,
        invoices=named,
        is_formal=isinstance(row.action, SendReminder) and row.action.is_formal,
        key=row.key,
    )
