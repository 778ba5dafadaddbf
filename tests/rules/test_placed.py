"""Whatever the life of a book and whatever the policy does: no message of any kind, no fee and no
hold says a word of an invoice that is with an agency."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model.book import Book
from rules.placed import placed_invoices
from rules.policy.schema import Policy
from tests.rules.books import acts
from tests.rules.lives import FIRST, live, lives
from tests.rules.random_policies import policies


@st.composite
def lives_with_placements(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some invoices are handed over at some time; some of them come back."""
    events = draw(lives())
    for invoice in [event for event in events if event["t"] == "invoice"]:
        if draw(st.integers(0, 2)) == 0:
            continue
        on = FIRST + timedelta(days=draw(st.integers(-20, 50)))
        told = {"invoices": [invoice["id"]], "customer": invoice["customer"]}
        events.append({"t": "placement", "date": str(on), **told})
        if draw(st.integers(0, 3)) == 0:
            back = on + timedelta(days=draw(st.integers(1, 20)))
            events.append({"t": "recall", "date": str(back), **told})
    return events


def words_of(value: object) -> Iterator[str]:
    """Every text in an action, wherever it stands."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from words_of(name)
            yield from words_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from words_of(part)


def placed_on(book: Book, day: date) -> set[str]:
    return {name for account in book.accounts() for name in placed_invoices(account, day)}


@settings(max_examples=12, deadline=None)
@given(lives_with_placements(), policies())
def test_nothing_for_customers_names_what_is_placed(
    events: list[dict[str, Any]], policy: Policy
) -> None:
    for lived in live(events, policy, days=45):
        placed = placed_on(lived.book, lived.day)
        if not placed:
            continue
        for act in acts(lived.decided):
            if not act.action.is_customer_facing:
                continue
            named = {
                name
                for word in words_of(msgspec.to_builtins(act.action))
                for name in placed
                if name == word or name in word.replace("/", " ").split()
            }
            assert not named, (act.action.kind, lived.day, named, act.action)
