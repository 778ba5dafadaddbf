"""Looking at a book on a day: a connected one from our records, or a book file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import invocation
from ar_bridge.errors import UsageError
from ar_bridge.preview import Preview, open_preview
from rules.model import CustomerId

if TYPE_CHECKING:
    from ar_bridge.context import BookContext


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

        yield Preview(
            book=loaded,
            policy=desk.policy,
            on=day,
            problems=(),
            told_of=told_of,
            planned_of=lambda customer: planned_of(desk, loaded.payer_of(customer)),
        )


def planned_of(desk: "BookContext", customer: CustomerId) -> tuple[str, ...]:
    """What is planned or approved for a customer, since when it waits and whose words it has, and
    what was deferred because the day's calls are not enough."""
    from ar_bridge.expiry import expires_on
    from ar_bridge.pricing import DEFERRED
    from ar_bridge.store import actions, skips
    from rules.calendar import local_date
    from rules.explain import sentence

    zone = desk.company.timezone
    with desk.store.read() as conn:
        rows = actions.actions_in(conn, desk.book_id, ("planned", "approved"), customers={customer})
        deferred = skips.listed(conn, desk.book_id, customer=customer, code=DEFERRED)
    lines: list[str] = []
    for row in rows:
        told = f"{row.key}: {row.kind.replace('_', ' ')}, revision {row.revision}"
        if row.state == "approved":
            told += f", approved by {row.approved_by}, for {row.send_on}"
        elif row.waiting_since is not None and row.asked_at is not None:
            told += f", waits for a person since {local_date(row.waiting_since, zone)}"
            ends_on = expires_on(desk.policy, local_date(row.asked_at, zone))
            told += f", expires on {ends_on}" if ends_on is not None else ""
        if row.edited_by is not None:
            told += f"; the wording is that of {row.edited_by}"
        lines.append(told)
    lines += [
        f"{one.skip.key}: {sentence(reason)}" for one in deferred for reason in one.skip.reasons[:1]
    ]
    return tuple(lines)
