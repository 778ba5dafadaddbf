"""`ar-bridge backtest`: what one or several policies would have done over a book's history."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import JsonOption
from ar_bridge.cli.word_options import day_of

if TYPE_CHECKING:
    from ar_bridge.insights.backtest import Backtest


def command(
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="First day.")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day.")],
    book_file: Annotated[
        Path, typer.Option("--book-file", metavar="FILE", help="A book file with its history.")
    ],
    policy: Annotated[
        list[str],
        typer.Option("--policy", metavar="P", help="A policy or preset; again to compare several."),
    ],
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
    and erred, not how much sooner money would have come.
    """
    from ar_bridge.errors import SetupError, UsageError
    from ar_bridge.holiday_sets import holiday_set
    from ar_bridge.insights.backtest import backtest
    from ar_bridge.policies import read_policy
    from connectors.bookfile import read_events
    from connectors.bookfile.reading import BookFileError
    from rules.model.events import EventLog

    begins, ends = day_of(first, "--from"), day_of(last, "--to")
    if ends < begins:
        raise UsageError(f"--to {ends} is before --from {begins}.", remedy="swap them")
    policies = [read_policy(name) for name in policy]
    try:
        events = read_events(book_file)
    except BookFileError as error:
        raise SetupError(f"{error}.", remedy="name a book file with --book-file") from error
    log = EventLog(events.events, source=book_file.name)
    for problem in (*events.problems, *log.problems):
        console.warn(str(problem))
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
        console.print_json({"schema": 1, "policies": [result.plain() for result in results]})
    else:
        _print(results)


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
