"""`ar-bridge edit`: give a planned message other words."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import ByOption, ReasonOption, by, opened
from ar_bridge.cli.invocation import BookOption, JsonOption
from ar_bridge.errors import UsageError

_SUBJECT: Final = "Subject: "


def command(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The action, as `plan` shows it.")],
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="TEXT", help="The new subject.")
    ] = None,
    text_file: Annotated[
        Path | None,
        typer.Option("--text-file", metavar="FILE", help="The new text; - reads it from here."),
    ] = None,
    editor: Annotated[
        bool, typer.Option("--editor", help="Open subject and text in $VISUAL or $EDITOR.")
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="Amounts or invoice numbers that it leaves out are meant."),
    ] = False,
    book: BookOption = None,
    reason: ReasonOption = "",
    who: ByOption = "",
    json: JsonOption = False,
) -> None:
    """Change the words of a message: a new revision, which needs approval (again).

    Later plans keep them while the facts are the same, and say so when they drop them.
    """
    from ar_bridge.editing import carrier, edit, message_of
    from ar_bridge.selection import selected

    if editor == (subject is not None or text_file is not None):
        raise UsageError(
            "What is to be changed?" if not editor else "Typed, or in the editor?",
            remedy="say --subject TEXT, --text-file FILE or both; or --editor",
        )
    with opened(ctx, book) as desk:
        with desk.store.read() as conn:
            (row, *more) = selected(conn, desk, [key], ("planned", "approved"))
            if more:
                raise UsageError(
                    f"{key} is several actions.",
                    problems=[each.key for each in (row, *more)],
                    remedy="name one of them",
                )
            row = carrier(conn, desk, row)
            message = message_of(conn, row)
        if editor:
            # Nothing is locked while somebody writes: the revision is looked at again below.
            new_subject, text = _edited(message.subject, message.text)
        else:
            new_subject = message.subject if subject is None else subject
            text = message.text if text_file is None else _read(text_file)
        with desk.store.write() as conn:
            (now, *_) = selected(conn, desk, [row.key], ("planned", "approved"))
            if now.revision != row.revision:
                raise UsageError(
                    f"{row.key} was planned anew while you wrote.",
                    remedy="look at it with ar-bridge plan, and edit what it says now",
                )
            done = edit(
                conn,
                desk,
                now,
                subject=new_subject,
                text=text,
                actor=by(desk, who),
                reason=reason,
                anyway=anyway,
            )
    if json:
        console.print_json(
            {
                "schema": 1,
                "key": done.row.key,
                "revision": done.row.revision,
                "plan": done.plan_id,
                "edited_by": done.row.edited_by,
                "left_out": list(done.lost),
            }
        )
        return
    for lost in done.lost:
        console.warn(f"it no longer says: {lost}")
    console.say(f"edited {done.row.key}: revision {done.row.revision}")
    console.say(f"It waits for approval: ar-bridge approve {done.plan_id}")


def _read(file: Path) -> str:
    try:
        if str(file) == "-":
            return typer.get_text_stream("stdin", encoding="utf-8").read()
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        raise UsageError(
            f"{file} cannot be read: {trouble}.", remedy="name a text file in UTF-8"
        ) from None


def _edited(subject: str, text: str) -> tuple[str, str]:
    """What a person made of subject and text in their editor. Raises UsageError."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory() as folder:  # its mode keeps others out
        file = Path(folder) / "message.txt"
        file.write_text(f"{_SUBJECT}{subject}\n\n{text}", encoding="utf-8")
        try:
            ended = subprocess.run([*shlex.split(command), str(file)], check=False)
        except (OSError, ValueError) as trouble:
            raise UsageError(
                f"The editor {command} cannot be started: {trouble}.",
                remedy="set EDITOR, or use --subject and --text-file",
            ) from None
        if ended.returncode:
            raise UsageError(
                f"The editor ended with {ended.returncode}: nothing was changed.",
                remedy="save the file and leave the editor in the ordinary way",
            )
        head, _, rest = _read(file).partition("\n")
    if not head.startswith(_SUBJECT.strip()):
        raise UsageError(
            "The first line no longer is the subject: nothing was changed.",
            remedy=f'begin it with "{_SUBJECT}"',
        )
    return head.removeprefix(_SUBJECT.strip()).strip(), rest.lstrip("\n")
