"""`ar-bridge doctor`: what stands in the way, each with what to do about it."""

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import BookOption, Invocation, JsonOption, invocation
from ar_bridge.errors import ArBridgeError
from connectors.port import Finding

if TYPE_CHECKING:
    from ar_bridge.settings import BookSettings, MailSettings


def command(ctx: typer.Context, book: BookOption = None, json: JsonOption = False) -> None:
    """Check settings, policies, connections and mail."""
    call = invocation(ctx)
    found = list(findings(call, book))
    if json:
        rows = [
            {"level": f.level, "subject": f.subject, "text": f.text, "remedy": f.remedy}
            for f in found
        ]
        console.print_json({"schema": 1, "findings": rows})
    else:
        for finding in found:
            console.say(f"{finding.level:<8}{finding.subject}: {finding.text}")
            if finding.remedy:
                console.say(f"        -> {finding.remedy}")
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(3)


def findings(call: Invocation, name: str | None) -> Iterator[Finding]:
    """Everything that was looked at. One trouble never hides the next."""
    yield from of_home(call)
    books = call.books(name)
    yield Finding(
        level="ok" if books else "warning",
        subject="settings",
        text=f"{call.config_file}: {console.counted(len(books), 'book')}",
        remedy="" if books else "add a [[book]] section",
    )
    for settings in books:
        yield from of_policy(settings, call)
        yield from of_fees(settings)
        yield from of_ledger(settings, call)
    servers = {mail.host: mail for mail in map(call.settings.mail_of, books)}
    for mail in servers.values():
        yield from of_mail(mail)


def of_home(call: Invocation) -> Iterator[Finding]:
    """Is what we keep closed to others?"""
    root = call.home.root
    if not root.exists():
        yield Finding(
            level="warning", subject="home", text=f"{root} is not there", remedy="ar-bridge init"
        )
        return
    is_open = bool(root.stat().st_mode & 0o077)
    yield Finding(
        level="warning" if is_open else "ok",
        subject="home",
        text=f"{root} can be read by other users" if is_open else str(root),
        remedy=f"chmod 700 {root}" if is_open else "",
    )


def of_policy(settings: "BookSettings", call: Invocation) -> Iterator[Finding]:
    """Can the policy in force be read, and is it sound?"""
    from ar_bridge.wiring import policy_of
    from rules.policy.check import check

    subject = f"{settings.name} policy"
    try:
        policy = policy_of(settings, call.clock.now().date())
    except ArBridgeError as error:
        told = error.problems or (error.message,)
        yield from (Finding(level="error", subject=subject, text=text) for text in told)
        return
    yield Finding(
        level="ok",
        subject=subject,
        text=f"{policy.name}: {console.counted(len(policy.stage), 'stage')}, "
        f"{console.counted(len(policy.fee), 'fee')}",
    )
    for remark in check(policy):
        if remark.severity != "info":
            yield Finding(
                level=remark.severity, subject=subject, text=remark.message, remedy=remark.hint
            )


def of_fees(settings: "BookSettings") -> Iterator[Finding]:
    """Late fees need an account and a tax, which have no default."""
    if settings.ledger != "bookfile" and not settings.can_charge:
        yield Finding(
            level="warning",
            subject=f"{settings.name} late fees",
            text="fee_account or fee_tax is empty: no fee is charged",
            remedy="set both once you know where late fees are booked",
        )


def of_ledger(settings: "BookSettings", call: Invocation) -> Iterator[Finding]:
    """Does the ledger let us in, and is it set up for what we write?"""
    from ar_bridge.cli.failures import known_failure
    from ar_bridge.wiring import open_book

    subject = f"{settings.name} ledger"
    try:
        with open_book(call.settings, settings, call.home, call.clock) as desk:
            check = desk.connector.check()
    except Exception as error:
        known = known_failure(error, book=settings.name)
        if known is None:
            raise
        yield Finding(level="error", subject=subject, text=known.message, remedy=known.remedy)
        return
    yield Finding(
        level="ok", subject=subject, text=f"{check.company.name} ({check.company.base_currency})"
    )
    yield from check.findings


def of_mail(mail: "MailSettings") -> Iterator[Finding]:
    """Is a mail server named, and does it answer?"""
    if not mail.is_set_up:
        yield Finding(
            level="warning",
            subject="mail",
            text="no mail server: no mail is sent",
            remedy="fill in [mail] host and from",
        )
        return
    place = f"{mail.host}:{mail.server_port}"
    try:
        socket.create_connection((mail.host, mail.server_port), timeout=5).close()
    except OSError as error:
        yield Finding(
            level="error",
            subject="mail",
            text=f"{place} does not answer ({error})",
            remedy="check host, port and security in [mail]",
        )
        return
    yield Finding(level="ok", subject="mail", text=f"{place} answers")
