"""`ar-bridge resume`: end a pause, a stop, or whatever else holds a customer."""

from typing import Annotated, Final

import typer

from ar_bridge.cli.desk import ReasonOption
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.cli.saying import saying
from ar_bridge.cli.word_options import CustomerOption, InvoiceOption, SubjectArgument

EXAMPLE: Final = """\
\b
Examples:
  ar-bridge resume "North Ltd" --reason "the administrator paid"
  ar-bridge resume "North Ltd" --hold promise/C1/2026-11-01 --reason "taken back"
"""


def command(
    ctx: typer.Context,
    subject: SubjectArgument = None,
    hold: Annotated[
        list[str] | None,
        typer.Option(
            "--hold",
            metavar="ID",
            help="End this one, whatever its kind, as `holds` lists it; may be repeated.",
        ),
    ] = None,
    customer: CustomerOption = None,
    invoice: InvoiceOption = None,
    book: BookOption = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Go on with a customer where a pause or a stop stands; with --hold, end what it names."""
    from ar_bridge import words
    from ar_bridge.errors import UsageError
    from ar_bridge.telling import tell_ended
    from ar_bridge.word_subject import ids
    from rules.model import Dispute, Pause, Placement, Stop

    with saying(ctx, book, subject, customer, invoice, json, of_customers=True) as said:
        conn, desk = said.conn, said.desk
        standing = words.standing(conn, desk.book_id, said.customer.id, [object], said.today)
        if hold:
            unknown = set(hold) - {found.id for found in standing}
            if unknown:
                raise UsageError(
                    f"{', '.join(sorted(unknown))} does not stand for {said.customer.name}.",
                    remedy="ar-bridge holds lists what stands",
                )
            chosen = [found for found in standing if found.id in hold]
            own = {Dispute: "dispute --won-by", Placement: "handoff recall"}
            for found in chosen:
                if type(found) in own:
                    raise UsageError(
                        f"{found.id} ends in a way of its own.",
                        remedy=f"use ar-bridge {own[type(found)]}",
                    )
        else:
            wanted = set(ids(said.invoices))
            chosen = [
                found
                for found in standing
                if isinstance(found, Pause | Stop)
                and (not wanted or not found.invoices or wanted & set(found.invoices))
            ]
        if not chosen:
            said.answer([], f"{said.customer.name} is neither paused nor stopped")
            return
        told = tell_ended(conn, desk, chosen, kind="resume", actor=desk.worker, reason=reason)
        ended = ", ".join(found.id for found in chosen)
        said.answer(chosen, f"{said.customer.name}: ended {ended}; {told}", note=told)
