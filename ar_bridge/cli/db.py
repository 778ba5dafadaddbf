"""`ar-bridge db`: our own records: bring them up to date, back them up, put them back."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ar_bridge.cli import console
from ar_bridge.cli.desk import actor
from ar_bridge.cli.invocation import Invocation, JsonOption, invocation
from ar_bridge.errors import SetupError, UsageError

if TYPE_CHECKING:
    from ar_bridge.vault_keys import KeySource

command = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@command.callback()
def _group() -> None:
    """Our own records: bring them up to date, back them up, put them back."""


@command.command("upgrade")
def upgrade(ctx: typer.Context, json: JsonOption = False) -> None:
    """Bring the database to the form that this release works with. What was there before is kept
    beside it; interrupted, the old one is there unchanged."""
    from ar_bridge.store import schema
    from ar_bridge.store.engine import open_store

    call = invocation(ctx)
    url = _url(call)
    before = _revision(url)
    store = open_store(url)
    try:
        place = store.place
    finally:
        store.close()
    kept = f"{place}.schema-{before}" if before and before != schema.HEAD else None
    kept = kept if kept and Path(kept).exists() else None
    if json:
        console.print_json(
            {"schema": 1, "database": place, "before": before, "now": schema.HEAD, "kept": kept}
        )
    elif before == schema.HEAD:
        console.say(f"{place} is up to date (schema {schema.HEAD}).")
    else:
        console.say(f"{place} is at schema {schema.HEAD} now; it was {before or 'new'}.")
        if kept:
            console.say(f"What was there before is kept as {kept}.")


@command.command("backup")
def backup(
    ctx: typer.Context,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="PLACE",
            help="A folder or a file; else `backups` in the home directory.",
        ),
    ] = None,
    keep: Annotated[
        int,
        typer.Option("--keep", min=0, metavar="N", help="Keep the newest N there; 0 keeps all."),
    ] = 0,
    with_key: Annotated[
        bool,
        typer.Option(
            "--with-key", help="Put the key of the connections in too: guard it like the key."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Back up the database and the files beside it, while everything runs; checked before it
    counts."""
    from ar_bridge.backups.making import make

    call = invocation(ctx)
    made = make(
        call.home.create(),
        _url(call),
        call.clock.now(),
        into=to,
        config=call.config_file,
        with_key=with_key,
        keep=keep,
    )
    sources = _keys(call)
    if json:
        console.print_json(
            {
                "schema": 1,
                "backup": str(made.path),
                "bytes": made.size,
                "revision": made.manifest.revision,
                "audit_head": made.manifest.audit_head,
                "files": sorted(made.manifest.files),
                "has_key": made.manifest.has_key,
                "keys": [source.name for source in sources],
                "dropped": [str(one) for one in made.dropped],
            }
        )
        return
    console.say(f"{made.path}: {made.size:,} bytes, {len(made.manifest.files)} files, checked.")
    if made.manifest.has_key:
        console.say("The key of the connections is in it: keep it where nobody else reads it.")
    elif sources:
        places = ", ".join(source.name for source in sources)
        console.say(f"Not in it: the key of the connections ({places}). Keep a copy elsewhere.")
    if call.home.secrets.is_dir():
        console.say(f"Not in it: the secret files in {call.home.secrets}.")
    for one in made.dropped:
        console.say(f"removed: {one}")


@command.command("list")
def listing(ctx: typer.Context, json: JsonOption = False) -> None:
    """The backups in the home directory, the newest first."""
    from ar_bridge.backups.archive import PREFIX, SUFFIX, manifest_of

    call = invocation(ctx)
    folder = call.home.root / "backups"
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob(f"{PREFIX}*{SUFFIX}"), reverse=True):
        found = manifest_of(path)
        rows.append(
            {
                "backup": str(path),
                "bytes": path.stat().st_size,
                "made_at": found.made_at.isoformat() if found else None,
                "revision": found.revision if found else None,
            }
        )
    if json:
        console.print_json({"schema": 1, "backups": rows})
        return
    for row in rows:
        about = f"schema {row['revision']}" if row["revision"] else "damaged"
        console.say(f"{row['backup']}  {row['bytes']:,} bytes  {about}")
    if not rows:
        console.say(f"There is no backup in {folder}.", "Make one: ar-bridge db backup")


@command.command("restore")
def restore(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="BACKUP", help="A backup, as `db list` shows them.")
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Put settings, policies and templates back too."),
    ] = False,
    mark_only: Annotated[
        bool,
        typer.Option("--mark-only", help="The database was put back by other means: only say so."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Put a backup back. What was done since stands in the ledger: it is looked for there, and a
    person is asked about everything until `ar-bridge trust`."""
    from ar_bridge.backups.restoring import mark
    from ar_bridge.backups.restoring import restore as put_back
    from ar_bridge.daemon.lock import only_one
    from ar_bridge.store.addresses import for_programs, sqlite_file
    from ar_bridge.store.engine import open_store

    call = invocation(ctx)
    if (file is None) != mark_only:
        raise UsageError("Name the backup that is put back.", remedy="ar-bridge db list shows them")
    url = _url(call)
    database = sqlite_file(url)
    with only_one(url):
        if file is None:
            store = open_store(url)
            try:
                named = mark(store, call.clock.now(), actor=actor(call), source="by other means")
            finally:
                store.close()
            console.say(*_looked_at(named))
            if named:
                console.say(
                    "Connections are as old as what was put back. Where one was used since, the "
                    "accounting system takes it no more: ar-bridge connect BOOK"
                )
            return
        if database is None:
            plain = shlex.quote(for_programs(url)[0])
            raise SetupError(
                "A PostgreSQL database is put back by PostgreSQL's own programs.",
                remedy=f"tar -xzf {shlex.quote(str(file))} database.dump; pg_restore --clean "
                f"--if-exists --dbname={plain} database.dump; ar-bridge db restore --mark-only",
            )
        done = put_back(
            call.home,
            database,
            file,
            call.clock.now(),
            actor=actor(call),
            everything=everything,
        )
    if json:
        console.print_json(
            {
                "schema": 1,
                "restored": str(file),
                "made_at": done.manifest.made_at.isoformat(),
                "safety_copy": str(done.safety_copy) if done.safety_copy else None,
                "files": list(done.files),
                "books": list(done.books),
                "connections_kept": list(done.connections.kept),
                "connections_of_the_backup": list(done.connections.doubtful),
            }
        )
        return
    console.say(f"The records of {done.manifest.made_at:%Y-%m-%d %H:%M} UTC are back.")
    if done.safety_copy:
        console.say(f"What was there before is kept as {done.safety_copy}.")
    for name in done.files:
        console.say(f"put back: {name}")
    if not done.manifest.has_key and not _keys(call):
        console.say(
            "The key of the connections is not here: put it back, or connect every book again."
        )
    if done.connections.kept:
        console.say(f"Newer connections are kept: {', '.join(done.connections.kept)}.")
    for name in done.connections.doubtful:
        console.say(
            f"The connection of {name} is as old as the backup. If it was used since, the "
            f"accounting system takes it no more: ar-bridge connect {shlex.quote(name)}"
        )
    console.say(*_looked_at(done.books))


def _looked_at(named: "tuple[str, ...] | list[str]") -> list[str]:
    if not named:
        return ["No book is connected."]
    return [
        f"Every action of {', '.join(named)} waits for a person until you say: ar-bridge trust",
        "The next sync reads everything and looks for what was done since.",
    ]


def _url(call: Invocation) -> str:
    from ar_bridge.connected import database_url

    return database_url(call.settings, call.home)


def _revision(url: str) -> str | None:
    from ar_bridge.store import schema
    from ar_bridge.store.addresses import sqlite_file
    from ar_bridge.store.engine import bare_store

    file = sqlite_file(url)
    if file is not None and not file.exists():
        return None
    store = bare_store(url)
    try:
        with store.read() as connection:
            return schema.revision(connection)
    finally:
        store.close()


def _keys(call: Invocation) -> "list[KeySource]":
    from ar_bridge.vault_keys import VaultKeys

    return list(VaultKeys(call.home.key).sources())
