"""How many late fees a second are decided, drafted, stored and put into the outbox.

    python -m benchmarks.fee_actions [--fees 5000]

Every invoice owes interest today. Each fee is derived, its number made, its notice written as a
part of the customer's message, both stored, approved by rule, and their effects put into the
outbox: everything but the sending. One customer in two hundred invoices, so that fees and not
letters are measured; `letters` says how many there were.
"""

import argparse
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time

from ar_bridge.planner import make_plan
from ar_bridge.store import actions as action_store
from benchmarks.decide import TODAY
from benchmarks.plan_store import opened, peak_rss_mb
from rules.model import Book, Company, Customer, CustomerId, Invoice, InvoiceId
from rules.policy.load import load_policy

POLICY = """
schema = 1
name = "fees"
legal_basis = "contract:terms"

[limits]
mails_per_run = 1000000
fees_per_run = 1000000
mails_per_day = 1000000
fees_per_day = 1000000
first_apply = 1000000

[[stage]]
id = "first"
at = "due + 60d"
do = ["remind"]
template = "overdue_1"

[[fee]]
id = "late"
type = "interest"
annual_rate = 18
post = "when_due"
cap = { percent_of_original = 25, posts = 12 }
"""

PER_CUSTOMER = 200


def book(fees: int) -> Book:
    """Invoices that fell due a fortnight ago."""
    people = {
        CustomerId(f"C{n:05}"): Customer(
            id=CustomerId(f"C{n:05}"),
            name=f"Customer {n}",
            currency="GBP",
            email=f"ap+{n}@customer.example",
            entity_type="company",
        )
        for n in range(max(1, fees // PER_CUSTOMER))
    }
    names = list(people)
    due_on = TODAY - timedelta(days=14)
    return Book(
        company=Company(id="benchmark", base_currency="GBP", connected_on=TODAY),
        as_of=TODAY,
        customers=people,
        invoices=[
            Invoice(
                id=InvoiceId(f"I{n:06}"),
                number=f"INV-{n}",
                customer=names[n % len(names)],
                currency="GBP",
                issued_on=due_on - timedelta(days=30),
                due_on=due_on,
                total=100_000 + n,
                balance=100_000 + n,
            )
            for n in range(fees)
        ],
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--fees", type=int, default=5_000)
    asked = options.parse_args().fees
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(
            Path(folder), made=book(asked), policy=load_policy(POLICY), mode="auto", can_charge=True
        ) as desk,
    ):
        start, cpu = perf_counter(), process_time()
        plan = make_plan(desk)
        seconds, cpu = perf_counter() - start, process_time() - cpu
        with desk.store.read() as conn:
            counts = action_store.counts_by_state(conn, desk.book_id)
        fees = sum(count for (kind, _), count in counts.items() if kind == "late_fee")
        print(
            json.dumps(
                {
                    "benchmark": "fee_actions",
                    "n": fees,
                    "seconds": round(seconds, 3),
                    "cpu_seconds": round(cpu, 3),
                    "fees_per_s": round(fees / seconds),
                    "fees_per_cpu_s": round(fees / cpu),
                    "peak_rss_mb": peak_rss_mb(),
                    "approved": counts.get(("late_fee", "approved"), 0),
                    "letters": plan.planned - fees,
                }
            )
        )


if __name__ == "__main__":
    main()
