"""A policy from a few answers: the questions that `policy new` asks, and what is made of them.

A ready policy is the beginning; the answers change its days, its fees and its words, comments
and all. What comes out is read and tested before anybody gets it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec
import tomlkit
from tomlkit.items import AoT, Item, Table

from ar_bridge.errors import SetupError, UsageError
from ar_bridge.holiday_sets import holiday_set
from ar_bridge.policies import preset_text
from ar_bridge.policy_pieces import (
    CONTRACT,
    CURRENCIES,
    CUSTOMER,
    DISPUTE,
    INVOICE,
    LAW,
    LAWS,
    TESTS,
)
from rules.policy.load import PolicyError, load_policy
from rules.policy_tests import run_tests


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question, as a person is asked it."""

    name: str
    text: str
    default: str
    choices: Mapping[str, str] = {}
    """Answer -> what it means; empty where any text that `read` takes is an answer."""
    read: Callable[[str], str] = str.strip
    """Makes an answer of what was typed. Raises ValueError with what is wrong and a remedy."""
    is_asked: Callable[[Mapping[str, str]], bool] = lambda answers: True
    """Whether it is asked at all, after the answers so far."""


def _whole(least: int, most: int) -> Callable[[str], str]:
    def read(typed: str) -> str:
        text = typed.strip().removesuffix("d")
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"{typed!r} is not a number of days: write {least} to {most}")
        return str(int(text))

    return read


def _region(typed: str) -> str:
    region = typed.strip().upper()
    try:
        holiday_set(region, range(2026, 2027))
    except SetupError as error:
        raise ValueError(f"{error.message}: {error.remedy}") from None
    return region


def _percent(typed: str) -> str:
    text = typed.strip().removesuffix("%").strip()
    whole, _, part = text.partition(".")
    if not whole.isdecimal() or (part and not part.isdecimal()) or not 0 < float(text) <= 10:
        raise ValueError(f"{typed!r} is not percent a month: write something like 1.5, at most 10")
    return text


def _is_plain(answers: Mapping[str, str]) -> bool:
    return answers.get("business") == "trade"


def _hangs_on_terms(answers: Mapping[str, str]) -> bool:
    """Whether a clause of the terms has to entitle to the fees."""
    if _is_plain(answers):
        return answers.get("fees") == "contract"
    return PLACEHOLDER in preset_text(answers["business"])


PLACEHOLDER: Final = "contract:payment-terms"
"""What a ready policy says where a clause of the terms is to be named."""

QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        name="business",
        text="What do you send invoices for?",
        default="trade",
        choices={
            "trade": "goods or services for other businesses",
            "us-contractor": "building work in the US",
            "agency-retainer": "agency work with monthly retainers",
            "alarm-monitoring": "small amounts each month, mostly paid by card or debit",
            "rent": "rent",
            "public-sector": "public bodies",
            "uk-letter-before-action": "UK businesses that you would take to court",
        },
    ),
    Question(
        name="region",
        text="Whose public holidays do you keep (such as GB-ENG, US-NY, DE-BY; empty for none)?",
        default="",
        read=_region,
    ),
    Question(
        name="tone",
        text="How should it sound?",
        default="standard",
        choices={
            "gentle": "friendly reminders, the last word is a person's",
            "standard": "growing firmer, a final notice after five weeks",
            "firm": "three quick reminders, a final notice after three weeks",
        },
        is_asked=_is_plain,
    ),
    Question(
        name="first",
        text="How many days after the due date does the first reminder go?",
        default="3",
        read=_whole(1, 30),
        is_asked=_is_plain,
    ),
    Question(
        name="before",
        text="How many days before the due date do you ask whether all is well (0 for never)?",
        default="0",
        read=_whole(0, 30),
        is_asked=_is_plain,
    ),
    Question(
        name="most",
        text="How many messages may one customer get in a week at most?",
        default="2",
        read=_whole(1, 5),
        is_asked=_is_plain,
    ),
    Question(
        name="fees",
        text="What does late payment cost?",
        default="none",
        choices={
            "none": "nothing",
            "law": "what the law gives to businesses (UK, EU, India)",
            "contract": "so many percent a month, as agreed in your terms",
        },
        is_asked=_is_plain,
    ),
    Question(
        name="percent",
        text="How many percent a month?",
        default="1.5",
        read=_percent,
        is_asked=lambda answers: _is_plain(answers) and answers.get("fees") == "contract",
    ),
    Question(
        name="clause",
        text="Which clause of your terms says what late payment costs?",
        default="payment terms",
        is_asked=_hangs_on_terms,
    ),
    Question(
        name="looks",
        text="Does a person look at everything before it goes?",
        default="yes",
        choices={"yes": "every message and fee waits for a person", "no": "within the limits"},
    ),
)


def answered(given: Mapping[str, str]) -> dict[str, str]:
    """Every question with its answer: the one given, or its default.

    Raises UsageError that names every answer that is none, all at once.
    """
    known = {question.name: question for question in QUESTIONS}
    problems = [
        f'"{name}" is not a question; there are: {", ".join(known)}'
        for name in given
        if name not in known
    ]
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        if not question.is_asked(answers):
            if question.name in given:
                problems.append(f"{question.name} says nothing here: {_why_not(answers)}")
            continue
        try:
            answers[question.name] = answer(question, given.get(question.name, ""))
        except ValueError as error:
            problems.append(f"{question.name}: {error}")
    if problems:
        raise UsageError("No policy was made.", problems=problems, remedy="answer again")
    return answers


def _why_not(answers: Mapping[str, str]) -> str:
    if not _is_plain(answers):
        return f"business = {answers.get('business')} has its own"
    return f"fees = {answers.get('fees')}"


def answer(question: Question, typed: str) -> str:
    """The answer to one question; nothing typed is its default. Raises ValueError."""
    if not typed.strip():
        return question.default
    if question.choices:
        if typed.strip() not in question.choices:
            raise ValueError(f"{typed!r} is none of {', '.join(question.choices)}")
        return typed.strip()
    return question.read(typed)


def compose(name: str, answers: Mapping[str, str]) -> str:
    """The TOML text of the policy that the answers describe.

    Raises UsageError where they do not fit together.
    """
    plain = _is_plain(answers)
    base = answers["tone"] if plain else answers["business"]
    document = tomlkit.parse(preset_text(base))
    document["name"] = name
    _set(document, "calendar", "region", answers["region"])
    own = ""
    if plain:
        _set(document, "contact", "per_customer_per_week", int(answers["most"]))
        _pace(document, int(answers["first"]), int(answers["before"]))
        document.pop("fee", None)
        document.pop("test", None)
        own = f"\n{_fee(answers)}\n{_own_test(answers)}"
        document.pop("legal_basis", None)
    elif "clause" in answers:
        document["legal_basis"] = f"contract:{answers['clause']}"
    text = tomlkit.dumps(document).rstrip() + "\n" + own
    text = re.sub(r"\n{3,}", "\n\n", text)
    if answers["looks"] == "yes":
        # Top-level keys stand before the first table.
        text = text.replace("\n[", f"{LOOKS}\n\n[", 1)
    _proved(text)
    return text


LOOKS: Final = 'mode = "approve"                         # a person looks at everything first'


def _set(document: tomlkit.TOMLDocument, section: str, key: str, value: Any) -> None:
    """Set a key of a section; the section is made where the ready policy has none."""
    if section not in document:
        document[section] = tomlkit.table()
    table = document[section]
    assert isinstance(table, Table)
    item = tomlkit.item(value)
    if not value and isinstance(known := table.get(key), Item):
        # Not answered: the remark that asks for an edit stays.
        item.trivia.comment_ws = known.trivia.comment_ws
        item.trivia.comment = known.trivia.comment
    table[key] = item


def _pace(document: tomlkit.TOMLDocument, first: int, before: int) -> None:
    """The first reminder on its day, every later stage as long after it as before, and the
    friendly question before the due date or none."""
    stages = document["stage"]
    assert isinstance(stages, AoT)
    days = [_days_after_due(str(stage["at"])) for stage in stages]
    earliest = min(day for day in days if day > 0)
    for stage, day in zip(stages, days, strict=True):
        if day > 0:
            stage["at"] = f"due + {day - earliest + first}d"
    kept = [stage for stage, day in zip(stages, days, strict=True) if day >= 0]
    if before:
        asks = tomlkit.table()
        asks.update(
            {
                "id": "before-due",
                "name": "Before the due date",
                "at": f"due - {before}d",
                "do": ["remind"],
                "template": "before_due",
            }
        )
        asks.add(tomlkit.nl())
        kept.insert(0, asks)
    document["stage"] = AoT(kept)


def _days_after_due(at: str) -> int:
    """`due + 3d` is 3, `due - 3d` is -3; 0 for what counts from something else."""
    anchor, _, offset = at.partition(" ")
    sign, _, days = offset.partition(" ")
    if anchor != "due" or not days.endswith("d") or not days[:-1].isdecimal():
        return 0
    return int(days[:-1]) * (-1 if sign == "-" else 1)


def _fee(answers: Mapping[str, str]) -> str:
    """The table of the late fee, or none. Raises UsageError where no law is known."""
    if answers["fees"] == "contract":
        return CONTRACT.format(percent=answers["percent"], clause=answers["clause"])
    if answers["fees"] == "none":
        return ""
    country = answers["region"][:2]
    if country not in LAWS:
        raise UsageError(
            f"No law of late payment is known here for {country or 'an empty region'}.",
            remedy=f"answer fees=contract, or a region of {', '.join(sorted(LAWS))}",
        )
    return LAW.format(scheme=LAWS[country])


def _own_test(answers: Mapping[str, str]) -> str:
    """Two tests of what was answered, for the policy to carry."""
    due = date(2026, 9, 1)
    on = due + timedelta(days=int(answers["first"]))
    on += timedelta(days=max(0, 7 - on.weekday()) if on.weekday() >= 5 else 0)
    currency = CURRENCIES.get(answers["region"][:2], "GBP")
    return TESTS.format(
        currency=currency,
        on=on,
        first=answers["first"],
        customer=CUSTOMER,
        invoice=INVOICE.format(due=due),
        dispute=DISPUTE,
    )


def _proved(text: str) -> None:
    """Nobody gets a policy that cannot be read or fails its own tests. Raises UsageError."""
    try:
        results = run_tests(load_policy(text, source="the new policy"))
    except PolicyError as error:
        raise UsageError(
            "These answers make no sound policy.",
            problems=[str(problem) for problem in error.problems],
            remedy="answer again",
        ) from error
    failed = [f"{one.name}: {said}" for one in results for said in one.differences]
    if failed:
        raise UsageError(
            "These answers do not fit together.", problems=failed, remedy="answer again"
        )
