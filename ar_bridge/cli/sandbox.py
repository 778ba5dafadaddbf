"""`ar-bridge sandbox`: a local accounting service that speaks a vendor's API."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import invocation
from ar_bridge.clock import Clock, ShiftedClock
from ar_bridge.errors import ArBridgeError, UsageError
from connectors.sandbox.faultnames import FAULTS

if TYPE_CHECKING:
    from connectors.sandbox.service import Addresses, Sandbox

LEDGERS: Final = ("quickbooks", "xero")
SHAPES: Final = ("cloudevents", "legacy")
_FAULT_HELP: Final = "Something that goes wrong; may be repeated. " + ", ".join(
    fault.usage for fault in FAULTS
)

_BOOK = """\
[[book]]
name = "sandbox"
ledger = "{ledger}"
company_id = "{company_id}"
policy = "standard"
client_id = "{client_id}"
client_secret = "{client_secret}"
api_url = "{api_url}"
authorize_url = "{authorize_url}"
token_url = "{token_url}"
revoke_url = "{revoke_url}"
"""


def _show_faults(wanted: bool) -> None:
    if not wanted:
        return
    wide = max(len(fault.usage) for fault in FAULTS)
    for fault in FAULTS:
        console.say_whole(f"{fault.usage:{wide}}  {fault.sentence}")
    raise typer.Exit


def command(
    ctx: typer.Context,
    ledger: Annotated[str, typer.Option(metavar="LEDGER", help="quickbooks or xero.")],
    book_file: Annotated[
        Path, typer.Option(metavar="FILE", help="The book to serve, as JSON Lines.")
    ],
    port: Annotated[
        int, typer.Option(metavar="N", help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 0,
    clock: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Begin at this date (and time) and run on from there."),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help=_FAULT_HELP),
    ] = None,
    list_faults: Annotated[
        bool,
        typer.Option(
            "--list-faults", is_eager=True, callback=_show_faults, help="Say what each fault does."
        ),
    ] = False,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Tell this address of every change.")
    ] = None,
    webhook_key: Annotated[
        str, typer.Option(metavar="KEY", help="Key or verifier token that signs what is told.")
    ] = "sandbox-webhook-key",
    webhook_shape: Annotated[
        str, typer.Option(metavar="SHAPE", help="quickbooks: cloudevents or legacy.")
    ] = "cloudevents",
    plan: Annotated[
        str, typer.Option(metavar="CLASS", help="xero: plan such as STARTER, IGNITE or PREMIUM.")
    ] = "PREMIUM",
    calls_a_day: Annotated[
        int, typer.Option(metavar="N", min=1, help="xero: 1000 on the starter tier, else 5000.")
    ] = 5000,
    mails_a_day: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Mails that the ledger sends in a day.")
    ] = None,
    reminders: Annotated[
        bool, typer.Option("--reminders", help="xero: the ledger's own reminders are on.")
    ] = False,
    other_company: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="xero: one more organisation that a token reaches."),
    ] = None,
) -> None:
    """Run a local accounting service on 127.0.0.1 until Ctrl-C. It keeps nothing."""
    if ledger not in LEDGERS:
        raise UsageError(f'There is no ledger "{ledger}".', remedy=f"one of: {', '.join(LEDGERS)}")
    if webhook_shape not in SHAPES:
        raise UsageError(
            f'There is no shape "{webhook_shape}" of webhooks.',
            remedy=f"one of: {', '.join(SHAPES)}",
        )
    from ar_bridge.cli.book_file import book_events
    from connectors.sandbox.face import PLANS, Setup
    from connectors.sandbox.faults import FaultOrderError
    from connectors.sandbox.service import Sandbox
    from connectors.sandbox.webhooks import Hook

    if plan.upper() not in PLANS:
        raise UsageError(f'There is no plan "{plan}".', remedy=f"one of: {', '.join(PLANS)}")
    is_legacy = webhook_shape == "legacy"
    moment = clock_at(clock) if clock else invocation(ctx).clock
    try:
        served = Sandbox(
            book_events(book_file),
            ledger="xero" if ledger == "xero" else "quickbooks",
            clock=moment,
            faults=fault or (),
            setup=Setup(
                plan=plan.upper(),
                calls_a_day=calls_a_day,
                mails_a_day=mails_a_day,
                sends_reminders=reminders,
            ),
            webhook=Hook(
                url=webhook, key=webhook_key, shape="legacy" if is_legacy else "cloudevents"
            )
            if webhook
            else None,
            other_companies=other_company or (),
        )
    except FaultOrderError as error:
        raise UsageError(
            "A fault cannot be ordered.",
            problems=error.problems,
            remedy="ar-bridge sandbox --list-faults shows them",
        ) from None
    try:
        running = served.serve(port)
    except OSError as error:
        raise ArBridgeError(
            f"Port {port} cannot be used: {error.strerror}.", remedy="name another with --port"
        ) from error
    console.warn(*served.problems)
    console.say(f"{ledger} sandbox at {running.base_url}, {moment.now():%Y-%m-%d %H:%M} UTC")
    console.say("", book_section(served, running))
    if served.webhooks is not None and not served.webhooks.shake_hands():
        console.warn(
            f"{webhook} failed the intent to receive: it must answer 200 to a good signature and "
            "401 to a bad one. It is told nothing."
        )
    console.say("", "Ctrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.say("ended")
    finally:
        running.close()


def book_section(sandbox: "Sandbox", addresses: "Addresses") -> str:
    """A `[[book]]` for `config.toml` that points at the sandbox."""
    section = _BOOK.format(
        ledger=sandbox.ledger_name,
        company_id=sandbox.company_id,
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
        api_url=addresses.api_url,
        authorize_url=addresses.authorize_url,
        token_url=addresses.token_url,
        revoke_url=addresses.revoke_url,
    )
    if addresses.connections_url:
        section += f'connections_url = "{addresses.connections_url}"\n'
    return section


def clock_at(text: str) -> Clock:
    """A clock that runs on from a date, at midnight UTC unless a time is given."""
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f'"{text}" is not a date.', remedy="write it like 2026-01-05 or 2026-01-05T09:00"
        ) from None
    return ShiftedClock(start if start.tzinfo else start.replace(tzinfo=UTC))
