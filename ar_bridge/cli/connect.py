"""`ar-bridge connect`: let ar-bridge into a book in QuickBooks or Xero."""

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import actor
from ar_bridge.cli.invocation import invocation
from ar_bridge.errors import UsageError


def command(
    ctx: typer.Context,
    book: Annotated[str | None, typer.Argument(metavar="BOOK", help="Its name.")] = None,
    company: Annotated[
        str,
        typer.Option(
            "--company", metavar="ID|NAME", help="Which one, where the consent covers several."
        ),
    ] = "",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the consent address, open nothing.")
    ] = False,
    paste: Annotated[
        bool, typer.Option("--paste", help="Paste the address that the browser ends up at.")
    ] = False,
) -> None:
    """Ask for consent in a browser, keep the tokens encrypted, and look at the company."""
    from ar_bridge.connecting import connect
    from ar_bridge.loopback import expected_state, wait_on_loopback
    from ar_bridge.store.engine import open_store
    from ar_bridge.wiring import database_url

    call = invocation(ctx)
    settings = call.book(book)
    call.start_log()

    def ask(address: str, redirect_uri: str) -> str:
        console.say("Open this address and let ar-bridge in:", "")
        console.say_whole(address)
        console.say("")
        if paste:
            console.warn("Paste the address of the page you were sent to:")
            pasted = sys.stdin.readline().strip()
            if not pasted:
                raise UsageError(
                    "Nothing was pasted.",
                    remedy="agree on the page, then copy the whole address that the browser shows",
                )
            return pasted
        if not no_browser:
            import webbrowser

            webbrowser.open(address)
        console.say(f"Waiting at {redirect_uri} ...")
        return wait_on_loopback(redirect_uri, state=expected_state(address))

    store = open_store(database_url(call.settings, call.home))
    try:
        done = connect(
            store,
            settings,
            call.home,
            call.clock,
            ask=ask,
            actor=actor(call),
            company=company,
            choose=_choose if sys.stdin.isatty() else None,
        )
    finally:
        store.close()
    found = done.check.company
    console.say(
        f"{settings.name} is connected{'' if done.is_new else ' again'}: {found.name or found.id} "
        f"({found.base_currency}, {found.timezone}), company id {found.id}"
    )
    for finding in (*done.permissions, *done.check.findings):
        if finding.level != "ok":
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            console.warn(f"{finding.level}: {finding.subject}: {finding.text}{remedy}")
    console.say("Next: ar-bridge sync, then ar-bridge plan")


def _choose(companies: Mapping[str, str]) -> str:
    """Let a person at the terminal choose; empty for none."""
    listed = sorted(companies.items(), key=lambda item: item[1])
    console.say("The consent covers several companies:")
    console.say(*(f"  {place}  {name} ({key})" for place, (key, name) in enumerate(listed, 1)))
    console.warn("Number of the one that this book is:")
    answer = sys.stdin.readline().strip()
    if answer.isdecimal() and 0 < int(answer) <= len(listed):
        return listed[int(answer) - 1][0]
    return ""
