"""Who decides what is known of a customer, told so that a person can follow it."""

from datetime import date

from ar_bridge.facts_file import augment, parse_facts
from ar_bridge.precedence import facts_told
from rules.model import Customer, CustomerId

TODAY = date(2026, 11, 2)
FILE = parse_facts("""
[defaults]
language = "en"
country = "GB"
entity_type = "company"

[customer.C1]
credit_limit = "5000.00"
terms_days = 45
tags = ["vip"]
address = ["1 High Street", "Leeds"]
contacts = [{ email = "ada@north.example", roles = ["owner"] }]
override = { mode = "approve", reason = "new owner", until = 2026-12-31 }

[customer.C2]
exempt = { reason = "related company", until = 2026-10-31 }
override = { mode = "observe", reason = "merger", until = 2026-10-31 }
""")


def told(customer: str, **ledger: object) -> tuple[str, ...]:
    known = Customer(id=CustomerId(customer), name="North Ltd", currency="GBP", **ledger)
    return facts_told(known, FILE, TODAY)


def test_the_file_outranks_the_ledger_and_defaults_come_last() -> None:
    assert told("C1", credit_limit=400_000, country="FR", terms_days=45, tags=("trade",)) == (
        "Mode: no freer than approve until 2026-12-31 (customers.toml: new owner).",
        "Entity type company: customers.toml, [defaults].",
        "Language en: customers.toml, [defaults].",
        "Country FR: the ledger.",
        "Credit limit 5000.00 GBP: customers.toml; the ledger says 4000.00 GBP.",
        "Payment terms 45 days: customers.toml.",
        "Address 1 High Street, Leeds: customers.toml.",
        "Tags trade: the ledger.",
        "Tags vip: customers.toml.",
        "Contact ada@north.example (owner): customers.toml.",
    )


def test_what_has_ended_is_told_as_ended() -> None:
    lines = told("C2")
    assert lines[0] == "Mode: the override to observe ended on 2026-10-31 (customers.toml: merger)."
    assert lines[1] == "The exemption ended on 2026-10-31 (customers.toml: related company)."
    assert FILE.mode("C2", TODAY) is None


def test_a_guess_is_told_as_one_and_what_is_told_is_what_holds() -> None:
    known = Customer(id=CustomerId("C9"), name="North Ltd", currency="GBP")
    nothing = parse_facts("")
    (line,) = facts_told(known, nothing, TODAY)
    assert line.startswith("Entity type company: a guess")
    assert augment(known, nothing).entity_type_is_guess
