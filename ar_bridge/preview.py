"""A book file looked at without any configuration or database: plan, explain, quote."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ar_bridge.clock import VirtualClock
from ar_bridge.drafts import Terms, drafts
from ar_bridge.errors import SetupError, UsageError
from ar_bridge.messages.sender import Sender
from ar_bridge.messages.templates import Templates
from ar_bridge.plan_view import plan_view
from ar_bridge.policies import read_policy
from ar_bridge.wiring import holidays_for, renderer, sending_times
from ar_bridge.worklist import Entry, foreseen
from connectors.bookfile import read_events
from connectors.bookfile.reading import BookFileError
from rules.actions.action import EffectContext
from rules.actions.internal import OpenTask
from rules.decide import acts, decide
from rules.model import Book, CustomerId
from rules.model.events import EventLog
from rules.policy.schema import Policy

MORNING = time(9)


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A book and a policy on a day, and what of the file could not be used."""

    book: Book
    policy: Policy
    on: date
    problems: tuple[str, ...]
    told_of: Callable[[CustomerId], tuple[str, ...]] = lambda customer: ()
    """Sentences on who decides what is known of a customer, where there is more than the book."""
    planned_of: Callable[[CustomerId], tuple[str, ...]] = lambda customer: ()
    """Sentences on what is planned for a customer and waits, and since when."""


def open_preview(file: Path, policy: str | None, on: str | None) -> Preview:
    """Fold the file as of the day. Raises SetupError, PolicyError, UsageError."""
    if policy is None:
        raise UsageError(
            "--book-file needs a policy.",
            remedy="add --policy FILE, or a preset: --policy standard",
        )
    rules = read_policy(policy)
    try:
        events = read_events(file)
    except BookFileError as error:
        raise SetupError(f"{error}.", remedy="name a book file with --book-file") from error
    log = EventLog(events.events, source=file.name)
    day = _day(on, events.events)
    rules = rules.on(day)
    folded = log.as_of(day)
    book = msgspec.structs.replace(
        folded.book, holidays=holidays_for(rules, folded.book.company, _morning(folded.book, day))
    )
    if not book.customers and not book.invoices:
        raise SetupError(
            f"{file.name} holds nothing that could be read.",
            problems=[str(problem) for problem in (*events.problems, *folded.problems)],
            remedy="mend the rows named above",
        )
    problems = dict.fromkeys(str(problem) for problem in (*events.problems, *folded.problems))
    return Preview(book=book, policy=rules, on=day, problems=tuple(problems))


def preview_plan(file: Path, policy: str | None, on: str | None) -> tuple[dict[str, Any], Preview]:
    """What would be planned, as `plan --json` prints it. Nothing is stored and no fee account is
    asked for."""
    seen = open_preview(file, policy, on)
    book, rules = seen.book, seen.policy
    clock = VirtualClock(_morning(book, seen.on))
    sender = Sender(name=book.company.name or book.company.id, reply_to="accounts@company.example")
    terms = Terms(
        mode=rules.mode.value,
        mode_of=lambda customer: None,
        has_drafts=True,
        can_charge=True,
        render=renderer(sender, Templates([])),
        send_at=sending_times(rules, book.holidays, clock),
    )
    made, skipped = drafts(book, rules, seen.on, terms)
    numbers = {invoice.id: invoice.number for invoice in book.invoices}
    view = plan_view(
        plan_id="",
        book_name=file.name,
        book=book,
        book_as_of=seen.on,
        on=seen.on,
        policy_name=rules.name,
        policy_hash=rules.hash,
        drafts=[
            (
                draft,
                1,
                EffectContext(
                    company_id=book.company.id,
                    today=draft.send_on,
                    numbers=numbers,
                    message=draft.message,
                ),
            )
            for draft in made
        ],
        skips=skipped,
    )
    return view, seen


def preview_worklist(
    file: Path, policy: str | None, on: str | None, owner: str | None
) -> tuple[str, str, list[Entry]]:
    """The name of the book, the day, and what would wait for a person on it."""
    view, seen = preview_plan(file, policy, on)
    decided = {
        act.action.key: act.action
        for act in acts(decide(seen.book, seen.policy, seen.on))
        if isinstance(act.action, OpenTask)
    }
    return file.name, seen.on.isoformat(), foreseen(view, decided, seen.policy.person, owner)


def _day(on: str | None, events: list[dict[str, Any]]) -> date:
    if on is not None:
        try:
            return date.fromisoformat(on)
        except ValueError:
            raise UsageError(
                f'--on "{on}" is not a date.', remedy="write it like 2026-11-30"
            ) from None
    known = [str(_known(event)) for event in events if _known(event)]
    if not known:
        raise UsageError("The book has no dated events.", remedy="say --on DATE")
    return date.fromisoformat(max(known)[:10])


def _known(event: Mapping[str, Any]) -> object:
    return event.get("known") or event.get("date")


def _morning(book: Book, day: date) -> datetime:
    zone = ZoneInfo(book.company.timezone)
    return datetime.combine(day, MORNING, tzinfo=zone).astimezone(UTC)
