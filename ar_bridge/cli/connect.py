"""`ar-bridge connect`: let ar-bridge into a book in QuickBooks or Xero."""

import sys
from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import actor
from ar_bridge.cli.invocation import invocation
from ar_bridge.errors import UsageError


def command(
    ctx: typer.Context,
    book: Annotated[str | None, typer.Argument(metavar="BOOK", help="Its name.")] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the consent address, open nothing.")
    ] = False,
    paste: Annotated[
        bool, typer.Option("--paste", help="Paste the address that the browser ends up at.")
    ] = False,
) -> None:
    """Ask for consent in a browser, keep the tokens encrypted, and look at the company."""
    from ar_bridge.connecting import connect, wait_on_loopback
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
        return wait_on_loopback(redirect_uri)

    store = open_store(database_url(call.settings, call.home))
    try:
        done = connect(store, settings, call.home, call.clock, ask=ask, actor=actor(call))
    finally:
        store.close()
    company = done.check.company
    console.say(
        f"{settings.name} is connected: {company.name or company.id} ({company.base_currency}, "
        f"{company.timezone}), company id {company.id}"
    )
    for finding in done.check.findings:
        if finding.level != "ok":
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            console.warn(f"{finding.level}: {finding.subject}: {finding.text}{remedy}")
    console.say("Next: ar-bridge sync, then ar-bridge plan")
