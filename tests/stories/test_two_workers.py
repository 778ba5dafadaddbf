"""Two workers at one book: what one of them has in hand is left to it."""

from ar_bridge.dispatcher import apply
from ar_bridge.leased import take
from ar_bridge.outcome import Outcome
from ar_bridge.processes import own_process
from ar_bridge.store import outbox
from ar_bridge.waves import perform_all
from tests.stories.books import company, customer, invoice, policy
from tests.stories.conftest import Opens


def test_a_worker_ends_nobody_elses_lease(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        policy=policy(),
        today="2026-06-04",
        mode="approve",
    )
    office.approve(office.run().plan.plan_id)
    first, second = office.desk, office.reopen()
    # Both saw that there was something to do, and the first one was faster.
    rows = office.rows("approved")
    with second.store.write() as conn:
        hand = take(conn, first, rows[0])
    assert hand is not None
    assert [done.outcome for done in perform_all(second, rows, set())] == [Outcome.TAKEN]
    with second.store.read() as conn:
        outbox.hold_lease(conn, hand.row.id, hand.token)
    assert office.row("reminder", "leased")


def test_what_a_process_had_in_hand_that_has_ended_is_done_at_once(an_office: Opens) -> None:
    office = an_office(
        company(),
        customer("North"),
        invoice("N-1", "North", "2026-06-01"),
        policy=policy(),
        today="2026-06-04",
        mode="approve",
    )
    office.approve(office.run().plan.plan_id)
    machine, number, _ = own_process().rsplit("/", 2)
    with office.desk.store.write() as conn:
        (row,) = office.rows("approved")
        # Another process by that number, which began at another time.
        outbox.lease(conn, row, office.clock.now(), 10, owner=f"{machine}/{number}/1")
    assert office.row("reminder", "leased")
    assert apply(office.desk).applied == {"reminder": 1}
