"""Lint of the `[[test]]` blocks of a policy: what a test names and that there never is.

A test that expects a misspelt kind or reason fails when it is run, and says only that nothing of
the kind was there. Here is what was probably meant, with its place.
"""

from collections.abc import Collection, Iterator
from typing import Final, get_args

import msgspec

from rules.actions.courtesy import WordKind
from rules.actions.table import ACTIONS
from rules.credit_control import CREDIT, WARNING
from rules.deposits import DEPOSIT
from rules.model.events import KINDS
from rules.model.own_stages import OWN_STAGES
from rules.policy.finding import Finding
from rules.policy.reading import PathPart, did_you_mean
from rules.policy.schema import Policy
from rules.policy.section import Section
from rules.policy.testing import PolicyTest
from rules.policy.values import Mode
from rules.policy_tests import read_book
from rules.reasons import OF_ACTS, REASONS
from rules.write_offs import SMALL_BALANCE

_KINDS: Final = tuple(dict.fromkeys(action.kind for action in ACTIONS))
_CODES: Final = tuple(code for code in REASONS if code not in OF_ACTS)
_MODES: Final = tuple(str(mode) for mode in Mode)
_STAND_INS: Final[frozenset[str]] = OWN_STAGES.union(
    (CREDIT, WARNING, DEPOSIT, SMALL_BALANCE), get_args(WordKind)
)
"""What stands in the place of a stage where an action comes from none."""


class _Words(msgspec.Struct, frozen=True):
    """What a key of an expectation names, and what there is of it."""

    what: str
    known: Collection[str]
    others: frozenset[str] = frozenset()
    """Right too, but nothing that an author would have meant by another word."""


def findings_of_tests(policy: Policy) -> Iterator[Finding]:
    """Kinds, reasons, ids and events that a test names and that nothing ever is: errors, as such
    a test says something else than it seems to."""
    for number, test in enumerate(policy.test):
        yield from _events(policy, test, ("test", number, "events"))
        vocabulary = _vocabulary(policy, test)
        for name, rows in (("actions", test.actions or ()), ("skips", test.skips)):
            for at, expected in enumerate(rows):
                yield from _expected(expected, ("test", number, name, at), vocabulary)


def _vocabulary(policy: Policy, test: PolicyTest) -> dict[str, _Words]:
    """By key of an expectation."""
    stages = [name for stage in policy.stage for name in (stage.id, *stage.was)]
    stages += [statement.id for statement in policy.statement]
    stages += [policy.discount.id] if policy.discount is not None else []
    fees = [name for fee in policy.fee for name in (fee.id, *fee.was)]
    customers, invoices = (_ids(test, kind) for kind in ("customer", "invoice"))
    return {
        "kind": _Words("kind of action", _KINDS),
        "code": _Words("reason", _CODES),
        "mode": _Words("mode", _MODES),
        "stage": _Words("stage", stages, _STAND_INS),
        "fee": _Words("fee", fees),
        "customer": _Words("customer", customers),
        "invoice": _Words("invoice", invoices),
        "invoices": _Words("invoice", invoices),
    }


def _ids(test: PolicyTest, kind: str) -> list[str]:
    return [str(event["id"]) for event in test.events if event.get("t") == kind and "id" in event]


def _expected(
    expected: Section,
    place: tuple[PathPart, ...],
    vocabulary: dict[str, _Words],
) -> Iterator[Finding]:
    for key, words in vocabulary.items():
        value = getattr(expected, key, None)
        for word in value if isinstance(value, tuple) else (value,):
            if word is None or word in words.known or word in words.others:
                continue
            yield Finding(
                severity="error",
                code="test_expects_unknown",
                path=(*place, key),
                message=f'{key}: there is no {words.what} "{word}", so this test never passes',
                hint=_hint(word, words),
            )


def _hint(word: str, words: _Words) -> str:
    if words.what == "reason" and word in OF_ACTS:
        return "that is a reason to act, not to wait"
    # What the test's own events name is found there, everything else in the file.
    where = "among its events" if words.what in ("customer", "invoice") else "in this file"
    return did_you_mean(word, words.known) or f"there is no {words.what} {where}"


def _events(policy: Policy, test: PolicyTest, place: tuple[PathPart, ...]) -> Iterator[Finding]:
    """Events that cannot be used: the test would fail and say so only then."""
    _, problems = read_book(test, policy)
    for problem in problems:
        number = problem.line - 1
        kind = test.events[number].get("t") if number < len(test.events) else None
        is_unknown = isinstance(kind, str) and kind not in KINDS
        yield Finding(
            severity="error",
            code="test_event",
            path=(*place, number, "t") if is_unknown else (*place, number),
            message=f'the test "{test.name}" cannot use an event: {problem.message}',
            hint=did_you_mean(kind, KINDS) if is_unknown else problem.hint,
        )
