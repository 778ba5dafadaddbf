"""`ar-bridge policy`: check and test a policy, list the ready ones, begin with a copy of one."""

from typing import Annotated

import typer

from ar_bridge.cli import console, policy_check, policy_diff, policy_new, policy_timeline
from ar_bridge.cli.invocation import JsonOption

command = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Check and test policies, list the ready ones.",
)


command.command("check")(policy_check.command)


@command.command("test")
def test_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A policy file, or a preset.")],
    json: JsonOption = False,
) -> None:
    """Run the tests that a policy carries: `[[test]]` with events, a day, and what has to come.

    Exit 1 where one of them fails.
    """
    from ar_bridge.policies import read_policy
    from rules.policy_tests import run_tests

    results = run_tests(read_policy(file))
    failed = [result for result in results if not result.passed]
    if json:
        rows = [
            {"name": one.name, "passed": one.passed, "differences": list(one.differences)}
            for one in results
        ]
        console.print_json({"schema": 1, "file": file, "failed": len(failed), "tests": rows})
    else:
        for one in results:
            console.say(f"{'ok' if one.passed else 'FAILED':<8}{one.name}")
            console.say(*(f"        {said}" for said in one.differences))
        console.say(f"{file}: {console.counted(len(results), 'test')}, {len(failed)} failed")
        if not results:
            console.say("Add one: [[test]] with name, on, events, actions or skips.")
    if failed:
        raise typer.Exit(1)


@command.command("text")
def print_text(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A policy file, or a preset.")],
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="Currency of amounts that name none.")
    ] = "GBP",
) -> None:
    """Print what late payment costs, in sentences for customers, from the rules themselves."""
    from ar_bridge.policies import read_policy
    from rules.policy_text import policy_text

    console.say(policy_text(read_policy(file), currency.upper()).rstrip())


@command.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of the policy language, for editors that complete and check TOML."""
    from ar_bridge.policy_schema import policy_schema

    console.print_json(policy_schema())


command.command("timeline")(policy_timeline.command)
command.command("diff")(policy_diff.command)


@command.command("presets")
def list_presets(json: JsonOption = False) -> None:
    """List the policies that come with ar-bridge."""
    from ar_bridge.policies import PRESETS

    if json:
        rows = [{"name": name, "purpose": purpose} for name, purpose in PRESETS.items()]
        console.print_json({"schema": 1, "presets": rows})
        return
    console.print_table(("preset", "what it does"), list(PRESETS.items()))
    console.say("Begin with a copy: ar-bridge policy new FILE --preset NAME")


command.command("new")(policy_new.command)
