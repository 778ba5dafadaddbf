"""A group of commands that are imported only when they are called.

`--help` prints the table; the accounting SDKs, the database and the HTTP client stay unloaded.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class LazyGroup(TyperGroup):
    """Commands from a table: name -> (module, one line of help).

    The module's `command` is a function, or a `typer.Typer` with commands of its own; `EXAMPLE`,
    where there is one, stands at the end of its help.
    """

    table: ClassVar[dict[str, tuple[str, str]]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.table:
            return None
        module, _ = self.table[cmd_name]
        loaded = import_module(module)
        command = loaded.command
        if isinstance(command, typer.Typer):
            app = command
        else:
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(name=cmd_name, epilog=getattr(loaded, "EXAMPLE", None))(command)
        built: Any = typer.main.get_command(app)
        built.name = cmd_name
        return built

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        close = get_close_matches(args[0], self.table, n=1) if args else []
        if close and args[0] not in self.table and not args[0].startswith("-"):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{close[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])
