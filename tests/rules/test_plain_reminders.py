"""Reminders of invoices that nobody ever said anything about: the straight way writes what the
long way writes, and leaves to it whatever is not so plain."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.decide import POLICY, TODAY, book
from rules.account_day import AccountDay
from rules.account_work import AccountWork
from rules.decide import decided_in, decided_one_by_one
from rules.frame import Frame
from rules.model import (
    Book,
    Company,
    CreditNote,
    CreditNoteId,
    Customer,
    FeeId,
    FeePosted,
    InvoiceId,
    ItemKey,
    Payment,
    PaymentId,
    Served,
    StageId,
)
from rules.model.ids import CustomerId
from rules.model.invoice import Invoice
from rules.nothing_due import NothingDue
from rules.plain_reminders import PlainReminders
from rules.policy.load import load_policy
from rules.policy.schema import Policy


def _invoice(name: str, customer: CustomerId, late: int, total: int) -> Invoice:
    due_on = TODAY - timedelta(days=late)
    return Invoice(
        id=InvoiceId(name),
        number=f"N-{name}",
        customer=customer,
        currency="GBP",
        issued_on=due_on - timedelta(days=30),
        due_on=due_on,
        total=total,
        balance=total,
    )


def _plain_book() -> Book:
    """Six customers, of each of whom a first reminder is due, of every second one two."""
    people = [CustomerId(f"C{n:06}") for n in range(6)]
    return Book(
        company=Company(id="acme", base_currency="GBP", connected_on=date(2025, 1, 1)),
        as_of=TODAY,
        customers={
            name: Customer(
                id=name, name=f"Customer {name}", email="ap@customer.example", entity_type="company"
            )
            for name in people
        },
        invoices=[
            _invoice(f"I{n}{which}", name, late, 20_000 * (which + 1) + n)
            for n, name in enumerate(people)
            for which, late in enumerate((5, 6 if n % 2 else -4, -20))
        ],
        served=[
            Served(
                on=TODAY - timedelta(days=60),
                kind="reminder",
                customer=name,
                invoice=InvoiceId("settled"),
                stage=StageId("first-reminder"),
                channel="email",
                key=ItemKey("reminder/settled/first-reminder/1"),
                message=f"msg/{name}/1",
            )
            for name in people[:3]
        ],
    )


KNOWN: Final = _plain_book()

Change: TypeAlias = Callable[[Book, Invoice, int], Book]


def _of_invoice(**changes: Any) -> Change:
    def changed(known: Book, about: Invoice, n: int) -> Book:
        other = msgspec.structs.replace(about, **changes)
        invoices = [other if one.id == about.id else one for one in known.invoices]
        return msgspec.structs.replace(known, invoices=invoices)

    return changed


def _of_customer(**changes: Any) -> Change:
    def changed(known: Book, about: Invoice, n: int) -> Book:
        head = msgspec.structs.replace(known.customers[about.customer], **changes)
        return msgspec.structs.replace(known, customers={**known.customers, head.id: head})

    return changed


def _was_served(kind: str, stage: str | None, *, to_invoice: bool, **more: Any) -> Change:
    def changed(known: Book, about: Invoice, n: int) -> Book:
        item = Served(
            on=TODAY - timedelta(days=n),
            kind=kind,
            customer=about.customer,
            invoice=about.id if to_invoice else InvoiceId("long-gone"),
            stage=None if stage is None else StageId(stage),
            key=ItemKey(f"{kind}/{about.id}/{stage}/1"),
            **{"channel": "email", "message": f"msg/{n}", **more},
        )
        return msgspec.structs.replace(known, served=[*known.served, item])

    return changed


def _money(known: Book, about: Invoice, n: int) -> Book:
    paid = Payment(
        id=PaymentId(f"unused-{about.id}"),
        customer=about.customer,
        currency=about.currency,
        on=TODAY - timedelta(days=n),
        amount=3_000,
    )
    return msgspec.structs.replace(known, payments=[*known.payments, paid])


def _credit(known: Book, about: Invoice, n: int) -> Book:
    note = CreditNote(
        id=CreditNoteId(f"credit-{about.id}"),
        customer=about.customer,
        currency=about.currency,
        on=TODAY - timedelta(days=n),
        total=2_000,
        remaining=2_000 if n % 2 else 0,
        kind="deposit" if n % 3 == 0 else "credit_note",
    )
    return msgspec.structs.replace(known, credits=[*known.credits, note])


def _fee(known: Book, about: Invoice, n: int) -> Book:
    fee = FeePosted(
        on=TODAY - timedelta(days=n),
        invoice=about.id,
        customer=about.customer,
        fee=FeeId("late-interest"),
        amount=700,
        currency=about.currency,
        through=TODAY - timedelta(days=n),
        key=ItemKey(f"late_fee/{about.id}/late-interest/2026-09"),
        document=f"LF-{about.id}",
        is_announced=bool(n % 4),
    )
    return msgspec.structs.replace(known, fees=[*known.fees, fee])


CHANGES: Final[tuple[Change, ...]] = (
    _of_invoice(sent=None),
    _of_invoice(sent=False),
    _of_invoice(balance=150),
    _of_invoice(currency="USD"),
    _of_invoice(pays_by_itself=True),
    _of_invoice(expected_on=TODAY + timedelta(days=2)),
    _of_invoice(due_on=None),
    _of_invoice(is_fee=True),
    _of_invoice(due_on=TODAY - timedelta(days=36)),
    _of_invoice(due_on=TODAY - timedelta(days=2), tags=("vip",)),
    _of_customer(is_active=False),
    _of_customer(parent=CustomerId("C000001")),
    _of_customer(tags=("vip",)),
    _of_customer(region="DE"),
    _was_served("reminder", "first-reminder", to_invoice=True),
    _was_served("reminder", "second-reminder", to_invoice=True),
    _was_served("note", "final-notice", to_invoice=True, channel=""),
    _was_served("reminder", "first-reminder", to_invoice=False),
    _was_served("reminder", "final-notice", to_invoice=False),
    _was_served("reminder", "final-notice", to_invoice=True),
    _was_served("statement", "monthly", to_invoice=False),
    _was_served("hand_off", "placed", to_invoice=True),
    _was_served("hand_off", "placed", to_invoice=False, channel=""),
    _was_served("call", "second-reminder", to_invoice=False, channel="call", message=""),
    _was_served("reply", None, to_invoice=True, channel=""),
    _was_served("reminder", "first-reminder", to_invoice=False, state="bounced"),
    _money,
    _credit,
    _fee,
)


POLICIES: Final = tuple(
    load_policy(text)
    for text in (
        POLICY,
        POLICY.replace('do = ["remind"]\n', 'do = ["remind", "note"]\n', 1),
        POLICY.replace('skip = ["vip"]\n', "", 1),
        POLICY + '\n[contact]\nconsolidate = "never"\n',
        POLICY + '\n[contact]\nunit = "customer"\n',
        POLICY + '\n[contact]\nmin_gap = "15d"\n',
        POLICY + "\n[contact]\nnet_unapplied_credit = false\n",
        POLICY + '\n[[approval.ask]]\nabove = "150"\n',
        POLICY + '\n[discount]\npercent = 2\nwithin = "10d"\n',
        POLICY.replace("[calendar]\n", '[calendar]\nsend_days = ["mon"]\n', 1),
        POLICY.replace('deadline = "14d"', 'deadline = "14d"\nattach = ["invoice"]', 1).replace(
            'skip = ["vip"]', 'skip = ["vip"]\ndeadline = "7d"\ncc = ["legal"]', 1
        ),
    )
)


def _same(known: Book, rules: Policy, today: date) -> None:
    frame = Frame(known, rules, today)
    assert decided_in(frame) == decided_one_by_one(frame)


def _due(known: Book, rules: Policy) -> tuple[int, int]:
    """(accounts that go the straight way, accounts that something is due of)."""
    frame = Frame(known, rules, TODAY)
    seen = NothingDue(frame)
    found = PlainReminders(frame, frame.book).decided(seen.due)
    for account in known.accounts(set(found)):
        work = AccountWork(AccountDay(frame, account))
        for invoice, dates in seen.due[account.payer.id]:
            work.overdue(invoice, dates)
        assert found[account.payer.id] == work.decisions(())
    return len(found), len(seen.due)


def test_most_accounts_go_the_straight_way() -> None:
    straight, due = _due(book(3_000, 600), POLICIES[0])
    assert straight > 0.9 * due


@settings(deadline=None)
@given(
    st.sampled_from(POLICIES),
    st.lists(
        st.tuples(st.sampled_from(CHANGES), st.integers(0, 17), st.integers(0, 30)), max_size=4
    ),
    st.integers(-1, 9),
)
def test_whatever_else_is_in_play_the_two_ways_say_the_same(
    rules: Policy, changes: list[tuple[Change, int, int]], days: int
) -> None:
    known = KNOWN
    for change, place, n in changes:
        known = change(known, known.invoices[place], n)
    today = TODAY + timedelta(days=days)
    _same(msgspec.structs.replace(known, as_of=today), rules, today)


def test_all_of_the_small_book_go_the_straight_way() -> None:
    assert _due(KNOWN, POLICIES[0]) == (6, 6)


def test_each_ground_that_may_stand_in_the_way_is_met() -> None:
    """One change at a time, to accounts of which something plain is due."""
    for change in CHANGES:
        for place in (0, 2, 3, 4):
            for n in (1, 6, 8, 14):
                _same(change(KNOWN, KNOWN.invoices[place], n), POLICIES[0], TODAY)


def test_each_policy_that_asks_for_more_is_seen() -> None:
    for rules in POLICIES:
        for days in range(-2, 9):
            _same(KNOWN, rules, TODAY + timedelta(days=days))
        for place in (0, 3, 4):
            _same(
                _of_customer(parent=CustomerId("C000001"))(KNOWN, KNOWN.invoices[place], 0),
                rules,
                TODAY,
            )
