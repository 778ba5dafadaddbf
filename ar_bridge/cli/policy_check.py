"""`ar-bridge policy check`: every mistake in a policy, and what its author would hardly want."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import JsonOption, invocation
from ar_bridge.errors import SetupError

if TYPE_CHECKING:
    from ar_bridge.messages.templates import Templates
    from rules.policy.finding import Finding
    from rules.policy.schema import Policy


def command(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A policy file, or a preset.")],
    json: JsonOption = False,
) -> None:
    """Say every mistake in a policy, and what its author would hardly want.

    Exit 3 for a policy with mistakes; remarks alone exit 0.
    """
    from ar_bridge.messages.templates import Templates
    from ar_bridge.policies import read_policy

    own = invocation(ctx).home.templates
    templates = Templates([own] if own.is_dir() else [])
    try:
        policy = read_policy(file)
    except SetupError as error:
        whole = _with_the_rest(error, file, templates)
        if not json:
            raise whole from None
        problems = list(whole.problems) or [whole.message]
        console.print_json({"schema": 1, "file": file, "problems": problems, "remarks": []})
        raise typer.Exit(whole.exit_code) from None
    found = list(_found(policy, file, templates))
    if json:
        told = {"schema": 1, "file": file, "problems": [], **_summary(policy)}
        console.print_json(told | {"remarks": [_plain(*one) for one in found]})
    else:
        for place, _, remark in found:
            console.say_whole(f"{remark.severity}: {place}{_said(remark)}")
        errors = sum(remark.severity == "error" for _, _, remark in found)
        stages = console.counted(len(policy.stage), "stage")
        fees = console.counted(len(policy.fee), "fee")
        state = f"has {console.counted(errors, 'error')}" if errors else "can be used"
        console.say_whole(f"{file}: {policy.name} {state} ({stages}, {fees})")
    if any(remark.severity == "error" for _, _, remark in found):
        raise typer.Exit(SetupError.exit_code)


def _found(
    policy: "Policy", file: str, templates: "Templates"
) -> "Iterator[tuple[str, int | None, Finding]]":
    """(place for people, line, remark) of the policy, or of each of its versions."""
    from ar_bridge.policies import policy_text
    from ar_bridge.policy_remarks import remarks
    from rules.policy.positions import positions

    for version in policy.versions:
        for remark in remarks(version.policy, templates):
            yield f"from {version.from_}: ", None, remark
    if policy.versions:
        return
    text, source = policy_text(file)
    lines = positions(text.removeprefix("\ufeff"))
    for remark in remarks(policy, templates):
        line = lines.line(remark.path) if remark.path else None
        yield f"{source}:{line}: " if line else "", line, remark


def _with_the_rest(error: SetupError, file: str, templates: "Templates") -> SetupError:
    """The mistakes, and templates and holidays that are nowhere besides."""
    from ar_bridge.policies import policy_text
    from ar_bridge.policy_remarks import missing
    from rules.policy.load import PolicyError, Problem
    from rules.policy.positions import positions
    from rules.policy_test_lint import findings_of_tests

    cause = error.__cause__
    if not isinstance(cause, PolicyError) or cause.rest is None:
        return error
    text, source = policy_text(file)
    if cause.problems[0].file != source:
        return error  # a version of it, in a file of its own
    lines = positions(text.removeprefix("\ufeff"))
    left = cause.rest.policy
    found = [
        *cause.rest.placed(missing(left, templates)),
        # A stage or fee that a test names may be one of those that cannot be read.
        *cause.rest.sure(
            one for one in findings_of_tests(left) if one.path[-1] not in ("stage", "fee")
        ),
    ]
    more = [
        Problem(
            file=source,
            line=lines.line(path),
            path=path,
            message=finding.message,
            hint=finding.hint,
        )
        for path, finding in found
    ]
    problems = sorted([*cause.problems, *more], key=lambda one: one.line)
    return SetupError(
        f"The policy {source} has {console.counted(len(problems), 'mistake')}.",
        remedy=error.remedy,
        problems=[str(problem) for problem in problems],
    )


def _said(remark: "Finding") -> str:
    return f"{remark.message} ({remark.hint})" if remark.hint else remark.message


def _plain(place: str, line: int | None, remark: "Finding") -> dict[str, Any]:
    del place
    return {
        "severity": remark.severity,
        "code": remark.code,
        "path": ".".join(map(str, remark.path)),
        "line": line,
        "message": remark.message,
        "hint": remark.hint,
    }


def _summary(policy: "Policy") -> dict[str, Any]:
    return {
        "name": policy.name,
        "hash": policy.hash,
        "mode": str(policy.mode),
        "stages": [stage.id for stage in policy.stage],
        "fees": [fee.id for fee in policy.fee],
    }
