"""`ar-bridge policy new`: a policy of one's own, from a few answers or from a ready one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ar_bridge.cli import console
from ar_bridge.errors import SetupError, UsageError

if TYPE_CHECKING:
    from ar_bridge.policy_answers import Question


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make.")],
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Copy this ready policy, and ask nothing."),
    ] = None,
    answers: Annotated[
        list[str] | None,
        typer.Option(
            "--answer",
            metavar="NAME=VALUE",
            help="Answer a question beforehand; those that are left take their defaults.",
        ),
    ] = None,
) -> None:
    """Make a policy of your own: answer a few questions, or copy a ready one.

    On a terminal it asks. For scripts: --answer first=5 --answer fees=law --answer
    region=GB-ENG, or --preset NAME.
    """
    from ar_bridge.policies import preset_text

    if preset is not None and answers:
        raise UsageError("A copy of a preset asks nothing.", remedy="leave out one of the two")
    if file.exists():
        raise _is_there(file)
    if preset is not None or (not answers and not sys.stdin.isatty()):
        _write(file, preset_text(preset or "standard"))
    else:
        from ar_bridge.policy_answers import answered, compose

        given = _given(answers or ()) if answers else _ask()
        _write(file, compose(file.stem, answered(given)))
    console.say(
        f"made  {file}",
        f"Read it aloud, then look: ar-bridge policy timeline {file}",
        f"Check it after every change: ar-bridge policy check {file}; policy test {file}",
    )


def _is_there(file: Path) -> UsageError:
    return UsageError(f"{file} is there already and stays as it is.", remedy="name another file")


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except FileExistsError:
        raise _is_there(file) from None
    except OSError as error:
        raise SetupError(
            f"{file} cannot be written: {error.strerror}.", remedy="check the path"
        ) from error


def _given(answers: "list[str] | tuple[()]") -> dict[str, str]:
    wrong = [text for text in answers if "=" not in text]
    if wrong:
        raise UsageError(
            "An answer has a name and a value.",
            problems=[f"{text!r} has no =" for text in wrong],
            remedy="write it like --answer first=5",
        )
    return dict(text.split("=", 1) for text in answers)


def _ask() -> dict[str, str]:
    from ar_bridge.policy_answers import QUESTIONS, answer

    found: dict[str, str] = {}
    for question in QUESTIONS:
        if not question.is_asked(found):
            continue
        while True:
            typed = console.ask(in_full(question), question.default)
            try:
                found[question.name] = answer(question, typed)
            except ValueError as error:
                console.say(str(error))
            else:
                break
    return found


def in_full(question: "Question") -> str:
    width = max(map(len, question.choices), default=0)
    rows = (f"  {name:<{width}}  {what}" for name, what in question.choices.items())
    return "\n".join([question.text, *rows])
