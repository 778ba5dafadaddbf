"""What may begin is counted where it begins: no interleaving of workers, runs and ended processes
exceeds a limit.

Actions are stored as the planner stores them; workers take them, finish them, give them back, or
end with them in hand, in any order, over several days.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ar_bridge.admission import begin
from ar_bridge.clock import VirtualClock
from ar_bridge.context import BookContext
from ar_bridge.leased import Hand, give_back
from ar_bridge.store import actions as action_store
from ar_bridge.store import books, counters, outbox
from ar_bridge.store.engine import Store, open_store
from rules.actions.action import Item, RenderedMessage
from rules.actions.internal import OpenTask
from rules.actions.late_fee import ChargeLateFee, Derivation
from rules.model import CustomerId, FeeId, InvoiceId, ItemKey
from rules.policy.load import load_policy
from tests.store.opening import databases
from tests.store.records import COMPANY, NOW, TODAY
from tests.store.test_racing import at_once

MAILS, FEES, SUM, ALONE, MONTH, RUN = 4, 3, 2_500, 2, 1_700, 3
LIMITS = f"""
[contact]
per_customer_per_day = 1
[limits]
mails_per_run = {RUN}
fees_per_run = 50
mails_per_day = {MAILS}
fees_per_day = {FEES}
fee_total_per_day = "25.00"
mails_per_customer_per_day = {ALONE}
fee_total_per_customer_per_month = "17.00"
"""


def a_desk(store: Store, mark: str) -> BookContext:
    """What a worker needs of a book to take an action of it."""
    company = msgspec.structs.replace(COMPANY, id=mark)
    with store.write() as conn:
        row = books.register(conn, company, name=mark, connected_on=date(2026, 10, 1))
    unused: Any = None
    return BookContext(
        store=store,
        clock=VirtualClock(NOW),
        book_id=row.id,
        name=mark,
        company=company,
        policy=load_policy(LIMITS, source="test", presets={}),
        policy_hash="0" * 64,
        mode="auto",
        connector=unused,
        channels={},
        load=unused,
        render=unused,
        send_at=unused,
        mode_of=lambda customer: None,
    )


def an_approved(
    desk: BookContext,
    key: str,
    customer: str,
    *,
    amount: int | None = None,
    notice: str = "",
    waits_for: tuple[str, ...] = (),
    by: str = "rule",
) -> int:
    """A message, or a fee where an amount is given, that somebody approved."""
    kind = "reminder" if amount is None else "late_fee"
    item = Item(key=ItemKey(key), kind=kind, invoice=InvoiceId("I1"))
    action: OpenTask | ChargeLateFee = OpenTask(
        key=item.key, customer=CustomerId(customer), items=(item,), text=""
    )
    if amount is not None:
        action = ChargeLateFee(
            key=item.key,
            customer=CustomerId(customer),
            items=(item,),
            currency="GBP",
            invoice=InvoiceId("I1"),
            fee_id=FeeId("late"),
            fee_name="Late fee",
            charge=amount,
            through=TODAY,
            description="",
            derivation=Derivation(),
            notice=ItemKey(notice),
        )
    message = RenderedMessage(to=("ap@c.example",), subject="", text="")
    with desk.store.write() as conn:
        plan = f"plan-{desk.book_id}"
        from ar_bridge.store.plans import insert_plan

        insert_plan(
            conn,
            id=plan,
            book_id=desk.book_id,
            on=TODAY.isoformat(),
            book_as_of=NOW.isoformat(),
            policy_name="standard",
            policy_hash="0" * 64,
            made_at=NOW.isoformat(),
            body="{}",
            digest="0" * 64,
        )
        (row_id,) = action_store.insert_actions(
            conn,
            [
                {
                    "book_id": desk.book_id,
                    "plan_id": plan,
                    "key": key,
                    "revision": 1,
                    "kind": kind,
                    "state": "planned",
                    "mode": "auto",
                    "customer": customer,
                    "amount": amount,
                    "currency": "GBP",
                    "channel": "email" if amount is None else "",
                    "send_on": TODAY.isoformat(),
                    "send_at": NOW.isoformat(),
                    "body": msgspec.json.encode(action).decode(),
                    "reasons": "[]",
                    "message": msgspec.json.encode(message).decode() if amount is None else None,
                    "facts": "{}",
                    "facts_digest": "0" * 64,
                    "policy_hash": "0" * 64,
                    "waits_for": msgspec.json.encode(waits_for).decode(),
                    "items": (item,),
                }
            ],
        )
        action_store.set_state(
            conn, [row_id], "approved", now=NOW, approved_by=by, approved_at=NOW.isoformat()
        )
    return row_id


class Unit(msgspec.Struct, frozen=True):
    """Fees and the message that announces them, or a message alone."""

    customer: str
    fees: tuple[int, ...]
    by: str


class Office:
    """Workers at one book, and what they have begun."""

    def __init__(self, store: Store, mark: str, units: list[Unit]) -> None:
        self.desk = a_desk(store, mark)
        self.workers = [replace(self.desk, worker=f"w{n}", leases={}) for n in range(3)]
        self.units = units
        self.unit_of: dict[int, int] = {}
        for number, unit in enumerate(units):
            notice = f"m{number}"
            keys = tuple(f"f{number}.{n}" for n in range(len(unit.fees)))
            for key, amount in zip(keys, unit.fees, strict=True):
                row = an_approved(
                    self.desk, key, unit.customer, amount=amount, notice=notice, by=unit.by
                )
                self.unit_of[row] = number
            row = an_approved(self.desk, notice, unit.customer, waits_for=keys, by=unit.by)
            self.unit_of[row] = number
        self.ids = sorted(self.unit_of)
        self.hands: dict[int, tuple[int, Hand]] = {}
        self.began: dict[int, tuple[date, int | None]] = {}
        """Unit -> the day and the run to which it was let in, last."""
        self.started: set[int] = set()

    def take(self, worker: int, which: int) -> None:
        row_id = self.ids[which % len(self.ids)]
        desk = self.workers[worker]
        with desk.store.write() as conn:
            row = action_store.action_by_id(conn, row_id)
            may = row.id in {one.id for one in outbox.due(conn, desk.book_id, desk.clock.now())}
            hand = begin(conn, desk, row) if may else None
        if isinstance(hand, Hand):
            number = self.unit_of[row_id]
            if number not in self.started:
                self.began[number] = (desk.today(), desk.run_id)
            self.hands[row_id] = (worker, hand)

    def end(self, which: int, *, is_done: bool) -> None:
        if not self.hands:
            return
        row_id = sorted(self.hands)[which % len(self.hands)]
        worker, hand = self.hands.pop(row_id)
        desk = self.workers[worker]
        with desk.store.write() as conn:
            try:
                outbox.hold_lease(conn, row_id, hand.token)
            except outbox.LeaseLostError:
                return
            if is_done:
                action_store.set_state(conn, [row_id], "done", now=desk.clock.now())
                self.started.add(self.unit_of[row_id])
            else:
                give_back(conn, desk, hand)

    def new_run(self, worker: int, run_id: int) -> None:
        self.workers[worker] = replace(self.workers[worker], run_id=run_id)

    def wait(self, hours: int) -> None:
        """Leases run out; a worker that has one may be there all the same."""
        self.desk.clock.sleep(hours * 3600)

    def is_within(self) -> None:
        """No day, no customer and no run has let in more than it may."""
        days: dict[date, list[Unit]] = defaultdict(list)
        runs: dict[int, list[Unit]] = defaultdict(list)
        for number, (day, run) in self.began.items():
            days[day].append(self.units[number])
            if run is not None and self.units[number].by == "rule":
                runs[run].append(self.units[number])
        for units in days.values():
            assert len(units) <= MAILS
            assert sum(len(unit.fees) for unit in units) <= FEES
            assert sum(sum(unit.fees) for unit in units) <= SUM
            for name in {unit.customer for unit in units}:
                assert sum(unit.customer == name for unit in units) <= ALONE
        for units in runs.values():
            assert len(units) <= RUN
        for name in {unit.customer for unit in self.units}:
            charged = [
                sum(self.units[number].fees)
                for number in self.began
                if self.units[number].customer == name
            ]
            assert sum(charged) <= MONTH  # all days lie in one month


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    store = open_store("sqlite://")
    yield store
    store.close()


_units = st.lists(
    st.builds(
        Unit,
        customer=st.sampled_from(["C1", "C2", "C3"]),
        fees=st.lists(st.integers(100, 1_500), max_size=2).map(tuple),
        by=st.sampled_from(["rule", "pat"]),
    ),
    min_size=3,
    max_size=8,
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 2), st.integers(0, 30)),
        st.tuples(st.just("take"), st.integers(0, 2), st.integers(0, 30)),
        st.tuples(st.just("done"), st.integers(0, 9)),
        st.tuples(st.just("back"), st.integers(0, 9)),
        st.tuples(st.just("run"), st.integers(0, 2), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.integers(1, 9)),
    ),
    min_size=8,
    max_size=60,
)
_numbers = iter(range(1_000_000))


@settings(max_examples=60, deadline=None)
@given(units=_units, steps=_steps)
def test_no_interleaving_exceeds_a_limit(
    shared: Store, units: list[Unit], steps: list[tuple[Any, ...]]
) -> None:
    office = Office(shared, f"company-{next(_numbers)}", units)
    for step in steps:
        match step:
            case ("take", worker, which):
                office.take(worker, which)
            case ("done", which):
                office.end(which, is_done=True)
            case ("back", which):
                office.end(which, is_done=False)
            case ("run", worker, run_id):
                office.new_run(worker, run_id)
            case ("wait", hours):
                office.wait(hours)
        office.is_within()


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_workers_that_begin_at_once_do_not_exceed_it_together(
    request: pytest.FixtureRequest, tmp_path: Any, backend: str
) -> None:
    with databases(request, backend, tmp_path)() as url:
        stores = [open_store(url) for _ in range(6)]
        desk = a_desk(stores[0], "acme")
        ids = [an_approved(desk, f"m{n}", f"C{n}", by="pat") for n in range(12)]

        def take(number: int) -> int:
            own = replace(desk, store=stores[number], leases={})
            begun = 0
            for row_id in ids[number * 2 : number * 2 + 2]:
                with own.store.write() as conn:
                    row = action_store.action_by_id(conn, row_id)
                    begun += isinstance(begin(conn, own, row), Hand)
            return begun

        assert sum(cast("list[int]", at_once(take, 6))) == MAILS
        with stores[0].read() as conn:
            day = counters.on_day(conn, desk.book_id, desk.today())
            assert day.mails == MAILS
            (why,) = counters.waiting(conn, desk.book_id)
            assert f"{MAILS} messages in a day" in why
        for store in stores:
            store.close()


def test_the_clock_set_back_does_not_open_the_limit_again(shared: Store) -> None:
    desk = a_desk(shared, f"company-{next(_numbers)}")
    ids = [an_approved(desk, f"m{n}", f"C{n}", by="pat") for n in range(MAILS + 1)]
    ahead = replace(desk, clock=VirtualClock(NOW + timedelta(days=1)))
    with shared.write() as conn:
        for row_id in ids[:MAILS]:
            assert isinstance(begin(conn, ahead, action_store.action_by_id(conn, row_id)), Hand)
        late = begin(conn, desk, action_store.action_by_id(conn, ids[MAILS]))
    assert not isinstance(late, Hand) and "mails_per_day" in late.problem


def test_a_lease_from_before_the_clock_was_set_back_is_over(shared: Store) -> None:
    desk = a_desk(shared, f"company-{next(_numbers)}")
    row_id = an_approved(desk, "m", "C1")
    ahead = replace(desk, clock=VirtualClock(NOW + timedelta(days=30)), leases={})
    with shared.write() as conn:
        assert isinstance(begin(conn, ahead, action_store.action_by_id(conn, row_id)), Hand)
    with shared.write() as conn:
        (row,) = outbox.due(conn, desk.book_id, desk.clock.now())
        assert isinstance(begin(conn, desk, row), Hand)
