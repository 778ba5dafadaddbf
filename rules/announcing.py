"""Late fees that were posted while the message that was to announce them could not go out.

The mail server was down until the next day, the recipient was refused, the answer of the ledger
came late: no fee stays silent. The next message to the customer announces it.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

import msgspec

from rules.account_day import AccountDay
from rules.actions.actual_costs import name_of_costs
from rules.actions.keys import fee_notice_item
from rules.decision import Skip
from rules.guards.base import Case
from rules.guards.table import first_hold
from rules.model.book import Account
from rules.model.history import FeePosted
from rules.model.ids import FeeId, ItemKey
from rules.model.invoice import Invoice
from rules.model.money import Minor
from rules.policy.values import Mode

REMEMBERED: Final = timedelta(days=60)
"""After this long a fee that was never announced is a matter for a person, not for a message."""


class FeeToTell(msgspec.Struct, frozen=True, kw_only=True):
    """A fee that a message announces."""

    key: ItemKey
    """Item key of the fee."""
    invoice: Invoice
    fee: FeeId
    name: str
    mode: Mode
    amount: Minor
    document: str = ""
    """Number of the fee document where it is posted already; empty for a fee of today."""


def has_unannounced(account: Account) -> bool:
    """Whether it is worth looking closer."""
    return False in [fee.is_announced for fee in account.fees]


def unannounced(day: AccountDay) -> Iterator[FeeToTell | Skip]:
    """Posted fees to be announced now, a document at a time; a skip for those of which every
    invoice is held."""
    invoices = {invoice.id: invoice for invoice in day.account.invoices}
    documents = {invoice.number: invoice for invoice in day.account.invoices if invoice.is_fee}
    rules = {name: rule for rule in day.frame.all_fees for name in rule.ids}
    for charged in charges_posted(day.account.fees):
        fee = charged[0]
        if (
            any(part.is_announced for part in charged)
            or fee.state != "done"
            or fee.on + REMEMBERED < day.today
        ):
            continue
        document = documents.get(fee.document)
        if document is not None and document.status not in ("open", "draft"):
            # Paid, taken back or waived by a person: there is nothing to tell any more.
            continue
        amount = sum(part.amount for part in charged)
        if sum(part.corrected for part in charged) + _waived(day, fee) >= amount:
            continue
        about = [invoices[part.invoice] for part in charged if part.invoice in invoices]
        if not about:
            continue
        rule = rules.get(fee.fee)
        holds = [first_hold(Case(day, invoice, "fee")) for invoice in about]
        hold = holds[0]
        if hold is not None and all(holds):
            yield Skip(
                customer=day.account.payer.id,
                invoice=about[0].id,
                fee=fee.fee,
                key=fee_notice_item(fee.charge_key),
                code=hold.code,
                reasons=hold.reasons,
                next_on=hold.next_on,
                review_on=hold.review_on,
            )
            continue
        yield FeeToTell(
            key=fee.charge_key,
            invoice=about[0],
            fee=fee.fee,
            document=fee.document,
            name=(rule.fee.name or rule.fee.id) if rule is not None else name_of_costs(fee.fee),
            mode=rule.mode if rule is not None else day.frame.policy.mode,
            amount=amount,
        )


def charges_posted(fees: Iterable[FeePosted]) -> list[list[FeePosted]]:
    """What was posted, by charge: one of one invoice, or the parts of one of a whole account."""
    found: dict[tuple[ItemKey, str], list[FeePosted]] = {}
    for fee in fees:
        found.setdefault((fee.charge_key, fee.document), []).append(fee)
    return list(found.values())


def _waived(day: AccountDay, fee: FeePosted) -> int:
    return sum(waiver.amount for waiver in day.account.waivers if waiver.document == fee.document)


def in_order(day: AccountDay, fees: Iterable[FeeToTell]) -> list[FeeToTell]:
    """By invoice, then in the order of the policy, whatever was posted when: a message reads
    the same before and after its fees are posted."""
    told = list(fees)
    if not told:
        return told
    invoices = {invoice.id: place for place, invoice in enumerate(day.account.invoices)}
    rules = {name: place for place, rule in enumerate(day.frame.all_fees) for name in rule.ids}
    return sorted(
        told, key=lambda fee: (invoices[fee.invoice.id], rules.get(fee.fee, len(rules)), fee.key)
    )
