"""What cannot be read is named, waits, and is neither taken for paid nor shown to anybody."""

from collections.abc import Iterator
from datetime import date

import pytest

from connectors.port import Cursor, Page, Quarantined
from rules.actions.internal import OpenTask
from rules.actions.messages import SendReminder
from rules.decide import decide
from rules.decision import Act, Skip
from rules.model import InvoiceId, Pause, Withheld
from rules.policy.load import load_policy
from tests.store.desk import Desk
from tests.store.records import NOW, TODAY, invoice


def test_an_unreadable_invoice_is_named_and_left_alone(desk: Desk) -> None:
    desk.sync()
    desk.ledger.spoil("invoices", "I1")
    for full in (False, True):
        report = desk.sync(full=full)
        assert [(one.entity, one.id) for one in report.quarantined] == [("invoices", "I1")]
        assert report.closed == 0
        book = desk.book()
        pause, aside = book.commitments
        assert isinstance(pause, Pause)
        assert isinstance(aside, Withheld)
        assert (pause.customer, pause.invoices) == ("C1", ("I1",))
        assert (aside.invoices, aside.amount) == (("I1",), 120_000)
        assert pause.until == book.as_of
        assert "the total is missing" in pause.reason
        assert pause.review_on == NOW.date()
    desk.ledger.put(invoice("I1"))
    desk.ledger.changed = []
    assert desk.sync().quarantined == ()  # tried again by id, though no change was reported
    assert desk.book().commitments == []


def test_nobody_is_told_of_an_unreadable_invoice(desk: Desk) -> None:
    policy = load_policy(
        'schema = 1\nname = "p"\n[[stage]]\nid = "first"\nat = "due + 3d"\ndo = ["remind"]\n'
        'template = "overdue_1"\n'
    )
    desk.ledger.put(invoice("I1"), invoice("I3"), invoice("I4", due_on=date(2026, 12, 1)))
    desk.sync()
    told = [one.action for one in decide(desk.book(), policy, TODAY) if isinstance(one, Act)]
    assert [set(one.qualified) for one in told if isinstance(one, SendReminder)] == [
        {"I1", "I2", "I3"}
    ]
    for unreadable in ("I3", "I4"):
        desk.ledger.spoil("invoices", unreadable)
    desk.sync()
    decisions = decide(desk.book(), policy, TODAY)
    done = [one.action for one in decisions if isinstance(one, Act)]
    (act,) = [one for one in done if isinstance(one, SendReminder)]
    told = [one.text for one in done if isinstance(one, OpenTask)]
    assert len(done) == 3 and len(told) == 2
    assert all("cannot be read" in text and "put it right" in text for text in told)
    assert set(act.qualified) == {"I1", "I2"}
    assert act.also_open == ()
    (skip,) = [one for one in decisions if isinstance(one, Skip) and one.invoice == "I3"]
    assert skip.code == "paused"
    assert "cannot be read: the total is missing" in str(skip.reasons[0].facts)


def test_an_invoice_that_the_ledger_is_silent_about_is_not_taken_for_paid(desk: Desk) -> None:
    desk.sync()
    desk.ledger.delete("invoices", "I1")
    desk.ledger.silent = {"I1"}
    report = desk.sync(full=True)
    assert (report.closed, [one.id for one in report.quarantined]) == (0, ["I1"])
    assert desk.statuses()["I1"] == "open"
    assert desk.book().commitments[0].binds(InvoiceId("I1"))


@pytest.mark.parametrize(
    ("entity", "record_id"), [("customers", "C2"), ("payments", "P1"), ("credits", "N1")]
)
def test_unreadable_people_and_money_pause_their_account(
    desk: Desk, entity: str, record_id: str
) -> None:
    desk.sync()
    desk.ledger.spoil(entity, record_id)
    desk.sync()
    (pause,) = desk.book().commitments
    assert pause.invoices == ()
    assert pause.customer == ("C2" if entity == "customers" else "C1")


def test_a_record_never_readable_is_named_until_it_goes(desk: Desk) -> None:
    desk.sync()
    for entity in ("customers", "invoices", "payments", "credits"):
        desk.ledger.spoil(entity, "X")
    assert len(desk.sync(full=True).quarantined) == 4
    assert desk.book().commitments[0].customer == "X"  # the customer himself: nobody else knows
    desk.ledger.unreadable.clear()
    assert desk.sync(full=True).quarantined == ()


def test_records_without_an_id_are_all_named_and_never_read_by_id(desk: Desk) -> None:
    desk.sync()
    lost = [Quarantined(entity="invoices", id="", reason=f"row {n} has no Id") for n in (1, 2)]
    slow = desk.ledger.pull

    def pull(cursor: Cursor | None = None) -> Iterator[Page]:
        yield Page(entity="invoices", quarantined=lost)
        yield from slow(cursor)

    desk.ledger.pull = pull
    assert {one.reason for one in desk.sync().quarantined} == {one.reason for one in lost}
    desk.ledger.pull = slow
    assert len(desk.sync().quarantined) == 2
    assert desk.sync(full=True).quarantined == ()
    assert desk.ledger.reads == []
