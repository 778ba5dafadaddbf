"""Conditions hold, fail and explain themselves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy.conditions import Conditions
from rules.policy.facts import FACTS
from rules.policy.reading import Misread, Misreads

FACT_VALUES: dict[str, Any] = {
    "invoice_balance": 2000,
    "currency": "GBP",
    "tags": ("VIP", "north"),
    "country": "GB",
    "days_past_due": 12,
    "terms_days": None,
    "is_on_hold": False,
    "po": "",
    "entity_type": "company",
}


def holds(table: Any, **changed: Any) -> bool:
    return Conditions.parse(table).holds({**FACT_VALUES, **changed})


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"invoice_balance": ">= 20"}, True),
        ({"invoice_balance": "> 20"}, False),
        ({"invoice_balance": "<= 20.00"}, True),
        ({"invoice_balance": "< 20"}, False),
        ({"invoice_balance": 20}, True),
        ({"invoice_balance": "19.99"}, False),
        ({"invoice_balance": ["5", ">= 20"]}, True),
        ({"days_past_due": "10..12"}, True),
        ({"days_past_due": "13..20"}, False),
        ({"days_past_due": ">= 11.5"}, True),
        ({"tags": "vip"}, True),
        ({"tags": ["south", "North"]}, True),
        ({"tags": "south"}, False),
        ({"country": "gb"}, True),
        ({"country": ["IE", "FR"]}, False),
        ({"po": ""}, True),
        ({"is_on_hold": False}, True),
        ({"is_on_hold": True}, False),
        ({"terms_days": ">= 0"}, False),
        ({"terms_days": [10, 30]}, False),
        ({"tags": "vip", "country": "IE"}, False),
        ([{"tags": "south"}, {"country": "GB", "days_past_due": 12}], True),
        ([{"tags": "south"}, {"country": "GB", "days_past_due": 13}], False),
    ],
)
def test_what_holds(table: Any, expected: bool) -> None:
    assert holds(table) is expected


def test_amounts_compare_nominally_in_the_invoices_currency() -> None:
    table = {"invoice_balance": ">= 20.5"}
    assert holds(table, currency="JPY", invoice_balance=21)
    assert not holds(table, currency="JPY", invoice_balance=20)
    assert holds(table, currency="KWD", invoice_balance=20_500)
    assert not holds(table, currency="KWD", invoice_balance=20_499)


def test_a_fact_that_the_caller_forgot_is_an_error_and_not_a_no() -> None:
    with pytest.raises(KeyError):
        Conditions.parse({"reference": "x"}).holds(FACT_VALUES)


def test_the_facts_that_are_needed() -> None:
    assert Conditions.parse({"tags": "x"}).facts == {"tags"}
    mixed = Conditions.parse([{"customer_overdue": "> 1"}, {"country": "GB"}])
    assert mixed.facts == {"customer_overdue", "country", "currency"}


def test_why_it_fails_and_why_it_holds() -> None:
    table = [{"invoice_balance": "> 20", "country": "IE"}, {"days_past_due": "13..20"}]
    conditions = Conditions.parse(table)
    assert conditions.failing(FACT_VALUES) == ("days_past_due is 12, not 13..20",)
    assert conditions.holding(FACT_VALUES) == ()
    amount = Conditions.parse({"invoice_balance": "> 20", "po": ["a", "b"]})
    assert amount.failing(FACT_VALUES) == (
        "invoice_balance is 20.00 GBP, not > 20",
        "po is empty, not one of a, b",
    )
    unknown = Conditions.parse({"terms_days": 30})
    assert unknown.failing(FACT_VALUES) == ("terms_days is not known, not 30",)
    true = Conditions.parse({"is_on_hold": False, "tags": "vip"})
    assert true.failing(FACT_VALUES) == ()
    assert true.holding(FACT_VALUES) == ("is_on_hold is false", "tags is VIP, north")
    assert str(amount) == "invoice_balance is > 20 and po is one of a, b"


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ({"invoice_balence": 3}, "invoice_balence", '"invoice_balance"'),
        ({"xyzzy": 3}, "xyzzy", "known facts"),
        ({"unless": {"tags": "x"}}, "unless", "beside"),
        ({"invoice_balance": "=> 20"}, '"=>"', '">= 20"'),
        ({"invoice_balance": "!= 20"}, '"!="', "unless"),
        ({"invoice_balance": "much"}, "is an amount", ">= 20"),
        ({"days_past_due": "20..10"}, "empty range", '"10..20"'),
        ({"days_past_due": True}, "is a number", ""),
        ({"country": 3}, "is text", '"3"'),
        ({"country": ">= GB"}, "cannot be compared", "unless"),
        ({"entity_type": "compny"}, "compny", '"company"'),
        ({"is_on_hold": "yes"}, "yes or no", "is_on_hold = true"),
        ({"days_past_due": "5d"}, "is a number", "days as plain numbers"),
        ({"stages_served": 3}, "list of words", '"3"'),
        ({"tags": {}}, "list of words", "tags = ["),
        ({"country": []}, "one of nothing", ""),
    ],
)
def test_a_wrong_condition_says_what_was_meant(table: Any, message: str, hint: str) -> None:
    with pytest.raises(Misreads) as caught:
        Conditions.parse(table)
    (problem,) = caught.value.each
    assert message in problem.message
    assert hint in problem.hint
    assert problem.path == tuple(table)


def test_every_wrong_fact_is_told_at_once() -> None:
    with pytest.raises(Misreads) as caught:
        Conditions.parse([{"tagz": "x", "countri": "GB"}, {}, {"po": 1}])
    assert [one.path for one in caught.value.each] == [(0, "tagz"), (0, "countri"), (1,), (2, "po")]
    for nothing in ([], "vip", 3):
        with pytest.raises(Misread):
            Conditions.parse(nothing)


def a_word(name: str) -> str:
    """Something that a fact of text may be."""
    return (FACTS[name].choices or ("company",))[0]


TABLES = st.dictionaries(
    st.sampled_from(sorted(FACTS)), st.integers(0, 3), min_size=1, max_size=4
).map(
    lambda table: {
        name: {"amount": f"<= {n}", "number": n, "flag": n % 2 == 0}.get(
            FACTS[name].type, a_word(name)
        )
        for name, n in table.items()
    }
)


@given(st.one_of(TABLES, st.lists(TABLES, min_size=2, max_size=3)))
def test_conditions_are_values_written_as_they_are_read(table: Any) -> None:
    conditions = Conditions.parse(table)
    again = Conditions.parse(conditions.plain())
    assert again == conditions
    assert hash(again) == hash(conditions)


@given(st.lists(TABLES, min_size=1, max_size=3), st.integers(0, 400))
def test_it_holds_exactly_when_nothing_fails(tables: list[Any], balance: int) -> None:
    values = {"amount": balance, "number": balance % 4, "flag": balance % 2 == 0, "tags": ()}
    facts = {name: values.get(fact.type, a_word(name)) for name, fact in FACTS.items()}
    facts["currency"] = "GBP"
    conditions = Conditions.parse(tables)
    assert conditions.holds(facts) is (conditions.failing(facts) == ())
    assert conditions.holds(facts) is (conditions.holding(facts) != ())
