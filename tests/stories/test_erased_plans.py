"""After words about a customer were erased, planning and undoing go on."""

import pytest

from ar_bridge.audit_erasing import erase_customer
from ar_bridge.audit_gaps import gaps
from ar_bridge.plan_seal import AlteredPlanError, stored_plan
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import PERSON, LedgerName, Office


@pytest.fixture
def ledger() -> LedgerName:
    """Plans do not depend on the ledger."""
    return "xero"


def erase(office: Office, name: str) -> None:
    with office.desk.store.write() as conn:
        erase_customer(
            conn,
            office.desk,
            office.customer_id(name),
            actor=PERSON,
            reason="asked to",
            is_trial=False,
        )


def test_planning_goes_on_after_words_of_the_last_plan_were_erased(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        customer("South"),
        invoice("N-1", "North", "2026-06-01"),
        invoice("S-1", "South", "2026-06-01"),
        policy=policy(),
        today="2026-06-04",
    )
    office.run()
    last = office.plan().plan_id
    erase(office, "North")
    with office.desk.store.read() as conn, pytest.raises(AlteredPlanError, match="erased"):
        stored_plan(conn, office.desk.book_id, last)
    for _ in range(2):
        made = office.plan()
        assert made.planned == 0
        assert all(skip["reasons"] for skip in made.view["skips"])
    with office.desk.store.read() as conn:
        assert gaps(conn, office.desk.book_id) == []
    office.wake("2026-06-05")
    office.run()
    assert all(skip["reasons"] for skip in office.plan().view["skips"])
    assert len(office.mails) == 2
