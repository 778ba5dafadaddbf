"""`ar-bridge`, and `python -m ar_bridge`."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ar_bridge.errors import ArBridgeError
from ar_bridge.guard import check_packages

if TYPE_CHECKING:
    from ar_bridge.clock import Clock


def main(arguments: Sequence[str] | None = None, *, clock: "Clock | None" = None) -> int:
    """Run one command and return the exit code: 0 done, 1 failed, 2 usage, 3 set-up, 4 ledger.

    `clock` stands in for the machine's own time in a rehearsal.
    """
    # Whatever a run leaves holds names, debts and keys: nobody else on this machine reads along.
    os.umask(0o077)
    try:
        check_packages()
    except ArBridgeError as error:
        print(f"ar-bridge: {error}", file=sys.stderr)
        return error.exit_code
    from ar_bridge.cli.invocation import Invocation

    call = Invocation()
    if clock is not None:
        call.clock = clock
    try:
        from typer.main import get_command

        from ar_bridge.cli import app

        given = list(sys.argv[1:] if arguments is None else arguments)
        get_command(app).main(given, prog_name="ar-bridge", obj=call)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:
        from ar_bridge.cli.failures import report

        return report(error, call)
    return 0


if __name__ == "__main__":
    sys.exit(main())
