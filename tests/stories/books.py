"""Small books and the policy that the stories are played with."""

from datetime import date, timedelta
from typing import Any

ZONE = "Europe/London"
CUSTOMERS_SINCE = "2026-01-05"


def company(currency: str = "GBP") -> dict[str, Any]:
    return {
        "t": "company",
        "id": "story",
        "name": "Story Ltd",
        "base_currency": currency,
        "timezone": ZONE,
        "country": "GB",
    }


def customer(name: str, **more: Any) -> dict[str, Any]:
    return {
        "t": "customer",
        "id": name,
        "date": CUSTOMERS_SINCE,
        "name": f"{name} Ltd",
        "currency": "GBP",
        "email": f"ap@{name.lower()}.example",
        "country": "GB",
        **more,
    }


def invoice(number: str, of: str, due: str, total: str = "1000.00", **more: Any) -> dict[str, Any]:
    """An invoice issued 30 days before it is due; `known` in the ledger from its date."""
    issued = date.fromisoformat(due) - timedelta(days=30)
    return {
        "t": "invoice",
        "id": number,
        "number": number,
        "date": issued.isoformat(),
        "due": due,
        "customer": of,
        "currency": "GBP",
        "total": total,
        "sent": True,
        **more,
    }


def payment(name: str, of: str, on: str, amount: str, **alloc: str) -> dict[str, Any]:
    return {
        "t": "payment",
        "id": name,
        "date": on,
        "customer": of,
        "currency": "GBP",
        "amount": amount,
        "alloc": [
            {"invoice": number.replace("_", "-"), "amount": part} for number, part in alloc.items()
        ],
    }


POLICY = """
schema = 1
name = "story"
legal_basis = "contract:terms"
{top}

[calendar]
send_window = "09:00-16:30"
send_days = ["mon", "tue", "wed", "thu", "fri"]

[contact]
per_customer_per_day = 1
per_customer_per_week = 2
min_gap = "{min_gap}"
{contact}

[do_not_chase]
paid_lag = "2d"
balance_below = "5.00"

[[stage]]
id = "first"
name = "First reminder"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"
{stage}

[[stage]]
id = "second"
name = "Second reminder"
at = "due + 10d"
do = ["remind"]
template = "overdue_2"
requires = ["first"]

{fee}

[limits]
mails_per_run = 200
fees_per_run = 50
first_apply = 50
{limits}
"""

FLAT_FEE = """
[[fee]]
id = "late"
name = "Late fee"
type = "flat"
amount = {amount}
grace = "2d"
post = "when_due"
cap = {{ per_invoice = "100" }}
"""


def flat_fee(amount: str = '"25.00"') -> str:
    return FLAT_FEE.format(amount=amount)


def policy(
    *,
    fee: str = "",
    top: str = "",
    contact: str = "",
    stage: str = "",
    limits: str = "",
    min_gap: str = "5d",
) -> str:
    """The policy of the stories; `limits` given again replace those that are there."""
    text = POLICY.format(fee=fee, top=top, contact=contact, stage=stage, limits="", min_gap=min_gap)
    if limits:
        head, _, _ = text.partition("[limits]")
        text = f"{head}[limits]\n{limits}\n"
    return text
