"""The short way of deciding about a book says what the long way says, decision by decision."""

from datetime import date
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.decide import TODAY, book, policy
from rules.decide import decided_in, decided_one_by_one
from rules.frame import Frame
from rules.model.book import Book
from rules.nothing_due import NothingDue
from rules.policy.load import load_policy
from rules.policy.schema import Policy
from tests.rules.books import START, books, full_policy
from tests.rules.lives import FIRST, OUTAGES, live, lives
from tests.rules.random_policies import policies

SEARCH = settings(
    max_examples=settings.default.max_examples // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CONNECTED = st.sampled_from([None, date(2025, 1, 1), FIRST])

PLAIN = """
schema = 1
name = "plain"
legal_basis = "contract:terms"

[[stage]]
id = "first"
at = "{anchor}"
do = ["remind"]
template = "overdue_1"

[[stage]]
id = "second"
at = "due + 12d"
do = ["remind", "call"]
template = "overdue_2"
requires = ["first"]

[[fee]]
id = "interest"
type = "interest"
annual_rate = 18
grace = "5d"
post = {{ every = "month", on = "last_business_day" }}
{cap}
"""
"""Nothing about whole accounts: the short way is open."""

PLAINS = st.builds(
    lambda anchor, cap: load_policy(PLAIN.format(anchor=anchor, cap=cap)),
    st.sampled_from(["due + 3d", "issued + 33d", "returned"]),
    st.sampled_from(
        ["", "cap = { percent_of_original = 2 }", 'cap = { per_invoice = { GBP = "1" } }']
    ),
)


def _same(known: Book, rules: Policy, today: date) -> None:
    frame = Frame(known, rules, today)
    assert decided_in(frame) == decided_one_by_one(frame)


@SEARCH
@given(lives(), st.one_of(PLAINS, policies()), OUTAGES, CONNECTED)
def test_every_day_of_a_life_is_decided_alike(
    events: list[dict[str, Any]], rules: Policy, down: frozenset[int], connected_on: date | None
) -> None:
    for lived in live(events, rules, down=down, connected_on=connected_on):
        _same(lived.book, rules, lived.day)


@SEARCH
@given(books(), st.one_of(PLAINS, st.builds(full_policy)), st.randoms(use_true_random=False))
def test_every_book_is_decided_alike(known: Book, rules: Policy, chance: Any) -> None:
    shuffled = list(known.invoices)
    chance.shuffle(shuffled)
    _same(msgspec.structs.replace(known, invoices=shuffled), rules, START)


def test_most_of_a_book_is_never_looked_at_closer() -> None:
    known, rules = book(3_000, 600), policy()
    _same(known, rules, TODAY)
    found = NothingDue(Frame(known, rules, TODAY))
    assert not found.closer
    assert not found.doubtful
    assert 0 < sum(map(len, found.due.values())) <= len(known.invoices) // 15


def test_a_fee_that_is_too_much_is_seen_by_the_short_way() -> None:
    known, rules = book(3_000, 600), policy()
    charged = known.fees[7]
    dear = msgspec.structs.replace(charged, amount=charged.amount * 20)
    other = msgspec.structs.replace(
        known, fees=[dear if fee is charged else fee for fee in known.fees]
    )
    assert NothingDue(Frame(other, rules, TODAY)).doubtful == {charged.customer}
    _same(other, rules, TODAY)
