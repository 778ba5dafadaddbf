"""No secret is ever said, logged, exported or stored in clear."""

from base64 import b64encode
from collections.abc import Iterator

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from ar_bridge.channels.local_mailbox import LocalMailbox
from ar_bridge.home import Home
from ar_bridge.settings import load_settings
from ar_bridge.store.engine import open_store
from ar_bridge.wiring import connected_row, database_url, vault_of
from connectors.sandbox.http import Request, Response, json_response
from connectors.sandbox.server import SandboxServer
from tests.cli.evidence import files_under
from tests.cli.newcomer import CLIENT_SECRET, MAIL_PASSWORD, LedgerName, Newcomer, Person
from tests.cli.running import Program

MAIL_USER = "elm"
OTHER_SECRET = "canary-wrong-secret-4713"


def signs_in(*given: object) -> AuthResult:
    """The mail server's own look at user name and password."""
    offered = given[-1]
    is_right = isinstance(offered, LoginPassword) and (
        (offered.login, offered.password) == (MAIL_USER.encode(), MAIL_PASSWORD.encode())
    )
    return AuthResult(success=is_right, handled=True)


class Watched:
    """A newcomer of whom every word and every file is kept, and every token that there was."""

    def __init__(self, person: Newcomer) -> None:
        self.person = person
        self.said: list[str] = []
        self.tokens: set[str] = set()

    def __call__(self, *arguments: str, **more: object) -> int:
        ended = self.person(*arguments, **more)
        self.said += [ended.out, ended.err]
        return ended.code

    def note_tokens(self) -> None:
        home = self.person
        settings = load_settings(home.config)
        (book,) = settings.book.values()
        where = Home(home.home)
        store = open_store(database_url(settings, where))
        try:
            row = connected_row(store, book)
            kept = vault_of(store, where, home.clock, book.ledger, row.company_id).load()
        finally:
            store.close()
        assert kept is not None
        self.tokens |= {kept.access_token, kept.refresh_token}

    def is_tight(self) -> None:
        """Nothing of it stands anywhere but in what the person wrote."""
        secrets = {CLIENT_SECRET, OTHER_SECRET, MAIL_PASSWORD, *self.tokens}
        assert len(secrets) >= 5
        assert all(len(secret) >= 12 for secret in secrets)
        files = files_under(self.person.home)
        del files["config.toml"]
        assert any(name.startswith("logs/") for name in files)
        places = {"the screen": "\n".join(self.said).encode(), **files}
        secrets |= {
            b64encode(text.encode()).decode()
            for text in (
                f"{self.person.sandbox.client_id}:{CLIENT_SECRET}",
                f"\0{MAIL_USER}\0{MAIL_PASSWORD}",
            )
        }
        for secret in secrets:
            for place, content in places.items():
                assert secret.encode() not in content, place


@pytest.fixture
def watched(
    program: Program, ledger: LedgerName, capsys: pytest.CaptureFixture[str]
) -> Iterator[Watched]:
    """Somebody whose mail server wants a password."""
    box = LocalMailbox(authenticator=signs_in, auth_require_tls=False)
    with box:
        person = Newcomer(program.home, capsys, ledger, box)
        person.done("init")
        person.configure()
        signed = f'username = "{MAIL_USER}"\npassword = "{MAIL_PASSWORD}"\n'
        person.config.write_text(person.config.read_text() + signed)
        yield Watched(person)
        person.close()


def test_in_a_working_day(watched: Watched) -> None:
    person = watched.person
    assert watched("--debug", "connect", "--paste", stdin=Person(person)) == 0
    watched.note_tokens()
    person.tomorrow(2)  # The access token has expired by then: it is renewed.
    assert watched("--debug", "run") == 0
    watched.note_tokens()
    assert len(watched.tokens) >= 3
    plan = person.done("plan", "--json").json["plan"]
    assert watched("--debug", "approve", plan) == 0
    assert watched("--debug", "apply", "--json") == 0
    assert len(person.mails) == 5
    for command in (
        ("doctor",),
        ("books",),
        ("status",),
        ("plan",),
        ("audit", "show"),
        ("explain", "INV-1"),
    ):
        assert watched("--debug", *command, "--json") == 0
        assert watched("--debug", *command) == 0
    assert watched("audit", "export") == 0
    watched.is_tight()


def test_in_trouble(watched: Watched) -> None:
    person = watched.person
    assert watched("--debug", "connect", "--paste", stdin=Person(person)) == 0
    watched.note_tokens()
    text = person.config.read_text()
    # Wrong settings next to the secrets.
    person.config.write_text(text.replace("client_secret", "client_secrt"))
    assert watched("--debug", "plan") == 3
    person.config.write_text(text.replace(f'"{MAIL_PASSWORD}"', f'["{MAIL_PASSWORD}"]'))
    assert watched("--debug", "plan") == 3
    person.config.write_text(text.replace(f'"{CLIENT_SECRET}"', f'"{CLIENT_SECRET}'))
    assert watched("--debug", "plan") == 3
    person.config.write_text(text)
    # A ledger that answers rubbish, a connection that has ended, a wrong client secret.
    assert watched("--debug", "sync") == 0
    person.sandbox.order("http-500=99")
    assert watched("--debug", "sync") == 1
    person.sandbox.faults.lift("http-500")
    person.tomorrow(1)
    person.config.write_text(text.replace(CLIENT_SECRET, OTHER_SECRET))
    assert watched("--debug", "sync") == 4
    assert watched("--debug", "doctor") == 3
    assert watched("--debug", "connect", "--paste", stdin=Person(person)) in (1, 4)
    watched.is_tight()


class Echo:
    """A vendor that repeats in its errors whatever it was sent: header, form and query."""

    def __init__(self, person: Newcomer) -> None:
        self._inner = person.sandbox.handle
        self.is_angry = False
        self.server = SandboxServer(self._answer)

    def _answer(self, request: Request) -> Response:
        if not self.is_angry:
            return self._inner(request)
        form = {key: value for key, value in request.form().items()} if request.body else {}
        sent = f"{request.header('authorization')} {form} {request.query}"
        return json_response(
            {
                "error": "invalid_request",
                "error_description": sent,
                "Title": sent,
                "Detail": sent,
                "Message": sent,
                "Fault": {"Error": [{"Message": sent, "Detail": sent, "code": "610"}]},
            },
            400,
        )

    def settings(self, person: Newcomer) -> dict[str, str]:
        at = person.sandbox.addresses(self.server.base_url)
        return {
            name: getattr(at, name)
            for name in ("api_url", "authorize_url", "token_url", "revoke_url", "connections_url")
        }


def test_from_a_vendor_that_repeats_them(watched: Watched) -> None:
    person = watched.person
    echo = Echo(person)
    try:
        text = person.config.read_text()
        head, mail = text.split("\n[mail]")
        del head
        person.config.write_text(person.book_section(**echo.settings(person)) + "\n[mail]" + mail)
        assert watched("--debug", "connect", "--paste", stdin=Person(person)) == 0
        watched.note_tokens()
        assert watched("--debug", "sync") == 0
        echo.is_angry = True
        # The access token still holds: the ledger itself repeats it.
        assert watched("--debug", "sync") in (1, 4)
        assert watched("--debug", "doctor", "--json") == 3
        person.tomorrow(1)
        # Now it is renewed: the token address repeats refresh token and client secret.
        assert watched("--debug", "sync") in (1, 4)
        assert watched("--debug", "run") in (1, 4)
        assert watched("--debug", "doctor") == 3
        assert watched("--debug", "status", "--json") == 0
        code = "canary-code-4714"
        address = f"http://localhost:8477/callback?code={code}&state=none"
        assert watched("--debug", "connect", "--paste", stdin=Person(person, pastes=address)) == 4
        watched.tokens.add(code)
        # Giving them back fails too, is recorded, and the record is exported.
        assert watched("--debug", "disconnect") == 1
        assert watched("audit", "export") == 0
        assert watched("audit", "show", "--json") == 0
        assert any("BookDisconnected" in said for said in watched.said)
        assert any("***" in said for said in watched.said)
    finally:
        echo.server.close()
    watched.is_tight()


def test_the_keys_of_the_vault(watched: Watched) -> None:
    person = watched.person
    assert watched("--debug", "connect", "--paste", stdin=Person(person)) == 0
    watched.note_tokens()
    watched.tokens.add((person.home / "key").read_text().strip())
    assert watched("--debug", "vault", "rotate") == 0
    assert watched("--debug", "vault", "check", "--json") == 0
    (person.home / "key").write_text("canary-of-a-broken-key\n")
    watched.tokens.add("canary-of-a-broken-key")
    assert watched("--debug", "sync") == 3
    assert watched("--debug", "doctor") == 3
    (person.home / "key").unlink()
    watched.is_tight()
