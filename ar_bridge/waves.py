"""Doing many actions: customers side by side, each customer's in order.

In a wave every customer's actions are done one after the other, up to an effect that may travel
with those of others. What all of them then wait for goes to the ledger together, in as few calls
as it takes, and the next wave begins. A message that announces fees so goes out after all of
them are in.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from ar_bridge import approvals, batches
from ar_bridge.admission import begin
from ar_bridge.batches import Fate, Rider
from ar_bridge.clock import VirtualClock
from ar_bridge.context import BookContext
from ar_bridge.crew import Crew
from ar_bridge.leased import Hand, next_of
from ar_bridge.outcome import Outcome, Performed
from ar_bridge.store import actions as action_store
from ar_bridge.store import outbox
from ar_bridge.store.actions import ActionRow
from ar_bridge.writer import go_on
from connectors.budget import PATIENCE
from rules.actions.late_fee import ChargeLateFee

_GOES_ON: Final = (Outcome.DONE, Outcome.REFUSED, Outcome.STALE)
"""Outcomes after which the customer's next action is done."""


class _Queue(msgspec.Struct, kw_only=True):
    """What is still to be done for one customer, in order, and what waits for company."""

    rows: deque[ActionRow]
    begun: set[int]
    held: dict[int, Hand] = {}
    """Rows that are begun and leased."""
    riders: list[Rider] = []
    unsure: list[Rider] = []
    """Sent in a batch of which the answer is lost, and not too old to send it again."""
    ended: list[Performed] = []
    """What came to an end and is not reported yet."""

    def is_stuck(self) -> None:
        """What follows for this customer may build on what did not happen. A fee does not, and
        one that was begun is finished: it may be out there."""
        self.rows = deque(
            row
            for row in self.rows
            if isinstance(row.action, ChargeLateFee)
            and (row.id in self.begun or row.id in self.held)
        )


def workers(desk: BookContext) -> int:
    """How many customers are worked on at once: as many calls as the ledger takes at once."""
    if desk.at_once:
        return desk.at_once
    if isinstance(desk.clock, VirtualClock) or desk.store.place == "memory":
        return 1
    return max(1, desk.connector.capabilities.write_at_once)


def perform_all(
    desk: BookContext, rows: Sequence[ActionRow], begun: set[int]
) -> Iterator[Performed]:
    """Do these actions, sorted by customer; each result as it comes, withdrawn ones as STALE.

    Rows that wait for a companion give none. Raises AuthorizationError; what is done by then is
    done and recorded, the rest stays approved. A limit of the accounting system that lasts ends
    the work early.
    """
    queues: dict[str, _Queue] = {}
    for row in rows:
        queues.setdefault(row.customer, _Queue(rows=deque(), begun=begun)).rows.append(row)
    open_queues = list(queues.values())
    together = batches.carried(desk)
    try:
        with Crew(workers(desk)) as crew:
            while open_queues and not crew.is_stopping:
                for queue in crew.each(
                    lambda queue: _advance(desk, queue, together, crew), open_queues
                ):
                    yield from _heeding(crew, desk, _taken_out(queue))
                if crew.is_stopping:
                    break
                owner = {
                    rider.row.id: queue
                    for queue in open_queues
                    for rider in (*queue.riders, *queue.unsure)
                }
                for fates in crew.each(lambda call: call(), _calls(desk, open_queues)):
                    for row, fate in fates:
                        _settle(owner[row.id], row, fate)
                    for queue in {id(owner[row.id]): owner[row.id] for row, _ in fates}.values():
                        yield from _heeding(crew, desk, _taken_out(queue))
                open_queues = [queue for queue in open_queues if queue.rows]
    finally:
        _let_go(desk, rows)


def _advance(desk: BookContext, queue: _Queue, together: frozenset[str], crew: Crew) -> _Queue:
    """Go on with one customer, as far as it goes without company."""
    while queue.rows and not crew.is_stopping:
        row = queue.rows[0]
        if (queue.riders or queue.unsure) and not isinstance(row.action, ChargeLateFee):
            return queue  # only fees are independent of each other
        held = queue.held.pop(row.id, None)
        if held is None:
            # What was begun is finished, whatever became of its companions.
            ground = None if row.id in queue.begun else _companion_problem(desk, row)
            if ground is not None:
                queue.rows.popleft()
                if ground:
                    queue.ended.append(withdraw(desk, row, ground))
                continue
            if together and _waits_for_company(desk, queue, row, together):
                if not isinstance(row.action, ChargeLateFee):
                    return queue
                continue
            if queue.riders or queue.unsure:
                return queue
            with desk.store.write() as conn:
                begun = begin(conn, desk, row)
            if isinstance(begun, Performed):
                queue.rows.popleft()
                _end(queue, begun)
                continue
            held = begun
        queue.rows.popleft()
        done = go_on(desk, held, before=together)
        if done is not None:
            _end(queue, done)
        elif held.next is not None:
            queue.riders.append(Rider(row=row, effect=held.next, hand=held))
    return queue


def _waits_for_company(
    desk: BookContext, queue: _Queue, row: ActionRow, together: frozenset[str]
) -> bool:
    """Whether the row's next effect may travel with others: then it leaves the row's queue."""
    with desk.store.read() as conn:
        effect = next_of(outbox.effects_of(conn, row.id))
    if effect is None:
        return False
    rider = Rider(row=row, effect=effect)
    if batches.may_repeat(effect, desk.clock.now()):
        queue.unsure.append(rider)
    elif effect.state == "pending" and effect.name in together:
        queue.riders.append(rider)
    else:
        return False
    queue.rows.popleft()
    return True


def _calls(
    desk: BookContext, queues: Iterable[_Queue]
) -> list[Callable[[], list[tuple[ActionRow, Fate]]]]:
    """The calls in which everything that waits for company goes, whole batches first."""
    riders: list[Rider] = []
    unsure: dict[str, list[Rider]] = {}
    for queue in queues:
        riders += queue.riders
        for rider in queue.unsure:
            unsure.setdefault(rider.effect.batch or "", []).append(rider)
        queue.riders, queue.unsure = [], []
    size = desk.connector.capabilities.write_batch or 1
    calls: list[Callable[[], list[tuple[ActionRow, Fate]]]] = [
        partial(batches.repeat, desk, key, group) for key, group in unsure.items()
    ]
    for start in range(0, len(riders), size):
        group = riders[start : start + size]
        calls.append(partial(batches.send, desk, group))
    return calls


def _settle(queue: _Queue, row: ActionRow, fate: Fate) -> None:
    if isinstance(fate, Hand):
        queue.rows.appendleft(row)
        queue.held[row.id] = fate
    else:
        _end(queue, fate)


def _end(queue: _Queue, done: Performed) -> None:
    queue.ended.append(done)
    if done.outcome not in _GOES_ON:
        queue.is_stuck()


def _taken_out(queue: _Queue) -> list[Performed]:
    ended, queue.ended = queue.ended, []
    return ended


def _heeding(crew: Crew, desk: BookContext, ended: list[Performed]) -> Iterator[Performed]:
    """Pass the results on; where no call is let through for long, begin nothing more."""
    for done in ended:
        if done.is_halted or is_stopped(done.limited_until, desk.clock.now()):
            crew.stop()
        yield done


def is_stopped(until: datetime | None, now: datetime) -> bool:
    """Whether a limit lasts longer than anybody waits in a run."""
    return until is not None and until - now > timedelta(seconds=PATIENCE)


def _let_go(desk: BookContext, rows: Sequence[ActionRow]) -> None:
    """What we leased and did not come to: nobody has to wait for the leases to run out."""
    with desk.store.read() as conn:
        leased = outbox.tokens_of_leased(conn, [row.id for row in rows])
    # What another worker holds is at work: it is theirs to end.
    ours = {one: token for one, token in leased.items() if desk.leases.get(one) == token}
    if ours:
        with desk.store.write() as conn:
            outbox.end_leases(conn, ours)


def _companion_problem(desk: BookContext, row: ActionRow) -> str | None:
    """None: go. A text: withdraw for that reason. Empty text: wait for the companion."""
    with desk.store.read() as conn:
        if isinstance(row.action, ChargeLateFee):
            if not row.action.notice:
                return None  # ordered by a person: the next message announces it
            known = action_store.latest_revisions(conn, desk.book_id, {str(row.action.notice)})
            notice = known.get(row.action.notice)
            if notice is None or notice.state not in ("approved", "leased", "done", "unknown"):
                return "the message that announces it is not going out"
            return None
        if not row.waits_for:
            return None
        fees = action_store.latest_revisions(conn, desk.book_id, set(row.waits_for))
    states = {fees[key].state if key in fees else "missing" for key in row.waits_for}
    if states == {"done"}:
        return None
    if states <= {"done", "approved", "leased", "unknown", "parked"}:
        return ""
    return "a late fee that it announces was not charged"


def withdraw(desk: BookContext, row: ActionRow, reason: str) -> Performed:
    """Take an action that has not begun out of the plan, with its reason."""
    with desk.store.write() as conn:
        approvals.withdraw(
            conn,
            desk,
            [row],
            state="withdrawn",
            actor=desk.worker,
            reason=reason,
            now=desk.clock.now(),
        )
    return Performed(row=row, outcome=Outcome.STALE, problem=reason)
