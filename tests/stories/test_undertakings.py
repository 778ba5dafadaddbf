"""Promises and payment plans, day by day: what the customer hears of them, and never twice."""

from datetime import date

from ar_bridge.telling import tell
from rules.model import Instalments, Part, Promise
from tests.stories.books import company, customer, invoice, payment, policy
from tests.stories.conftest import Opens
from tests.stories.evidence import nothing_twice
from tests.stories.stage import PERSON, Office, text_of

BOOK = [
    company(),
    customer("North"),
    customer("South"),
    invoice("N-1", "North", "2026-06-01", "900.00"),
    invoice("S-1", "South", "2026-06-01", "600.00"),
    payment("P-1", "North", "2026-06-11", "300.00", N_1="300.00"),
    payment("P-2", "South", "2026-06-15", "200.00", S_1="200.00"),
]
RULES = """
[commitments]
broken_promise = "remind"
instalment_reminder = "3d"
"""


def hear(office: Office) -> None:
    north, south = office.customer_id("North"), office.customer_id("South")
    today = office.desk.today()
    promise = Promise(
        id=f"promise/{north}/{today}",
        customer=north,
        invoices=(office.invoice_id("N-1"),),
        on=today,
        due_on=date(2026, 6, 12),
        amount=90_000,
        currency="GBP",
    )
    plan = Instalments(
        id=f"instalments/{south}/{today}",
        customer=south,
        invoices=(office.invoice_id("S-1"),),
        on=today,
        parts=tuple(Part(date(2026, month, 15), 20_000) for month in (6, 7, 8)),
        currency="GBP",
    )
    with office.desk.store.write() as conn:
        for said in (promise, plan):
            tell(conn, office.desk, said, actor=PERSON, currency="GBP")


def subjects(office: Office, name: str) -> list[str]:
    return [
        str(mail.parsed()["subject"])
        for mail in office.mails
        if f"ap@{name.lower()}.example" in str(mail.parsed()["to"])
    ]


def test_a_promise_kept_in_part_and_a_plan_that_breaks(an_office: Opens) -> None:
    one_stage = policy(fee=RULES).replace('at = "due + 10d"', 'at = "due + 90d"')
    office = an_office(*BOOK, policy=one_stage, today="2026-06-04")
    office.run()
    hear(office)
    for _ in office.days("2026-06-05", "2026-07-20"):
        office.run()
    north, south = subjects(office, "North"), subjects(office, "South")
    assert [one for one in north if "announced for" in one] == [
        "Your payment of £600.00 announced for 12 June 2026"
    ]
    assert [one for one in south if "Instalment" in one] == [
        "Instalment 1 of 3: £200.00 due 15 June 2026",
        "Instalment 2 of 3: £200.00 due 15 July 2026",
        "Instalment 2 of 3: £200.00 was due on 15 July 2026",
    ]
    (told,) = [text_of(mail) for mail in office.mails if "You told us" in text_of(mail)]
    assert "£300.00 that we have received" in " ".join(told.split())
    mails = len(office.mails)
    office.lose_the_database()
    for _ in office.days("2026-07-21", "2026-07-22"):
        office.run(approve=office.approve_all)
    assert len(office.mails) == mails
    nothing_twice(office)
