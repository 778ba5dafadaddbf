"""`ar-bridge status`: how each book stands, and what waits for a person."""

import shlex
from typing import TYPE_CHECKING, Any, Final

import typer

from ar_bridge.cli import console
from ar_bridge.cli.invocation import BookOption, Invocation, JsonOption, invocation
from ar_bridge.errors import SetupError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from ar_bridge.settings import BookSettings
    from ar_bridge.store.books import BookRow
    from ar_bridge.store.engine import Store

WAITING: Final = {
    "planned": "waiting for your approval",
    "approved": "to be done at the next apply",
    "leased": "being done",
    "unknown": "may or may not have been done: look in the ledger",
    "parked": "stopped half way: look at them",
}
"""States that are not at an end, as a person should read them."""


def command(ctx: typer.Context, book: BookOption = None, json: JsonOption = False) -> None:
    """Say how each book stands and what waits for you."""
    from ar_bridge import kill_switch
    from ar_bridge.store.engine import open_store
    from ar_bridge.wiring import database_url

    call = invocation(ctx)
    store = open_store(database_url(call.settings, call.home))
    try:
        rows = [
            standing(store, settings, call.clock.now())
            | {
                "alarms": alarms_of(call, store, settings),
                "limited_until": limited_until(call, store, settings),
                "stopped": kill_switch.stopped_because(call.home, settings.name) or None,
            }
            for settings in call.books(book)
        ]
    finally:
        store.close()
    if json:
        console.print_json({"schema": 1, "books": rows})
        return
    if not rows:
        console.say(f"No book is configured in {call.config_file}: add a [[book]] section.")
    for row in rows:
        console.say(*sentences(row))


def standing(store: "Store", settings: "BookSettings", now: "datetime") -> dict[str, Any]:
    """One book as `status --json` prints it."""
    from ar_bridge.store import actions, counters, halts, plans, quarantine
    from ar_bridge.wiring import connected_row

    told: dict[str, Any] = {
        "name": settings.name,
        "ledger": settings.ledger,
        "mode": settings.mode,
        "is_connected": True,
    }
    try:
        row = connected_row(store, settings)
    except SetupError:
        return told | {"is_connected": False}
    with store.read() as conn:
        plan = plans.latest_plan(conn, row.id)
        states: dict[str, int] = {}
        for (_, state), count in actions.counts_by_state(conn, row.id).items():
            states[state] = states.get(state, 0) + count
        return told | {
            "company": row.company.name or row.company_id,
            "state": row.state,
            "synced_at": row.synced_at.isoformat() if row.synced_at else None,
            **reading(conn, row, now),
            "plan": plan.id if plan else None,
            "actions": states,
            "unsettled": [
                {
                    "key": one.key,
                    "state": one.state,
                    "reason": one.ended_reason,
                    "since": one.ended_at.isoformat() if one.ended_at else None,
                    "age_hours": int((now - one.ended_at).total_seconds() // 3600)
                    if one.ended_at
                    else None,
                }
                for one in actions.actions_in(conn, row.id, ("unknown", "parked"))
            ],
            "halts": [
                {
                    "kind": one.kind,
                    "code": one.code,
                    "reason": one.reason,
                    "since": one.opened_at.isoformat(),
                    "by": one.opened_by,
                    "plan": one.plan_id,
                }
                for one in halts.standing(conn, row.id)
            ],
            "waits": [
                {"reason": why, "actions": count}
                for why, count in counters.waiting(conn, row.id).items()
            ],
            "outage": _outage(conn, row.id),
            **_waits(conn, row.id),
            "quarantined": len(quarantine.listed(conn, row.id)),
            "holds": _holds(conn, row, now),
            "payments_entered_through": row.entered_through.isoformat()
            if row.entered_through
            else None,
        }


def _outage(conn: "Connection", book_id: int) -> dict[str, Any] | None:
    """A ledger that does not answer, and until when it is left alone."""
    from ar_bridge.store import outages

    found = outages.found(conn, book_id)
    if found is None or found.until is None:
        return None
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(timespec="minutes"),
        "failures": found.failures,
        "reason": found.reason,
    }


def _waits(conn: "Connection", book_id: int) -> dict[str, Any]:
    """Since when the oldest planned action waits, and how many wait for another day's calls."""
    from ar_bridge.pricing import DEFERRED
    from ar_bridge.store import revisions, skips

    since = revisions.waiting_since(conn, book_id)
    deferred = skips.listed(conn, book_id, code=DEFERRED)
    days = [one.skip.next_on for one in deferred if one.skip.next_on is not None]
    return {
        "waiting_since": since.isoformat() if since else None,
        "deferred": len({one.skip.key for one in deferred}),
        "deferred_to": min(days).isoformat() if days else None,
    }


def _holds(conn: "Connection", row: "BookRow", now: "datetime") -> dict[str, int]:
    """How much of what people told us stands, and how much of it is past its review date."""
    from ar_bridge.store import commitments
    from rules.calendar import local_date

    today = local_date(now, row.company.timezone)
    found = commitments.listed(conn, row.id, standing_on=today)
    late = [one for one in found if one.review_on is not None and one.review_on < today]
    return {"standing": len(found), "past_review": len(late)}


def reading(conn: "Connection", row: "BookRow", now: "datetime") -> dict[str, Any]:
    """How well the ledger is read: the last sync, and the last one that read everything."""
    from ar_bridge.store import pulls, runs

    last = next(iter(runs.latest(conn, row.id, kind="sync")), None)
    whole = row.full_synced_at
    return {
        "full_synced_at": whole.isoformat() if whole else None,
        "full_age_hours": int((now - whole).total_seconds() // 3600) if whole else None,
        "last_sync": {
            "at": last.started_at.isoformat(),
            "outcome": last.outcome,
            "full": last.counts.get("full", False),
            "resumed": last.counts.get("resumed", False),
            "remarks": last.counts.get("remarks", []),
            "error": last.counts.get("error"),
        }
        if last
        else None,
        "unfinished_since": next(
            (one.began_at.isoformat() for one in pulls.under_way(conn, row.id)), None
        ),
    }


def _on_reading(row: dict[str, Any]) -> list[str]:
    lines = [f"  last read: {row['synced_at'] or 'never'}"]
    if row.get("limited_until"):
        lines.append(f"  no more calls until {row['limited_until']}: its limit is used up")
    if row["full_synced_at"]:
        hours = console.counted(row["full_age_hours"], "hour")
        lines.append(f"  everything last read: {hours} ago")
    if row["unfinished_since"]:
        lines.append(f"  a reading broke off: the next sync goes on ({row['unfinished_since']})")
    last = row["last_sync"]
    if last and last["error"]:
        lines.append(f"  the last sync failed: {last['error']}")
    if last:
        lines += [f"  note: {remark}" for remark in last["remarks"]]
    return lines


def limited_until(call: Invocation, store: "Store", settings: "BookSettings") -> str | None:
    """When the accounting system takes calls again, where its limit is used up for long."""
    from ar_bridge.wiring import budget_of, connected_row

    try:
        row = connected_row(store, settings)
    except SetupError:
        return None
    budget = budget_of(settings, call.home, row.company_id)
    until = budget.stopped_until(call.clock.now()) if budget is not None else None
    return until.isoformat(timespec="minutes") if until is not None else None


def alarms_of(call: Invocation, store: "Store", settings: "BookSettings") -> list[dict[str, str]]:
    """A connection that is about to end, with what to do."""
    from ar_bridge.token_alarm import alarms
    from ar_bridge.wiring import connected_row, vault_of
    from connectors.table import consent_of

    if consent_of(settings.ledger) is None:
        return []
    try:
        row = connected_row(store, settings)
    except SetupError:
        return []  # never connected: that is said already
    try:
        vault = vault_of(store, call.home, call.clock, settings.ledger, row.company_id)
        tokens = vault.load()
    except SetupError as error:
        return [{"level": "error", "text": error.message, "remedy": error.remedy}]
    if tokens is None:
        return []
    found = alarms(tokens, call.clock.now(), book=shlex.quote(settings.name))
    return [{"level": one.level, "text": one.text, "remedy": one.remedy} for one in found]


def sentences(row: dict[str, Any]) -> list[str]:
    """The standing of one book for people."""
    head = f"{row['name']}: {row['ledger']}, mode {row['mode']}"
    if not row["is_connected"]:
        return [head, f"  not connected yet -> ar-bridge connect {shlex.quote(row['name'])}"]
    lines = [f"{head}, {row['company']}", *_on_reading(row)]
    lines += [
        f"  {one['level']}: the connection: {one['text']} -> {one['remedy']}"
        for one in row["alarms"]
    ]
    if row["state"] == "rebuilt":
        lines += [
            "  rebuilt from the ledger: every action needs your approval",
            "    look through them, then -> ar-bridge trust --book "
            f"{shlex.quote(row['name'])} --reason ...",
        ]
    lines += _on_halts(row)
    lines.append(f"  last plan: {row['plan'] or 'none'}")
    lines += [
        f"  {console.counted(row['actions'][state], 'action')}: {meaning}"
        for state, meaning in WAITING.items()
        if row["actions"].get(state)
    ]
    lines += [
        f"    {one['key']}: {one['reason']}{_ago(one['age_hours'])} -> ar-bridge settle "
        f"{shlex.quote(one['key'])}"
        for one in row["unsettled"]
    ]
    lines += [
        f"  {console.counted(one['actions'], 'action')} of these wait: {one['reason']}"
        for one in row["waits"]
    ]
    if row["waiting_since"]:
        lines.append(f"  the oldest has waited since {row['waiting_since'][:10]}")
    if row["deferred"]:
        lines.append(
            f"  {console.counted(row['deferred'], 'item')} deferred to {row['deferred_to']}: "
            "the day's calls are not enough"
        )
    if row["payments_entered_through"]:
        lines.append(f"  payments are entered through {row['payments_entered_through']}")
    if row["holds"]["past_review"]:
        late = console.counted(row["holds"]["past_review"], "hold")
        lines.append(f"  {late} past the review date -> ar-bridge holds")
    if row["quarantined"]:
        lines.append(f"  {console.counted(row['quarantined'], 'record')} left out: not readable")
    return lines


def _ago(hours: int | None) -> str:
    if hours is None:
        return ""
    return f" ({console.counted(hours, 'hour') if hours < 48 else f'{hours // 24} days'} ago)"


def _on_halts(row: dict[str, Any]) -> list[str]:
    """What keeps everything from going out, each with what ends it."""
    book = shlex.quote(row["name"])
    lines: list[str] = []
    if row.get("stopped"):
        lines.append(f'  STOPPED: {row["stopped"]} -> ar-bridge start --reason "..."')
    for one in row["halts"]:
        since = one["since"][:16].replace("T", " ")
        if one["kind"] == "stop" and row.get("stopped"):
            continue
        if one["kind"] == "reading":
            lines.append(
                f"  nothing goes by rule since {since}: {one['reason']}; it ends by itself"
            )
            continue
        what = "STOPPED" if one["kind"] == "stop" else "out of the ordinary, nothing goes by rule"
        lines.append(
            f"  {what} since {since} UTC: {one['reason']} -> look at it, then "
            f'ar-bridge start --book {book} --reason "..."'
        )
    if row["outage"]:
        out = row["outage"]
        lines.append(f"  the ledger does not answer: {out['reason']}; tried again {out['until']}")
    return lines
