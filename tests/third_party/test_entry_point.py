"""A connector from outside: installed, found by its entry point, and as good as our own."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from ar_bridge.clock import SystemClock
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.http import Request, Response
from connectors.sandbox.oauth import OAuth, OAuthTerms
from connectors.sandbox.server import SandboxServer

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).with_name("tinyledger")

OPENED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ar_bridge.clock import VirtualClock
from connectors.table import BookConnection, connector_factory, known_ledgers

factory = connector_factory("tinyledger")
assert factory.__module__ == "tinyledger", factory.__module__
assert Path(sys.modules["tinyledger"].__file__).parent == Path(sys.argv[1])
assert known_ledgers() == ("bookfile", "quickbooks", "tinyledger", "tinyonline", "xero")
clock = VirtualClock(datetime(2026, 3, 2, tzinfo=UTC))
opened = factory(BookConnection(clock=clock, file=Path(sys.argv[2])))
print(opened.check().company.id)
"""

BOOKS = {
    "company": {"id": "oak", "name": "Oak Ltd", "base_currency": "GBP", "timezone": "UTC"},
    "customers": [{"id": "C1", "name": "North Ltd", "email": "ap@north.example"}],
    "invoices": [
        {"id": "7", "customer": "C1", "issued": "2020-01-02", "due": "2020-02-01", "of": "120.00",
         "to_pay": "100.00"},
        {"id": "8", "customer": "C1", "issued": "no date", "due": "2020-02-01", "of": "1.00",
         "to_pay": "1.00"},
    ],
}  # fmt: skip

CONFIG = '[[book]]\nname = "oak"\nledger = "{ledger}"\npolicy = "standard"\nfile = "books.json"\n'


def call(*command: str | Path, place: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run Python with what is installed at `place`, and none of this machine's settings."""
    environment: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if not name.startswith("AR_BRIDGE_")
    }
    paths = [str(path) for path in (place, ROOT) if path is not None]
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as somebody else has it: a folder of its own."""
    return Path(shutil.copytree(PACKAGE, tmp_path_factory.mktemp("source") / "tinyledger"))


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    ended = call(
        "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-index",
        "--no-build-isolation", "--no-compile", "--target", place, source,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return place


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a book in the other ledger."""
    (tmp_path / "books.json").write_text(json.dumps(BOOKS))
    (tmp_path / "config.toml").write_text(CONFIG.format(ledger="tinyledger"))
    return tmp_path


def test_the_table_finds_it_by_its_entry_point_and_opens_it(installed: Path, home: Path) -> None:
    ended = call("-c", OPENED, installed, home / "books.json", place=installed)
    assert (ended.returncode, ended.stdout) == (0, "oak\n"), ended.stderr


def test_it_passes_the_suite_that_comes_along(installed: Path, source: Path) -> None:
    ended = call(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", source / "pyproject.toml",
        "--rootdir", source, source / "conformance.py", place=installed,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout and "failed" not in ended.stdout


def test_a_book_in_it_is_connected_read_and_planned(installed: Path, home: Path) -> None:
    bridge = ("-m", "ar_bridge", "--home", home)
    for command in (("connect", "oak"), ("sync",)):
        ended = call(*bridge, *command, place=installed)
        assert ended.returncode == 0, ended.stderr
    assert "could not read invoices 8" in ended.stderr
    ended = call(*bridge, "plan", "--json", place=installed)
    assert ended.returncode == 0, ended.stderr
    plan = json.loads(ended.stdout)
    said = [invoice for action in plan["actions"] for invoice in action["invoices"]]
    said += [skip["invoice"] for skip in plan["skips"]]
    assert plan["book"] == "oak" and "7" in said


class Portal:
    """The vendor's own sign-in: consent, tokens, and their end."""

    TERMS = OAuthTerms(
        authorize_path="/authorize",
        token_path="/token",
        revoke_path="/revoke",
        access_life=timedelta(hours=1),
        refresh_life=timedelta(days=30),
        grace=timedelta(0),
    )

    def __init__(self) -> None:
        self.oauth = OAuth(
            self.TERMS,
            clock=SystemClock(),
            faults=FaultPlan([]),
            client_id="tiny",
            client_secret="tiny-secret",
            company_id="oak",
            company_name="Oak Ltd",
        )
        self.server = SandboxServer(self._answer)

    def _answer(self, request: Request) -> Response:
        answer = self.oauth.answer(request)
        assert answer is not None
        return answer

    def settings(self, redirect: str) -> str:
        base = self.server.base_url
        return CONFIG.format(ledger="tinyonline") + (
            f'client_id = "tiny"\nclient_secret = "tiny-secret"\nredirect_uri = "{redirect}"\n'
            f'authorize_url = "{base}/authorize"\ntoken_url = "{base}/token"\n'
            f'revoke_url = "{base}/revoke"\n'
        )


@pytest.fixture
def portal() -> Iterator[Portal]:
    opened = Portal()
    yield opened
    opened.server.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_offers_a_consent_of_its_own_on_the_loopback_address(
    installed: Path, home: Path, portal: Portal
) -> None:
    (home / "config.toml").write_text(portal.settings(f"http://127.0.0.1:{free_port()}/back"))
    paths = os.pathsep.join(map(str, (installed, ROOT)))
    waiting = subprocess.Popen(
        [sys.executable, "-u", "-m", "ar_bridge", "--home", home, "connect", "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert waiting.stdout is not None
    shown = ""
    while "Waiting at" not in shown:
        line = waiting.stdout.readline()
        assert line, waiting.communicate()[1]
        shown += line
    address = next(line for line in shown.splitlines() if line.startswith("http"))
    assert "code_challenge=" in address
    page = httpx.get(address, follow_redirects=True, timeout=30)
    assert page.status_code == 200 and "close this window" in page.text
    out, err = waiting.communicate(timeout=120)
    assert waiting.returncode == 0, err
    assert "oak is connected: Oak Ltd" in out
    assert portal.oauth.is_connected
    bridge = ("-m", "ar_bridge", "--home", home)
    found = call(*bridge, "doctor", "--json", place=installed)
    levels = {one["subject"]: one["level"] for one in json.loads(found.stdout)["findings"]}
    assert (levels["oak connection"], levels["oak ledger"]) == ("ok", "ok"), found.stdout
    ended = call(*bridge, "disconnect", place=installed)
    assert "given back and forgotten" in ended.stdout, ended.stderr
    assert "not connected" in call(*bridge, "disconnect", place=installed).stdout


def test_init_begins_a_book_in_it(installed: Path, tmp_path: Path) -> None:
    arguments = ("init", "--book", "oak", "--ledger", "tinyonline")
    ended = call("-m", "ar_bridge", "--home", tmp_path / "new", *arguments, place=installed)
    assert ended.returncode == 0, ended.stderr
    assert "client_id" in ended.stdout and "ar-bridge connect oak" in ended.stdout
    listed = call("-m", "ar_bridge", "--home", tmp_path / "new", "books", place=installed)
    assert "tinyonline" in listed.stdout, listed.stderr


def test_its_name_is_offered_where_it_is_mistyped(installed: Path, home: Path) -> None:
    (home / "config.toml").write_text(CONFIG.format(ledger="tinyleger"))
    ended = call("-m", "ar_bridge", "--home", home, "books", place=installed)
    assert ended.returncode == 3
    assert "did you mean `tinyledger`?" in ended.stderr


def test_without_the_package_there_is_no_such_ledger(home: Path) -> None:
    ended = call("-m", "ar_bridge", "--home", home, "books")
    assert ended.returncode == 3
    assert "there are: bookfile, quickbooks, xero" in ended.stderr
