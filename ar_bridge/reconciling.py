"""When a book is read whole again, and when the company itself is looked at.

Changes tell most of what happens in a ledger, but not all of it: a record may be deleted, merged
or brought back without a word. So everything is read again once in a while.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from ar_bridge.company_facts import company_of
from ar_bridge.context import BookContext
from ar_bridge.outdated import look_back
from ar_bridge.rebuilding import first_look
from ar_bridge.store import books, nudges, runs
from ar_bridge.store.books import BookRow
from ar_bridge.sync import Progress, SyncReport, sync
from connectors.errors import AuthorizationError, ConnectorError, TransientError

COMPANY_EVERY: Final = timedelta(hours=24)
"""How old the company's own facts may become: its zone, its lock date, its native late fees."""


def sync_book(
    desk: BookContext, *, full: bool = False, progress: Progress | None = None
) -> SyncReport:
    """Read the ledger into the store: what changed, or everything with `full`, at first, and
    when the last reading of everything is too old.

    Where that last one breaks off, what changed is read instead, and the next sync goes on with
    it. Raises ConnectorError when the ledger cannot be read; `status` shows it.
    """
    began = desk.clock.now()
    with desk.store.read() as conn:
        row = desk.row(conn)
    try:
        report = _read(desk, row, began, full=full, progress=progress)
        report = _with_company(desk, row, began, report)
        look_back(desk, row.synced_at)
        first_look(desk)
    except ConnectorError as error:
        _note(desk, began, "failed", {"error": str(error)})
        raise
    with desk.store.write() as conn:
        # A webhook that came in while we read may tell of something that we did not see.
        nudges.settle(conn, row.ledger, row.company_id, until=began, tenant=row.tenant_id)
    _note(
        desk,
        began,
        "done",
        {
            "full": report.full,
            "resumed": report.resumed,
            "remarks": list(report.remarks),
            "read": dict(report.read),
        },
    )
    return report


def _read(
    desk: BookContext, row: BookRow, now: datetime, *, full: bool, progress: Progress | None
) -> SyncReport:
    is_due = row.cursor is not None and _is_due(row, desk.reconcile_every, now)
    if full or not is_due:
        return sync(desk.store, row, desk.connector, desk.clock, full=full, progress=progress)
    try:
        return sync(desk.store, row, desk.connector, desk.clock, full=True, progress=progress)
    except TransientError as error:
        report = sync(desk.store, row, desk.connector, desk.clock, progress=progress)
        remark = (
            f"only changes were read: reading everything broke off ({error}) and is gone on "
            "with at the next sync"
        )
        return msgspec.structs.replace(report, remarks=(remark, *report.remarks))


def _is_due(row: BookRow, every: timedelta | None, now: datetime) -> bool:
    if every is None:
        return False
    return row.full_synced_at is None or now - row.full_synced_at >= every


def _with_company(desk: BookContext, row: BookRow, now: datetime, report: SyncReport) -> SyncReport:
    """Look at the company too, with every full reading and once a day. At the first reading the
    connection has just done so."""
    with desk.store.read() as conn:
        looked = runs.latest(conn, desk.book_id, kind="company")
    is_first = row.full_synced_at is None and not looked
    is_old = not looked or now - looked[0].started_at >= COMPANY_EVERY
    fees = (desk.fee_account, desk.fee_tax)
    is_old = is_old or row.company.fee_setup_seen not in (None, ("", ""), fees)
    if not (is_first or is_old or report.full):
        return report
    remarks: tuple[str, ...] = ()
    counts: dict[str, Any] = {}
    company = None
    if not is_first:
        try:
            check = desk.connector.check()
            company = company_of(check, fee_account=desk.fee_account, fee_tax=desk.fee_tax)
        except AuthorizationError:
            raise
        except ConnectorError as error:
            remarks = (f"the company's own facts could not be read again: {error}",)
            counts["error"] = str(error)
    with desk.store.write() as conn:
        if company is not None and company.id == row.company_id:
            books.set_company(conn, desk.book_id, company)
        run_id = runs.start(conn, desk.book_id, "company", on=desk.today(), at=now)
        outcome = "failed" if counts else "done"
        runs.finish(conn, run_id, at=desk.clock.now(), outcome=outcome, counts=counts)
    return msgspec.structs.replace(report, remarks=(*report.remarks, *remarks))


def _note(desk: BookContext, began: datetime, outcome: str, counts: dict[str, Any]) -> None:
    with desk.store.write() as conn:
        run_id = runs.start(conn, desk.book_id, "sync", on=desk.today(), at=began)
        runs.finish(conn, run_id, at=desk.clock.now(), outcome=outcome, counts=counts)
