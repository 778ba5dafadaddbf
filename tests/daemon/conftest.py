"""A mail server for the books of the daemon."""

from tests.cli.conftest import mailbox

__all__ = ["mailbox"]
