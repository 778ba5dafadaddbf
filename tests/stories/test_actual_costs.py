"""What collecting cost is passed on once, with its evidence, and announced."""

import hashlib

import pytest

from ar_bridge import audit
from ar_bridge.charging import Costs, charge, costs
from ar_bridge.errors import UsageError
from ar_bridge.orders import Ordered, carry_out
from ar_bridge.words import the_invoice
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.crashes import Crash
from tests.stories.evidence import nothing_twice
from tests.stories.stage import PERSON, Office, text_of

BOOK = [company(), customer("North"), invoice("N-1", "North", "2026-06-01")]
BILL = b"%PDF-1.4 court fee"


def found_costs(office: Office, content: bytes = BILL) -> Costs:
    with office.desk.store.read() as conn:
        about = the_invoice(conn, office.desk.book_id, "N-1")
    return costs(
        office.desk,
        office.customer_id("North"),
        [about],
        kind="court",
        amount=5000,
        filename="court bill.pdf",
        content=content,
        basis="court order 7/2026",
    )


def order_it(office: Office, content: bytes = BILL) -> Ordered:
    found = found_costs(office, content)
    with office.desk.store.write() as conn:
        return charge(conn, office.desk, found, actor=PERSON, reason="claim issued")


def an_office_with_a_debt(an_office: Opens) -> Office:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-02")
    office.run()
    return office


def test_costs_are_charged_once_with_their_evidence_and_announced(an_office: Opens) -> None:
    office = an_office_with_a_debt(an_office)
    report = carry_out(office.desk, order_it(office))
    assert report.applied == {"late_fee": 1}
    (cost,) = office.records.fees
    assert (cost.amount, cost.status) == (5000, "open")
    with office.desk.store.read() as conn:
        (entry,) = audit.history(conn, subject=cost.number, events=["CostsCharged"])
    assert entry.payload is not None and entry.payload["sha256"] == hashlib.sha256(BILL).hexdigest()
    with pytest.raises(UsageError, match="ordered before"):
        order_it(office)
    for _ in office.days("2026-06-04", "2026-06-05"):
        office.run()
    (mail,) = office.mails
    assert "Court costs" in text_of(mail) and "50.00" in text_of(mail)
    nothing_twice(office)


def test_the_process_ends_after_the_document(an_office: Opens) -> None:
    office = an_office_with_a_debt(an_office)
    ordered = order_it(office)
    office.crash("wire", 1, when="after")
    with pytest.raises(Crash):
        carry_out(office.desk, ordered)
    office.reopen()
    office.end_leases()
    office.apply()
    nothing_twice(office)
    (cost,) = office.records.fees
    assert office.row("late_fee", "done").number == cost.number


def test_what_cannot_be_charged_is_said_all_at_once(an_office: Opens) -> None:
    office = an_office_with_a_debt(an_office)
    with pytest.raises(UsageError) as refused:
        found_costs(office, b"")
    assert "the evidence is empty" in refused.value.problems
