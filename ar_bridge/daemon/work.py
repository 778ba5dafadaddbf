"""What each job does, with what it needs at hand. Only the worker imports this."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

import httpx
import msgspec
import structlog

from ar_bridge import audit, audit_heads
from ar_bridge.backups.making import make as make_backup
from ar_bridge.brief.sending import send_brief
from ar_bridge.channels.errors import ChannelSetupError, ChannelTransientError
from ar_bridge.context import BookContext
from ar_bridge.daemon.adoption import adopted, problem_on_disk
from ar_bridge.daemon.orders import Order
from ar_bridge.daemon.stopping import Stop
from ar_bridge.daemon.troubles import SENTENCES, MailAwayError
from ar_bridge.dispatcher import ApplyReport, apply
from ar_bridge.dispatcher import finish as finish_what_was_begun
from ar_bridge.errors import SetupError
from ar_bridge.hand_off.pending import bundle_pending
from ar_bridge.home import Home
from ar_bridge.inbound.polling import poll_inbound
from ar_bridge.notices import mail_notices
from ar_bridge.planner import make_plan
from ar_bridge.reconciling import sync_book
from ar_bridge.run import ROUNDS, RunReport, run_book
from ar_bridge.settings import BookSettings, Settings
from ar_bridge.store import runs, schedule
from ar_bridge.store.engine import Store, open_store
from ar_bridge.token_alarm import connection_findings
from ar_bridge.wiring import connected_row, database_url, open_book, vault_of
from connectors.port import Clock
from connectors.table import consent_of
from rules.calendar import local_date

_log = structlog.get_logger("ar_bridge.daemon")

STOPPING: Final = "this process is to end"

NOTHING_DONE_RESTS: Final = timedelta(minutes=5)
"""When to look again at what is approved and could not be done."""

USED_WITHIN: Final = timedelta(hours=20)
"""A connection that was not used for so long is used, so that it does not end."""

RUNS_KEPT: Final = timedelta(days=90)


class Did(msgspec.Struct, kw_only=True):
    """What a job came to."""

    has_problems: bool = False
    code: str = ""
    reason: str = ""
    rests_until: datetime | None = None
    note: dict[str, Any] = {}
    counts: dict[str, dict[str, int]] = {}

    def add(self, reports: Sequence[ApplyReport]) -> None:
        """Count what was applied, written, withdrawn and not possible."""
        applied, effects = (
            self.counts.setdefault("actions", {}),
            self.counts.setdefault("effects", {}),
        )
        for report in reports:
            for kind, count in report.applied.items():
                applied[f"{kind}|done"] = applied.get(f"{kind}|done", 0) + count
            for name, count in report.written.items():
                effects[f"{name}|written"] = effects.get(f"{name}|written", 0) + count
            if report.withdrawn:
                key = "any|withdrawn"
                applied[key] = applied.get(key, 0) + len(report.withdrawn)
            for _, outcome, _ in report.problems:
                applied[f"any|{outcome}"] = applied.get(f"any|{outcome}", 0) + 1
        troubled = sum(len(report.problems) for report in reports)
        if troubled:
            self.has_problems = True
            self.code = "problems"
            self.reason = f"{troubled} action{'' if troubled == 1 else 's'} could not be done"


class Calls:
    """Requests to the accounting system by sort. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, int] = {}

    def add(self, sort: str) -> None:
        with self._lock:
            self._counts[sort] = self._counts.get(sort, 0) + 1

    @property
    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything that a job may need."""

    order: Order
    settings: Settings
    home: Home
    clock: Clock
    stop: Stop
    config: Path | None = None
    inner: httpx.BaseTransport | None = None
    remarks: list[str] = field(default_factory=list)
    """What the book works in spite of."""
    calls: Calls = field(default_factory=Calls)

    @property
    def book(self) -> BookSettings:
        """The book of the order. Raises SetupError where the settings no longer have it."""
        for one in self.settings.book.values():
            if one.name == self.order.book:
                return one
        raise SetupError(f"book {self.order.book} is not configured any more")

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The database, for what no book owns."""
        store = open_store(database_url(self.settings, self.home), create=False)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def desk(self, *, renew_policy: bool = False) -> Iterator[BookContext]:
        """The book, open for work, by the policy that is in force."""
        with self.store() as store:
            zone = connected_row(store, self.book).company.timezone
        today = local_date(self.clock.now(), zone)
        chosen = adopted(self.book, self.home, today, renew=renew_policy)
        if chosen.problem:
            self.remarks.append(chosen.problem)
        with open_book(
            self.settings,
            chosen.book,
            self.home,
            self.clock,
            inner=self.inner,
            worker="ar-bridge (daemon)",
            on_call=self.calls.add,
        ) as desk:
            yield replace(desk, stopped=lambda: STOPPING if self.stop.is_told else desk.stopped())


def sync(bench: Bench) -> Did:
    """Read what changed, or everything where that is due."""
    with bench.desk() as desk:
        report = sync_book(desk, progress=bench.stop.check)
    read = {f"{entity}|read": count for entity, count in report.read.items()}
    return Did(
        note={"full": report.full, "quarantined": len(report.quarantined)},
        counts={"records": read},
    )


def plan(bench: Bench) -> Did:
    """Read, finish what was begun, plan, approve by rule, do what may be done now."""
    with bench.desk(renew_policy=True) as desk:
        result = run_book(desk, progress=bench.stop.check)
        _bundle(bench, desk, result.total("applied"))
    return _of_run(bench, result)


def _of_run(bench: Bench, result: RunReport) -> Did:
    planned = result.plan.view["actions"]
    waiting = sum(1 for action in planned if action.get("needs_approval"))
    did = Did(note={"actions": len(planned), "for_approval": waiting})
    did.add(result.applied)
    if bench.remarks:
        did.has_problems, did.code, did.reason = True, "policy", bench.remarks[0]
    return did


def dispatch(bench: Bench) -> Did:
    """Do what is approved and whose time has come; plan again what the ledger overtook."""
    reports: list[ApplyReport] = []
    with bench.desk() as desk, _one_run(desk) as desk:
        reports.append(finish_what_was_begun(desk))
        for _ in range(ROUNDS):
            report = apply(desk, progress=bench.stop.check)
            reports.append(report)
            if not report.withdrawn or report.is_over:
                break
            make_plan(desk)
        mailed = mail_notices(desk)
        if mailed is not None:
            reports.append(mailed)
        done = {kind: count for one in reports for kind, count in one.applied.items()}
        _bundle(bench, desk, done)
    did = Did()
    did.add(reports)
    if not done:
        # Somebody stopped it, or a limit holds it: looked at again before long.
        did.rests_until = bench.clock.now() + NOTHING_DONE_RESTS
    limited = [one.limited_until for one in reports if one.limited_until is not None]
    if limited:
        did.rests_until = max(limited)
    return did


@contextmanager
def _one_run(desk: BookContext) -> Iterator[BookContext]:
    """All of it counts as one run to the limits of the policy."""
    with desk.store.write() as conn:
        run = runs.start(conn, desk.book_id, "dispatch", on=desk.today(), at=desk.clock.now())
    outcome = "failed"
    try:
        yield replace(desk, run_id=run)
        outcome = "done"
    finally:
        with desk.store.write() as conn:
            runs.finish(conn, run, at=desk.clock.now(), outcome=outcome, counts={})


def finish_begun(bench: Bench) -> Did:
    """What an earlier process left in the middle goes on, before anything else is due."""
    with bench.desk() as desk:
        report = finish_what_was_begun(desk)
    did = Did()
    did.add([report])
    return did


def _bundle(bench: Bench, desk: BookContext, applied: dict[str, int]) -> None:
    if applied.get("hand_off"):
        bundle_pending(desk, bench.home.root / "handoffs")


def connection(bench: Bench) -> Did:
    """Use a connection that rests, say how long it lasts, and whether mail can go out and the
    policy on disk could be taken up."""
    did = Did() if consent_of(bench.book.ledger) is None else _connection(bench)
    with bench.desk() as desk:
        for name, channel in desk.channels.items():
            try:
                channel.check()
            except ChannelTransientError as error:
                _log.warning("the channel takes nothing", channel=name, reason=error.message)
                did.has_problems, did.code = True, "mail"
                did.reason = _of_channel(name, error)
                did.rests_until = bench.clock.now() + NOTHING_DONE_RESTS
        problem = problem_on_disk(bench.book, bench.home, desk.today())
    if problem:
        did.has_problems, did.code, did.reason = True, "policy", problem
    return did


def _of_channel(name: str, error: ChannelTransientError) -> str:
    if isinstance(error, ChannelSetupError):
        # About the settings: the server's name, and what it said to us and of nobody else.
        return " ".join(error.message.split())[:300]
    if name == "email":
        return SENTENCES["mail"]
    return f"the channel {name} takes nothing at present"


def _connection(bench: Bench) -> Did:
    with bench.store() as store:
        row = connected_row(store, bench.book)
        vault = vault_of(store, bench.home, bench.clock, row.ledger, row.company_id)
        tokens = vault.load()
        now = bench.clock.now()
        if tokens is not None and now - tokens.obtained_at > USED_WITHIN:
            with bench.desk() as desk:
                desk.connector.check()
            tokens = vault.load()
    if tokens is None:
        raise SetupError(
            f"book {bench.book.name} is not connected",
            remedy=f"ar-bridge connect {bench.book.name}",
        )
    note: dict[str, Any] = {"obtained_at": tokens.obtained_at.isoformat()}
    if tokens.reconnect_by is not None:
        note["ends_at"] = tokens.reconnect_by.isoformat()
    alarms = [
        one for one in connection_findings(tokens, now, book=bench.book.name) if one.level != "ok"
    ]
    if alarms:
        return Did(
            has_problems=True,
            code="connection",
            reason=f"the connection {alarms[0].text}",
            note=note,
        )
    return Did(note=note)


def brief(bench: Bench) -> Did:
    """Mail the owner's brief of the day."""
    with bench.desk() as desk:
        sent = send_brief(desk)
    if sent.outcome == "later":
        raise MailAwayError
    if sent.outcome in ("unknown", "refused"):
        return Did(has_problems=True, code="brief", reason=f"the brief of today is {sent.outcome}")
    return Did(note={"outcome": sent.outcome})


def inbound(bench: Bench) -> Did:
    """Look at the mailbox that answers come to."""
    report = poll_inbound(bench.settings, bench.home, bench.clock)
    counts = {"mails": {f"{kind}|read": count for kind, count in report.kinds.items()}}
    if report.problems:
        for problem in report.problems:
            _log.warning("incoming mail could not be read", reason=problem)
        mails = len(report.problems) - report.sources_failed
        told = [f"{report.sources_failed} of the mailboxes"] if report.sources_failed else []
        told += [f"{mails} mail{'' if mails == 1 else 's'}"] if mails else []
        return Did(
            has_problems=True,
            code="inbound",
            reason=f"{' and '.join(told)} could not be read: ar-bridge doctor",
            counts=counts,
        )
    return Did(note={"read": report.read}, counts=counts)


def audit_head(bench: Bench) -> Did:
    """Verify the record of what was done, and keep its head where no database is."""
    with bench.store() as store:
        file = bench.home.audit_heads
        # Before the snapshot: a head that somebody keeps meanwhile is newer than it.
        heads = audit_heads.kept(file)
        with store.read() as conn:
            problems = [*audit.verify(conn), *audit_heads.problems(conn, heads)]
            seq, digest = audit.head(conn)
        if not problems:
            audit_heads.keep(store, file, bench.clock.now())
    note = {"seq": seq, "hash": digest}
    if problems:
        return Did(
            has_problems=True,
            code="audit",
            reason=f"the record of what was done does not hold at {len(problems)} places: "
            "ar-bridge audit verify",
            note=note,
        )
    return Did(note=note)


def backup(bench: Bench) -> Did:
    """Back up what cannot be had again from the ledger."""
    made = make_backup(
        bench.home,
        database_url(bench.settings, bench.home),
        bench.clock.now(),
        config=bench.config,
        keep=bench.settings.daemon.backups_kept,
    )
    return Did(note={"bytes": made.size, "files": len(made.manifest.files)})


def tidy(bench: Bench) -> Did:
    """Drop what nobody asks for any more."""
    now = bench.clock.now()
    with bench.store() as store, store.write() as conn:
        schedule.forget_runs(conn, before=now - RUNS_KEPT)
    return Did()
