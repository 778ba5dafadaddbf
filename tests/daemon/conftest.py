"""Companies whose daemon runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ar_bridge.channels.local_mailbox import LocalMailbox
from tests.cli.conftest import mailbox
from tests.cli.newcomer import LedgerName
from tests.daemon.living import Living

__all__ = ["living", "mailbox"]


@pytest.fixture
def living(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mailbox: LocalMailbox
) -> Iterator[Living]:
    """A company that is connected, in the machine's own time; its plan is due at once."""
    ledger: LedgerName = "xero"
    place = Living(tmp_path / "home", capsys, ledger, mailbox)
    place.done("init")
    place.configure(mode="auto")
    place.connect()
    yield place
    place.close()
