"""What would be sent is no longer what was approved: nothing of it goes."""

import pytest
from sqlalchemy import func

from ar_bridge.store import tables
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import LedgerName, Office


@pytest.fixture
def ledger() -> LedgerName:
    """The outbox does not depend on the ledger."""
    return "xero"


@pytest.fixture
def office(an_office: Opens) -> Office:
    """A reminder that announces a late fee, both approved by a person."""
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        policy=policy(fee=flat_fee()),
        today="2026-06-04",
        mode="approve",
    )
    office.run()
    office.approve_all()
    return office


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("ap@north.example", "ap@other.example"), ("1,000.00", "9,000.00"), ("LF-", "LG-")],
)
def test_an_altered_outbox_is_withdrawn(office: Office, was: str, becomes: str) -> None:
    effects = tables.effects
    with office.desk.store.write() as conn:
        before = [row.body for row in conn.execute(effects.select())]
        conn.execute(effects.update().values(body=func.replace(effects.c.body, was, becomes)))
        assert [row.body for row in conn.execute(effects.select())] != before
    report = office.apply()
    assert any("altered" in why for _, why in report.withdrawn)
    assert (office.mails, office.records.fees, office.records.notes) == ([], (), ())


def test_what_nobody_put_in_the_outbox_is_not_done(office: Office) -> None:
    with office.desk.store.write() as conn:
        conn.execute(tables.effects.delete())
    report = office.apply()
    assert report.applied == {}
    assert any("never approved" in why for _, why in report.withdrawn)
