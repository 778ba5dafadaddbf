"""How many invoices `decide` looks at in a second, reasons included.

    python -m benchmarks.decide [--invoices 100000] [--customers 20000] [--policy plain|full]

The book is made up and always the same: two currencies, four stages and monthly interest, one
invoice in twenty due something today, a third overdue and served before, the rest not yet due.
Making the book is not measured; finding the accounts in it is. `--policy full` adds what looks at
whole accounts: a stage of the account, a monthly statement, a credit limit and an account fee.
"""

import argparse
import gc
import json
import resource
import sys
from datetime import date, timedelta
from time import perf_counter, process_time

from ar_bridge.collecting import all_of_it_stays
from rules.decide import decide
from rules.decision import Act
from rules.model import (
    Allocation,
    Book,
    Company,
    Customer,
    CustomerId,
    FeeId,
    FeePosted,
    Invoice,
    InvoiceId,
    ItemKey,
    Payment,
    PaymentId,
    Served,
    StageId,
)
from rules.policy.load import load_policy
from rules.policy.schema import Policy

TODAY = date(2026, 10, 14)
POSTED = date(2026, 9, 30)

POLICY = """
schema = 1
name = "benchmark"
legal_basis = "contract:terms"

[calendar]
region = "GB-ENG"

[[segment]]
name = "vip"
when = { tags = "vip" }

[[stage]]
id = "first-reminder"
at = "due + 3d"
do = ["remind"]
template = "overdue_1"
skip = ["vip"]
when = { invoice_balance = ">= 20" }

[[stage]]
id = "second-reminder"
at = "due + 14d"
do = ["remind", "call"]
template = "overdue_2"
requires = ["first-reminder"]

[[stage]]
id = "final-notice"
at = "due + 35d"
do = ["remind", "note"]
template = "final_notice"
formal = true
requires = ["second-reminder"]
deadline = "14d"

[[fee]]
id = "late-interest"
type = "interest"
annual_rate = 18
grace = "5d"
post = { every = "month", on = "last_business_day" }
minimum_to_post = "5.00"
cap = { percent_of_original = 25, posts = 12 }
"""

OF_ACCOUNTS = """
[[stage]]
id = "whole-account"
scope = "customer"
at = "due + 60d"
do = ["remind"]
template = "overdue_2"
when = { overdue_invoices = ">= 2" }

[[statement]]
id = "monthly"
day_of_month = 5

[credit]
limit = { GBP = 50000, EUR = 50000 }
hold_above = 100
release_below = 80

[[fee]]
id = "account-fee"
type = "flat"
amount = { GBP = "15", EUR = "15" }
scope = "customer"
grace = "60d"
cap = { posts = 3 }
"""


def policy(kind: str = "plain") -> Policy:
    """A policy of the usual shape, or one that looks at whole accounts as well."""
    return load_policy(POLICY if kind == "plain" else POLICY + OF_ACCOUNTS)


def book(invoices: int, customers: int) -> Book:
    """A made-up book, the same for the same sizes."""
    people = {
        CustomerId(f"C{n:06}"): Customer(
            id=CustomerId(f"C{n:06}"),
            name=f"Customer {n}",
            currency="GBP" if n % 7 else "EUR",
            email=f"ap+{n}@customer.example",
            tags=("vip",) if n % 50 == 0 else (),
            entity_type="company",
        )
        for n in range(customers)
    }
    documents: list[Invoice] = []
    served: list[Served] = []
    fees: list[FeePosted] = []
    payments: list[Payment] = []
    for n in range(invoices):
        # A fixed scatter: no two neighbours have the same customer, age or amount.
        scatter = n * 2654435761 % 2**32
        customer_number = scatter % customers
        customer = CustomerId(f"C{customer_number:06}")
        # One in twenty falls due for a stage this week.
        share = n % 60
        late = 3 + n % 5 if share < 3 else 20 + n % 10 if share < 23 else -(n % 40)
        due_on = TODAY - timedelta(days=late)
        invoice = InvoiceId(f"I{n:07}")
        total = 5_000 + scatter % 500_000
        part = total // 4 if n % 10 == 0 else 0
        currency = "GBP" if customer_number % 7 else "EUR"
        documents.append(
            Invoice(
                id=invoice,
                number=f"INV-{n}",
                customer=customer,
                currency=currency,
                issued_on=due_on - timedelta(days=30),
                due_on=due_on,
                total=total,
                balance=total - part,
            )
        )
        if part:
            payments.append(_payment(n, customer, invoice, part, currency, due_on))
        if late < 20:
            continue
        for stage, after in (("first-reminder", 3), ("second-reminder", 14)):
            on = due_on + timedelta(days=after)
            served += [
                _served(kind, on, customer, invoice, stage)
                for kind in (("reminder",) if after == 3 else ("reminder", "call"))
            ]
        interest = (total - part) * 18 * (POSTED - due_on).days // 36_500
        fees.append(_fee(customer, invoice, currency, interest))
    return Book(
        company=Company(id="benchmark", base_currency="GBP", connected_on=date(2025, 1, 1)),
        as_of=TODAY,
        customers=people,
        invoices=documents,
        payments=payments,
        served=served,
        fees=fees,
    )


def _payment(
    n: int, customer: CustomerId, invoice: InvoiceId, part: int, currency: str, due_on: date
) -> Payment:
    return Payment(
        id=PaymentId(f"P{n}"),
        customer=customer,
        currency=currency,
        on=min(due_on, TODAY) - timedelta(days=3),
        amount=part,
        allocations=(Allocation(invoice, part),),
    )


def _served(kind: str, on: date, customer: CustomerId, invoice: InvoiceId, stage: str) -> Served:
    return Served(
        on=on,
        kind=kind,
        customer=customer,
        invoice=invoice,
        stage=StageId(stage),
        channel="email" if kind == "reminder" else "",
        key=ItemKey(f"{kind}/{invoice}/{stage}/1"),
        message=f"msg/{customer}/{on}",
    )


def _fee(customer: CustomerId, invoice: InvoiceId, currency: str, amount: int) -> FeePosted:
    return FeePosted(
        on=POSTED,
        invoice=invoice,
        customer=customer,
        fee=FeeId("late-interest"),
        amount=amount,
        currency=currency,
        through=POSTED,
        key=ItemKey(f"late_fee/{invoice}/late-interest/2026-09"),
        document=f"LF-{invoice}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--policy", choices=("plain", "full"), default="plain")
    given = parser.parse_args()
    made, rules = book(given.invoices, given.customers), policy(given.policy)
    gc.collect()
    started, used = perf_counter(), process_time()
    with all_of_it_stays():  # as where a plan is made
        decisions = decide(made, rules, TODAY)
    seconds, used = perf_counter() - started, process_time() - used
    acts = sum(1 for decision in decisions if isinstance(decision, Act))
    silent = sum(1 for decision in decisions if not decision.reasons)
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    print(
        json.dumps(
            {
                "benchmark": "decide",
                "policy": given.policy,
                "n": given.invoices,
                "seconds": round(seconds, 3),
                "cpu_seconds": round(used, 3),
                "invoices_per_s": round(given.invoices / seconds),
                "invoices_per_cpu_s": round(given.invoices / used),
                "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // scale,
                "acts": acts,
                "skips": len(decisions) - acts,
                "without_reason": silent,
            }
        )
    )


if __name__ == "__main__":
    main()
