"""`ar-bridge handoff`: give invoices to an agency or a lawyer, with everything they need."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ar_bridge.cli import console
from ar_bridge.cli.desk import ReasonOption, opened
from ar_bridge.cli.invocation import BookOption, JsonOption, invocation
from ar_bridge.cli.word_options import InvoiceOption

if TYPE_CHECKING:
    from ar_bridge.context import BookContext
    from ar_bridge.hand_off.bundle import Made


class _Handing(TyperGroup):
    """`handoff CUSTOMER` hands over; the other words after it are commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["customer", *args]
        return super().parse_args(ctx, args)


command = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    cls=_Handing,
    help="Hand invoices over: ar-bridge handoff CUSTOMER --reason TEXT; see also the commands.",
)


@command.command("customer")
def hand_over(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Id or whole name.")],
    invoice: InvoiceOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The folder to make; else one at home."),
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(
            "--override",
            metavar="PRECONDITION",
            help="Set one precondition aside, by the name it is listed with; may be repeated.",
        ),
    ] = None,
    look: Annotated[bool, typer.Option("--look", help="Only say what would happen.")] = False,
    book: BookOption = None,
    json: JsonOption = False,
    reason: ReasonOption = "",
) -> None:
    """Hand over what is overdue of a customer, or the invoices named, and make the bundle.

    From then on nothing goes to the customer about these invoices and no fee is charged, until
    they are recalled.
    """
    from ar_bridge.errors import UsageError
    from ar_bridge.hand_off import giving
    from ar_bridge.hand_off.bundle import bundle, folder_name

    if not reason.strip() and not look:
        raise UsageError("Why is it handed over?", remedy="say --reason TEXT")
    with opened(ctx, book) as desk:
        with desk.store.read() as conn:
            chosen = giving.ready(conn, desk, customer, invoice or (), override or ())
        numbers = [one.number for one in chosen.invoices]
        if look:
            console.say(f"{chosen.payer.name}: {', '.join(numbers)} can be handed over")
            console.say(*(f"set aside: {one}" for one in chosen.told))
            return
        if out is not None:
            _must_be_free(out)
        with desk.store.write() as conn:
            placement, told = giving.hand_over(conn, desk, chosen, actor=desk.worker, reason=reason)
        folder = out or _home(ctx) / folder_name(placement)
        made = bundle(desk, placement, folder, actor=desk.worker)
    if json:
        console.print_json({"schema": 1, "placement": placement.id, **_view(made)})
        return
    whom = placement.name or placement.to
    console.say(f"{chosen.payer.name}: {', '.join(numbers)} handed over to {whom}; {told}")
    console.say(*(f"set aside: {one}" for one in chosen.told))
    say_made(made)


@command.command("bundle")
def make_bundle(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Id or whole name.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The folder to make them in; else one at home."),
    ] = None,
    book: BookOption = None,
) -> None:
    """Make the bundle of what is handed over already, as our records stand now."""
    from ar_bridge.errors import UsageError
    from ar_bridge.hand_off import giving
    from ar_bridge.hand_off.bundle import bundle, folder_name

    with opened(ctx, book) as desk:
        with desk.store.read() as conn:
            standing = giving.placements(conn, desk, customer)
        if not standing:
            raise UsageError(
                f"Nothing of {customer} is with an agency or a lawyer.",
                remedy="ar-bridge handoff CUSTOMER hands over",
            )
        for placement in standing:
            folder = (out or _home(ctx)) / folder_name(placement)
            say_made(bundle(desk, placement, folder, actor=desk.worker))


@command.command("verify")
def verify_bundle(
    ctx: typer.Context,
    place: Annotated[Path, typer.Argument(metavar="DIR|ZIP", help="The folder or the zip file.")],
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """Compute every hash of a bundle again, and look for its digest in the audit.

    Needs no set-up: without one only the bundle itself is looked at. Exit 1 where anything was
    altered, is missing or was added.
    """
    from ar_bridge.hand_off.manifest import verify

    checked = verify(place)
    problems = list(checked.problems)
    audited = _audited(ctx, book, checked.placement, checked.digest)
    if audited is False:
        problems.append("the audit of the book knows no bundle with this digest")
    if json:
        console.print_json(
            {
                "schema": 1,
                "placement": checked.placement,
                "digest": checked.digest,
                "files": checked.files,
                "audited": audited,
                "problems": problems,
            }
        )
    elif problems:
        console.warn(*problems)
    else:
        console.say(f"{checked.files} files as they were; digest {checked.digest}")
        console.say(
            "the audit holds the same digest"
            if audited
            else "no book is set up here, so the audit was not asked"
        )
    if problems:
        raise typer.Exit(1)


@command.command("payments")
def payments(
    ctx: typer.Context,
    customer: Annotated[
        str | None, typer.Argument(metavar="CUSTOMER", help="Only this one's.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a CSV file for the agency.")
    ] = None,
    book: BookOption = None,
    json: JsonOption = False,
) -> None:
    """List what was paid, returned or credited since invoices were handed over."""
    from ar_bridge.hand_off.giving import PAYMENT_COLUMNS, paid_since, payments_csv
    from rules.model import format_minor

    with opened(ctx, book) as desk:
        with desk.store.read() as conn:
            found = paid_since(conn, desk, customer)
        client_no = desk.policy.hand_off.agency.client_no
    if out is not None:
        _written(out, payments_csv(found, client_no))
        console.say(f"made  {out} ({console.counted(len(found), 'row')})")
        return
    rows = [
        (
            one.customer.name,
            one.invoice.number,
            one.on.isoformat(),
            one.kind,
            one.id,
            f"{one.invoice.currency} {format_minor(one.amount, one.invoice.currency)}",
            one.placement.on.isoformat(),
        )
        for one in found
    ]
    if json:
        names = ("customer", "invoice", "date", "what", "reference", "amount", "placed_on")
        console.print_json(
            {"schema": 1, "payments": [dict(zip(names, row, strict=True)) for row in rows]}
        )
        return
    if not rows:
        console.say("Nothing came in for invoices that are with an agency or a lawyer.")
        return
    console.print_table(
        ("customer", "invoice", "date", "what", "reference", "amount", "placed"),
        rows,
        right=["amount"],
    )
    console.say(f"--out FILE writes the {len(PAYMENT_COLUMNS)} columns that the agency wants.")


@command.command("recall")
def recall(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Id or whole name.")],
    invoice: InvoiceOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
) -> None:
    """Take invoices back from the agency or the lawyer: reminders and fees may go on."""
    from ar_bridge.errors import UsageError
    from ar_bridge.hand_off import giving

    if not reason.strip():
        raise UsageError("Why is it recalled?", remedy="say --reason TEXT")
    with opened(ctx, book) as desk, desk.store.write() as conn:
        ended, told = giving.recall(
            conn, desk, customer, invoice or (), actor=desk.worker, reason=reason
        )
    console.say(f"recalled {', '.join(one.id for one in ended)}; {told}")


@command.command("list")
def list_placements(ctx: typer.Context, book: BookOption = None, json: JsonOption = False) -> None:
    """List what is with an agency or a lawyer."""
    from ar_bridge.hand_off import giving

    with opened(ctx, book) as desk, desk.store.read() as conn:
        found = giving.placements(conn, desk)
    rows = [
        (one.id, one.on.isoformat(), one.name or one.to, str(len(one.invoices)), one.actor)
        for one in found
    ]
    if json:
        names = ("placement", "on", "with", "invoices", "by")
        console.print_json(
            {"schema": 1, "placements": [dict(zip(names, row, strict=True)) for row in rows]}
        )
    elif rows:
        console.print_table(("placement", "since", "with", "invoices", "by"), rows)
    else:
        console.say("Nothing is with an agency or a lawyer.")


def say_made(made: "Made") -> None:
    """What was put together, and what is not in it."""
    for row in made.totals:
        console.say(
            f"{row['invoices']} invoices, {row['currency']} {row['total']} in all "
            f"(principal {row['principal']}, fees {row['fees']}, interest {row['interest']})"
        )
    console.say(f"made  {made.folder}", f"made  {made.zipped}", f"digest {made.digest}")
    console.say(*(f"not in it: {one}" for one in made.left_out))


def bundle_what_is_done(ctx: typer.Context, desk: "BookContext") -> None:
    """After an apply: the bundles of hand-offs that were done and have none yet."""
    from ar_bridge.hand_off.pending import bundle_pending

    made, problems = bundle_pending(desk, _home(ctx))
    for one in made:
        say_made(one)
    for problem in problems:
        console.warn(problem)


def _home(ctx: typer.Context) -> Path:
    return invocation(ctx).home.root / "handoffs"


def _view(made: "Made") -> dict[str, Any]:
    return {
        "folder": str(made.folder),
        "zip": str(made.zipped),
        "digest": made.digest,
        "totals": made.totals,
        "left_out": list(made.left_out),
    }


def _must_be_free(folder: Path) -> None:
    from ar_bridge.errors import UsageError

    if folder.exists() or folder.with_name(f"{folder.name}.zip").exists():
        raise UsageError(
            f"{folder} is there already and stays as it is.", remedy="name another with --out"
        )


def _written(file: Path, content: bytes) -> None:
    from ar_bridge.errors import UsageError

    try:
        with file.open("xb") as made:
            made.write(content)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}.", remedy="name another file"
        ) from error


def _audited(ctx: typer.Context, book: str | None, placement: str, digest: str) -> bool | None:
    """Whether the audit has the digest; None where no book is set up here."""
    from ar_bridge.hand_off.bundle import is_bundled

    call = invocation(ctx)
    if book is None and not call.config_file.exists():
        return None
    with opened(ctx, book) as desk, desk.store.read() as conn:
        return is_bundled(conn, desk.book_id, placement, digest)
