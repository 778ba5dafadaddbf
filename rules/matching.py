"""Which open invoices unallocated money is probably for. A suggestion: nothing is ever booked.

Each account is looked at by itself, in each currency by itself. What speaks most clearly goes
first: an invoice number or purchase order in the payment's reference, the exact amount of one
invoice, the sum of several, an amount less the early payment discount, less bank charges; money
that nothing speaks for goes to the oldest invoices. No invoice is ever suggested more than is
open on it, and the order in which the ledger lists anything changes nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import msgspec

from rules.aging import is_open
from rules.model.book import Account
from rules.model.ids import CustomerId, InvoiceId
from rules.model.invoice import Invoice
from rules.model.money import Minor, currency_digits, exact_major, round_minor
from rules.policy.discount import Discount

Ground: TypeAlias = Literal[
    "number", "po", "exact", "all_open", "sum", "discount", "charges", "oldest"
]
"""number, po: the reference names it; exact: the amount of one invoice; all_open, sum: of all or
of several; discount, charges: less what may be deducted, or what banks take; oldest: nothing
speaks for any."""

SCORES: Final[Mapping[Ground, int]] = {
    "number": 90,
    "po": 85,
    "exact": 88,
    "all_open": 86,
    "sum": 75,
    "discount": 80,
    "charges": 60,
    "oldest": 30,
}
"""Of 100; how far a person may rely on it. An amount that fits what the reference names adds 8;
other invoices that would fit as well take 20 away."""
FITS: Final = 8
AMBIGUOUS: Final = 20

MOST_SOURCES: Final = 60
"""Payments of one account and currency that are looked at together, the newest."""
MOST_INVOICES: Final = 18
"""Invoices among which sums are looked for, the oldest."""
MOST_TOGETHER: Final = 6
MOST_STEPS: Final = 20_000
"""Sums that are tried for one payment."""
CHARGES_PERCENT: Final = 2
CHARGES_MOST: Final = 40
"""Bank charges are at most so many percent of an invoice, and so many units of its currency."""
SHORTEST: Final = 3
"""Digits of a number that may stand alone in a reference."""

_FAR: Final = date.max
_SIGNS: Final = re.compile(r"[^A-Z0-9]+")


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Money of a customer that settles no invoice yet. Minor units."""

    id: str
    kind: Literal["payment", "credit_note", "overpayment", "prepayment"]
    customer: CustomerId
    currency: str
    on: date
    amount: Minor
    """What is left of it."""
    reference: str = ""


class Share(msgspec.Struct, frozen=True):
    """What an invoice would get of it."""

    invoice: InvoiceId
    amount: Minor


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What some money is probably for."""

    money: Money
    shares: tuple[Share, ...]
    """In the order of the invoices' due dates; none: nothing is open."""
    score: int
    """0 to 100."""
    grounds: tuple[Ground, ...] = ()
    left: Minor = 0
    """What would stay unallocated."""
    short: Minor = 0
    """What would stay open on the invoice: a discount or charges that were deducted."""


class _Candidate(msgspec.Struct, frozen=True, kw_only=True):
    shares: tuple[Share, ...]
    score: int
    grounds: tuple[Ground, ...]
    short: Minor = 0


def unallocated(account: Account) -> list[Money]:
    """Money and credits of an account that settle nothing yet, the oldest first. Deposits are
    held money and are none."""
    found = [
        Money(
            id=str(one.id),
            kind="payment",
            customer=one.customer,
            currency=one.currency,
            on=one.on,
            amount=one.unapplied,
            reference=one.reference,
        )
        for one in account.payments
        if one.unapplied > 0
    ]
    found += [
        Money(
            id=str(one.id),
            kind=one.kind,
            customer=one.customer,
            currency=one.currency,
            on=one.on,
            amount=one.remaining,
            reference=one.reference,
        )
        for one in account.credits
        if one.remaining > 0 and one.kind != "deposit"
    ]
    return sorted(found, key=_order)


def matches(account: Account, discount: Discount | None = None) -> list[Suggestion]:
    """One suggestion for each piece of unallocated money of an account, the oldest money first.

    What is suggested clearest is taken first, and what it takes is open to no other.
    """
    found: list[Suggestion] = []
    money = unallocated(account)
    for currency in sorted({one.currency for one in money}):
        invoices = sorted(
            (one for one in account.invoices if is_open(one) and one.currency == currency),
            key=lambda one: (one.due_on or _FAR, one.issued_on, str(one.id)),
        )
        theirs = [one for one in money if one.currency == currency]
        # Older money beyond that is told of, and goes to whatever is left for it.
        found += _matched(theirs[-MOST_SOURCES:], theirs[:-MOST_SOURCES], invoices, discount)
    return sorted(found, key=lambda one: _order(one.money))


def _matched(
    money: Sequence[Money],
    beyond: Sequence[Money],
    invoices: Sequence[Invoice],
    discount: Discount | None,
) -> Iterator[Suggestion]:
    open_ = {one.id: one.balance for one in invoices}
    waiting = {(one.kind, one.id): one for one in money}
    best: dict[tuple[str, str], _Candidate] = {}
    while waiting:
        for key, one in waiting.items():
            known = best.get(key)
            if known is None or any(open_[s.invoice] < s.amount for s in known.shares):
                best[key] = _best(one, invoices, open_, discount)
        chosen = max(waiting, key=lambda key: (best[key].score, *_newest_last(waiting[key])))
        yield _suggestion(waiting.pop(chosen), best[chosen], open_)
    for one in beyond:
        yield _suggestion(one, _oldest(one, invoices, open_), open_)


def _suggestion(money: Money, chosen: _Candidate, open_: dict[InvoiceId, Minor]) -> Suggestion:
    for share in chosen.shares:
        open_[share.invoice] -= share.amount
    return Suggestion(
        money=money,
        shares=chosen.shares,
        score=chosen.score,
        grounds=chosen.grounds,
        left=money.amount - sum(share.amount for share in chosen.shares),
        short=chosen.short,
    )


def _best(
    money: Money,
    invoices: Sequence[Invoice],
    open_: Mapping[InvoiceId, Minor],
    discount: Discount | None,
) -> _Candidate:
    left = [one for one in invoices if open_[one.id] > 0]
    found = [
        *_named(money, left, open_),
        *_exact(money, left, open_),
        *_sums(money, left, open_),
        *_deducted(money, left, open_, discount),
        _oldest(money, left, open_),
    ]
    # Of equal ones the first: they come in the order of what speaks most clearly.
    return max(found, key=lambda one: one.score)


def _named(
    money: Money, invoices: Sequence[Invoice], open_: Mapping[InvoiceId, Minor]
) -> Iterator[_Candidate]:
    text = money.reference.upper()
    if not text.strip():
        return
    by: tuple[tuple[Ground, list[Invoice]], ...] = (
        ("number", [one for one in invoices if names(text, one.number)]),
        ("po", [one for one in invoices if one.po and names(text, one.po)]),
    )
    for ground, chosen in by:
        if not chosen:
            continue
        fits = sum(open_[one.id] for one in chosen) == money.amount
        yield _Candidate(
            shares=_spread(money.amount, chosen, open_),
            score=SCORES[ground] + (FITS if fits else 0),
            grounds=(ground, "exact") if fits else (ground,),
        )


def names(reference: str, number: str) -> bool:
    """Whether a payment's reference names a document: its number, however it is spaced, or its
    digits alone where they are long enough to mean something."""
    wanted = _SIGNS.sub("", number.upper())
    text = reference.upper()
    if not wanted or not any(sign.isdigit() for sign in wanted):
        return False
    words = [word for word in _SIGNS.split(text) if word]
    if wanted in words:
        return len(wanted) >= SHORTEST
    joined = _SIGNS.sub("", text)
    if len(wanted) > SHORTEST and not wanted.isdigit():
        at = joined.find(wanted)
        while at >= 0:
            after = joined[at + len(wanted) : at + len(wanted) + 1]
            before = joined[at - 1 : at] if at else ""
            if not after.isdigit() and not (wanted[0].isdigit() and before.isdigit()):
                return True
            at = joined.find(wanted, at + 1)
    digits = re.sub(r"\D+", "", number).lstrip("0")
    return len(digits) >= SHORTEST and any(
        word.isdigit() and word.lstrip("0") == digits for word in words
    )


def _exact(
    money: Money, invoices: Sequence[Invoice], open_: Mapping[InvoiceId, Minor]
) -> Iterator[_Candidate]:
    fitting = [one for one in invoices if open_[one.id] == money.amount]
    if fitting:
        yield _Candidate(
            shares=(Share(fitting[0].id, money.amount),),
            score=SCORES["exact"] - (AMBIGUOUS if len(fitting) > 1 else 0),
            grounds=("exact",),
        )


def _sums(
    money: Money, invoices: Sequence[Invoice], open_: Mapping[InvoiceId, Minor]
) -> Iterator[_Candidate]:
    if len(invoices) < 2:
        return
    if sum(open_[one.id] for one in invoices) == money.amount:
        shares = tuple(Share(one.id, open_[one.id]) for one in invoices)
        yield _Candidate(shares=shares, score=SCORES["all_open"], grounds=("all_open",))
        return
    found = _subsets(money.amount, [open_[one.id] for one in invoices[:MOST_INVOICES]])
    if found:
        chosen = [invoices[position] for position in found[0]]
        is_unclear = len(found) > 1 and len(found[1]) == len(found[0])
        yield _Candidate(
            shares=tuple(Share(one.id, open_[one.id]) for one in chosen),
            score=SCORES["sum"] - 3 * (len(chosen) - 2) - (AMBIGUOUS if is_unclear else 0),
            grounds=("sum",),
        )


def _subsets(total: Minor, amounts: Sequence[Minor]) -> list[tuple[int, ...]]:
    """Up to two sets of positions whose amounts make the total: the fewest first, then the
    oldest. The search ends after `MOST_STEPS`, whatever there is."""
    rest = [0] * (len(amounts) + 1)
    for position in range(len(amounts) - 1, -1, -1):
        rest[position] = rest[position + 1] + amounts[position]
    steps = MOST_STEPS
    found: list[tuple[int, ...]] = []

    def search(size: int, start: int, left: Minor, chosen: tuple[int, ...]) -> None:
        nonlocal steps
        if size == 0:
            if left == 0:
                found.append(chosen)
            return
        for position in range(start, len(amounts) - size + 1):
            steps -= 1
            if steps < 0 or len(found) > 1 or rest[position] < left:
                return
            if amounts[position] <= left:
                taken = (*chosen, position)
                search(size - 1, position + 1, left - amounts[position], taken)

    for size in range(2, min(MOST_TOGETHER, len(amounts)) + 1):
        search(size, 0, total, ())
        if found or steps < 0:
            break
    return found


def _deducted(
    money: Money,
    invoices: Sequence[Invoice],
    open_: Mapping[InvoiceId, Minor],
    discount: Discount | None,
) -> Iterator[_Candidate]:
    earned: list[_Candidate] = []
    charged: list[_Candidate] = []
    for one in invoices:
        short = open_[one.id] - money.amount
        if short <= 0:
            continue
        share = (Share(one.id, money.amount),)
        if discount is not None and short == _discount(discount, one, open_[one.id], money.on):
            score = SCORES["discount"]
            earned.append(_Candidate(shares=share, score=score, grounds=("discount",), short=short))
        elif money.kind == "payment" and short <= _most_charges(one, open_[one.id]):
            score = SCORES["charges"]
            charged.append(_Candidate(shares=share, score=score, grounds=("charges",), short=short))
    for found in (earned, charged):
        if found:
            less = AMBIGUOUS if len(found) > 1 else 0
            yield msgspec.structs.replace(found[0], score=found[0].score - less)


def _discount(rule: Discount, invoice: Invoice, open_: Minor, paid_on: date) -> Minor:
    """What may be deducted of an invoice that is wholly open; 0 for none. How many days the
    discount lasts is a matter of the policy's calendar: here the days are counted plainly, twice
    over, because this is a suggestion and the policy decides."""
    days = rule.within.count * (31 if rule.within.unit == "m" else 2)
    if open_ != invoice.total or paid_on > invoice.issued_on + timedelta(days=days):
        return 0
    base = invoice.total - (invoice.tax if rule.base == "ex_tax" else 0)
    exact = exact_major(base, invoice.currency) * Fraction(rule.percent) / 100
    return round_minor(exact, invoice.currency)


def _most_charges(invoice: Invoice, open_: Minor) -> Minor:
    unit: int = 10 ** currency_digits(invoice.currency)
    return min(open_ * CHARGES_PERCENT // 100, CHARGES_MOST * unit)


def _oldest(
    money: Money, invoices: Sequence[Invoice], open_: Mapping[InvoiceId, Minor]
) -> _Candidate:
    shares = _spread(money.amount, invoices, open_)
    return _Candidate(
        shares=shares,
        score=SCORES["oldest"] if shares else 0,
        grounds=("oldest",) if shares else (),
    )


def _spread(
    amount: Minor, invoices: Sequence[Invoice], open_: Mapping[InvoiceId, Minor]
) -> tuple[Share, ...]:
    shares: list[Share] = []
    for one in invoices:
        used = min(amount, open_[one.id])
        if used > 0:
            shares.append(Share(one.id, used))
            amount -= used
    return tuple(shares)


def _order(money: Money) -> tuple[date, str, str]:
    return money.on, money.kind, money.id


def _newest_last(money: Money) -> tuple[int, tuple[int, ...]]:
    """So that of several that are equally clear the oldest comes first."""
    return -money.on.toordinal(), tuple(-ord(sign) for sign in f"{money.kind}{money.id}")
