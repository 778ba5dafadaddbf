"""Looking at a book on a day: a connected one from our records, or a book file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import invocation
from ar_bridge.errors import UsageError
from ar_bridge.preview import Preview, open_preview
from rules.model import CustomerId


@contextmanager
def looked_at(
    ctx: typer.Context,
    book: str | None,
    book_file: Path | None,
    policy: str | None,
    on: str | None,
) -> Iterator[Preview]:
    """The book with the policy that holds for it. Raises UsageError, SetupError."""
    if book_file is not None:
        seen = open_preview(book_file, policy, on)
        console.warn(*seen.problems)
        yield seen
        return
    if policy is not None:
        raise UsageError(
            "--policy only works with --book-file.",
            remedy="a connected book is looked at under the policy of its configuration",
        )
    from ar_bridge.cli.desk import opened
    from ar_bridge.cli.word_options import day_of
    from ar_bridge.facts_file import load_facts
    from ar_bridge.precedence import facts_told
    from ar_bridge.store import mirror

    with opened(ctx, book) as desk:
        day: date = day_of(on, "--on") if on else desk.today()
        with desk.store.read() as conn:
            loaded = desk.load(conn, day, None, ())
        file = invocation(ctx).book(book).customers

        def told_of(customer: CustomerId) -> tuple[str, ...]:
            with desk.store.read() as conn:
                known = mirror.customers_by_id(conn, desk.book_id, (customer,))
            ledger = known.get(customer)
            return facts_told(ledger, load_facts(file), day) if ledger is not None else ()

        yield Preview(book=loaded, policy=desk.policy, on=day, problems=(), told_of=told_of)
