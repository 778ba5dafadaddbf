"""Settings: the file, the environment, secret files, and every problem at once."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ar_bridge.errors import SetupError
from ar_bridge.settings import Settings, load_settings
from ar_bridge.settings.example import example
from ar_bridge.settings.values import BUILT_IN_LEDGERS
from connectors.table import CONNECTORS

ROOT = Path(__file__).resolve().parent.parent

BOOK = '[[book]]\nname = "acme"\nledger = "xero"\npolicy = "standard"\n'


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine that the tests run on reaches them."""
    for variable in list(os.environ):
        if variable.startswith("AR_BRIDGE_"):
            monkeypatch.delenv(variable)


def load(tmp_path: Path, text: str, *, secrets: Path | None = None) -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return load_settings(file, secrets=secrets)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SetupError) as caught:
        load(tmp_path, text)
    assert caught.value.exit_code == 3
    assert caught.value.remedy
    return list(caught.value.problems)


def test_the_example_is_what_the_classes_say() -> None:
    written = (ROOT / "config.example.toml").read_text()
    assert written == example(), "python -m ar_bridge.settings.example > config.example.toml"


def test_the_example_loads_and_holds_the_defaults(tmp_path: Path) -> None:
    text = example()
    settings = load(tmp_path, text)
    assert settings == load(tmp_path, BOOK)
    book = settings.book["acme"]
    assert (book.mode, book.can_charge, settings.mail.is_set_up) == ("observe", False, False)


def test_every_example_behind_a_hash_is_a_value_of_its_key(tmp_path: Path) -> None:
    secrets = ("acme_client_secret", "mail_password", "gateway_secret", "quickbooks_webhooks")
    for name in (*secrets, "xero_webhooks", "inbound_password"):
        (tmp_path / name).write_text("secret\n")
    (tmp_path / "book.jsonl").write_text("")
    lines = [
        line.removeprefix("# ").replace("/run/secrets/", f"{tmp_path}/")
        for line in example().splitlines()
        if line.startswith(("[", "# ", *"abcdefghijklmnopqrstuvwxyz"))
        and (("=" in line.split("#")[-1] and " = " in line) or line.startswith("["))
    ]
    keys = [line for line in lines if line.startswith("[") or line.split(" = ")[0].isidentifier()]
    found = problems(tmp_path, "\n".join(keys))
    # Everything is set at once, so the only trouble left is that some keys exclude each other.
    assert {line.split(": ", 2)[2] for line in found} == {
        "only a bookfile ledger has a file",
        "client_secret is given too: keep one of the two",
        "password is given too: keep one of the two",
        "missing, though there is a password",
        "secret is given too: keep one of the two",
        "quickbooks_key is given too: keep one of the two",
        "xero_key is given too: keep one of the two",
    }


def test_all_problems_come_at_once_with_place_and_advice(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        '[[book]]\nname = "Acme Ltd"\nledgr = "xero"\nmode = "aprove"\npolicy = "none.toml"\n'
        'api_url = "http://ledger.example/api"\n\n[mail]\nprot = 25\npassword = 12\n\n[mial]\n',
    )
    assert found == [
        "config.toml:1: [[book]] acme_ltd ledger: missing",
        "config.toml:4: [[book]] acme_ltd mode: \"aprove\" is not one of 'observe', 'draft', "
        "'approve' or 'auto' (did you mean `approve`?)",
        'config.toml:5: [[book]] acme_ltd policy: "none.toml": there is no file '
        f"{tmp_path}/none.toml",
        'config.toml:6: [[book]] acme_ltd api_url: "http://ledger.example/api": '
        "http://ledger.example is refused: use https, or http on this machine only "
        "(127.0.0.1, ::1, localhost)",
        "config.toml:3: [[book]] acme_ltd ledgr: there is no such key (did you mean `ledger`?)",
        "config.toml:10: [mail] password: should be text in quotes",
        "config.toml:9: [mail] prot: there is no such key (did you mean `port`?)",
        "config.toml:12: [mial]: there is no such key (did you mean `mail`?)",
    ]


def test_time_zones_and_periods_are_checked_by_name(tmp_path: Path) -> None:
    book = load(tmp_path, BOOK + 'timezone = "Pacific/Honolulu"\nreconcile_every = "7d"\n').book
    assert book["acme"].timezone == "Pacific/Honolulu"
    assert book["acme"].reconciles_after == timedelta(days=7)
    assert load(tmp_path, BOOK).book["acme"].reconciles_after == timedelta(hours=24)
    never = load(tmp_path, BOOK + 'reconcile_every = "never"\n').book["acme"]
    assert never.reconciles_after is None
    zone, period = problems(tmp_path, BOOK + 'timezone = "Europe/Londno"\nreconcile_every = "0"\n')
    assert 'timezone: "Europe/Londno": not a time zone' in zone
    assert "(did you mean `Europe/London`?)" in zone
    assert 'reconcile_every: "0": not a period' in period


def test_a_ledger_without_a_connector_is_met_with_the_nearest_name(tmp_path: Path) -> None:
    assert problems(tmp_path, BOOK.replace('"xero"', '"Xerro"')) == [
        'config.toml:3: [[book]] acme ledger: "Xerro": there is no connector of that name; there '
        "are: bookfile, quickbooks, xero (did you mean `xero`?)"
    ]


def test_the_ledgers_that_come_along_are_those_of_the_table() -> None:
    assert set(BUILT_IN_LEDGERS) == set(CONNECTORS)


@pytest.mark.parametrize("ledger", ["quickbooks", "xero"])
def test_a_ledger_that_comes_along_loads_no_connector(tmp_path: Path, ledger: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(BOOK.replace("xero", ledger))
    probe = (
        "import sys, pathlib; from ar_bridge.settings import load_settings; "
        "load_settings(pathlib.Path(sys.argv[1])); assert 'connectors.table' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, file], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_wrong_password_is_not_repeated(tmp_path: Path) -> None:
    found = problems(
        tmp_path, '[mail]\npassword = ["hunter2"]\n[store]\nurl = ["pg://u:hunter2@h"]'
    )
    assert len(found) == 2
    assert not any("hunter2" in line for line in found)


def test_a_syntax_error_has_its_line(tmp_path: Path) -> None:
    assert problems(tmp_path, '[mail]\nhost = "x\n') == [
        "config.toml:2: Illegal character '\\n' (column 10)"
    ]


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="There are no settings") as caught:
        load_settings(tmp_path / "config.toml")
    assert "ar-bridge init" in caught.value.remedy


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://ledger.example", True),
        ("http://127.0.0.1:8700", True),
        ("http://[::1]:8700", True),
        ("http://localhost:8700/", True),
        ("http://127.0.0.1.ledger.example", False),
        ("http://localhost.ledger.example", False),
        ("http://10.0.0.5", False),
        ("ftp://127.0.0.1", False),
        ("ledger.example", False),
    ],
)
def test_plain_addresses_stay_on_this_machine(tmp_path: Path, url: str, is_allowed: bool) -> None:
    for key in (
        "api_url",
        "authorize_url",
        "token_url",
        "connections_url",
        "revoke_url",
        "redirect_uri",
    ):
        text = f'{BOOK}{key} = "{url}"\n'
        if is_allowed:
            assert getattr(load(tmp_path, text).book["acme"], key) == url.rstrip("/")
        else:
            assert f"[[book]] acme {key}" in problems(tmp_path, text)[0]


def test_the_environment_comes_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AR_BRIDGE_MAIL__HOST", "mail.example")
    monkeypatch.setenv("AR_BRIDGE_MAIL__FROM", "accounts@company.example")
    monkeypatch.setenv("AR_BRIDGE_BOOK__ACME_LTD__CLIENT_SECRET", "from-environment")
    settings = load(tmp_path, BOOK.replace("acme", "Acme Ltd") + '[mail]\nhost = "old.example"\n')
    assert (settings.mail.host, settings.mail.domain) == ("mail.example", "company.example")
    book = settings.book["acme_ltd"]
    assert (book.secret, book.ledger) == ("from-environment", "xero")
    assert "from-environment" not in repr(settings)


def test_secret_files_come_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "mail__password").write_text("from-file\n")
    (secrets / "book__acme__client_secret").write_text("from-file-too\n")
    monkeypatch.setenv("AR_BRIDGE_MAIL__PASSWORD", "from-environment")
    settings = load(tmp_path, BOOK + '[mail]\nusername = "u"\n', secrets=secrets)
    assert settings.mail.secret == "from-file"
    assert settings.book["acme"].secret == "from-file-too"


def test_a_secret_may_stand_in_a_file_that_the_settings_name(tmp_path: Path) -> None:
    (tmp_path / "acme.secret").write_text("s3cret\n")
    settings = load(tmp_path, BOOK + 'client_secret_file = "acme.secret"\n')
    assert settings.book["acme"].secret == "s3cret"


def test_a_variable_that_means_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AR_BRIDGE_MIAL__HOST", "x")
    monkeypatch.setenv("AR_BRIDGE_MAIL__PORT", "many")
    assert problems(tmp_path, BOOK) == [
        "environment AR_BRIDGE_MIAL__HOST: there is no section `mial` (did you mean `mail`?)",
        "environment AR_BRIDGE_MAIL__PORT: should be a whole number",
    ]


def test_paths_start_where_the_file_lies(tmp_path: Path) -> None:
    (tmp_path / "terms.toml").write_text("")
    text = BOOK.replace('"standard"', '"terms.toml"')
    book = load(tmp_path, text).book["acme"]
    assert book.policy == str(tmp_path / "terms.toml")
    assert book.customers == tmp_path / "customers.toml"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOOK.replace('policy = "standard"\n', ""), "policy: missing"),
        (BOOK + 'policies = [{ from = 2026-01-01, file = "gentle" }]\n', "`policy` is given too"),
        (BOOK.replace("xero", "bookfile"), "file: missing"),
        (BOOK.replace("xero", "quickbooks") + 'grant = "client_credentials"\n', "QuickBooks only"),
        (BOOK + BOOK, "another book is called that"),
        (BOOK + BOOK.replace("acme", "other"), "ids of two companies must not mix"),
        ('[mail]\nhost = "mail.example"\nfrom = "a@b.example"\nsecurity = "none"\n', "unencrypted"),
        ('[mail]\nhost = "mail.example"\n', "from: missing"),
        ('[mail]\nfrom = "nobody"\n', "not a mail address"),
        ('[book]\nname = "acme"\n', "write each book as a section of its own"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path: Path, text: str, problem: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == 1
    assert problem in found[0]


def test_mail_on_this_machine_may_be_plain(tmp_path: Path) -> None:
    text = '[mail]\nhost = "127.0.0.1"\nsecurity = "none"\nfrom = "A B <a@b.example>"\n'
    mail = load(tmp_path, text).mail
    assert (mail.server_port, mail.domain) == (25, "b.example")
