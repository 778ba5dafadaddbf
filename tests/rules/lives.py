"""Lives of small books at random: invoices, payments, words and outages over some months."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from rules.actions.fee_waiver import WaiveLateFee
from rules.decide import decide
from rules.decision import Act, Decision
from rules.model.book import Book
from rules.model.events import EventLog
from rules.model.history import Waiver
from rules.policy.schema import Policy
from tests.rules.books import acts, with_history

FIRST: Final = date(2026, 2, 2)
DAYS: Final = 75


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events of one to three customers (a child among them at times) with up to five invoices."""
    events: list[dict[str, Any]] = [
        {"t": "company", "id": "acme", "base_currency": "GBP", "timezone": "Europe/London"}
    ]
    customers = draw(st.integers(1, 3))
    for number in range(customers):
        events.append(
            {
                "t": "customer",
                "id": f"C{number}",
                "date": "2026-01-01",
                "name": f"Customer {number}",
                "entity_type": draw(st.sampled_from(["company", "company", "unknown"])),
                "parent": "C0" if number and draw(st.booleans()) else None,
                "tags": ["vip"] if draw(st.integers(0, 5)) == 0 else [],
                "address": ["1 High Street", "Elmtown"],
            }
        )
    for number in range(draw(st.integers(1, 5))):
        events += _invoice(draw, number, f"C{draw(st.integers(0, customers - 1))}")
    return events


def _day(after: int) -> str:
    return (FIRST + timedelta(days=after)).isoformat()


def _invoice(draw: st.DrawFn, number: int, customer: str) -> Iterator[dict[str, Any]]:
    name = f"I{number}"
    due = draw(st.integers(-40, 40))
    total = draw(st.sampled_from([300, 4_000, 25_000, 480_000]))
    currency = draw(st.sampled_from(["GBP", "GBP", "EUR"]))
    known = {"customer": customer, "currency": currency}
    yield {
        "t": "invoice",
        "id": name,
        "number": name,
        "date": _day(due - 30),
        "due": _day(due),
        "total": _major(total),
        "sent": draw(st.sampled_from([True, True, True, None, False])),
        "fields": draw(st.sampled_from([{}, {"work_date": _day(due - 20)}])),
        **known,
    }
    paid = draw(st.sampled_from(["never", "never", "part", "whole", "early", "bounced"]))
    if paid != "never":
        # Early enough for a discount, on time or late.
        early = paid == "early" and due - 22 <= DAYS
        on = due - 22 if early else draw(st.integers(max(due - 5, -60), DAYS))
        amount = _major(total // 3 if paid == "part" else total)
        yield {
            "t": "payment",
            "id": f"P{number}",
            "date": _day(on),
            "known": _day(on + draw(st.integers(0, 3))),
            "amount": amount,
            "alloc": [{"invoice": name, "amount": amount}],
            **known,
        }
        if paid == "bounced":
            yield {
                "t": "payment_reversed",
                "date": _day(on + draw(st.integers(3, 10))),
                "payment": f"P{number}",
                "reason": "returned",
            }
    yield from _word(draw, name, customer, total)


WORDS: Final = (
    "dispute",
    "part",
    "promise",
    "pause",
    "instalments",
    "withheld",
    "credit",
    "stop",
    "stop for a time",
)


def _word(draw: st.DrawFn, name: str, customer: str, total: int) -> Iterator[dict[str, Any]]:
    said = draw(st.sampled_from(["", "", "", *WORDS]))
    on = draw(st.integers(-10, DAYS - 10))
    word: dict[str, Any] = {"date": _day(on), "customer": customer}
    until = _day(on + draw(st.integers(1, 20)))
    if said in ("dispute", "part"):
        part = _major(total // 4) if said == "part" else None
        yield {"t": "dispute", "invoice": name, "amount": part, "reason": "short", **word}
        if draw(st.booleans()):
            end = {**word, "date": until, "won_by": draw(st.sampled_from(["us", "customer"]))}
            yield {"t": "dispute_end", "invoice": name, **end}
    elif said == "promise":
        yield {"t": "promise", "invoices": [name], "amount": None, "on": until, **word}
    elif said == "pause":
        yield {"t": "pause", "invoice": name, "until": until, "reason": "asked", **word}
    elif said == "instalments":
        half, last = _major(total // 2), _day(on + 25)
        parts = [{"on": until, "amount": half}, {"on": last, "amount": half}]
        yield {"t": "instalments", "invoices": [name], "parts": parts, **word}
    elif said == "withheld":
        yield {
            "t": "withheld",
            "invoice": name,
            "amount": _major(total // 5),
            "until": until,
            **word,
        }
    elif said == "credit":
        yield {
            "t": "credit_expected",
            "invoice": name,
            "amount": _major(total // 10),
            "by": until,
            **word,
        }
    elif said.startswith("stop"):
        yield {"t": "stop", "because": "lawyer", "reason": "letter", **word}
        if said != "stop":
            yield {"t": "resume", "date": until, "customer": customer}


def _major(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


class Lived(msgspec.Struct, frozen=True):
    """One day of a life: the book as it was known, what was decided and done."""

    day: date
    book: Book
    decided: tuple[Decision, ...]
    done: tuple[Act, ...]


def live(
    events: list[dict[str, Any]],
    policy: Policy,
    *,
    down: frozenset[int] = frozenset(),
    days: int = DAYS,
    connected_on: date | None = None,
) -> Iterator[Lived]:
    """Every day but those on which nothing ran: what is decided is done on its day, and what a
    person has to approve is approved."""
    log = EventLog(events)
    assert not log.problems, log.problems
    history = Book(company=log.company, as_of=FIRST)
    for after in range(days):
        if after in down:
            continue
        day = FIRST + timedelta(days=after)
        known = log.as_of(day).book
        book = msgspec.structs.replace(
            known,
            company=msgspec.structs.replace(known.company, connected_on=connected_on),
            served=[*known.served, *history.served],
            fees=[*known.fees, *history.fees],
            waivers=[*known.waivers, *history.waivers],
        )
        decided = decide(book, policy, day)
        done = tuple(act for act in acts(decided) if act.mode in ("auto", "approve"))
        history = _taken_back(with_history(history, done, day), done, day)
        yield Lived(day, book, decided, done)


def _taken_back(history: Book, done: tuple[Act, ...], day: date) -> Book:
    """The history with what was taken back of fees: corrections stand with the fees."""
    fees, waivers = list(history.fees), list(history.waivers)
    for act in done:
        action = act.action
        if not isinstance(action, WaiveLateFee):
            continue
        if not action.is_correction:
            waivers.append(Waiver(on=day, document=action.document, amount=action.waived))
            continue
        left = action.waived
        for place, fee in enumerate(fees):
            taken = min(left, fee.amount - fee.corrected) if fee.document == action.document else 0
            if taken:
                fees[place] = msgspec.structs.replace(
                    fee, corrected=fee.corrected + taken, corrected_on=day
                )
                left -= taken
        assert left == 0, "more was taken back than was charged"
    return msgspec.structs.replace(history, fees=fees, waivers=waivers)


OUTAGES = st.lists(st.tuples(st.integers(1, DAYS - 1), st.integers(1, 12)), max_size=3).map(
    lambda found: frozenset(d for first, n in found for d in range(first, first + n))
)
"""Days on which nothing ran, counted from the first."""
