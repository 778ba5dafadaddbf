"""Every fact of the vocabulary, on one account whose life has a bit of everything."""

from datetime import date
from typing import Any

import msgspec
import pytest

from rules.account_day import AccountDay
from rules.frame import Frame
from rules.invoice_facts import InvoiceFacts
from rules.model.book import Book
from rules.model.events import fold
from rules.policy.facts import FACTS
from rules.policy.load import load_policy

TODAY = date(2026, 11, 2)

EVENTS: list[dict[str, Any]] = [
    {
        "t": "company",
        "id": "acme",
        "base_currency": "GBP",
        "timezone": "Europe/London",
        "entered_through": "2026-10-31",
    },
    {
        "t": "customer",
        "id": "P1",
        "date": "2025-01-05",
        "name": "North Group",
        "email": "ap@north.example",
        "credit_limit": "4000.00",
        "on_hold": True,
    },
    {
        "t": "customer",
        "id": "C1",
        "date": "2025-01-05",
        "name": "North Leeds",
        "email": "leeds@north.example",
        "parent": "P1",
        "country": "GB",
        "language": "en",
        "timezone": "Europe/London",
        "terms_days": 30,
        "entity_type": "company",
        "tags": ["vip"],
    },
    # Paid: 10 days late, 5 days early, 32 days late; and one before the window.
    *(
        event
        for number, issued, due, total, paid in (
            ("OLD-1", "2026-04-01", "2026-05-01", "100.00", "2026-05-11"),
            ("OLD-2", "2026-05-01", "2026-06-01", "100.00", "2026-05-27"),
            ("OLD-3", "2026-06-01", "2026-07-01", "800.00", "2026-08-02"),
            ("OLD-0", "2025-01-10", "2025-02-01", "50.00", "2025-09-01"),
        )
        for event in (
            {
                "t": "invoice",
                "id": number,
                "date": issued,
                "due": due,
                "customer": "C1",
                "total": total,
            },
            {
                "t": "payment",
                "id": f"PAY-{number}",
                "date": paid,
                "customer": "C1",
                "amount": total,
                "alloc": [{"invoice": number, "amount": total}],
            },
        )
    ),
    {
        "t": "invoice",
        "id": "INV-7",
        "number": "2026-7",
        "date": "2026-09-01",
        "due": "2026-10-01",
        "customer": "C1",
        "total": "1200.00",
        "tax": "200.00",
        "po": "PO-9",
        "reference": "Contract 4",
        "tags": ["retainer"],
        "items": ["Rent", "Care"],
        "tracking": ["Class: Retail", "Region: North", "plain"],
        "expected_on": "2026-11-05",
        "sent": None,
    },
    {
        "t": "payment",
        "id": "PAY-7",
        "date": "2026-10-20",
        "customer": "C1",
        "amount": "450.00",
        "alloc": [{"invoice": "INV-7", "amount": "400.00"}],
    },
    *(
        {
            "t": "invoice",
            "id": number,
            "date": "2026-06-01",
            "due": due,
            "customer": "P1",
            "total": total,
        }
        for number, due, total in (
            ("NEW", "2026-12-01", "10.00"),
            ("A", "2026-09-15", "300.00"),
            ("B", "2026-08-20", "200.00"),
            ("C", "2026-07-01", "2000.00"),
        )
    ),
    {
        "t": "invoice",
        "id": "F1",
        "number": "LF-1",
        "date": "2026-10-15",
        "due": "2026-10-15",
        "customer": "C1",
        "total": "30.00",
        "fee_of": "INV-7",
    },
    {
        "t": "fee",
        "date": "2026-10-15",
        "invoice": "INV-7",
        "customer": "C1",
        "fee": "late",
        "amount": "30.00",
        "document": "LF-1",
    },
    {"t": "waiver", "date": "2026-10-16", "document": "LF-1", "amount": "10.00", "reason": "x"},
    {
        "t": "estimate",
        "id": "E1",
        "date": "2026-10-01",
        "customer": "C1",
        "total": "500.00",
        "status": "accepted",
    },
    {
        "t": "action",
        "date": "2026-10-04",
        "invoice": "INV-7",
        "customer": "P1",
        "kind": "reminder",
        "stage": "was-first",
        "channel": "email",
    },
    {
        "t": "action",
        "date": "2026-09-01",
        "invoice": "A",
        "customer": "P1",
        "kind": "reminder",
        "stage": "first",
        "channel": "email",
    },
    {
        "t": "action",
        "date": "2026-10-28",
        "invoice": "INV-7",
        "customer": "P1",
        "kind": "reminder",
        "stage": "second",
        "channel": "email",
        "state": "bounced",
    },
    {
        "t": "dispute",
        "date": "2026-10-25",
        "invoice": "INV-7",
        "customer": "C1",
        "amount": "120.00",
        "reason": "short",
    },
    {
        "t": "promise",
        "date": "2026-10-26",
        "customer": "C1",
        "invoices": ["INV-7"],
        "amount": "500.00",
        "on": "2026-11-10",
    },
    {
        "t": "promise",
        "date": "2026-08-01",
        "customer": "P1",
        "invoices": ["C"],
        "amount": "2000.00",
        "on": "2026-08-15",
    },
    {
        "t": "instalments",
        "date": "2026-10-27",
        "customer": "C1",
        "invoices": ["INV-7"],
        "parts": [{"on": "2026-11-30", "amount": "250.00"}],
    },
    {
        "t": "pause",
        "date": "2026-10-28",
        "customer": "C1",
        "until": "2026-11-20",
        "reason": "asked",
    },
    {
        "t": "withheld",
        "date": "2026-10-01",
        "customer": "C1",
        "invoice": "INV-7",
        "amount": "60.00",
        "until": "2027-01-01",
    },
    {
        "t": "stop",
        "date": "2026-11-01",
        "customer": "C1",
        "because": "lawyer",
        "reason": "letter",
    },
]

POLICY = """
schema = 1
name = "facts"
[[stage]]
id = "first"
at = "due + 3d"
do = ["task"]
was = ["was-first"]
[[stage]]
id = "second"
at = "due + 10d"
do = ["task"]
"""

EXPECTED: dict[str, Any] = {
    "invoice_balance": 80000,
    "invoice_total": 120000,
    "invoice_tax": 20000,
    "paid_percent": 33,
    "is_part_paid": True,
    "days_past_due": 32,
    "invoice_age_days": 62,
    "due_month_day": 1,
    "invoice_number": "2026-7",
    "po": "PO-9",
    "reference": "Contract 4",
    "currency": "GBP",
    "sent": "unknown",
    "is_viewed": False,
    "invoice_tags": ("retainer",),
    "items": ("Rent", "Care"),
    "tracking": ("Class: Retail", "Region: North", "plain"),
    "classes": ("Retail", "North", "plain"),
    "has_fees": True,
    "fee_balance": 2000,
    "fees_charged": 3000,
    "expected_in_days": 3,
    "customer": "C1",
    "customer_name": "North Leeds",
    "tags": ("vip",),
    "country": "GB",
    "language": "en",
    "timezone": "Europe/London",
    "entity_type": "company",
    "terms_days": 30,
    "has_email": True,
    "roles": (),
    "is_child": True,
    "payer": "P1",
    "customer_since_days": (TODAY - date(2025, 1, 10)).days,
    # 3310.00 open less 50.00 of unapplied credit, which settles the oldest, C, first
    "customer_balance": 326000,
    "customer_overdue": 325000,
    "overdue_1_30": 0,
    "overdue_31_60": 110000,
    "overdue_61_90": 20000,
    "overdue_over_90": 195000,
    "largest_overdue": 195000,
    "unapplied_credit": 5000,
    "customer_fee_balance": 3000,
    "open_invoices": 5,
    "overdue_invoices": 4,
    "oldest_days_past_due": 124,
    "exposure": 331000 + 3000 - 5000 + 50000,
    "credit_limit": 400000,
    "credit_used_percent": 94,
    "is_on_hold": True,
    "invoices_paid": 3,
    "average_days_late": 14,  # (10 + 0 + 32) / 3
    "weighted_days_late": 27,  # (100 * 10 + 800 * 32) / 1000 = 26.6
    "usual_days_late": 10,
    "paid_late_percent": 67,
    "last_payment_days_ago": 13,
    "contacts_served": 1,
    "contacts_30_days": 1,
    "last_contact_days_ago": 29,
    "stages_served": ("first",),
    "fee_count": 1,
    "is_bounced": True,
    "broken_promises": 1,
    "has_promise": True,
    "promise_in_days": 8,
    "is_disputed": True,
    "disputed_amount": 12000,
    "has_instalments": True,
    "is_paused": True,
    "is_stopped": True,
    "withheld_amount": 6000,
    "is_handed_over": False,
    "cash_entered_days_ago": 2,
}


def book(events: list[dict[str, Any]] = EVENTS) -> Book:
    folded = fold(events, TODAY)
    assert not folded.problems, [str(problem) for problem in folded.problems]
    return folded.book


def facts_of(number: str, known: Book) -> InvoiceFacts:
    frame = Frame(known, load_policy(POLICY, source="facts"), TODAY)
    for account in known.accounts():
        for invoice in account.invoices:
            if invoice.id == number:
                return InvoiceFacts(AccountDay(frame, account), invoice)
    raise LookupError(number)


def test_every_fact_is_computed_and_tried_here() -> None:
    assert set(EXPECTED) == set(FACTS) == set(facts_of("INV-7", book()))


@pytest.mark.parametrize("name", FACTS)
def test_a_fact(name: str) -> None:
    value = facts_of("INV-7", book())[name]
    assert value == EXPECTED[name]
    kinds = {"amount": int, "number": int, "text": str, "tags": tuple, "flag": bool}
    assert type(value) is kinds[FACTS[name].type]


NOT_KNOWN = {
    "days_past_due", "due_month_day", "expected_in_days", "terms_days", "oldest_days_past_due",
    "credit_limit", "credit_used_percent", "average_days_late", "weighted_days_late",
    "usual_days_late", "paid_late_percent", "last_payment_days_ago", "last_contact_days_ago",
    "promise_in_days", "cash_entered_days_ago",
}  # fmt: skip


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_of_which_nothing_is_known(name: str) -> None:
    bare = [
        {"t": "customer", "id": "C1", "date": "2026-01-05", "name": "North"},
        {"t": "invoice", "id": "I", "date": "2026-09-01", "customer": "C1", "total": "1.00"},
    ]
    value = facts_of("I", book(bare))[name]
    assert (value is None) is (name in NOT_KNOWN)


def test_a_bounced_payment_makes_nobody_a_payer() -> None:
    reversed_ = {"t": "payment_reversed", "date": "2026-08-10", "payment": "PAY-OLD-3"}
    facts = facts_of("INV-7", book([*EVENTS, reversed_]))
    assert (facts["invoices_paid"], facts["average_days_late"]) == (2, 5)


def test_what_is_remembered_counts_once() -> None:
    known = book()
    day = facts_of("INV-7", known)
    remembered = day._day.account_facts.settled
    again = msgspec.structs.replace(known, settled=remembered)
    assert facts_of("INV-7", again)["invoices_paid"] == day["invoices_paid"]
    gone = [one for one in known.invoices if one.status != "paid"]
    moved = msgspec.structs.replace(again, invoices=gone)
    assert facts_of("INV-7", moved)["average_days_late"] == 14
