"""`ar-bridge customer`: what no ledger holds about a customer, kept in `customers.toml`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import opened
from ar_bridge.cli.invocation import BookOption, JsonOption, invocation
from ar_bridge.cli.word_options import day_of

command = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

CustomerArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="Id or whole name.")
]
WhyOption: TypeAlias = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit.")
]
Changes: TypeAlias = Callable[[Path, str], Mapping[str, Any]]
"""From the file and the customer's id to what its keys should say; None takes a key out."""


@command.command()
def show(
    ctx: typer.Context,
    customer: CustomerArgument,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """What the file says of a customer, and who changed it when and why."""
    from ar_bridge import audit
    from ar_bridge.facts_editing import said_of
    from ar_bridge.words import the_customer

    file = _file(ctx, book)
    with opened(ctx, book) as desk, desk.store.read() as conn:
        owner = the_customer(conn, desk.book_id, customer)
        entries = audit.history(conn, book_id=desk.book_id, subject=f"{file.name}/{owner.id}")
    said = said_of(file, owner.id)
    if json:
        console.print_json(
            {
                "schema": 1,
                "customer": owner.id,
                "customer_name": owner.name,
                "file": str(file),
                "facts": {key: _plain(value) for key, value in said.items()},
                "changes": [
                    {"at": e.at.isoformat(), "actor": e.actor, **(e.payload or {})} for e in entries
                ],
            }
        )
        return
    console.say(f"{owner.name} ({owner.id}) in {file}", style="bold")
    for key, value in said.items():
        console.say(f"  {key} = {_told(value)}")
    if not said:
        console.say("  the file says nothing of this customer")
    for entry in entries:
        told = entry.payload or {}
        console.say(
            f"{entry.at:%Y-%m-%d %H:%M} UTC, {entry.actor}: {told.get('key', '?')} from "
            f"{_told(told.get('before'))} to {_told(told.get('after'))}: {told.get('reason', '')}"
        )


@command.command("set")
def set_(
    ctx: typer.Context,
    customer: CustomerArgument,
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE...",
            help="Such as entity_type=company credit_limit=5000 tags=vip,key autopay=yes "
            "address='1 High Street; Leeds LS1 1AA'.",
        ),
    ],
    reason: WhyOption = "",
    book: BookOption = None,
) -> None:
    """Say something about a customer; the file's word wins over the ledger's."""
    from ar_bridge.customer_changes import typed
    from ar_bridge.errors import UsageError

    changes: dict[str, Any] = {}
    for each in values:
        key, equals, text = each.partition("=")
        if not equals:
            raise UsageError(f'"{each}" is no KEY=VALUE.', remedy="write it like terms_days=30")
        changes[key.strip()] = typed(key.strip(), text)
    _change(ctx, book, customer, reason, lambda file, owner: changes)


@command.command()
def unset(
    ctx: typer.Context,
    customer: CustomerArgument,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="What to say no more.")],
    reason: WhyOption = "",
    book: BookOption = None,
) -> None:
    """Say no more about it: the ledger's word and the defaults hold again."""
    from ar_bridge.errors import UsageError
    from ar_bridge.facts_reading import CUSTOMER_KEYS
    from rules.policy.reading import did_you_mean

    for key in keys:
        if key not in CUSTOMER_KEYS:
            raise UsageError(f"There is no key {key}.", remedy=did_you_mean(key, CUSTOMER_KEYS))
    _change(ctx, book, customer, reason, lambda file, owner: dict.fromkeys(keys))


@command.command()
def tag(
    ctx: typer.Context,
    customer: CustomerArgument,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="TAG", help="May be repeated.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="TAG", help="May be repeated.")
    ] = None,
    reason: WhyOption = "",
    book: BookOption = None,
) -> None:
    """Add tags and take tags away; those of the ledger stay where they are."""
    from ar_bridge.customer_changes import with_tags
    from ar_bridge.errors import UsageError

    if not add and not remove:
        raise UsageError("Which tag?", remedy="say --add TAG or --remove TAG")
    _change(
        ctx,
        book,
        customer,
        reason,
        lambda file, owner: {"tags": with_tags(file, owner, add or (), remove or ())},
    )


@command.command("add-contact")
def add_contact(
    ctx: typer.Context,
    customer: CustomerArgument,
    email: Annotated[str, typer.Option(help="Address to write to.")] = "",
    phone: Annotated[str, typer.Option(help="Number to call or to send text messages to.")] = "",
    name: Annotated[str, typer.Option(help="Who reads it: stands in the greeting.")] = "",
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="billing, owner, guarantor or your own; repeatable."),
    ] = None,
    reason: WhyOption = "",
    book: BookOption = None,
) -> None:
    """Add a person or mailbox, or correct the one with the same address."""
    from ar_bridge.customer_changes import with_contact

    contact = {"name": name, "email": email, "phone": phone, "roles": role or ["billing"]}
    _change(
        ctx,
        book,
        customer,
        reason,
        lambda file, owner: {"contacts": with_contact(file, owner, contact)},
    )


@command.command("remove-contact")
def remove_contact(
    ctx: typer.Context,
    customer: CustomerArgument,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the contact.")],
    reason: WhyOption = "",
    book: BookOption = None,
) -> None:
    """Take a contact out of the file; those of the ledger stay."""
    from ar_bridge.customer_changes import without_contact

    _change(
        ctx,
        book,
        customer,
        reason,
        lambda file, owner: {"contacts": without_contact(file, owner, email)},
    )


@command.command()
def override(
    ctx: typer.Context,
    customer: CustomerArgument,
    mode: Annotated[
        str, typer.Argument(metavar="MODE", help="observe, draft or approve; or none to end it.")
    ],
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Last day; else until you end it.")
    ] = None,
    reason: WhyOption = "",
    book: BookOption = None,
) -> None:
    """A stricter mode for one customer, with a reason and, best, a last day."""
    said: dict[str, Any] | None = None
    if mode != "none":
        said = {"mode": mode, "reason": reason}
        if until is not None:
            said["until"] = day_of(until, "--until")
    _change(ctx, book, customer, reason, lambda file, owner: {"override": said})


def _file(ctx: typer.Context, book: str | None) -> Path:
    return invocation(ctx).book(book).customers


def _change(
    ctx: typer.Context, book: str | None, customer: str, reason: str, changes: Changes
) -> None:
    from ar_bridge.customer_changes import change
    from ar_bridge.words import the_customer

    file = _file(ctx, book)
    with opened(ctx, book) as desk, desk.store.write() as conn:
        owner = the_customer(conn, desk.book_id, customer)
        edited = change(conn, desk, file, owner, changes(file, owner.id), reason=reason)
    for each in edited:
        console.say(
            f"{owner.name}: {each.key} is {_told(each.after)} now, was {_told(each.before)}"
        )
    if not edited:
        console.say(f"{file.name} says so already: nothing was changed")


def _plain(value: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(value)


def _told(value: Any) -> str:
    if value is None:
        return "not said"
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_told(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(
            f"({_told(part)})" if isinstance(part, Mapping) else _told(part) for part in value
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
