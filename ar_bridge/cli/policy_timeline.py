"""`ar-bridge policy timeline`: the life of one invoice under a policy, as a table and a picture."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import JsonOption
from ar_bridge.cli.word_options import day_of

DAYS = 120
"""How long nobody pays, where nothing else is said."""


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A policy file, or a preset.")],
    amount: Annotated[str, typer.Option(metavar="SUM", help="Total of the invoice.")] = "1000.00",
    currency: Annotated[str, typer.Option(metavar="CODE", help="Its currency.")] = "GBP",
    due: Annotated[
        str | None, typer.Option(metavar="DATE", help="Its due date; else a working day of 2026.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days late to look at.")] = DAYS,
    entity_type: Annotated[
        str, typer.Option("--entity-type", help="What the customer is in law.")
    ] = "company",
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write the picture there.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Everything that would happen to an invoice that nobody pays: days, messages, fees."""
    from ar_bridge.errors import SetupError, UsageError
    from ar_bridge.holiday_sets import holiday_set
    from ar_bridge.insights.timeline import INVOICE, one_invoice, timeline
    from ar_bridge.policies import read_policy
    from ar_bridge.reports.timeline_svg import timeline_svg
    from rules.model import AmountError, parse_minor

    policy = read_policy(file)
    due_on = day_of(due, "--due") if due else date(2026, 6, 1)
    code = currency.upper()
    try:
        parse_minor(amount, code)
    except AmountError as error:
        raise UsageError(f"--amount: {error}.", remedy="write it like 1000.00") from None
    region = policy.calendar.region
    steps = timeline(
        policy,
        one_invoice(
            amount=amount, currency=code, due_on=due_on, terms_days=30, entity_type=entity_type
        ),
        INVOICE,
        due_on,
        due_on - timedelta(days=30),
        due_on + timedelta(days=days),
        holidays=holiday_set(region, range(due_on.year - 1, due_on.year + 12)) if region else None,
    )
    if svg is not None:
        title = f"{policy.name}: {amount} {code} due on {due_on}, never paid"
        try:
            svg.write_text(timeline_svg(steps, title, days), encoding="utf-8")
        except OSError as error:
            raise SetupError(
                f"{svg} cannot be written: {error.strerror}.", remedy="check the path"
            ) from error
    if json:
        rows = [
            {
                **{"on": step.on.isoformat(), "days_late": step.days_late, "kind": step.kind},
                **{"title": step.title, "amount": step.amount, "mode": step.mode},
                "why": step.why,
            }
            for step in steps
        ]
        console.print_json({"schema": 1, "policy": policy.name, "due": due_on, "steps": rows})
        return
    console.print_table(
        ("day", "date", "what", "amount", "mode"),
        [
            (f"{step.days_late:+d}", str(step.on), step.title, step.amount, step.mode)
            for step in steps
        ],
        right=("day", "amount"),
    )
    console.say(f"{policy.name}: {amount} {code} due on {due_on}, unpaid for {days} days")
    if svg is not None:
        console.say(f"made  {svg}")
