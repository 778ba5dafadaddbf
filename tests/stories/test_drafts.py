"""Mode draft: what would go out is left for a person, in the ledger and as a file."""

from email import message_from_bytes
from email.policy import SMTP

from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens


def test_drafts_are_left_for_a_person_to_send(an_office: Opens, ledger: str) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        policy=policy(fee=flat_fee()),
        today="2026-06-04",
        mode="draft",
    )
    report = office.run()
    drafts = office.home.drafts
    if ledger == "quickbooks":
        # It keeps no draft invoices: the fee, and the message with it, ask a person.
        assert not office.records.fees and not list(drafts.glob("**/*.eml"))
        assert {row.mode for row in office.rows("planned")} <= {"approve", "draft"}
        office.approve(report.plan.plan_id)
        office.apply()
    (fee,) = office.records.fees
    assert fee.status == ("draft" if ledger == "xero" else "open")
    (eml,) = drafts.glob("**/*.eml")
    mail = message_from_bytes(eml.read_bytes(), policy=SMTP)
    assert mail["To"] == "ap@north.example" and "N-1" in mail["Subject"]
    assert not office.mails
    assert {row.state for row in office.rows()} == {"done"}
    # A draft counts as posted: nothing comes twice.
    for _ in office.days("2026-06-05", "2026-06-09"):
        office.run()
    assert len(office.records.fees) == 1 and len(list(drafts.glob("**/*.eml"))) == 1
