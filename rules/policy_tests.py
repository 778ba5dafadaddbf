"""Running the tests that a policy carries: a book and a day in, what has to come of it out."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.decide import decide
from rules.decision import Act, Decision, Skip
from rules.model.book import Book, HolidaySet
from rules.model.events import EventProblem, fold
from rules.model.money import format_minor
from rules.policy.schema import Policy
from rules.policy.section import Section
from rules.policy.testing import PolicyTest

COMPANY: Final[dict[str, Any]] = {
    "t": "company",
    "id": "acme",
    "base_currency": "GBP",
    "timezone": "Europe/London",
}
"""Whose book it is where a test does not say."""


class TestResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one test: passed where nothing differs."""

    __test__ = False  # not a case of our own test runner

    name: str
    differences: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.differences


def run_tests(policy: Policy) -> tuple[TestResult, ...]:
    """Every test of the policy, in its order. One that cannot be read fails and says why."""
    return tuple(
        TestResult(name=test.name, differences=tuple(_differences(policy, test)))
        for test in policy.test
    )


def read_book(test: PolicyTest, policy: Policy) -> tuple[Book, tuple[EventProblem, ...]]:
    """The book of a test as of its day, and what of its events cannot be used; the line of a
    problem is the number of the event, from 1."""
    events = [_plain(event) for event in test.events]
    if not any(event.get("t") == "company" for event in events):
        events.append(COMPANY)  # at the end: the numbers of the others stay
    folded = fold(events, test.on, source="events")
    region = policy.calendar.region
    company = folded.book.company
    book = msgspec.structs.replace(
        folded.book,
        company=msgspec.structs.replace(company, connected_on=test.connected),
        holidays={region: HolidaySet(region=region, dates=frozenset(test.holidays))},
    )
    return book, folded.problems


def _plain(value: Any) -> Any:
    """TOML values in the terms of a book file, where dates and amounts are text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _differences(policy: Policy, test: PolicyTest) -> list[str]:
    book, problems = read_book(test, policy)
    if problems:
        return [str(problem) for problem in problems]
    wrong: list[str] = []
    decided = decide(book, policy, test.on)
    acts = [found for found in decided if isinstance(found, Act)]
    skips = [found for found in decided if isinstance(found, Skip)]
    left = list(acts)
    for expected in test.actions or ():
        found = next((act for act in left if _matches(expected, _of_act(act))), None)
        if found is None:
            wrong.append(f"expected {_words(expected)}; {_among(left)}")
        else:
            left.remove(found)
    if test.actions is not None:
        wrong += [f"nobody expected {_in_words(act)}" for act in left]
    for skip in test.skips:
        if not any(_matches(skip, _of_skip(one)) for one in skips):
            wrong.append(f"expected to be left undone: {_words(skip)}; {_among(skips)}")
    return wrong


def _of_act(act: Act) -> dict[str, Any]:
    action = act.action
    told: dict[str, Any] = {
        "kind": action.kind,
        "customer": action.customer,
        "invoices": tuple(sorted(action.about)),
        "stage": action.stage,
        "currency": action.currency,
        "mode": str(act.mode),
    }
    if action.amount is not None:
        told["amount"] = Decimal(format_minor(action.amount, action.currency))
    if isinstance(action, ChargeLateFee):
        told |= {"fee": action.fee_id, "through": action.through}
    if isinstance(action, SendReminder):
        told |= {"template": action.template, "formal": action.is_formal}
        told["claimed"] = Decimal(format_minor(action.claimed, action.currency))
    return told


def _of_skip(skip: Skip) -> dict[str, Any]:
    return {
        "customer": skip.customer,
        "invoice": skip.invoice,
        "stage": skip.stage,
        "fee": skip.fee,
        "code": skip.code,
        "next_on": skip.next_on,
        "review_on": skip.review_on,
    }


def _named(expected: Section) -> dict[str, Any]:
    """The keys that a test names."""
    given = {name: getattr(expected, name) for name in expected.model_fields_set}
    if given.get("invoices") is not None:
        given["invoices"] = tuple(sorted(given["invoices"]))
    return given


def _matches(expected: Section, found: dict[str, Any]) -> bool:
    return all(found.get(name) == value for name, value in _named(expected).items())


def _words(expected: Section) -> str:
    return _listed(_named(expected)) or "anything"


def _among(found: list[Act] | list[Skip]) -> str:
    if not found:
        return "there was nothing"
    return "there was " + " | ".join(_in_words(one) for one in found[:5])


def _in_words(found: Decision) -> str:
    told = _of_skip(found) if isinstance(found, Skip) else _of_act(found)
    return _listed({name: value for name, value in told.items() if value not in (None, "", ())})


def _listed(facts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {' '.join(value) if isinstance(value, tuple) else value}"
        for name, value in facts.items()
    )
