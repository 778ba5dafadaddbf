"""`ar-bridge brief`: what the owner is told each morning."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption

if TYPE_CHECKING:
    from ar_bridge.brief.sending import BriefSent

EXAMPLE: Final = """\
\b
Examples:
  ar-bridge brief
  ar-bridge brief --html brief.html
  ar-bridge brief --send
"""

SAID: Final = {
    "sent": "today's brief went to {to}",
    "already": "today's brief was sent before, to {to}",
    "quiet": "nothing to say today, and [brief] only_when_something is set: no mail",
    "under_way": "another process is sending today's brief",
    "unknown": "today's brief may or may not have reached {to}; it is not sent twice",
}


def command(
    ctx: typer.Context,
    book: BookOption = None,
    send: Annotated[
        bool, typer.Option("--send", help="Mail today's brief, unless that was done.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write it as a page to look at.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """What was done, what waits and since when, what is stuck, and the money that came in.

    It covers everything since the last brief that surely went out. Only --send mails it.
    """
    from ar_bridge.brief.making import make_brief
    from ar_bridge.brief.sending import send_brief, written

    with opened(ctx, book) as desk:
        if send:
            _tell(send_brief(desk), json)
            return
        with desk.store.read() as conn:
            found = make_brief(conn, desk)
        words = written(desk, found)
    if html is not None:
        html.write_text(words.html, encoding="utf-8")
    if json:
        import msgspec

        plain = msgspec.to_builtins(found)
        plain.pop("payments_told")
        console.print_json({**plain, "is_quiet": found.is_quiet, "subject": words.subject})
        return
    console.say(words.subject, style="bold")
    console.say(*words.text.splitlines())


def _tell(sent: "BriefSent", json: bool) -> None:
    from ar_bridge.errors import ArBridgeError, SetupError

    if json:
        import msgspec

        console.print_json({"schema": 1, **msgspec.to_builtins(sent)})
    elif sent.outcome in SAID:
        console.say(SAID[sent.outcome].format(to=", ".join(sent.to)))
    if sent.outcome == "nobody":
        raise SetupError("Nobody gets the brief.", remedy="name an address in [brief] to")
    if sent.outcome == "no_mail":
        raise SetupError("No mail server is set up.", remedy="name it in [mail]")
    if sent.outcome in ("later", "refused"):
        raise ArBridgeError(
            f"Today's brief was not sent: {sent.said}",
            remedy="ar-bridge doctor looks at the mail server",
        )
