"""The demo as a person sees it: progress, then a readable account of what happened."""

import shutil
import threading
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from ar_bridge.cli import console
from ar_bridge.cli.apply_text import listed
from ar_bridge.cli.book_file import book_events
from ar_bridge.cli.plan_text import print_plan
from ar_bridge.demo.play import play
from ar_bridge.demo.result import LedgerResult, Story
from ar_bridge.demo.stage import Stage, staged
from ar_bridge.errors import UsageError
from ar_bridge.home import Home
from ar_bridge.policies import read_policy
from ar_bridge.sample_book import DEMO_FROM, DEMO_TO, sample_events
from rules.policy.schema import Policy
from rules.policy.values import Mode


def run_demo(
    ledgers: Sequence[str],
    *,
    home: Home,
    book_file: Path | None,
    policy_name: str,
    start: date | None,
    end: date | None,
    serve: bool,
    is_quiet: bool,
) -> dict[str, Any]:
    """Play the demo on each ledger; returns the results as `demo --json` prints them."""
    policy = read_policy(policy_name)
    events = list(sample_events()) if book_file is None else list(book_events(book_file))
    first, last = _span(events, start, end, is_sample=book_file is None)
    if not is_quiet:
        _introduce(book_file, policy, first, last)
    played = _playable(policy, is_quiet=is_quiet)
    results: dict[str, Any] = {}
    for ledger in ledgers:
        place = Home(home.root / "demo" / ledger)
        # Each demo starts from nothing; only what an earlier demo left is thrown away.
        shutil.rmtree(place.root, ignore_errors=True)
        place.create()
        with staged(ledger, events, played, first, place) as stage:  # type: ignore[arg-type]
            with console.progress(f"{ledger}: playing") as bar:
                days = (last - first).days + 1
                result, story = play(
                    stage, events, first, last, progress=partial(_advance, bar, days)
                )
            _count_book(stage, result)
            results[ledger] = msgspec.to_builtins(result)
            if not is_quiet:
                _tell(stage, result, story)
            if serve and ledger == ledgers[-1]:
                _serve(stage)
    return results


def _advance(bar: console.Bar, days: int, done: int) -> None:
    bar(done, days)


def _playable(policy: Policy, *, is_quiet: bool) -> Policy:
    """In the demo a person approves everything: a policy that only observes is lifted to that,
    because nothing leaves the sandbox."""
    if policy.mode is not Mode.OBSERVE:
        return policy
    if not is_quiet:
        console.say("The policy only observes; against the sandbox the demo plays it as `approve`.")
    return policy.model_copy(update={"mode": Mode.APPROVE})


def _span(
    events: Sequence[Mapping[str, Any]], start: date | None, end: date | None, *, is_sample: bool
) -> tuple[date, date]:
    if is_sample:
        first, last = start or DEMO_FROM, end or DEMO_TO
    else:
        known = sorted(str(e.get("known") or e["date"]) for e in events if e.get("date"))
        newest = date.fromisoformat(known[-1]) if known else None
        if newest is None:
            raise UsageError("The book has no dated events.", remedy="name another --book-file")
        last = end or newest
        first = start or last - timedelta(days=29)
    if last < first:
        raise UsageError(f"--to {last} is before --from {first}.", remedy="swap the two days")
    return first, last


def _introduce(book_file: Path | None, policy: Policy, first: date, last: date) -> None:
    what = f"the book in {book_file}" if book_file else "the bundled sample book"
    console.say(
        f"Demo: {what}, policy {policy.name}, {first} to {last}, on a sandbox of your own.",
        "The demo plays the person who approves each morning's plan; the audit says so.",
        "",
    )


def _count_book(stage: Stage, result: LedgerResult) -> None:
    with stage.desk.store.read() as conn:
        book = stage.desk.load(conn, stage.desk.today(), None, ())
    result.customers = len(book.customers)
    result.invoices = len(stage.sandbox.ledger.invoices)


def _tell(stage: Stage, result: LedgerResult, story: Story) -> None:
    company = stage.connected.check.company.name
    written, found = result.written, result.found_in_ledger
    console.print_table(
        ("what happened", "how often", ""),
        [
            ("invoices read", str(result.invoices), f"of {result.customers} customers"),
            ("actions planned", str(result.planned), "each with its reasons"),
            ("actions applied", str(result.applied), listed(result.applied_by_kind)),
            ("reasons to wait", str(result.skipped), "each counted when it began or changed"),
            ("actions withdrawn", str(result.withdrawn), "the facts changed before sending"),
            ("notes written", str(written["notes"]), f"found in the ledger: {found['notes']}"),
            ("late fees charged", str(written["fees"]), f"found in the ledger: {found['fees']}"),
            ("mails sent", str(written["mails"]), f"arrived: {result.mails_received}"),
            (
                "calls to the ledger",
                str(result.calls["read"] + result.calls["write"]),
                f"{result.calls['read']} read, {result.calls['write']} write, "
                f"{result.throttled} told to slow down",
            ),
            (
                "writes of a second run",
                str(result.second_run_writes),
                "run again on the last day: nothing happens twice",
            ),
            ("records left out", str(result.quarantined), "could not be read"),
        ],
        title=f"{stage.ledger}: {company}, {result.from_} to {result.to}",
        right=("how often",),
    )
    for problem in result.problems:
        console.warn(problem)
    if result.skipped_by_code:
        console.print_table(
            ("", "waited", "for example"),
            [
                (str(count), code.replace("_", " "), story.examples.get(code, ""))
                for code, count in sorted(
                    result.skipped_by_code.items(), key=lambda entry: -entry[1]
                )
            ],
            title="What was left alone, and why",
            right=("",),
        )
    if story.plan is not None:
        console.say("One of the plans, as a person gets it to approve:", "")
        print_plan(story.plan, limit=12, is_past=True)
    if story.mail:
        console.say("One of the mails, as it arrived:", style="bold")
        console.say("", *(f"  {line}".rstrip() for line in story.mail.rstrip().splitlines()))
    console.say("", "Where to look:")
    for place, what in (
        (stage.home.database, "what was planned, approved and done, with its audit"),
        (stage.home.root / "mailbox", "each mail"),
    ):
        console.say(f"  {what}")
        console.say_whole(f"    {place}")


def _serve(stage: Stage) -> None:
    console.say(
        "",
        f"The {stage.ledger} sandbox goes on at {stage.running.base_url} "
        f"(company {stage.sandbox.company_id}), mail at {stage.mailbox.address}. Ctrl-C ends it.",
    )
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.say("ended")
