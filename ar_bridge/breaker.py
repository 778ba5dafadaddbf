"""The circuit breaker: a plan that is out of the ordinary waits for a person.

Judged before anything of a plan is approved by rule. What trips it is kept, told by `status`,
`plan` and `doctor`, and audited; plans are still made and shown. What goes by rule, and what was
approved before, then waits until a person closes the breaker (`ar-bridge start`); what a person
approves after they could see it goes. What was begun is finished.

Where only the reading of the ledger is in trouble, the breaker closes by itself with the next
reading that is whole.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.store import books, counters, halts, mirror, pictures, runs
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.counters import INTERNAL
from ar_bridge.store.halts import BREAKER
from ar_bridge.usual import DAYS, usual
from rules.model import format_minor

READING: Final = "reading"
"""Kind of a halt that ends by itself."""

TIMES: Final = 3
"""So many times the usual is far more than usual."""
FAR_MORE: Final = 20
"""And above so many messages or fees: a small book has its busy days."""
FEES_TO_SUM: Final = 5
"""A sum of fewer fees may be one large invoice."""
OVERDUE_AT_ONCE: Final = 10
OVERDUE_SHARE: Final = 3
"""Above one third of what is open."""
ADDRESSES: Final = 6
ADDRESS_SHARE: Final = 3
"""One third of those whom we wrote to before."""
SAME_INVOICES: Final = 3
ACKNOWLEDGED: Final = timedelta(days=3)
"""What a person let pass is not asked again for so long, unless it grows by half."""
WHOLE_READINGS_MISSED: Final = 3

CONTACTS: Final = ("reminder", "statement", "fee_notice")


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """One thing out of the ordinary."""

    code: str
    text: str
    measured: int


def ground(conn: Connection, desk: BookContext, rows: Sequence[ActionRow]) -> str:
    """Why nothing of the book may be approved by rule now; empty where all is in order.

    `rows` are what rules would approve. To be called in the transaction that approves.
    """
    if desk.mode == "observe":
        return ""  # nothing leaves it anyway
    standing = [*_on_reading(conn, desk), *_standing(conn, desk)]
    if standing:
        return standing[0]
    before = pictures.kept(conn, desk.book_id)
    if not rows and before is not None and before.on == desk.today():
        return ""
    trips = _judged(conn, desk, rows, before)
    for trip in trips:
        _open(conn, desk, trip, plan_id=rows[0].plan_id if rows else None)
    return f"out of the ordinary: {trips[0].text}" if trips else ""


def standing(conn: Connection, book_id: int) -> list[halts.HaltRow]:
    """What a breaker holds against the book, oldest first."""
    return [one for one in halts.standing(conn, book_id) if one.kind in (BREAKER, READING)]


def _standing(conn: Connection, desk: BookContext) -> Iterator[str]:
    for halt in halts.standing(conn, desk.book_id, BREAKER):
        yield f"out of the ordinary: {halt.reason}"


def _judged(
    conn: Connection,
    desk: BookContext,
    rows: Sequence[ActionRow],
    before: pictures.Picture | None,
) -> list[Trip]:
    since = desk.clock.now() - ACKNOWLEDGED
    passed: dict[str, int] = {}
    for one in halts.closed_since(conn, desk.book_id, BREAKER, since):
        passed[one.code] = max(passed.get(one.code, 0), one.measured or 0)
    found = [*_overdue_at_once(conn, desk, before)]
    if rows:
        found += [
            *_far_more(conn, desk, rows),
            *_twice(conn, desk, rows),
            *_same_invoice(conn, desk, rows),
            *_other_addresses(conn, desk, rows),
        ]
    return [trip for trip in found if 2 * trip.measured > 3 * passed.get(trip.code, 0)]


def _overdue_at_once(
    conn: Connection, desk: BookContext, before: pictures.Picture | None
) -> Iterator[Trip]:
    now, fell_due = pictures.taken(
        conn, desk.book_id, desk.today(), before.on if before is not None else None
    )
    sudden = now.overdue - before.overdue - fell_due if before is not None else 0
    if before is not None and sudden >= OVERDUE_AT_ONCE and sudden * OVERDUE_SHARE > now.open:
        yield Trip(
            code="overdue_at_once",
            text=f"{sudden} of {now.open} open invoices are overdue that were not open, or not "
            f"due, at the plan of {before.on}: look whether an import or a change of due dates "
            "went wrong",
            measured=sudden,
        )
        return
    pictures.keep(conn, desk.book_id, now)


def _far_more(conn: Connection, desk: BookContext, rows: Sequence[ActionRow]) -> Iterator[Trip]:
    today = desk.today()
    past = counters.sent_by_day(conn, desk.book_id, today - DAYS, today)
    day = sum((counters.weight(row) for row in rows), counters.on_day(conn, desk.book_id, today))
    for name, count, of_day in (
        ("messages", day.mails, {on: load.mails for on, load in past.items()}),
        ("fees", day.fees, {on: load.fees for on, load in past.items()}),
    ):
        most = usual(of_day, today)
        if most is not None and count > FAR_MORE and count > TIMES * most:
            yield Trip(
                code=f"far_more_{name}",
                text=f"{count} {name} today, where a busy day has {most}",
                measured=count,
            )
    for currency, amount in sorted(day.sums.items()):
        most = usual({on: load.sums.get(currency, 0) for on, load in past.items()}, today)
        if most is not None and day.fees >= FEES_TO_SUM and amount > TIMES * most:
            yield Trip(
                code="far_higher_fees",
                text=f"fees of {format_minor(amount, currency)} {currency} today, where a busy "
                f"day has {format_minor(most, currency)}",
                measured=amount,
            )


def _twice(conn: Connection, desk: BookContext, rows: Sequence[ActionRow]) -> Iterator[Trip]:
    contact = desk.policy.contact
    if contact.unit != "payer":
        return
    told = Counter(pictures.messages_begun(conn, desk.book_id, desk.today(), CONTACTS))
    currencies: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.kind in CONTACTS:
            told[row.customer] += 1
            currencies[row.customer].add(row.currency)
    many = [
        customer
        for customer, spoken in currencies.items()
        if told[customer] > contact.per_customer_per_day * max(1, len(spoken))
    ]
    if many:
        yield Trip(
            code="customer_twice",
            text=f"{len(many)} customers would hear from you more often today than the policy "
            f"allows, first {many[0]}",
            measured=len(many),
        )


def _same_invoice(conn: Connection, desk: BookContext, rows: Sequence[ActionRow]) -> Iterator[Trip]:
    """The same invoice twice in the books, as after an import that was made twice."""
    written = [row for row in rows if row.message is not None]
    ids = {one for row in written for one in row.action.about}
    named = {one.id: one for one in mirror.invoices_by_id(conn, desk.book_id, ids)}
    alike: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for row in written:
        assert row.message is not None
        for one in row.action.about:
            if one in named:
                invoice = named[one]
                key = (row.message.to, invoice.number, invoice.currency, invoice.total)
                alike[key].add(one)
    twice = sorted(str(key[1]) for key, found in alike.items() if len(found) > 1)
    if len(twice) >= SAME_INVOICES:
        yield Trip(
            code="invoices_twice",
            text=f"{len(twice)} invoices are in the books twice, with the same number, amount "
            f"and address, first {twice[0]}",
            measured=len(twice),
        )


def _other_addresses(
    conn: Connection, desk: BookContext, rows: Sequence[ActionRow]
) -> Iterator[Trip]:
    going = {
        row.customer: frozenset(row.message.to)
        for row in rows
        if row.message is not None and row.channel == "email" and row.kind != INTERNAL
    }
    known = pictures.last_addresses(conn, desk.book_id, going)
    other = [customer for customer, last in known.items() if not last & going[customer]]
    if len(other) >= ADDRESSES and len(other) * ADDRESS_SHARE >= len(known):
        yield Trip(
            code="other_addresses",
            text=f"{len(other)} of {len(known)} customers have another address than at their "
            f"last message, first {other[0]}",
            measured=len(other),
        )


def _on_reading(conn: Connection, desk: BookContext) -> list[str]:
    """Trouble with reading the ledger, opened and closed as it comes and goes."""
    trouble = _reading_trouble(conn, desk)
    open_now = halts.standing(conn, desk.book_id, READING)
    if trouble and not open_now:
        _open(conn, desk, Trip(code=READING, text=trouble, measured=0), kind=READING)
    elif open_now and not trouble:
        now, reason = desk.clock.now(), "the ledger was read again"
        halts.close(conn, [one.id for one in open_now], at=now, by="rule", reason=reason)
        _tell(conn, desk, "BreakerClosed", READING, reason, None)
    return [trouble] if trouble else []


def _reading_trouble(conn: Connection, desk: BookContext) -> str:
    last = next(iter(runs.latest(conn, desk.book_id, kind="sync")), None)
    if last is not None and last.outcome == "failed":
        return f"the last reading of the ledger failed ({last.counts.get('error', '')})"
    whole = books.get(conn, desk.book_id).full_synced_at
    every = desk.reconcile_every
    if whole is not None and every is not None:
        age = desk.clock.now() - whole
        if age > WHOLE_READINGS_MISSED * every + timedelta(days=1):
            return f"everything was last read {age.days} days ago: reading it whole keeps failing"
    return ""


def _open(
    conn: Connection,
    desk: BookContext,
    trip: Trip,
    *,
    kind: str = BREAKER,
    plan_id: str | None = None,
) -> None:
    halts.open_halt(
        conn,
        desk.book_id,
        kind=kind,
        code=trip.code,
        reason=trip.text,
        at=desk.clock.now(),
        by="rule",
        measured=trip.measured,
        plan_id=plan_id,
    )
    _tell(conn, desk, "BreakerOpened", trip.code, trip.text, plan_id)


def _tell(
    conn: Connection, desk: BookContext, event: str, code: str, reason: str, plan_id: str | None
) -> None:
    audit.append(
        conn,
        book_id=desk.book_id,
        at=desk.clock.now(),
        actor="rule",
        event=event,
        subject=code,
        payload={"reason": reason, "plan": plan_id},
    )
