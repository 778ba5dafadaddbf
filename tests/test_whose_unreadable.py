"""Whose an unreadable record is: that account waits, although the record was never readable."""

from datetime import date, timedelta

import pytest

from ar_bridge.plan_warnings import plan_warnings
from ar_bridge.pulled import Pull
from ar_bridge.store import books, quarantine
from ar_bridge.store.engine import Store
from ar_bridge.sync import refresh
from ar_bridge.unreadable import nobodys, unread
from connectors.port import Page, Quarantined
from rules.actions.messages import SendReminder
from rules.decide import decide
from rules.decision import Act, Skip
from rules.model import CustomerId, InvoiceId, Pause
from rules.policy.load import load_policy
from tests.store.desk import Desk
from tests.store.records import COMPANY, NOW, TODAY, a_book, customer, invoice

POLICY = load_policy(
    'schema = 1\nname = "p"\n[[stage]]\nid = "first"\nat = "due + 3d"\ndo = ["remind"]\n'
    'template = "overdue_1"\n'
)


def reminded(desk: Desk) -> set[str]:
    """Invoices that somebody would be reminded of today."""
    acts = [one.action for one in decide(desk.book(), POLICY, TODAY) if isinstance(one, Act)]
    return {one for act in acts if isinstance(act, SendReminder) for one in act.qualified}


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """C1 pays for C2 too; C3 has an account of its own."""
    desk.ledger.put(customer("C3"), invoice("I9", customer="C3"))
    return desk


def test_the_customer_of_a_never_readable_invoice_waits_with_the_payer(desk: Desk) -> None:
    desk.ledger.spoil("invoices", "X", customer="C2")
    (bad,) = desk.sync().quarantined
    assert (bad.customer, bad.waits) == ("C2", "its customer waits")
    assert reminded(desk) == {"I9"}
    (pause,) = desk.book().commitments
    assert isinstance(pause, Pause)
    assert (pause.customer, pause.invoices, pause.review_on) == ("C1", (), NOW.date())
    skips = [one for one in decide(desk.book(), POLICY, TODAY) if isinstance(one, Skip)]
    waiting = {one.invoice: one for one in skips if one.code == "paused"}
    assert set(waiting) == {"I1", "I2", "I3"}
    assert "invoices X cannot be read: the total is missing" in str(waiting[InvoiceId("I1")])
    desk.ledger.put(invoice("X", customer="C2", due_on=date(2026, 12, 1)))
    assert desk.sync().quarantined == ()
    assert reminded(desk) == {"I1", "I2", "I3", "I9"}


@pytest.mark.parametrize("entity", ["invoices", "payments", "credits"])
@pytest.mark.parametrize("is_full", [False, True])
def test_the_hold_ends_when_the_record_is_taken_away(
    desk: Desk, entity: str, is_full: bool
) -> None:
    desk.ledger.spoil(entity, "X", customer="C1")
    desk.sync()
    assert reminded(desk) == {"I9"}
    del desk.ledger.unreadable[entity, "X"]
    desk.ledger.changed.append((entity, "X"))
    desk.sync(full=is_full)
    assert reminded(desk) == {"I1", "I2", "I3", "I9"}


@pytest.mark.parametrize("entity", ["payments", "credits"])
def test_money_that_names_only_its_invoice_is_of_that_invoices_customer(
    desk: Desk, entity: str
) -> None:
    desk.ledger.spoil(entity, "X", invoices=["gone", "I9"])
    (bad,) = desk.sync().quarantined
    assert (bad.customer, bad.waits) == ("C3", "its customer waits")
    assert reminded(desk) == {"I1", "I2", "I3"}


def test_money_for_an_unreadable_invoice_is_of_the_customer_whom_that_names(desk: Desk) -> None:
    desk.ledger.spoil("invoices", "X", customer="C3")
    desk.sync()
    desk.ledger.spoil("payments", "P", invoices=["X"])
    assert {(one.id, one.customer) for one in desk.sync().quarantined} == {("X", "C3"), ("P", "C3")}


def test_what_does_not_tell_whose_it_is_is_said_to_hold_nobody_and_the_plan_warns(
    desk: Desk,
) -> None:
    for number in range(5):
        desk.ledger.spoil("payments", f"X{number}")
    desk.sync()
    estimate = Quarantined(entity="estimates", id="E", reason="it has no Id", customer="C1")
    with desk.store.write() as conn:
        quarantine.add(conn, desk.book_id, [estimate], at=NOW)
        found = unread(conn, desk.book_id)
    assert [one.waits for one in found if one.entity == "estimates"] == ["it is left out"]
    assert {one.waits for one in found if one.entity == "payments"} == {
        "it does not tell whose it is, so nobody waits for it"
    }
    assert reminded(desk) == {"I1", "I2", "I3", "I9"}
    with desk.store.read() as conn:
        lost = nobodys(conn, desk.book_id)
    assert {one.entity for one in lost} == {"payments"}
    (warning,) = plan_warnings(COMPANY, POLICY, state="", book_name="acme", nobodys=lost)
    assert warning["code"] == "unread"
    assert "payments X0: the total is missing" in warning["text"]
    assert "X3" not in warning["text"] and "and 2 more" in warning["text"]


def test_an_invoice_readable_before_that_names_somebody_else_now_holds_both(desk: Desk) -> None:
    desk.sync()
    desk.ledger.spoil("invoices", "I1", customer="C3")
    (bad,) = desk.sync().quarantined
    assert bad.waits == "its customer waits"
    assert reminded(desk) == {"I2", "I3"}
    desk.ledger.spoil("invoices", "I1", customer="C1")
    (bad,) = desk.sync().quarantined
    assert bad.waits == "the invoice waits"
    assert reminded(desk) == {"I2", "I3", "I9"}


def test_unreadable_money_met_just_before_acting_holds_its_customer(desk: Desk) -> None:
    desk.sync()
    desk.ledger.spoil("payments", "X", customer="C3")
    desk.ledger.spoil("credits", "Y", invoices=["I1"])
    with desk.store.read() as conn:
        row = books.get(conn, desk.book_id)
    bad = refresh(
        desk.store,
        row,
        desk.ledger,
        desk.clock,
        invoices={InvoiceId("I9")},
        customers={CustomerId("C3")},
    )
    assert {(one.entity, one.id) for one in bad} == {("payments", "X"), ("credits", "Y")}
    assert reminded(desk) == set()


def test_records_without_an_id_do_not_hide_each_others_customers() -> None:
    pull = Pull()
    nameless = [
        Quarantined(entity="invoices", id="", reason="it has no Id", customer=name)
        for name in ("C1", "C3", "C3")
    ]
    pull.take(Page(entity="invoices", quarantined=nameless))
    assert sorted(one.customer for one in pull.unreadable.values()) == ["C1", "C3"]


def test_a_reading_that_tells_less_does_not_forget_whose_it_is(store: Store) -> None:
    def add(reason: str, customer: str, hours: int) -> quarantine.QuarantineRow:
        bad = Quarantined(entity="invoices", id="X", reason=reason, customer=customer)
        with store.write() as conn:
            quarantine.add(conn, book_id, [bad], at=NOW + timedelta(hours=hours))
            (held,) = quarantine.listed(conn, book_id)
        return held

    with store.write() as conn:
        book_id = a_book(conn).id
    assert add("no total", "", 0).customer == ""
    assert add("no total", "C1", 1).customer == "C1"
    last = add("the ledger is silent", "", 2)
    assert (last.customer, last.reason, last.seen_at) == ("C1", "the ledger is silent", NOW)
