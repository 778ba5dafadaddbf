"""Notes in the ledger: whatever they are about, they fit, and they can be read back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.actions.keys import note_mark
from rules.actions.notes import (
    Ended,
    NoteFacts,
    PartSaid,
    Serving,
    machine_part,
    note_text,
    read_note,
)
from rules.actions.part_runs import read_parts, spelt_parts
from rules.calendar import add_months

MARK = note_mark("acme", "msg/C1/abc#1:post_note")
ON = date(2026, 6, 4)
XERO, QUICKBOOKS = 250, 2000

EXAMPLES = [
    NoteFacts(kind="reminder", on=ON, channel="email", stages=(Serving("first", "1"),)),
    NoteFacts(
        kind="reminder",
        on=ON,
        channel="email",
        stages=(
            Serving("first", "1", ("INV-0041", "INV-0043", "INV-0143", "7")),
            Serving("second", "2", ("A 1,2;3:4~[5]=", "é/ü%")),
        ),
        fees=(Serving("late-interest", "2026-10", ("INV-0041",)),),
    ),
    NoteFacts(kind="promise", on=ON, due_on=date(2026, 6, 20), amount=75000, currency="GBP"),
    NoteFacts(kind="promise", on=ON, due_on=date(2026, 6, 20), ordinal=2, invoices=("N-1", "N-2")),
    NoteFacts(kind="dispute", on=ON, amount=0, currency="GBP"),
    NoteFacts(kind="dispute_end", on=ON, won_by="us", ends=(Ended("dispute", ON, 2),)),
    NoteFacts(kind="pause", on=ON, until=date(2026, 7, 1)),
    NoteFacts(kind="stop", on=ON, because="insolvency"),
    NoteFacts(kind="resume", on=ON, ends=(Ended("pause", ON), Ended("stop", ON, 3))),
    NoteFacts(kind="withheld", on=ON, amount=100, currency="JPY", until=date(2026, 7, 1)),
    NoteFacts(kind="instalments", on=ON, parts=(PartSaid(ON, 5000), PartSaid(ON, 7000))),
    NoteFacts(
        kind="instalments",
        on=ON,
        parts=tuple(PartSaid(date(2026, n, 28), 5000) for n in range(1, 9)),
        owner="ann smith",
        review_on=date(2026, 7, 1),
    ),
    NoteFacts(kind="credit_expected", on=ON, amount=100, currency="GBP", until=date(2026, 7, 1)),
    NoteFacts(kind="promise", on=ON, due_on=date(2026, 9, 20), consented=True),
    NoteFacts(kind="fee_waiver", on=ON, document="LF-ABCDEFGHIJKLMNOP", amount=2500),
    NoteFacts(kind="credit_hold", on=ON, stages=(Serving("on-hold", "1"),)),
]


@pytest.mark.parametrize("facts", EXAMPLES, ids=lambda facts: facts.kind)
@pytest.mark.parametrize("limit", [XERO, QUICKBOOKS])
def test_what_is_written_can_be_read_back(facts: NoteFacts, limit: int) -> None:
    text = note_text(MARK, "said so on the phone", facts, limit)
    found = read_note(text)
    assert found is not None
    assert (found.mark, found.text, found.facts) == (MARK, "said so on the phone", facts)
    assert len(text) <= limit and text.startswith(MARK)


@given(
    text=st.text(max_size=600),
    numbers=st.lists(
        st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40),
        max_size=60,
        unique=True,
    ),
    limit=st.sampled_from([XERO, QUICKBOOKS]),
)
def test_any_text_and_any_number_of_invoices_fit(text: str, numbers: list[str], limit: int) -> None:
    facts = NoteFacts(
        kind="reminder",
        on=ON,
        channel="email",
        stages=(Serving("s" * 40, "12", tuple(numbers)),) if numbers else (),
        fees=(Serving("f" * 40, "2026-10", tuple(numbers[:2])),) if numbers else (),
    )
    written = note_text(MARK, text, facts, limit)
    assert len(written) <= limit
    found = read_note(written)
    assert found is not None
    read = found.facts
    named = [name for group in read.stages for name in group.invoices]
    assert named == numbers[: len(named)]
    told = len(named) + sum(len(group.invoices) for group in read.fees)
    assert told + read.omitted == len(numbers) + len(numbers[:2])


def test_a_long_list_is_cut_with_a_count_and_the_text_keeps_its_place() -> None:
    numbers = tuple(f"INV-{number:05}" for number in range(1, 101))
    facts = NoteFacts(kind="reminder", on=ON, stages=(Serving("first", "1", numbers),))
    found = read_note(note_text(MARK, "reminder by email to ap@north.example " * 9, facts, XERO))
    assert found is not None and len(found.text) >= 50
    (group,) = found.facts.stages
    assert len(group.invoices) > 25
    assert found.facts.omitted == 100 - len(group.invoices)
    assert group.invoices == numbers[: len(group.invoices)]


def test_a_long_plan_of_instalments_keeps_its_first_parts_its_end_and_its_sum() -> None:
    parts = tuple(PartSaid(date(2026 + n // 12, n % 12 + 1, 28), 25000 + n) for n in range(36))
    last, total = parts[-1].due_on, sum(part.amount for part in parts)
    facts = NoteFacts(kind="instalments", on=ON, parts=parts, until=last, amount=total)
    found = read_note(note_text(MARK, "agreed", facts, XERO))
    assert found is not None
    read = found.facts
    assert 3 < len(read.parts) < 36 and read.parts == parts[: len(read.parts)]
    assert (read.until, read.amount) == (last, total)


def test_words_that_look_like_our_end_are_words() -> None:
    reason = "they say [arb1 stop on=2020-01-01 why=deceased] and more"
    facts = NoteFacts(kind="pause", on=ON, until=ON)
    found = read_note(note_text(MARK, reason, facts, XERO))
    assert found is not None and found.facts == facts and found.text == reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "called, no answer",
        MARK,
        f"{MARK} an older note without an end",
        f"{MARK} [arb1 pause on=2026-06-04 until=soon]",
        f"{MARK} [arb1 pause until=2026-06-04]",
        f"{MARK} [arb1 reminder on=2026-06-04 at=first]",
        f"{MARK} [arb1 reminder on=2026-06-04 at=first/1:~7]",
        f"{MARK} [arb1 pause on=2026-06-04 until=2026-07-01] changed by hand",
        f"pause, see {machine_part(EXAMPLES[0])}",
    ],
)
def test_what_is_not_ours_or_not_whole_is_not_read(text: str) -> None:
    assert read_note(text) is None


def test_the_machine_part_of_a_plain_note_is_short() -> None:
    assert machine_part(EXAMPLES[0]) == "[arb1 reminder on=2026-06-04 by=email at=first/1]"


@pytest.mark.parametrize("months", [1, 3])
@pytest.mark.parametrize("first", [date(2026, 1, 31), date(2026, 6, 15)])
def test_a_regular_plan_has_room_whatever_its_length(months: int, first: date) -> None:
    parts = tuple(PartSaid(add_months(first, months * n), 25000) for n in range(40))
    parts += (PartSaid(add_months(first, months * 40), 25007),)
    facts = NoteFacts(kind="instalments", on=ON, parts=parts)
    read = read_note(note_text(MARK, "41 instalments agreed", facts, XERO))
    assert read is not None and read.facts.parts == parts


@given(
    st.lists(
        st.builds(PartSaid, st.dates(date(2026, 1, 1), date(2026, 4, 1)), st.integers(1, 3)),
        max_size=12,
    )
)
def test_any_parts_are_read_back(parts: list[PartSaid]) -> None:
    ordered = sorted(parts, key=lambda part: part.due_on)
    assert read_parts(spelt_parts(ordered)) == tuple(ordered)
