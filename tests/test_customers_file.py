"""customers.toml: what it adds, and what it says when it is wrong."""

from datetime import date
from pathlib import Path

import pytest

from ar_bridge.entity_type import guess_entity_type
from ar_bridge.errors import SetupError
from ar_bridge.facts_file import CustomerFacts, augment, load_facts, parse_facts
from rules.model import Contact, Customer, CustomerId, Pause, Stop

FILE = """
schema = 1

[defaults]
language = "en"
country = "GB"

[customer.C1]
entity_type = "partnership"
language = "de"
timezone = "Europe/Berlin"
region = "DE-BY"
tags = ["vip", "key"]
credit_limit = "5000.50"
terms_days = 45
parent = "C9"
autopay = true
contacts = [{ name = "Ada", email = "ada@north.example", roles = ["billing", "owner"] }]
exempt = { reason = "related company" }

[customer."C 2"]
exempt = { reason = "merger", from = 2026-10-01, until = 2026-12-31 }
override = { mode = "approve", reason = "new owner", until = 2026-11-30 }
"""


def test_the_file_augments_the_ledger() -> None:
    facts = parse_facts(FILE)
    known = Customer(
        id=CustomerId("C1"),
        name="North Ltd",
        currency="GBP",
        tags=("trade", "vip"),
        contacts=(Contact(email="old@north.example"),),
    )
    better = augment(known, facts)
    assert (better.entity_type, better.entity_type_is_guess) == ("partnership", False)
    assert (better.language, better.timezone, better.region) == ("de", "Europe/Berlin", "DE-BY")
    assert better.country == "GB"
    assert better.tags == ("trade", "vip", "key")
    assert (better.credit_limit, better.terms_days, better.parent) == (500_050, 45, "C9")
    assert [one.email for one in better.contacts] == ["ada@north.example", "old@north.example"]
    assert better.contacts[0].roles == ("billing", "owner")
    assert (better.name, better.currency) == ("North Ltd", "GBP")


def test_defaults_fill_what_is_open_and_no_more() -> None:
    known = Customer(id=CustomerId("C3"), name="Mary Smith", country="FR")
    better = augment(known, parse_facts(FILE))
    assert (better.country, better.language, better.entity_type) == ("FR", "en", "unknown")


@pytest.mark.parametrize(
    ("file", "name", "ledger", "expected"),
    [
        ("", "North Ltd", "unknown", ("company", True)),
        ("", "North Ltd", "individual", ("individual", False)),
        ('defaults.entity_type = "individual"', "North Ltd", "unknown", ("individual", False)),
        ('customer.C1.entity_type = "company"', "Mary", "individual", ("company", False)),
        ("", "Mary Smith", "unknown", ("unknown", False)),
    ],
)
def test_who_says_what_kind_a_customer_is(
    file: str, name: str, ledger: str, expected: tuple[str, bool]
) -> None:
    known = Customer(id=CustomerId("C1"), name=name, entity_type=ledger)
    better = augment(known, parse_facts(file))
    assert (better.entity_type, better.entity_type_is_guess) == expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("North Ltd.", "company"),
        ("Acme S.A.R.L.", "company"),
        ("Baz, LLC", "company"),
        ("Foo Inc (Leeds)", "company"),
        ("Trading Co. Ltd UK", "company"),
        ("Müller GmbH & Co. KG", "partnership"),
        ("Smith & Sons LLP", "partnership"),
        ("Hans Maier e.K.", "sole_trader"),
        ("Leeds City Council", "public_body"),
        ("AG Smith", "unknown"),
        ("Mary Smith", "unknown"),
        ("Inc", "unknown"),
        ("", "unknown"),
    ],
)
def test_kinds_guessed_from_names(name: str, kind: str) -> None:
    assert guess_entity_type(name) == kind


def test_exemptions_become_commitments() -> None:
    pause, stop = parse_facts(FILE).commitments()
    assert isinstance(stop, Stop)
    assert (stop.customer, stop.reason) == ("C1", "related company")
    assert stop.stands_on(date(2026, 11, 2))
    assert isinstance(pause, Pause)
    assert (pause.on, pause.until) == (date(2026, 10, 1), date(2026, 12, 31))


def test_an_override_holds_until_its_day() -> None:
    facts = parse_facts(FILE)
    assert facts.mode("C 2", date(2026, 11, 30)) == "approve"
    assert facts.mode("C 2", date(2026, 12, 1)) is None
    assert facts.mode("C1", date(2026, 11, 30)) is None


def test_a_missing_file_says_nothing(tmp_path: Path) -> None:
    assert load_facts(tmp_path / "customers.toml") == CustomerFacts()


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "customers.toml"
    path.write_text(
        """schema = 2
[defaults]
entity_typ = "company"
[customer.C1]
entity_type = "compny"
timezone = "Europe/Berln"
contacts = [{ emal = "x" }]
credit_limit = -5
exempt = { until = 2026-01-01 }
tags = "vip"
autopay = "yes"
[customer."a b"]
parent = "a b"
terms_days = 2.5
contacts = [{ email = "nobody" }]
override = { mode = "auto", reason = "x" }
[custommer.x]
"""
    )
    with pytest.raises(SetupError) as caught:
        load_facts(path)
    told = {problem.split(": ")[0].split(":")[1]: problem for problem in caught.value.problems}
    assert set(told) == {str(n) for n in (1, 3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17)}
    for line, meant in {
        "3": "entity_type",
        "5": '"company"',
        "6": '"Europe/Berlin"',
        "7": "email",
        "9": "reason is missing",
        "10": '["vip"]',
        "13": "its own parent",
        "16": "approve",
        "17": '"customer"',
    }.items():
        assert meant in told[line], told[line]


def test_broken_toml_is_one_message_with_its_line() -> None:
    with pytest.raises(SetupError, match=r"customers\.toml is not valid TOML: .*line 2"):
        parse_facts("[customer.C1]\nlanguage = \n")


@pytest.mark.parametrize("text", ["customer = 5", "[customer]\nC1 = 5", "defaults = []"])
def test_tables_that_are_none(text: str) -> None:
    with pytest.raises(SetupError, match="1 problem"):
        parse_facts(text)


def test_the_address_of_the_file_is_where_letters_go() -> None:
    facts = parse_facts('customer.C1.address = ["1 High Street", "Leeds LS1 1AA"]')
    known = Customer(id=CustomerId("C1"), name="North Ltd", address=("Old Road",))
    assert augment(known, facts).address == ("1 High Street", "Leeds LS1 1AA")
    other = Customer(id=CustomerId("C2"), name="South Ltd", address=("Old Road",))
    assert augment(other, facts).address == ("Old Road",)
