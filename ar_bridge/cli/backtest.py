"""`ar-bridge backtest`: what one or several policies would have done over a book's history."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import BookOption, JsonOption, invocation
from ar_bridge.cli.word_options import day_of

if TYPE_CHECKING:
    from ar_bridge.insights.backtest import Backtest
    from rules.model.events import EventLog
    from rules.model.past import PastBook
    from rules.policy.schema import Policy


def command(
    ctx: typer.Context,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="First day.")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day.")],
    book: BookOption = None,
    book_file: Annotated[
        Path | None, typer.Option("--book-file", metavar="FILE", help="A book file with history.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="P",
            help="A policy or preset; again to compare several. Default: that of the book.",
        ),
    ] = None,
    connected: Annotated[
        str | None,
        typer.Option(
            "--connected", metavar="DATE", help="As if the book had been connected on that day."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Play policies over the past: what was not known on a day is not used on it.

    Customers pay when they paid: a backtest tells how often a policy would have written, charged
    and erred, not how much sooner money would have come. Of a connected book it says what its
    records cannot know.
    """
    from ar_bridge.errors import UsageError
    from ar_bridge.holiday_sets import holiday_set
    from ar_bridge.insights.backtest import backtest
    from ar_bridge.policies import read_policy

    begins, ends = day_of(first, "--from"), day_of(last, "--to")
    if ends < begins:
        raise UsageError(f"--to {ends} is before --from {begins}.", remedy="swap them")
    if book_file is not None and not policy:
        raise UsageError("A book file has no policy.", remedy="name one with --policy")
    policies = [read_policy(name) for name in policy or ()]
    lacks: tuple[str, ...] = ()
    log: EventLog | PastBook
    if book_file is not None:
        log = _of_file(book_file)
    else:
        log, lacks, own = _of_book(ctx, book, begins, ends)
        policies = policies or [own]
    results: list[Backtest] = []
    days = (ends - begins).days + 1
    with console.progress("backtest") as step:
        for number, rules in enumerate(policies):
            region = rules.calendar.region
            results.append(
                backtest(
                    log,
                    rules,
                    begins,
                    ends,
                    holidays=holiday_set(region, range(begins.year - 1, ends.year + 2))
                    if region
                    else None,
                    connected_on=day_of(connected, "--connected") if connected else None,
                    progress=partial(_shown, step, number * days, days * len(policies)),
                )
            )
    if json:
        told = [result.plain() for result in results]
        console.print_json({"schema": 1, "policies": told, "lacks": list(lacks)})
    else:
        _print(results)
        console.say(*lacks)


def _of_file(book_file: Path) -> "EventLog":
    from ar_bridge.errors import SetupError
    from connectors.bookfile import read_events
    from connectors.bookfile.reading import BookFileError
    from rules.model.events import EventLog

    try:
        events = read_events(book_file)
    except BookFileError as error:
        raise SetupError(f"{error}.", remedy="name a book file with --book-file") from error
    log = EventLog(events.events, source=book_file.name)
    for problem in (*events.problems, *log.problems):
        console.warn(str(problem))
    return log


def _of_book(
    ctx: typer.Context, book: str | None, first: date, last: date
) -> "tuple[PastBook, tuple[str, ...], Policy]":
    """The past of a connected book, what it lacks, and the book's own policy."""
    from ar_bridge.cli.desk import opened
    from ar_bridge.errors import UsageError
    from ar_bridge.facts_file import load_facts
    from ar_bridge.insights.past import known_past

    settings = invocation(ctx).book(book)
    with opened(ctx, book) as desk:
        if last > desk.today():
            raise UsageError(
                f"--to {last} has not come yet.", remedy=f"the last day is {desk.today()}"
            )
        past = known_past(desk, load_facts(settings.customers), settings.timezone, first)
        return past.book, past.lacks, desk.policy


def _shown(bar: console.Bar, before: int, total: int, done: int) -> None:
    bar(before + done, total)


def _print(results: "list[Backtest]") -> None:
    told = [result.plain() for result in results]
    rows: list[tuple[str, ...]] = []

    def row(words: str, name: str, key: str = "") -> None:
        cells = (one[name].get(key, 0) if key else one[name] for one in told)
        rows.append((words, *(str(cell) for cell in cells)))

    row("messages", "messages")
    row("  most on one day", "busiest_day")
    row("customers written to", "customers_written_to")
    for name, words in (
        ("reminders", "invoices served"),
        ("internal", "for colleagues"),
        ("fees", "late fees"),
        ("fee_totals", "late fees in"),
        ("waits", "waiting at the end"),
    ):
        for key in dict.fromkeys(key for one in told for key in one[name]):
            row(f"{words}: {key}", name, key)
    row("for a person to approve", "approvals")
    row("reminded after the money had come", "chased_after_paying")
    console.print_table(
        ("", *(result.policy for result in results)), rows, right=[one.policy for one in results]
    )
    console.say(
        f"{results[0].days} days, {results[0].first} to {results[0].last}. Customers pay when they "
        "paid: what a reminder would have changed nobody can tell from this."
    )
