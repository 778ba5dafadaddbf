"""`ar-bridge init`: a home directory that is safe to start with."""

import json
import os
import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import Invocation, invocation
from ar_bridge.errors import SetupError, UsageError
from ar_bridge.home import Home

PRESET: Final = "standard"

_CONFIG = """\
# What ar-bridge works on. config.example.toml in the documentation shows every key.
# A new book only observes: it makes plans and writes nothing, until `mode` says more.
{book}
[sender]
# What customers read under every message.
name = ""
address = []
phone = ""

[mail]
# Without a host no mail is sent. The password: AR_BRIDGE_MAIL__PASSWORD or password_file.
host = ""
# username = ""
# from = "Accounts <accounts@company.example>"
"""

_BOOK = """
[[book]]
name = {name}
ledger = {ledger}
mode = "observe"
policy = "policies/{preset}.toml"
{rest}"""

_SECRET = """\
# The secret: AR_BRIDGE_BOOK__{slug}__CLIENT_SECRET, or client_secret_file = "...".
client_id = ""
"""

_XERO = """\
# A custom connection: one organisation, let in by the app's own id and secret, nothing to renew.
# It is for organisations in AU, NZ, UK and US, and Xero charges a little for it each month.
# For an app of the kind "Web app", which costs nothing: grant = "authorization_code".
grant = "client_credentials"
# From your app at developer.xero.com.
"""

_QUICKBOOKS = """\
# From your app at the Intuit developer portal.
"""

_FEES = """\
# Late fees are charged only when both are set, and `ar-bridge doctor` has seen them in the
# ledger: {fees}.
fee_account = ""
fee_tax = ""
"""

_FEE_WORDS = {
    "xero": "an account code and a tax type",
    "quickbooks": "a product or service and a tax code",
}

_OTHER = """\
# What this connector needs stands in its own documentation.
"""

_CUSTOMERS = """\
# What the ledger does not hold about customers. Edited by hand or by command; survives the
# database.
schema = 1

# [defaults]
# entity_type = "company"

# [customer.C1]            # the ledger's id
# tags = ["vip"]
# contacts = [{ name = "Accounts payable", email = "ap@customer.example", roles = ["billing"] }]
"""


def command(
    ctx: typer.Context,
    book: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call your first book.")
    ] = None,
    ledger: Annotated[
        str,
        typer.Option(
            metavar="LEDGER", help="quickbooks, xero, bookfile, or one from an installed package."
        ),
    ] = "xero",
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The book, where the ledger is bookfile.")
    ] = None,
) -> None:
    """Make the home directory with its first settings. What is there already stays as it is."""
    from connectors.table import consent_of, known_ledgers

    known = known_ledgers()
    if ledger not in known:
        raise UsageError(f'There is no ledger "{ledger}".', remedy=f"one of: {', '.join(known)}")
    if ledger == "bookfile" and file is None:
        raise UsageError("A bookfile ledger needs its file.", remedy="add --file book.jsonl")
    from ar_bridge.policies import preset_text

    call = invocation(ctx)
    home = call.home.create()
    config = call.config_file
    policy = config.parent / "policies" / f"{PRESET}.toml"
    made = [
        (config, _write(config, first_config(book, ledger, file))),
        (policy, _write(policy, preset_text(PRESET))),
        (config.parent / "customers.toml", _write(config.parent / "customers.toml", _CUSTOMERS)),
        *_make_key(home),
        (home.database, _make_database(call)),
    ]
    for path, is_new in made:
        console.say(f"{'made' if is_new else 'kept'}  {path}")
    has_consent = consent_of(ledger) is not None
    console.say("", *_next_steps(config, book, ledger, policy, has_consent=has_consent))


def first_config(book: str | None, ledger: str, file: Path | None) -> str:
    """The first `config.toml`, with one book, or with an example of one behind `#`."""
    name = book or "acme"
    rest = _rest(ledger, name, file)
    section = _BOOK.format(
        name=json.dumps(name, ensure_ascii=False),
        ledger=json.dumps(ledger),
        preset=PRESET,
        rest=rest,
    )
    if book is None:
        lines = section.splitlines()
        section = "\n".join(f"# {line}".rstrip() if line else line for line in lines) + "\n"
    return _CONFIG.format(book=section)


def _rest(ledger: str, name: str, file: Path | None) -> str:
    """What a book needs besides its name and policy, ledger by ledger."""
    place = f"file = {json.dumps(str(file.absolute()))}\n" if file is not None else ""
    if ledger == "bookfile":
        return place
    slug = "".join(sign if sign.isalnum() else "_" for sign in name.upper())
    start = {"xero": _XERO, "quickbooks": _QUICKBOOKS}.get(ledger, _OTHER)
    fees = _FEE_WORDS.get(ledger, "the names that the ledger has for them")
    return start + _SECRET.format(slug=slug) + place + _FEES.format(fees=fees)


def _write(path: Path, text: str) -> bool:
    """Make a file; False where it is there already, because a person's words are never lost."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="name another place with --home DIR",
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def _make_key(home: Home) -> list[tuple[Path, bool]]:
    """The key that tokens are encrypted with, where none is given otherwise."""
    from ar_bridge.vault_keys import VaultKeys

    is_new = not home.key.exists()
    VaultKeys(home.key).sources(create=True)
    return [(home.key, is_new)] if home.key.exists() else []


def _make_database(call: Invocation) -> bool:
    from ar_bridge.store.engine import open_store
    from ar_bridge.wiring import database_url

    is_new = not call.home.database.exists()
    open_store(database_url(call.settings, call.home)).close()
    return is_new and call.home.database.exists()


def _next_steps(
    config: Path, book: str | None, ledger: str, policy: Path, *, has_consent: bool
) -> list[str]:
    steps = [f"read {policy} aloud: it says who is reminded when, and what is charged"]
    if book is None:
        steps.insert(0, f"take the # off the [[book]] in {config} and fill it in")
    elif has_consent:
        steps.insert(0, f"fill in client_id and the client secret in {config}")
    if ledger != "bookfile":
        steps.append(f"ar-bridge connect {shlex.quote(book or 'acme')}")
    steps += ["ar-bridge doctor", "ar-bridge sync", "ar-bridge plan      (nothing is sent)"]
    return ["Next:", *(f"  {number}. {step}" for number, step in enumerate(steps, start=1))]
