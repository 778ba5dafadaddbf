"""`ar-bridge vault`: the keys that stored connections are encrypted with."""

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import JsonOption, invocation

command = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@command.callback()
def _group() -> None:
    """The keys that stored connections are encrypted with."""


@command.command("check")
def check(ctx: typer.Context, json: JsonOption = False) -> None:
    """Say where keys come from, and whether they open every connection."""
    from ar_bridge.health.machine import Machine, of_keys

    call = invocation(ctx)
    machine = Machine(
        settings=call.settings,
        books=list(call.settings.book.values()),
        home=call.home,
        config_file=call.config_file,
        clock=call.clock,
    )
    found = list(of_keys(machine))
    if json:
        rows = [
            {"level": f.level, "subject": f.subject, "text": f.text, "remedy": f.remedy}
            for f in found
        ]
        console.print_json({"schema": 1, "findings": rows})
    else:
        for finding in found:
            console.say(f"{finding.level:<8}{finding.text}")
            if finding.remedy:
                console.say(f"        -> {finding.remedy}")
        if not found:
            console.say("there is no key yet: `ar-bridge connect` makes one")
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(3)


@command.command("rotate")
def rotate(ctx: typer.Context) -> None:
    """Change to a new key. Interrupted, it loses nothing: run it again."""
    from ar_bridge import vault
    from ar_bridge.store.engine import open_store
    from ar_bridge.vault_keys import VaultKeys
    from ar_bridge.wiring import database_url

    call = invocation(ctx)
    call.start_log()
    keys = VaultKeys(call.home.create().key)
    store = open_store(database_url(call.settings, call.home))
    try:
        done = vault.rotate(store, keys, call.clock)
    finally:
        store.close()
    console.say(f"{console.counted(done.connections, 'connection')} encrypted with the newest key")
    if done.dropped:
        console.say(f"{console.counted(done.dropped, 'old key')} dropped from {keys.own}")
    for place in done.not_needed:
        console.say(f"the older keys of this place are not needed any more: {place}")


@command.command("new-key")
def make() -> None:
    """Print a new key, for the environment or a systemd credential. It is not kept here."""
    from ar_bridge.vault_keys import new_key

    console.say_whole(new_key())
