"""`ar-bridge doctor`: what stands in the way, each with what to do about it."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import BookOption, JsonOption, invocation

if TYPE_CHECKING:
    from ar_bridge.errors import ArBridgeError
    from ar_bridge.health import Examined


def command(ctx: typer.Context, book: BookOption = None, json: JsonOption = False) -> None:
    """Check settings, keys, policies, connections, customers and mail."""
    from ar_bridge.health import examine

    call = invocation(ctx)
    chosen = call.books(book)
    if call.home.root.exists():
        call.start_log()
    found = list(
        examine(
            call.settings,
            chosen,
            call.home,
            call.clock,
            config_file=call.config_file,
            known=_known,
        )
    )
    if json:
        rows = [
            {
                "level": one.finding.level,
                "subject": one.finding.subject,
                "text": one.finding.text,
                "remedy": one.finding.remedy,
                "book": one.book,
            }
            for one in found
        ]
        console.print_json({"schema": 1, "findings": rows})
    else:
        _show(found)
    if any(one.finding.level == "error" for one in found):
        raise typer.Exit(3)


def _known(error: Exception, book: str) -> "ArBridgeError | None":
    from ar_bridge.cli.failures import known_failure

    return known_failure(error, book=book or "BOOK")


def _show(found: "Sequence[Examined]") -> None:
    """Grouped: the machine, then book by book, then mail."""
    for book, group in groupby(found, key=lambda one: one.book):
        if book:
            console.say("", f"{book}:")
        for one in group:
            finding = one.finding
            subject = finding.subject.removeprefix(f"{book} ")
            console.say(f"{finding.level:<8}{subject}: {finding.text}")
            if finding.remedy:
                console.say(f"        -> {finding.remedy}")
    troubles = sum(one.finding.level == "error" for one in found)
    remarks = sum(one.finding.level == "warning" for one in found)
    console.say("", f"{console.counted(troubles, 'error')}, {console.counted(remarks, 'warning')}")
