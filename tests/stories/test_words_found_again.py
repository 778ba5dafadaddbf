"""What people told us outlives our records: retentions, plans, credits to come, long promises,
owners and review dates are read back from the notes in the ledger, and hold as before."""

from datetime import date
from typing import Any

from ar_bridge.store import commitments
from ar_bridge.telling import tell
from rules.model import (
    Commitment,
    CreditExpected,
    Dispute,
    Instalments,
    Part,
    Promise,
    Stop,
    Withheld,
)
from rules.model.commitment import kind_of
from tests.stories.books import company, customer, flat_fee, invoice, policy
from tests.stories.conftest import Opens
from tests.stories.stage import PERSON, Office

NAMES = ("North", "South", "East", "West", "Vale", "Tower")
BOOK = [
    company(),
    *(customer(name) for name in NAMES),
    *(invoice(f"{name[0]}-1", name, "2026-06-01", "600.00") for name in NAMES),
]
HEARD_ON = date(2026, 6, 5)


def words(office: Office) -> list[Commitment]:
    def said(kind: str, name: str) -> dict[str, Any]:
        owner = office.customer_id(name)
        return {
            "id": f"{kind}/{owner}/{HEARD_ON}",
            "customer": owner,
            "invoices": (office.invoice_id(f"{name[0]}-1"),),
            "on": HEARD_ON,
            "reason": "said on the telephone",
            "actor": PERSON,
            "owner": "ann smith",
        }

    return [
        Withheld(**said("withheld", "North"), amount=60_000, until=date(2026, 12, 1)),
        CreditExpected(**said("credit_expected", "South"), amount=60_000, until=date(2026, 7, 20)),
        Instalments(
            **said("instalments", "East"),
            parts=tuple(Part(date(2026, 7 + n, 1), 10_000) for n in range(6)),
            currency="GBP",
        ),
        Promise(
            **said("promise", "West"),
            due_on=date(2026, 9, 1),
            amount=60_000,
            currency="GBP",
            consented=True,
        ),
        Dispute(**said("dispute", "Vale"), review_on=date(2026, 9, 9)),
        Stop(**said("stop", "Tower"), because="lawyer", review_on=date(2026, 9, 9)),
    ]


def kept(office: Office) -> dict[str, Commitment]:
    with office.desk.store.read() as conn:
        return {kind_of(one): one for one in commitments.listed(conn, office.desk.book_id)}


def test_what_was_told_is_found_again_and_holds(an_office: Opens) -> None:
    office = an_office(*BOOK, policy=policy(fee=flat_fee()), today="2026-06-04")
    office.run()
    for _ in office.days("2026-06-05", "2026-06-05"):
        with office.desk.store.write() as conn:
            for one in words(office):
                tell(conn, office.desk, one, actor=PERSON, currency="GBP")
        office.run()
    before, mails = kept(office), len(office.mails)
    assert len(before) == len(NAMES)
    office.lose_the_database()
    for _ in office.days("2026-06-20", "2026-06-24"):
        office.run(approve=office.approve_all)
    found = kept(office)
    assert set(found) == set(before)
    for kind, one in found.items():
        was = before[kind]
        assert one.owner == "ann smith" and one.review_on == was.review_on, kind
        for name in type(was).__struct_fields__:
            if name not in ("actor", "reason"):
                assert getattr(one, name) == getattr(was, name), (kind, name)
        assert "said on the telephone" in one.reason or one.reason.endswith("\u2026"), kind
    assert len(office.mails) == mails
