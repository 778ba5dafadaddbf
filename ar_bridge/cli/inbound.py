"""`ar-bridge inbound`: replies, messages that came back, and what else customers send."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption, invocation

if TYPE_CHECKING:
    from ar_bridge.inbound.polling import InboundReport
    from ar_bridge.store.inbound import MailRow

command = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

LISTED: Final = 50

SAID: Final = {
    "reply": "replies",
    "bounce": "messages that came back for good",
    "soft_bounce": "messages that could not be delivered this time",
    "half_bounce": "addresses from which mail came back",
    "delayed": "messages that are still being tried",
    "auto_reply": "automatic answers",
    "moved": "addresses that nobody reads any more",
    "complaint": "complaints",
    "wrote": "mails of customers that answer nothing of ours",
    "own": "copies of our own",
    "foreign": "mails of nobody we know",
    "unreadable": "mails that cannot be read",
}

MailOption = Annotated[int, typer.Argument(metavar="ID", help="Number, as the list shows it.")]


@command.command()
def poll(ctx: typer.Context, json: JsonOption = False) -> None:
    """Look at the mailbox of [inbound], and take in what is new."""
    from ar_bridge.errors import ArBridgeError, SetupError
    from ar_bridge.inbound.polling import poll_inbound

    call = invocation(ctx)
    if not call.settings.inbound.is_set_up:
        raise SetupError(
            "No mailbox is set up for incoming mail.",
            remedy="fill in [inbound] host and user, or path",
        )
    call.start_log()
    report = poll_inbound(call.settings, call.home, call.clock)
    _tell(report, json)
    if report.problems and not report.read:
        raise ArBridgeError(
            "The mailbox was not read to its end.",
            problems=report.problems,
            remedy="ar-bridge doctor looks at it",
        )


@command.command("-")
def take(ctx: typer.Context, json: JsonOption = False) -> None:
    """Take in one mail from standard input, as a mail server hands it over."""
    from ar_bridge.inbound.polling import take_in

    call = invocation(ctx)
    call.start_log()
    _tell(take_in(call.settings, call.home, call.clock, sys.stdin.buffer), json)


@command.command("list")
def list_mails(
    ctx: typer.Context,
    every: Annotated[
        bool, typer.Option("--all", help="Also what was dealt with and what asks for nothing.")
    ] = False,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """What came in and waits for somebody, the newest first."""
    from ar_bridge.store import inbound, mirror

    with opened(ctx, book) as desk, desk.store.read() as conn:
        states = None if every else (inbound.OPEN,)
        rows = inbound.mails(conn, desk.book_id, states=states, limit=LISTED)
        known = {row.customer for row in rows if row.customer}
        found = mirror.customers_by_id(conn, desk.book_id, known)
        names = {name: one.name for name, one in found.items()}
        bad = inbound.bad(conn, desk.book_id)
    if json:
        console.print_json(
            {"schema": 1, "mails": [_plain(row, names) for row in rows], "bad_addresses": bad}
        )
        return
    for row in rows:
        whose = names.get(row.customer or "", row.customer or "a colleague")
        urgent = f" ({row.kept.urgent})" if row.kept.urgent else ""
        console.say(
            f"{row.id}  {row.on}  {whose}: {row.kind.replace('_', ' ')}{urgent}"
            f"{'' if row.state == inbound.OPEN else ', ' + row.state}",
            style="red" if urgent and row.state == inbound.OPEN else None,
        )
        console.say(f"    {row.kept.subject or row.kept.said}")
    if not rows:
        console.say("nothing came in that waits for anybody")
    for said in bad.values():
        console.say(f"not written to: {said}", style="yellow")


@command.command()
def show(ctx: typer.Context, mail: MailOption, book: BookOption = None) -> None:
    """One mail: what it is, and how it begins. Attachments are only named."""
    from ar_bridge.store import mirror

    with opened(ctx, book) as desk, desk.store.read() as conn:
        row = _mail(conn, desk.book_id, mail)
        found = mirror.customers_by_id(conn, desk.book_id, [row.customer] if row.customer else [])
    kept = row.kept
    whose = found[row.customer].name if row.customer in found else "nobody's"
    console.say(f"{row.kind.replace('_', ' ')}, {row.on}, {whose}", style="bold")
    for name, value in (
        ("from", kept.sender),
        ("subject", kept.subject),
        ("answers", kept.key),
        ("came back from", ", ".join(kept.recipients)),
        ("said", " ".join(filter(None, (kept.status, kept.said)))),
        ("back on", str(kept.back_on or "")),
        ("urgent", kept.urgent),
        ("attached", "; ".join(kept.attachments)),
        ("remark", kept.problem),
        ("state", row.state),
    ):
        if value:
            console.say(f"  {name}: {value}")
    if not kept.is_sure:
        console.say("  only the sender's address tells whose it is", style="yellow")
    console.say("", *kept.text.split("\n"))


@command.command()
def handled(
    ctx: typer.Context,
    mail: MailOption,
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """Say that somebody dealt with a mail: a reply holds no more."""
    from ar_bridge import audit
    from ar_bridge.store import inbound

    with opened(ctx, book) as desk, desk.store.write() as conn:
        row = _mail(conn, desk.book_id, mail)
        inbound.set_state(conn, row.id, inbound.HANDLED)
        audit.append(
            conn,
            book_id=desk.book_id,
            at=desk.clock.now(),
            actor=desk.worker,
            event="MailHandled",
            subject=row.kept.key or f"mail/{row.id}",
            payload={"mail": row.id, "kind": row.kind, "reason": reason},
        )
    console.say(f"mail {row.id} is dealt with")


@command.command()
def trust(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Mail came back from it.")],
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """Write to an address again from which mail came back: it is good after all."""
    from ar_bridge import audit
    from ar_bridge.errors import UsageError
    from ar_bridge.store import inbound, mirror

    with opened(ctx, book) as desk, desk.store.write() as conn:
        if not inbound.clear_bad(conn, desk.book_id, address):
            known = ", ".join(sorted(inbound.bad(conn, desk.book_id)))
            raise UsageError(
                f"Nothing holds back mail to {address}.",
                remedy=f"held back are: {known}" if known else "no address is held back",
            )
        mirror.decide_all_again(conn, desk.book_id)
        audit.append(
            conn,
            book_id=desk.book_id,
            at=desk.clock.now(),
            actor=desk.worker,
            event="AddressTrusted",
            subject=f"address/{address.lower()}",
            payload={"reason": reason},
        )
    console.say(f"{address} is written to again")


def _mail(conn: Any, book_id: int, mail_id: int) -> "MailRow":
    from ar_bridge.errors import UsageError
    from ar_bridge.store import inbound

    row = inbound.mail_by_id(conn, mail_id)
    if row is None or row.book_id != book_id:
        raise UsageError(f"There is no mail {mail_id}.", remedy="ar-bridge inbound list --all")
    return row


def _plain(row: "MailRow", names: dict[str, str]) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(row)
    kept = plain.pop("kept")
    kept.pop("v")
    return {**plain, "customer_name": names.get(row.customer or "", ""), **kept}


def _tell(report: "InboundReport", json: bool) -> None:
    if json:
        console.print_json(
            {
                "schema": 1,
                "read": report.read,
                "kinds": report.kinds,
                "problems": report.problems,
                "mails": [one.mail_id for one in report.recorded],
            }
        )
        return
    if not report.read:
        console.say("nothing new")
    for kind, count in sorted(report.kinds.items()):
        console.say(f"{count} {SAID.get(kind, kind)}")
    console.warn(*report.problems)
