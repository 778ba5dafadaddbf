"""What was settled on a fee's own documents, where a payment settles the interest first."""

from datetime import date

import pytest

from rules.account_day import AccountDay
from rules.accruing import fee_debt
from rules.frame import Frame
from rules.model.events import fold
from rules.policy.load import load_policy

POLICY = """
[[fee]]
id = "interest"
type = "interest"
annual_rate = 10
allocation = "interest_first"
legal_basis = "statute"
"""

INVOICE = {
    **{"t": "invoice", "id": "I1", "date": "2026-08-01", "due": "2026-09-01"},
    **{"customer": "C1", "currency": "GBP", "total": "3650.00"},
}
CHARGE = {
    **{"t": "fee", "date": "2026-10-01", "customer": "C1", "invoice": "I1", "fee": "interest"},
    **{"amount": "30.00", "through": "2026-10-01", "key": "late_fee/I1/interest/2026-10-01"},
    "document": "LF-1",
}
DOCUMENT = {
    **{"t": "invoice", "id": "LF-1", "date": "2026-10-01", "due": "2026-10-01"},
    **{"customer": "C1", "currency": "GBP", "total": "30.00", "fee_of": "I1"},
}


def paid(amount: str) -> dict[str, object]:
    alloc = [{"invoice": "LF-1", "amount": amount}]
    return {
        **{"t": "payment", "id": "P", "date": "2026-10-10", "customer": "C1", "currency": "GBP"},
        **{"amount": amount, "alloc": alloc},
    }


WAIVED = {"t": "waiver", "date": "2026-10-12", "document": "LF-1", "amount": "12.00", "reason": "g"}


@pytest.mark.parametrize(
    ("told", "settled"),
    [
        ([DOCUMENT], []),
        ([DOCUMENT, paid("10.00")], [(date(2026, 10, 11), 1000)]),
        ([DOCUMENT, paid("30.00")], [(date(2026, 10, 11), 3000)]),
        ([DOCUMENT, WAIVED], [(date(2026, 10, 12), 1200)]),
        ([], [(date(2026, 10, 1), 3000)]),
    ],
    ids=["open", "paid in part", "paid", "let off in part", "not in the book"],
)
def test_what_was_settled_on_the_documents(
    told: list[dict[str, object]], settled: list[tuple[date, int]]
) -> None:
    today = date(2026, 10, 20)
    company = {"t": "company", "id": "acme", "base_currency": "GBP"}
    customer = {"t": "customer", "id": "C1", "name": "North"}
    folded = fold([company, customer, INVOICE, CHARGE, *told], today)
    assert not folded.problems
    (account,) = folded.book.accounts()
    day = AccountDay(Frame(folded.book, load_policy(POLICY), today), account)
    (rule,) = day.frame.fees
    invoice = next(one for one in account.invoices if one.id == "I1")
    debt = fee_debt(day, rule, invoice)
    assert debt is not None
    assert list(debt.interest_settled) == settled
