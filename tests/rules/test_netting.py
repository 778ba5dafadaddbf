"""Unused money counts against the oldest invoices, everywhere alike, and deposits never do."""

from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.account_day import AccountDay
from rules.aging import net_balances, unapplied_credit
from rules.frame import Frame
from rules.guards.base import Case
from rules.guards.disputes import uncontested
from rules.model import Book
from rules.model.events import fold
from rules.netting import netted_shares
from rules.policy.load import load_policy

TODAY = date(2026, 10, 20)
POLICY = load_policy('name = "plain"\n')
KINDS = ("credit_note", "overpayment", "prepayment", "deposit")


def day_of(book: Book) -> AccountDay:
    (account,) = book.accounts()
    return AccountDay(Frame(book, POLICY, TODAY), account)


def book_of(
    owed: list[tuple[int, int]], paid: list[tuple[int, int]], credits: list[tuple[str, int, int]]
) -> Book:
    events: list[dict[str, Any]] = [
        {"t": "company", "id": "acme", "base_currency": "GBP"},
        {"t": "customer", "id": "C1", "date": "2026-01-01", "name": "North Ltd"},
    ]
    for number, (ago, total) in enumerate(owed):
        due = TODAY - timedelta(days=ago)
        events.append(
            {
                "t": "invoice",
                "id": f"I{number}",
                "date": "2026-07-01",
                "due": due.isoformat(),
                "customer": "C1",
                "total": f"{total}.00",
            }
        )
    for number, (ago, amount) in enumerate(paid):
        on = (TODAY - timedelta(days=ago)).isoformat()
        events.append(
            {"t": "payment", "id": f"P{number}", "date": on, "customer": "C1", "amount": amount}
        )
    for number, (kind, ago, total) in enumerate(credits):
        on = (TODAY - timedelta(days=ago)).isoformat()
        events.append(
            {
                "t": "credit_note",
                "id": f"K{number}",
                "kind": kind,
                "date": on,
                "customer": "C1",
                "total": total,
            }
        )
    folded = fold(events, TODAY)
    assert not folded.problems
    return folded.book


AGO, SUM = st.integers(0, 90), st.integers(1, 900)
OWED = st.lists(st.tuples(AGO, SUM), min_size=1, max_size=5)
PAID = st.lists(st.tuples(AGO, SUM), max_size=3)
CREDITS = st.lists(st.tuples(st.sampled_from(KINDS), AGO, SUM), max_size=3)


@settings(max_examples=60, deadline=None)
@given(OWED, PAID, CREDITS)
def test_gates_totals_and_the_base_of_fees_see_the_same(
    owed: list[tuple[int, int]], paid: list[tuple[int, int]], credits: list[tuple[str, int, int]]
) -> None:
    day = day_of(book_of(owed, paid, credits))
    account = day.account
    shares = netted_shares(account)
    net = net_balances(account.invoices, unapplied_credit(account))
    tomorrow = TODAY + timedelta(days=1)
    for invoice in account.invoices:
        covered = sum(share.amount for share in shares.get(invoice.id, ()))
        assert invoice.balance - covered == net[invoice.id] == day.net_of(invoice)
        assert uncontested(Case(day, invoice, "reminder")) == net[invoice.id]
        debt = day.debt(invoice)
        assert debt is not None
        assert debt.owed_on(tomorrow) == net[invoice.id]
    assert day.totals["GBP"][0] == sum(net.values())
    used = sum(share.amount for one in shares.values() for share in one)
    held = sum(100 * total for kind, _, total in credits if kind == "deposit")
    free = sum(100 * amount for _, amount in paid) + sum(100 * total for *_, total in credits)
    assert used <= free - held


@settings(max_examples=40, deadline=None)
@given(OWED, PAID, st.lists(st.tuples(st.just("deposit"), AGO, SUM), min_size=1, max_size=3))
def test_a_deposit_changes_nothing(
    owed: list[tuple[int, int]], paid: list[tuple[int, int]], credits: list[tuple[str, int, int]]
) -> None:
    with_it, without = day_of(book_of(owed, paid, credits)), day_of(book_of(owed, paid, []))
    for one, other in zip(with_it.account.invoices, without.account.invoices, strict=True):
        assert with_it.net_of(one) == without.net_of(other)
        assert with_it.debt(one) == without.debt(other)


def test_the_day_of_an_unused_payment_is_still_on_the_old_balance() -> None:
    day = day_of(book_of([(30, 100)], [(10, 60)], []))
    debt = day.debt(day.account.invoices[0])
    assert debt is not None
    paid_on = TODAY - timedelta(days=10)
    assert debt.owed_on(paid_on) == 10000
    assert debt.owed_on(paid_on + timedelta(days=1)) == 4000


def test_without_netting_nothing_is_deducted() -> None:
    book = book_of([(30, 100)], [(10, 60)], [])
    contact = POLICY.contact.model_copy(update={"net_unapplied_credit": False})
    policy = POLICY.model_copy(update={"contact": contact})
    (account,) = book.accounts()
    day = AccountDay(Frame(book, policy, TODAY), account)
    debt = day.debt(account.invoices[0])
    assert debt is not None and debt.owed_on(TODAY) == 10000
    assert msgspec.structs.asdict(debt)["changes"] == ()
