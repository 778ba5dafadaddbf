"""The one directory under which everything lies that a run leaves."""

import os
from pathlib import Path
from typing import Final

from ar_bridge.errors import SetupError

ENVIRONMENT: Final = "AR_BRIDGE_HOME"


def add_line(file: Path, line: bytes) -> None:
    """Add a line to a file of which lines are never taken out; it is on the disk when this
    returns, whole whoever else adds to it. Raises OSError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Home:
    """`--home DIR`, else AR_BRIDGE_HOME, else the platform's data directory.

    Holds invoices, mail and keys, so that only its owner may look into it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()

    @classmethod
    def found(cls, option: Path | None = None) -> "Home":
        """The home that the command line, the environment or the platform names."""
        named = str(option) if option is not None else os.environ.get(ENVIRONMENT, "")
        if named:
            return cls(Path(named))
        from platformdirs import user_data_path

        return cls(user_data_path("ar-bridge", appauthor=False))

    @property
    def config(self) -> Path:
        """The settings, unless `--config` names another file."""
        return self.root / "config.toml"

    @property
    def database(self) -> Path:
        """The SQLite file, unless `[store] url` names another database."""
        return self.root / "ar-bridge.sqlite3"

    @property
    def key(self) -> Path:
        """The key that tokens are encrypted with, unless one is given otherwise."""
        return self.root / "key"

    @property
    def audit_heads(self) -> Path:
        """Heads of the audit chain, outside of the database that holds the chain."""
        return self.root / "audit-heads.jsonl"

    @property
    def handed_over(self) -> Path:
        """Message-IDs of what was handed to the mail server, outside of the database."""
        return self.root / "handed-over.log"

    @property
    def customers(self) -> Path:
        """What the ledger does not hold about customers."""
        return self.root / "customers.toml"

    @property
    def policies(self) -> Path:
        return self.root / "policies"

    @property
    def templates(self) -> Path:
        """Message templates that replace the ones that come along."""
        return self.root / "templates"

    @property
    def drafts(self) -> Path:
        """Mail of books in mode `draft`, as .eml files."""
        return self.root / "drafts"

    @property
    def letters(self) -> Path:
        """Letters to print and post, in a folder for each day."""
        return self.root / "letters"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def log(self) -> Path:
        return self.logs / "ar-bridge.log"

    @property
    def secrets(self) -> Path:
        """Secret files, one value a file, such as `mail__password`."""
        return self.root / "secrets"

    def create(self) -> "Home":
        """Make the directory, closed to others. Raises SetupError where that is not possible."""
        return self._made(self.root)

    def folder(self, path: Path) -> Path:
        """Make one of the folders above when it is first needed."""
        self.create()
        self._made(path)
        return path

    def _made(self, path: Path) -> "Home":
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(
                f"{path} cannot be made: {error.strerror}.",
                remedy=f"name another place with --home DIR or {ENVIRONMENT}",
            ) from error
        return self
