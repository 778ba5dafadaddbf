"""From the store to a book: what is looked at, for whom, and what we did before."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from ar_bridge.book_loader import age_hours, load_book
from ar_bridge.facts_file import CustomerFacts, parse_facts
from ar_bridge.store import books, commitments, mirror, waivers
from ar_bridge.store.bodies import body_of
from ar_bridge.store.books import BookRow
from ar_bridge.store.engine import Store
from rules.actions.action import Item
from rules.actions.internal import OpenTask
from rules.actions.late_fee import ChargeLateFee, Derivation
from rules.model import (
    Book,
    CustomerId,
    FeeId,
    HolidaySet,
    InvoiceId,
    ItemKey,
    Pause,
    StageId,
    Waiver,
)
from rules.policy.asked import asks_how_customers_pay
from rules.policy.load import load_policy
from tests.store.records import NOW, TODAY, a_book, an_action, credit, customer, invoice, payment


def _load(conn: Connection, book: BookRow, **options: Any) -> Book:
    arguments: dict[str, Any] = {
        "as_of": TODAY,
        "now": NOW,
        "holidays": {},
        "facts": CustomerFacts(),
        **options,
    }
    return load_book(conn, books.get(conn, book.id), **arguments)


def _put(conn: Connection, book: BookRow, entity: str, *records: Any, on: date = TODAY) -> None:
    mirror.upsert(conn, book.id, entity, records, seen_on=on)


def _reminder(invoice: str, n: int = 1) -> Item:
    return Item(
        key=ItemKey(f"reminder/{invoice}/first/{n}"),
        kind="reminder",
        invoice=InvoiceId(invoice),
        stage=StageId("first"),
    )


def _charge(invoice: str) -> tuple[str, Item, dict[str, Any]]:
    key = ItemKey(f"late_fee/{invoice}/interest/2026-10")
    item = Item(key=key, kind="late_fee", invoice=InvoiceId(invoice), fee=FeeId("interest"))
    action = ChargeLateFee(
        key=key,
        customer=CustomerId("C1"),
        currency="GBP",
        items=(item,),
        invoice=InvoiceId(invoice),
        fee_id=FeeId("interest"),
        fee_name="Interest",
        charge=950,
        through=date(2026, 10, 31),
        description="Interest",
        derivation=Derivation(),
        notice=ItemKey("msg/C1/0"),
    )
    columns = {
        "kind": "late_fee",
        "number": "LF-A",
        "amount": 950,
        "channel": "",
        "fee": "interest",
        "body": msgspec.json.encode(action).decode(),
    }
    return key, item, columns


def test_company_and_age(store: Store) -> None:
    region = HolidaySet(region="GB-ENG", dates=frozenset({date(2026, 12, 25)}))
    with store.write() as conn:
        row = a_book(conn)
        books.record_sync(conn, row.id, cursor=None, synced_at=NOW - timedelta(hours=5))
        books.set_entered_through(conn, row.id, date(2026, 10, 30))
        book = _load(conn, row, holidays={"GB-ENG": region})
    assert book.company.connected_on == date(2026, 10, 1)
    assert (book.age_hours, book.entered_through) == (5, date(2026, 10, 30))
    assert book.holidays == {"GB-ENG": region}


@pytest.mark.parametrize(
    ("age", "hours"),
    [(0, 0), (1, 1), (3600, 1), (3601, 2), (26 * 3600, 26), (26 * 3600 + 1, 27), (-60, 0)],
)
def test_an_hour_begun_is_an_hour_old(age: int, hours: int) -> None:
    assert age_hours(NOW - timedelta(seconds=age), NOW) == hours


def test_closed_invoices_stay_for_a_while_and_longer_with_our_fees(store: Store) -> None:
    ages = {"open": 0, "recent": 45, "older": 46, "charged": 400, "forgotten": 401}
    with store.write() as conn:
        row = a_book(conn)
        for name, days in ages.items():
            status = "open" if name == "open" else "paid"
            one = invoice(name, status=status, issued_on=date(2025, 1, 1))
            _put(conn, row, "invoices", one, on=TODAY - timedelta(days=days))
        for number, name in enumerate(("charged", "forgotten")):
            key, item, columns = _charge(name)
            an_action(conn, row, key=key, items=(item,), **{**columns, "number": f"LF-{number}"})
        book = _load(conn, row)
    assert {one.id for one in book.invoices} == {"open", "recent", "charged"}


def test_closed_invoices_of_a_payer_on_the_ladder_of_accounts_stay(store: Store) -> None:
    paid = {"status": "paid", "balance": 0, "issued_on": date(2025, 1, 1)}
    key = ItemKey("reminder/C1/account-first/GBP-20260901-1")
    item = Item(key=key, kind="reminder", stage=StageId("account-first"))
    with store.write() as conn:
        row = a_book(conn)
        _put(conn, row, "customers", customer("C1"), customer("C2", parent="C1"), customer("C3"))
        for name in ("C1", "C2", "C3"):
            one = invoice(f"I-{name}", customer=CustomerId(name), **paid)
            _put(conn, row, "invoices", one, on=TODAY - timedelta(days=100))
        an_action(conn, row, key=key, items=(item,))
        without = _load(conn, row)
        loaded = _load(conn, row, account_stages=("account-first",))
    assert without.invoices == []
    assert {one.id for one in loaded.invoices} == {"I-C1", "I-C2"}


def test_money_comes_with_its_invoices_or_while_it_is_unapplied(store: Store) -> None:
    with store.write() as conn:
        row = a_book(conn)
        _put(conn, row, "invoices", invoice("I1"))
        _put(
            conn,
            row,
            "payments",
            payment("applied"),
            payment("elsewhere", settles={"long ago": 5}),
            payment("unapplied", settles={}, amount=100),
            payment("returned", settles={}, amount=100, reversed_on=TODAY),
        )
        _put(
            conn,
            row,
            "credits",
            credit("open"),
            credit("used", settles={"I1": 5_000}),
            credit("elsewhere", settles={"long ago": 5_000}),
        )
        book = _load(conn, row)
    assert {one.id for one in book.payments} == {"applied", "unapplied"}
    assert {one.id for one in book.credits} == {"open", "used"}


def test_accounts_are_loaded_whole(store: Store) -> None:
    with store.write() as conn:
        row = a_book(conn)
        _put(
            conn,
            row,
            "customers",
            customer("payer"),
            customer("child", parent="payer"),
            customer("moved"),
            customer("other"),
        )
        for name in ("payer", "child", "moved", "other", "stranger"):
            _put(conn, row, "invoices", invoice(f"I-{name}", customer=name))
            _put(conn, row, "payments", payment(f"P-{name}", settles={}, amount=1, customer=name))
            promise = Pause(id=name, customer=CustomerId(name), on=TODAY, until=TODAY)
            commitments.add(conn, row.id, promise)
            an_action(conn, row, key=f"k-{name}", items=(_reminder(f"I-{name}"),), customer=name)
        facts = parse_facts('customer.moved.parent = "payer"')
        family = {"payer", "child", "moved"}
        for asked in family:
            book = _load(conn, row, customers=[asked], facts=facts)
            for entity in (book.invoices, book.payments, book.commitments, book.served):
                assert {one.customer for one in entity} == family
            assert set(book.customers) == family
        stranger = _load(conn, row, customers=["stranger"])
        assert [one.id for one in stranger.invoices] == ["I-stranger"]
        assert len(_load(conn, row).invoices) == 5


@pytest.mark.parametrize(
    ("state", "served"),
    [
        ("planned", None),
        ("approved", "approved"),
        ("leased", "approved"),
        ("unknown", "unknown"),
        ("parked", "unknown"),
        ("done", "done"),
        ("withdrawn", None),
        ("rejected", None),
        ("expired", None),
        ("superseded", None),
        ("refused", None),
    ],
)
def test_history_is_what_will_be_may_be_or_was_done(
    store: Store, state: str, served: str | None
) -> None:
    with store.write() as conn:
        row = a_book(conn)
        _put(conn, row, "invoices", invoice("I1"), invoice("I2"))
        message = "msg/C1/0123456789abcdef"
        an_action(conn, row, key=message, items=(_reminder("I1"), _reminder("I2")), state=state)
        key, item, columns = _charge("I1")
        charged = an_action(conn, row, key=key, items=(item,), state=state, **columns)
        book = _load(conn, row)
        without = _load(conn, row, without=[charged])
    assert without.fees == []
    if served is None:
        assert (book.served, book.fees) == ([], [])
        return
    reminders = [one for one in book.served if one.kind == "reminder"]
    assert {one.key for one in reminders} == {"reminder/I1/first/1", "reminder/I2/first/1"}
    for one in reminders:
        assert (one.state, one.on, one.message, one.channel) == (served, TODAY, message, "email")
        assert one.is_contact
        assert one.sent_at == (NOW if state == "done" else None)
    (fee,) = book.fees
    assert (fee.state, fee.document, fee.amount, fee.currency) == (served, "LF-A", 950, "GBP")
    assert (fee.invoice, fee.fee, fee.through) == ("I1", "interest", date(2026, 10, 31))
    assert (len(without.served), len(book.served)) == (2, 3)


def test_old_history_stays_for_open_invoices_and_whole_accounts(store: Store) -> None:
    long_ago = (TODAY - timedelta(days=401)).isoformat()
    hold = Item(key=ItemKey("credit_hold/C1/hold/1"), kind="credit_hold", stage=StageId("hold"))
    with store.write() as conn:
        row = a_book(conn)
        _put(conn, row, "invoices", invoice("I1"), invoice("I2", status="paid"))
        for number, item in enumerate((_reminder("I1"), _reminder("I2"), hold)):
            an_action(conn, row, key=f"k{number}", items=(item,), send_on=long_ago)
        book = _load(conn, row)
    assert {one.key for one in book.served} == {hold.key, "reminder/I1/first/1"}


def test_an_item_about_a_whole_account_tells_what_it_covered(store: Store) -> None:
    asked = Item(
        key=ItemKey("reminder/C1/all/GBP-20261010-1"), kind="reminder", stage=StageId("all")
    )
    covered = (InvoiceId("I1"), InvoiceId("I2"))
    with store.write() as conn:
        row = a_book(conn)
        body = body_of(
            OpenTask(
                key=asked.key, customer=CustomerId("C1"), items=(asked,), covers=covered, text="x"
            )
        )
        an_action(conn, row, key="k", items=(asked,), body=body)
        an_action(conn, row, key="k1", items=(_reminder("I1"),))
        book = _load(conn, row)
    assert {one.key: one.covers for one in book.served} == {
        asked.key: covered,
        "reminder/I1/first/1": (),
    }


def test_waivers_facts_and_commitments_are_in_the_book(store: Store) -> None:
    facts = parse_facts(
        '[customer.C1]\ntags = ["vip"]\nautopay = true\n'
        '[customer.C2]\nexempt = { reason = "ours" }\n'
    )
    waiver = Waiver(on=TODAY, document="LF-A", amount=950)
    pause = Pause(id="p", customer=CustomerId("C1"), on=TODAY, until=TODAY)
    with store.write() as conn:
        row = a_book(conn)
        _put(conn, row, "customers", customer("C1"), customer("C2"))
        _put(conn, row, "invoices", invoice("I1"), invoice("I2", customer="C2"))
        waivers.add(conn, row.id, waiver)
        commitments.add(conn, row.id, pause)
        book = _load(conn, row, facts=facts)
    assert book.waivers == [waiver]
    assert [one.customer for one in book.commitments] == ["C1", "C2"]
    assert {one.id: one.pays_by_itself for one in book.invoices} == {"I1": True, "I2": False}
    assert book.customers[CustomerId("C1")].tags == ("vip",)
    assert book.customers[CustomerId("C2")].entity_type_is_guess


def test_what_was_paid_long_ago_is_remembered_where_the_policy_asks(store: Store) -> None:
    with store.write() as conn:
        row = a_book(conn)
        long_ago = TODAY - timedelta(days=200)
        for name in ("paid", "credited", "void"):
            status = "void" if name == "void" else "paid"
            _put(conn, row, "invoices", invoice(name, status=status), on=long_ago)
        _put(conn, row, "payments", payment("P1", settles={"paid": 10_000}, on=long_ago))
        _put(conn, row, "credits", credit("N1", settles={"credited": 5_000}))
        silent, remembered = _load(conn, row), _load(conn, row, with_settled=True)
        some = _load(conn, row, customers=["C2"], with_settled=True)
    assert not silent.settled and not silent.invoices and not silent.payments
    assert [(one.invoice, one.paid_on) for one in remembered.settled] == [("paid", long_ago)]
    assert not remembered.invoices and not remembered.payments and not some.settled


def test_a_policy_says_whether_it_asks_how_customers_pay() -> None:
    def asks(condition: str) -> bool:
        text = f'schema = 1\n[[segment]]\nname = "slow"\nunless = {{ {condition} }}'
        return asks_how_customers_pay(load_policy(text, source="test"))

    assert asks('usual_days_late = "> 10"') and asks('customer_since_days = "< 90"')
    assert not asks("terms_days = 30")
