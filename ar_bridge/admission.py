"""What may begin now: asked right before a worker takes an action, in the same transaction.

An action is let in unless everything is stopped, another worker is at the same customer, a breaker
is open and nobody has released it since, its ledger does not answer, or a limit of the run, the
day or the customer is reached. What is done, under way and in doubt is counted in the store, so
that several workers and several runs of a day cannot exceed a limit together.

A late fee and the message that announces it are let in together. What has begun is finished: of
what follows it, only a stop is asked.
"""

from sqlalchemy import Connection

from ar_bridge import breaker, limits
from ar_bridge.context import BookContext
from ar_bridge.leased import Hand, next_of, stopped, take, taken
from ar_bridge.outcome import MOST_FAILURES, Outcome, Performed, StopError
from ar_bridge.processes import is_gone
from ar_bridge.store import counters, halts, outages, outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.store.counters import Member
from rules.actions.effects import SendMessage
from rules.actions.late_fee import ChargeLateFee


def begin(
    conn: Connection, desk: BookContext, row: ActionRow, *, call: int | None = None
) -> Hand | Performed:
    """Take an action within the caller's write transaction, or say why it does not begin.

    Actions that go to the ledger in one `call` name the first of them: where a ledger is tried
    after an outage, they are tried together.
    """
    call = row.id if call is None else call
    halted = halted_because(conn, desk)
    if halted:
        return Performed(row=row, outcome=Outcome.WAITS, problem=halted, is_halted=True)
    if _is_another_at_it(conn, desk, row):
        return taken(row)
    unit = _unit(conn, desk, row)
    own = next((one for one in unit if one.id == row.id), None)
    if own is None:
        return taken(row)  # it ended in the meantime
    if any(one.has_begun for one in unit):
        refused = _unanswered(conn, desk, row, call)
        if refused is None and (own.begun_on, own.run_id) != (desk.today(), desk.run_id):
            counters.set_aside(conn, [row.id], day=desk.today(), run_id=desk.run_id)
    else:
        refused = (
            _on_breaker(conn, desk, row, own)
            or _above_limits(conn, desk, row, own, unit)
            or _unanswered(conn, desk, row, call)
        )
    if refused is not None:
        return refused
    hand = take(conn, desk, row)
    if hand is None:
        return taken(row)
    if row.state == "leased" and outbox.count_failure(conn, row.id) >= MOST_FAILURES:
        text = f"{MOST_FAILURES} times it failed, or a process ended while it was at it"
        return stopped(conn, desk, hand, StopError(Outcome.PARKED, text))
    return hand


def halted_because(conn: Connection, desk: BookContext) -> str:
    """Why nothing at all goes out of the book; empty where nothing stops it."""
    by_file = desk.stopped()
    if by_file:
        return by_file
    stops = halts.standing(conn, desk.book_id, halts.STOP)
    return f"{desk.name} is stopped: {stops[0].reason}" if stops else ""


def must_not_stop(conn: Connection, desk: BookContext) -> None:
    """Raise StopError where everything was stopped: asked before each effect."""
    halted = halted_because(conn, desk)
    if halted:
        raise StopError(Outcome.WAITS, halted)


def _is_another_at_it(conn: Connection, desk: BookContext, row: ActionRow) -> bool:
    """Whether another worker has something of the same customer: theirs is done in order.

    What an ended process left in hand goes first, and keeps nothing from going but what was not
    in hand.
    """
    now = desk.clock.now()
    for held in counters.under_way(conn, desk.book_id, row.customer):
        if held.id == row.id or desk.leases.get(held.id) == held.token:
            continue
        if held.kind == row.kind == counters.FEE:
            continue  # only fees are independent of each other
        is_over = (
            held.until is None
            or not now < held.until <= now + 2 * outbox.LEASE
            or is_gone(held.owner)
        )
        if not (is_over and row.state == "leased"):
            return True
    return False


def _unit(conn: Connection, desk: BookContext, row: ActionRow) -> list[Member]:
    """The action with its notice, or with the fees that it announces."""
    keys = {row.key, *row.waits_for}
    if isinstance(row.action, ChargeLateFee) and row.action.notice:
        keys |= counters.announced_with(conn, desk.book_id, str(row.action.notice))
    return counters.members(conn, desk.book_id, keys)


def _on_breaker(
    conn: Connection, desk: BookContext, row: ActionRow, own: Member
) -> Performed | None:
    """What rules approved, or a person before they could know, waits while a breaker is open."""
    if own.is_ordered:
        return None
    for halt in breaker.standing(conn, desk.book_id):
        is_released = (
            own.approved_by != "rule"
            and own.approved_at is not None
            and own.approved_at >= halt.opened_at
        )
        if not is_released:
            why = f"out of the ordinary: {halt.reason}"
            counters.let_wait(conn, [row.id], why)
            return Performed(row=row, outcome=Outcome.WAITS, problem=why)
    return None


def _unanswered(conn: Connection, desk: BookContext, row: ActionRow, call: int) -> Performed | None:
    """Nothing goes to a ledger that is left alone, but for one that tries."""
    effect = next_of(outbox.effects_of(conn, row.id))
    if effect is None or isinstance(effect.effect, SendMessage):
        return None
    now = desk.clock.now()
    outage = outages.admit(conn, desk.book_id, call, now)
    if outage is None:
        return None
    until = outage.until
    if until is None or until <= now:
        until = outage.probe_until or now
    why = f"the ledger is left alone until {until:%H:%M} UTC: {outage.reason}"
    return Performed(row=row, outcome=Outcome.WAITS, problem=why)


def _above_limits(
    conn: Connection, desk: BookContext, row: ActionRow, own: Member, unit: list[Member]
) -> Performed | None:
    """Set aside what the whole unit takes of the limits, or let it wait."""
    today = desk.today()
    if (own.begun_on, own.run_id) == (today, desk.run_id):
        return None
    ids = [one.id for one in unit]
    above = None if desk.beyond_limits else limits.exceeded(conn, desk, row, unit)
    if above is None:
        counters.set_aside(conn, ids, day=today, run_id=desk.run_id)
        return None
    until = limits.may_go_at(desk, above.may_on) if above.may_on is not None else None
    counters.let_wait(conn, ids, above.why, until=until)
    return Performed(row=row, outcome=Outcome.WAITS, problem=above.why)
