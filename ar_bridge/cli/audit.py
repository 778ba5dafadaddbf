"""`ar-bridge audit`: show, verify or export the record of what was done; erase from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption

if TYPE_CHECKING:
    from ar_bridge.audit_heads import KeptHead
    from ar_bridge.context import BookContext

command = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@command.command()
def show(
    ctx: typer.Context,
    subject: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Only what is about this key.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many of the newest entries.")] = 30,
    event: Annotated[
        list[str] | None, typer.Option("--event", metavar="EVENT", help="Only these events.")
    ] = None,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """The newest entries: when, who, what, about what."""
    from ar_bridge import audit

    with opened(ctx, book) as desk, desk.store.read() as conn:
        entries = audit.history(
            conn, book_id=desk.book_id, subject=subject, events=event or None, limit=limit
        )
    if json:
        console.print_json({"schema": 1, "entries": [_view(e) for e in entries]})
        return
    console.print_table(
        ("no.", "when (UTC)", "who", "what", "about"),
        [(str(e.seq), f"{e.at:%Y-%m-%d %H:%M}", e.actor, e.event, e.subject) for e in entries],
    )


@command.command()
def verify(
    ctx: typer.Context,
    head: Annotated[
        list[str] | None,
        typer.Option(
            "--head", metavar="SEQ:HASH", help="A head that you kept, as the daily brief tells it."
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="An exported file instead of the database."),
    ] = None,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """Check the whole chain: nothing altered, removed, cut off or put in another order; nothing
    done that no entry tells of; no plan, action or outbox that is not as the record says."""
    from ar_bridge import audit, audit_exporting, audit_gaps, audit_heads

    given = [audit_heads.given(one) for one in head or ()]
    gaps: list[str] = []
    if file is not None:
        checked = audit_exporting.check_file(file, heads=given)
        count, last, problems = checked.entries, checked.head, list(checked.problems)
    else:
        with opened(ctx, book) as desk:
            # Read before the snapshot: another process may keep a newer head meanwhile.
            heads = [*_kept(desk), *given]
            with desk.store.read() as conn:
                with console.progress("the record") as bar:
                    problems = audit.verify(conn, progress=bar)
                problems += audit_heads.problems(conn, heads)
                with console.progress("what it tells of") as bar:
                    found = audit_gaps.gaps(conn, desk.book_id, progress=bar)
                gaps = [str(gap) for gap in found]
                count, last = audit.head(conn)
    if json:
        console.print_json(
            {
                "schema": 1,
                "entries": count,
                "head": last,
                "problems": [str(problem) for problem in problems],
                "gaps": gaps,
            }
        )
    else:
        for said in [*map(str, problems), *gaps]:
            console.warn(said)
        if not problems and not gaps:
            console.say(f"{count} entries, unbroken; the last one is {last}")
    if problems or gaps:
        raise typer.Exit(1)


@command.command()
def head(
    ctx: typer.Context,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Heads kept earlier are rightly gone: a backup was put back."
        ),
    ] = False,
    reason: ReasonOption = "",
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """The newest entry's number and hash: kept somewhere else, it shows a record cut short."""
    from ar_bridge import audit, audit_heads
    from ar_bridge.errors import UsageError

    if accept and not reason.strip():
        raise UsageError("Why are they gone?", remedy="say --reason TEXT")
    with opened(ctx, book) as desk:
        gone: list[KeptHead] = []
        if accept:
            with desk.store.write() as conn:
                gone = audit_heads.accept(
                    conn,
                    _kept(desk),
                    book_id=desk.book_id,
                    at=desk.clock.now(),
                    actor=desk.worker,
                    reason=reason,
                )
        if desk.heads is not None:
            audit_heads.keep(desk.store, desk.heads, desk.clock.now(), at_once=True)
        with desk.store.read() as conn:
            seq, digest = audit.head(conn)
    if json:
        told = [str(one) for one in gone]
        console.print_json({"schema": 1, "seq": seq, "hash": digest, "accepted": told})
        return
    if accept:
        console.say(f"{console.counted(len(gone), 'kept head')} accepted as gone.")
    console.say_whole(f"{seq}:{digest}")


@command.command()
def export(
    ctx: typer.Context,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV instead of JSON Lines.")] = False,
    all_books: Annotated[
        bool, typer.Option("--all", help="Entries of every book of this database.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Into a file, not on the screen.")
    ] = None,
    book: BookOption = None,
) -> None:
    """Every entry, oldest first, as a file that `audit verify --file` checks by itself.

    Of other books it shows only their place in the chain, unless --all is given.
    """
    import os
    import sys

    from ar_bridge import audit, audit_exporting

    with opened(ctx, book) as desk, desk.store.read() as conn:
        only = None if all_books else desk.book_id
        form: audit_exporting.Form = "csv" if csv else "jsonl"
        if out is None:
            audit_exporting.export(audit.entries(conn), sys.stdout, form, book_id=only)
            return
        # It holds names and debts: nobody else on this machine reads along.
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as target:
            count = audit_exporting.export(audit.entries(conn), target, form, book_id=only)
    console.say(f"{count} entries in {out}; ar-bridge audit verify --file {out} checks them")


@command.command()
def erase(
    ctx: typer.Context,
    customer: Annotated[
        str, typer.Option("--customer", metavar="CUSTOMER", help="Id, number or name.")
    ],
    reason: ReasonOption = "",
    look: Annotated[
        bool, typer.Option("--dry-run", "--look", help="Only show what would be erased.")
    ] = False,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """Erase what our own records say of a customer in words; the chain goes on to hold.

    Amounts, dates, document numbers and keys stay: the law on accounts asks for them, and they
    keep anything from being done twice.
    """
    from ar_bridge import audit_erasing
    from ar_bridge.errors import UsageError

    if not reason.strip():
        raise UsageError("Why is it erased?", remedy='say --reason "asked to by letter of 3 May"')
    with opened(ctx, book) as desk, desk.store.write() as conn:
        erased = audit_erasing.erase_customer(
            conn, desk, customer, actor=desk.worker, reason=reason, is_trial=look
        )
    if json:
        console.print_json({"schema": 1, "is_trial": look, **erased.view()})
        return
    console.say(*erased.told(look))


def _kept(desk: "BookContext") -> "list[KeptHead]":
    from ar_bridge import audit_heads

    return audit_heads.kept(desk.heads) if desk.heads is not None else []


def _view(entry: "object") -> dict[str, object]:
    import msgspec

    view: dict[str, object] = msgspec.to_builtins(entry)
    return view
