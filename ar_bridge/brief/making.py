"""Gathering a brief from our records. Only reads."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.brief.done import deeds, money_in, recent_payments, sums_of
from ar_bridge.brief.model import Answer, AuditHead, Brief, Money, Owed, Unallocated
from ar_bridge.brief.reading import aged_sums, book_of_interest
from ar_bridge.brief.stuck import stuck
from ar_bridge.brief.waiting import past_review, unsure, waiting
from ar_bridge.cash import suggestion_text, unallocated_cash
from ar_bridge.context import BookContext
from ar_bridge.holding import holds_in
from ar_bridge.store import books, briefs, inbound
from rules.aging import BUCKETS
from rules.model import Book, Minor, format_minor
from rules.policy.schema import Policy


def make_brief(conn: Connection, desk: BookContext) -> Brief:
    """The brief of today: of everything since the last one that surely went out, or of the last
    day where there was none."""
    today = desk.today()
    row = desk.row(conn)
    last = briefs.latest(conn, desk.book_id, (briefs.SENT, briefs.QUIET), before=today)
    zone = ZoneInfo(desk.company.timezone)
    yesterday = datetime.combine(today - timedelta(days=1), time(), tzinfo=zone)
    since = last.made_at if last is not None else yesterday
    book = book_of_interest(conn, desk, today)
    named = briefs.customers_told_of(conn, desk.book_id, since)
    names = briefs.names_of(conn, desk.book_id, named)
    held = holds_in(book, desk.policy, today)
    approvals, tasks = waiting(conn, desk)
    payments = recent_payments(book, today)
    told = frozenset(last.payments) if last is not None else frozenset()
    news = money_in(book, desk.policy, payments, told, (last.on if last else yesterday.date()))
    came = {one.id for one in news}
    seq, digest = audit.head(conn)
    return Brief(
        book=desk.name,
        company=row.company.name or desk.name,
        on=today,
        since=last.made_at if last is not None else None,
        mode=desk.mode,
        done=tuple(deeds(conn, desk.book_id, since, names)),
        money_in=tuple(news),
        money_sums=sums_of((one.currency, one.amount) for one in payments if str(one.id) in came),
        approvals=tuple(approvals),
        tasks=tuple(tasks),
        unsure=tuple(unsure(conn, desk, names)),
        answers=tuple(_answers(conn, desk, names)),
        holds_past_review=tuple(past_review(held)),
        holds_standing=len(held),
        unallocated=tuple(_unallocated(book, desk.policy)),
        stuck=tuple(stuck(conn, desk, book)),
        owed=tuple(_owed(aged_sums(conn, desk, book, today))),
        entered_through=books.get(conn, desk.book_id).entered_through,
        read_at=row.synced_at,
        head=AuditHead(seq=seq, hash=digest),
        payments_told=tuple(str(one.id) for one in payments),
    )


def _answers(conn: Connection, desk: BookContext, names: Mapping[str, str]) -> Iterable[Answer]:
    """Mail that waits for somebody, and colleagues' addresses from which mail came back."""
    found = inbound.mails(conn, desk.book_id, states=(inbound.OPEN,))
    for row in sorted(found, key=lambda one: not one.kept.urgent):
        kept = row.kept
        yield Answer(
            id=row.id,
            kind=row.kind,
            customer=names.get(row.customer or "", row.customer or ", ".join(kept.recipients)),
            on=row.on,
            subject=kept.subject if row.kind in ("reply", "wrote") else kept.said,
            urgent=kept.urgent,
        )


def _unallocated(book: Book, policy: Policy) -> Iterable[Unallocated]:
    for one in unallocated_cash(book, policy):
        known = book.customers.get(one.money.customer)
        yield Unallocated(
            id=one.money.id,
            customer=known.name if known is not None else str(one.money.customer),
            on=one.money.on,
            money=Money(
                currency=one.money.currency,
                amount=format_minor(one.money.amount, one.money.currency),
            ),
            suggestion=suggestion_text(one, book),
        )


def _owed(sums: Mapping[str, Mapping[str, Minor]]) -> Iterable[Owed]:
    for currency, buckets in sorted(sums.items()):
        total = sum(buckets.values())
        if total <= 0:
            continue
        yield Owed(
            currency=currency,
            total=format_minor(total, currency),
            overdue=format_minor(total - buckets[BUCKETS[0][0]], currency),
            buckets=tuple(
                (
                    name if name == "not due" else f"{name} days",
                    format_minor(amount, currency),
                    100 * amount // total,
                )
                for name, amount in buckets.items()
            ),
        )
