"""Reasons as sentences, explanations and quotes."""

import ast
from datetime import date
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

import rules
from rules.decision import Reason
from rules.explain import SubjectError, explain
from rules.model.book import Book
from rules.model.company import Company
from rules.model.customer import Customer
from rules.model.history import FeePosted, Served
from rules.model.ids import CustomerId, FeeId, InvoiceId, ItemKey, StageId
from rules.model.invoice import Invoice
from rules.policy.load import load_policy
from rules.quote import UnknownInvoiceError, quote
from rules.reasons import REASONS, sentence

TODAY = date(2026, 10, 5)
POLICY = load_policy("""
schema = 1
name = "explained"
legal_basis = "contract:terms"

[[stage]]
id = "first-reminder"
name = "First reminder"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second-reminder"
name = "Second reminder"
at = "due + 14d"
do = ["remind"]
template = "overdue_2"

[[fee]]
id = "late-interest"
name = "Late interest"
type = "interest"
annual_rate = 36.5
post = { every = "month", on = "last_business_day" }
""")

BOOK = Book(
    company=Company(id="acme", base_currency="GBP", connected_on=date(2026, 1, 1)),
    as_of=TODAY,
    customers={
        CustomerId("C1"): Customer(id=CustomerId("C1"), name="North Ltd"),
        CustomerId("C2"): Customer(id=CustomerId("C2"), name="South Ltd"),
    },
    invoices=[
        Invoice(
            id=InvoiceId(f"I{n}"),
            number=number,
            customer=CustomerId(customer),
            currency="GBP",
            issued_on=date(2026, 9, 1),
            due_on=date(2026, 10, 1),
            total=100_000,
            balance=100_000,
        )
        for n, number, customer in ((1, "INV-1", "C1"), (2, "INV-2", "C1"), (3, "INV-2", "C2"))
    ],
)


def test_an_invoice_is_explained_in_sentences() -> None:
    found = explain(BOOK, POLICY, "I1", TODAY)
    text = "\n".join(found.lines)
    assert found.title == "Invoice INV-1 of North Ltd"
    assert "It was due on 2026-10-01, 4 days ago (bucket 1-30)." in text
    assert "First reminder is due for invoice INV-1 since 2026-10-04" in text
    assert "Second reminder falls due on 2026-10-15 if it is still open." in text
    assert "Late interest is next posted on 2026-10-30." in text
    assert "4 days (2026-10-02 to 2026-10-05) on 1000.00 at 36.5% a year: 4.00" in text


def test_a_stage_that_writes_and_sets_a_task_is_told_once() -> None:
    policy = load_policy("""
schema = 1
name = "both"
legal_basis = "contract:terms"

[[stage]]
id = "second-reminder"
name = "Second reminder"
at = "due + 14d"
do = ["remind", "task"]
template = "overdue_2"
""")
    found = explain(BOOK, policy, "I1", TODAY)
    assert found.coming == ("Second reminder falls due on 2026-10-15 if it is still open.",)


def test_numbers_and_names_find_their_subject() -> None:
    assert explain(BOOK, POLICY, "INV-1", TODAY).subject == "I1"
    assert explain(BOOK, POLICY, "south ltd", TODAY).customer == "C2"


def test_an_ambiguous_number_lists_its_candidates() -> None:
    with pytest.raises(SubjectError) as trouble:
        explain(BOOK, POLICY, "INV-2", TODAY)
    assert set(trouble.value.candidates) == {"I2", "I3"}
    with pytest.raises(SubjectError, match="no invoice or customer"):
        explain(BOOK, POLICY, "INV-9", TODAY)


def test_optional_parts_of_a_sentence_are_left_out() -> None:
    facts = (("invoice", "INV-1"), ("since", "2026-10-01"))
    assert sentence(Reason("disputed", facts)) == "Invoice INV-1 is disputed since 2026-10-01."
    told = sentence(Reason("disputed", (*facts, ("reason", "short delivery"))))
    assert told == "Invoice INV-1 is disputed since 2026-10-01: short delivery."


def test_an_unknown_code_is_still_shown() -> None:
    assert sentence(Reason("moon_phase", (("moon", "full"),))) == "Moon phase: moon full."


def used_codes() -> set[str]:
    """Codes that the rules give as plain text to Reason, hold, skip or as part of a pair."""
    found: set[str] = set()
    for path in sorted(Path(rules.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name in ("Reason", "hold", "skip") and isinstance(first, ast.Constant):
                found.add(str(first.value))
    return found


def test_every_code_in_the_rules_has_a_sentence() -> None:
    assert used_codes() <= set(REASONS)
    assert len(used_codes()) > 25


def test_a_quote_adds_up() -> None:
    found = quote(BOOK, POLICY, InvoiceId("I1"), date(2026, 10, 11))
    plain = found.plain()
    assert plain["outstanding"] == "1000.00"
    assert plain["total_due"] == "1010.00"
    (fee,) = found.fees
    assert fee.to_post == 1000
    exact = sum((Fraction(row.exact) for row in fee.derivation), Fraction(0))
    assert exact + sum((Fraction(s.amount) for s in fee.steps), Fraction(0)) == 10


def test_a_quote_counts_what_was_charged_before() -> None:
    charged = FeePosted(
        on=TODAY,
        invoice=InvoiceId("I1"),
        customer=CustomerId("C1"),
        fee=FeeId("late-interest"),
        amount=400,
        currency="GBP",
        through=TODAY,
        key=ItemKey("late_fee/I1/late-interest/2026-10"),
        document="LF-1",
    )
    book = msgspec.structs.replace(BOOK, fees=[charged])
    found = quote(book, POLICY, InvoiceId("I1"), date(2026, 10, 11))
    (fee,) = found.fees
    assert (fee.accrued, fee.posted, fee.to_post) == (1000, 400, 600)
    assert found.total_due == 101_000


def test_a_quote_needs_an_invoice() -> None:
    with pytest.raises(UnknownInvoiceError):
        quote(BOOK, POLICY, InvoiceId("I9"), TODAY)


def test_the_ladder_of_the_account_is_told_of_each_invoice() -> None:
    policy = load_policy(
        """
schema = 1
name = "account"

[[stage]]
id = "account-first"
name = "Account reminder"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"
scope = "customer"

[[stage]]
id = "account-second"
name = "Account warning"
at = "due + 40d"
do = ["remind"]
template = "overdue_2"
scope = "customer"
"""
    )
    found = explain(BOOK, policy, "I1", TODAY)
    assert any("account-first" in line for line in found.today), found.today
    assert any(line.startswith("Account warning falls due on") for line in found.coming)
    served = Served(
        on=TODAY,
        kind="reminder",
        customer=CustomerId("C1"),
        stage=StageId("account-first"),
        channel="email",
        key=ItemKey("reminder/C1/account-first/GBP-20261004-1"),
    )
    later = explain(msgspec.structs.replace(BOOK, served=[served]), policy, "I1", TODAY)
    assert f"On {TODAY}: reminder account-first." in later.history
    assert any("asked for together with everything" in line for line in later.today)


def test_segments_and_what_is_not_for_them_are_told() -> None:
    policy = load_policy("""
schema = 1
name = "segments"
[[segment]]
name = "large"
when = { invoice_total = ">= 1" }
[[segment]]
name = "vip"
when = { tags = "vip" }
[[stage]]
id = "soft"
at = "due + 3d"
do = ["task"]
skip = ["large"]
[[stage]]
id = "special"
at = "due + 5d"
do = ["task"]
only = ["vip"]
[[stage]]
id = "firm"
at = "due + 9d"
do = ["task"]
""")
    number = BOOK.invoices[0].id
    state = explain(BOOK, policy, number, TODAY).state
    assert "Segments: large." in state
    assert "soft leaves out large." in state
    assert "special is for vip only." in state
    assert not any(line.startswith("firm") for line in state)
