"""When an invoice is looked at again for the sake of a fee: on the day of what is to come, and on
no other."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from rules.decide import decide
from rules.decision import Act, Skip
from rules.model.events import EventLog
from rules.policy.load import load_policy
from rules.policy.schema import Policy, versioned
from rules.policy.versions import DatedPolicy
from tests.rules.books import acts, with_history

FIRST = date(2026, 10, 2)
BOOK: tuple[dict[str, Any], ...] = (
    {"t": "company", "id": "acme", "base_currency": "GBP"},
    {"t": "customer", "id": "C1", "name": "North", "email": "ap@north.example"},
    {
        **{"t": "invoice", "id": "I1", "date": "2026-09-01", "due": "2026-10-01"},
        **{"customer": "C1", "currency": "GBP", "total": "500"},
    },
)


def paid_and_returned(amount: str, back: str) -> tuple[dict[str, Any], ...]:
    payment = {
        **{"t": "payment", "id": "P1", "date": "2026-10-01", "customer": "C1", "currency": "GBP"},
        **{"amount": amount, "alloc": [{"invoice": "I1", "amount": amount}]},
    }
    return payment, {"t": "payment_reversed", "date": back, "payment": "P1", "reason": "returned"}


def fee(*rows: str) -> str:
    return "\n".join(['legal_basis = "contract:terms"', "[[fee]]", 'id = "late"', *rows, ""])


def lived(
    policy: Policy, days: int, events: Sequence[dict[str, Any]] = BOOK
) -> list[tuple[date, list[Act], list[Skip]]]:
    """Each day decided with all that the days before did."""
    log, done = EventLog(events), []
    found = []
    for number in range(days):
        day = FIRST + timedelta(days=number)
        book = log.as_of(day).book
        for before, on in done:
            book = with_history(book, before, on)
        decided = decide(book, policy, day)
        done.append((acts(decided), day))
        found.append((day, acts(decided), [one for one in decided if isinstance(one, Skip)]))
    return found


def charged(found: Sequence[tuple[date, list[Act], list[Skip]]]) -> list[tuple[date, int]]:
    return [
        (day, act.action.amount or 0)
        for day, done, _ in found
        for act in done
        if act.action.kind == "late_fee"
    ]


def woken(found: Sequence[tuple[date, list[Act], list[Skip]]]) -> list[date | None]:
    """The next day that anything names, on each of these days."""
    return [min((s.next_on for s in left if s.next_on), default=None) for _, _, left in found]


ENDED = date(2026, 10, 12)


def ended(*rows: str) -> Policy:
    """A policy of which the fee ended on the 11th."""
    older, now = load_policy(fee(*rows)), load_policy("")
    return versioned([DatedPolicy(date(2026, 1, 1), older), DatedPolicy(ENDED, now)], ENDED)


def test_a_fee_that_ended_wakes_nobody_once_all_of_it_was_posted() -> None:
    daily = lived(ended('type = "interest"', "annual_rate = 36.5"), 20)
    assert sum(amount for _, amount in charged(daily)) == 10 * 50
    assert woken(daily[12:]) == [None] * 8
    monthly = ended(
        'type = "interest"', "annual_rate = 36.5", 'post = { every = "month", on = 20 }'
    )
    before = lived(monthly, 18)
    assert woken(before[:16])[-1] == date(2026, 10, 20), "until then it is still to come"
    after = lived(monthly, 40)
    assert charged(after) == [(date(2026, 10, 20), 500)]
    assert woken(after[20:]) == [None] * 20


def test_what_ended_too_small_waits_for_something_to_happen() -> None:
    small = ended('type = "interest"', "annual_rate = 36.5", 'minimum_to_post = "50.00"')
    _, _, left = lived(small, 20)[-1]
    assert {skip.code for skip in left} == {"fee_too_small", "ladder_finished"}
    assert not any(skip.next_on for skip in left)
    assert any(skip.review_on for skip in left), "a person looks all the same"


def test_a_sum_of_the_account_wakes_nobody_until_it_comes_again() -> None:
    rows = ('type = "flat"', "amount = 25", 'scope = "customer"')
    once = lived(load_policy(fee(*rows)), 20)
    assert charged(once) == [(FIRST, 2_500)]
    assert woken(once[1:]) == [None] * 19
    again = lived(load_policy(fee(*rows, 'repeat = { every = "7d", times = 2 }')), 20)
    assert [day.day for day, _ in charged(again)] == [8, 15]
    assert woken(again[:1]) == [date(2026, 10, 8)] and woken(again[8:9]) == [date(2026, 10, 15)]
    assert woken(again[15:]) == [None] * 5


def test_a_second_invoice_wakes_the_account_on_its_own_day() -> None:
    other = {**BOOK[2], "id": "I2", "due": "2026-10-20"}
    found = lived(
        load_policy(fee('type = "flat"', "amount = 25", 'scope = "customer"')), 2, (*BOOK, other)
    )
    assert woken(found[1:]) == [date(2026, 10, 21)]


def test_the_rest_of_a_fee_for_a_returned_payment_names_its_month() -> None:
    rows = ('type = "flat"', "amount = 50", 'on = "returned_payment"')
    limited = load_policy(fee(*rows, "cap = { per_customer_month = 30 }"))
    events = (*BOOK, *paid_and_returned("500", "2026-10-05"))
    found = lived(limited, 32, events)
    assert charged(found) == [(date(2026, 10, 5), 3_000), (date(2026, 11, 2), 2_000)]
    assert woken(found[4:30]) == [date(2026, 11, 1)] * 26


def test_a_return_that_counts_as_never_paid_charges_what_the_payment_took_off_once() -> None:
    rows = ('type = "percent"', "percent = 10")
    events = (*BOOK, *paid_and_returned("300", "2026-10-08"))
    void = lived(load_policy(fee(*rows, 'reversal = "void"')), 20, events)
    assert charged(void) == [(FIRST, 2_000), (date(2026, 10, 8), 3_000)]
    assert len({act.action.key for _, done, _ in void for act in done}) == 4
    gap = lived(load_policy(fee(*rows)), 20, events)
    assert charged(gap) == [(FIRST, 2_000)]


def test_the_day_that_a_message_waits_for_is_one_on_which_it_goes() -> None:
    stages = "".join(
        f'[[stage]]\nid = "{name}"\nat = "due + {days}d"\ndo = ["remind"]\n'
        f'template = "overdue_{number}"\n'
        for number, name, days in ((1, "first", 4), (2, "second", 5))
    )
    rhythm = (
        '[calendar]\nsend_days = ["mon", "tue", "wed", "thu", "fri"]\n[contact]\nmin_gap = "5d"\n'
    )
    found = lived(load_policy(rhythm + stages), 5)
    _, _, (skip,) = found[-1]
    assert found[3][1], "the first went on Monday the 5th; five days later is a Saturday"
    assert (skip.code, skip.next_on) == ("contact_budget", date(2026, 10, 12))
    assert dict(skip.reasons[0].facts)["next_on"] == "2026-10-12"
