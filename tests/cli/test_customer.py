"""`ar-bridge customer`: the file changes, the audit says who and why, the next plan knows."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.newcomer import Newcomer


def file_of(person: Newcomer) -> Path:
    """Where the book's facts lie."""
    return Path(person.done("customer", "show", "North Ltd", "--json").json["file"])


def said(person: Newcomer, customer: str) -> Any:
    """What the file says of a customer."""
    return tomllib.loads(file_of(person).read_text(encoding="utf-8"))["customer"].get(customer, {})


def changes(person: Newcomer) -> list[dict[str, Any]]:
    """Audit entries of the file, oldest first."""
    entries = person.done("audit", "show", "--json").json["entries"]
    found = [e for e in entries if e["event"] == "CustomerFactsChanged"]
    return sorted(found, key=lambda entry: entry["seq"])


def test_facts_are_set_unset_and_shown_with_who_and_why(newcomer: Newcomer) -> None:
    newcomer.settle()
    person = newcomer
    north = person.done("customer", "show", "North Ltd", "--json").json["customer"]
    done = person.done(
        *("customer", "set", "North Ltd", "entity_type=company", "credit_limit=5000.00"),
        *("terms_days=45", "tags=vip,key", "autopay=no", "--reason", "new contract"),
    )
    assert "terms_days is 45 now, was not said" in done.out
    assert said(person, north) == {
        "entity_type": "company",
        "credit_limit": "5000.00",
        "terms_days": 45,
        "tags": ["vip", "key"],
        "autopay": False,
    }
    person.done("customer", "unset", "North Ltd", "credit_limit", "--reason", "no longer")
    person.done("customer", "tag", north, "--add", "slow", "--remove", "VIP", "--reason", "late")
    assert said(person, north)["tags"] == ["key", "slow"]
    told = changes(person)
    assert [(e["payload"]["key"], e["payload"]["reason"]) for e in told[-2:]] == [
        ("credit_limit", "no longer"),
        ("tags", "late"),
    ]
    assert told[-1]["payload"]["before"] == ["vip", "key"]
    assert "command line" in told[-1]["actor"]
    shown = person.done("customer", "show", north)
    assert "tags = key, slow" in shown.out and "no longer" in shown.out
    assert "unbroken" in person.done("audit", "verify").out


def test_contacts_and_overrides(newcomer: Newcomer) -> None:
    person = newcomer.settle()
    north = person.done("customer", "show", "North Ltd", "--json").json["customer"]
    why = ("--reason", "they wrote")
    person.done("customer", "add-contact", north, "--email", "ada@north.example", *why)
    person.done(
        *("customer", "add-contact", north, "--email", "Ada@north.example", "--name", "Ada"),
        *("--role", "owner", *why),
    )
    (contact,) = said(person, north)["contacts"]
    assert contact == {"name": "Ada", "email": "Ada@north.example", "roles": ["owner"]}
    person.done("customer", "remove-contact", north, "ada@north.example", *why)
    assert "contacts" not in said(person, north)
    gone = person("customer", "remove-contact", north, "ada@north.example", *why)
    assert gone.code == 2
    person.done("customer", "override", north, "observe", "--until", "2026-03-20", *why)
    assert said(person, north)["override"]["mode"] == "observe"
    person.done("customer", "override", north, "none", *why)
    assert "override" not in said(person, north)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["entity_type=firm"], "firm"),
        (["terms_days=soon", "language=german"], "german"),
        (["langage=de"], "language"),
        (["contacts=ada@north.example"], "add-contact"),
        (["terms_days"], "terms_days=30"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(
    newcomer: Newcomer, typed: list[str], told: str
) -> None:
    person = newcomer.settle()
    wrong = person("customer", "set", "North Ltd", *typed, "--reason", "x")
    assert wrong.code == 2 and told in wrong.err
    assert not file_of(person).exists()
    assert not changes(person)


def test_no_change_without_a_reason(newcomer: Newcomer) -> None:
    person = newcomer.settle()
    silent = person("customer", "set", "North Ltd", "terms_days=3")
    assert silent.code == 2 and "--reason" in silent.err
    assert not changes(person)


def test_the_next_plan_knows(newcomer: Newcomer) -> None:
    person = newcomer.settle()
    before = person.done("plan", "--json").json["actions"]
    north = person.done("customer", "show", "North Ltd", "--json").json["customer"]
    assert north in {action["customer"] for action in before}
    person.done("customer", "set", north, "autopay=yes", "--reason", "mandate signed")
    after = person.done("plan", "--json").json["actions"]
    assert north not in {action["customer"] for action in after}


def test_explain_says_who_decides(newcomer: Newcomer) -> None:
    person = newcomer.settle()
    why = ("--reason", "new owner")
    person.done("customer", "set", "North Ltd", "terms_days=60", *why)
    person.done("customer", "override", "North Ltd", "approve", "--until", "2026-04-30", *why)
    said = person.done("explain", "INV-1")
    assert "no freer than approve until 2026-04-30" in said.out and "new owner" in said.out
    facts = person.done("explain", "INV-1", "--json").json["customer_facts"]
    assert any(line.startswith("Payment terms 60 days: ") for line in facts)
    assert any(line.startswith("Entity type company: a guess") for line in facts)
