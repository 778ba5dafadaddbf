"""Durations, triggers, amounts and schedules read as they are written."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy.posting import PostingSchedule
from rules.policy.reading import Misread, exact_number, plain_day, plain_decimal
from rules.policy.values import (
    Above,
    At,
    ClosedDays,
    Duration,
    LocalWindow,
    Mode,
    MoneyTable,
    Repeat,
    strictest,
)

DURATIONS = st.builds(Duration, st.integers(1, 9999), st.sampled_from(["d", "bd", "m"]))


def test_the_strictest_mode_wins_and_auto_adds_nothing() -> None:
    assert strictest() is Mode.AUTO
    assert strictest(None, "auto") is Mode.AUTO
    assert strictest("auto", "approve", None) is Mode.APPROVE
    assert strictest("draft", "approve") is Mode.DRAFT
    assert strictest("approve", "observe", "draft") is Mode.OBSERVE


@given(DURATIONS)
def test_a_duration_is_read_back(duration: Duration) -> None:
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("5 days", '"5d"'),
        ("1 day", '"1d"'),
        ("3 business days", '"3bd"'),
        ("2 weeks", '"14d"'),
        ("24 hours", '"24h"'),
        ("-3d", '"3d"'),
        ("5", '"5d"'),
        (5, '"5d"'),
        (-5, "negative"),
        ("1.5d", "whole number"),
        (True, "whole number"),
    ],
)
def test_a_wrong_duration_says_what_was_meant(written: object, hint: str) -> None:
    with pytest.raises(Misread) as caught:
        Duration.parse(written)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("due", At("due")),
        ("due + 0d", At("due")),
        ("due+3d", At("due", "", Duration(3, "d"), 1)),
        ("due - 5bd", At("due", "", Duration(5, "bd"), -1)),
        ("issued + 1m", At("issued", "", Duration(1, "m"), 1)),
        ("previous + 7d", At("previous", "", Duration(7, "d"), 1)),
        ("deadline( final ) + 1d", At("deadline", "final", Duration(1, "d"), 1)),
        ("field(Pay by) - 2d", At("field", "Pay by", Duration(2, "d"), -1)),
        ("month_end(due) + 5d", At("month_end_due", "", Duration(5, "d"), 1)),
        ("month_end(due + 5d)", At("month_end_shifted", "", Duration(5, "d"), 1)),
    ],
)
def test_triggers(written: str, at: At) -> None:
    assert At.parse(written) == at
    assert At.parse(str(at)) == at


@pytest.mark.parametrize(
    "written",
    [
        "",
        3,
        "duee",
        "due + 3",
        "due 3d",
        "due + 3h",
        "deadline + 1d",
        "due(x)",
        "month_end",
        "due +",
    ],
)
def test_wrong_triggers_have_a_hint(written: object) -> None:
    with pytest.raises(Misread) as caught:
        At.parse(written)
    assert caught.value.hint


def test_windows_and_closures() -> None:
    assert str(LocalWindow.parse("9:00 - 16:30")) == "09:00-16:30"
    assert ClosedDays.parse(date(2026, 1, 1)) == ClosedDays.parse("2026-01-01")
    assert str(ClosedDays.parse("2026-12-24 .. 2027-01-01")) == "2026-12-24..2027-01-01"
    for wrong in ("09:00-09:00", "25:00-26:00", "9-17", 9):
        with pytest.raises(Misread):
            LocalWindow.parse(wrong)
    with pytest.raises(Misread, match="ends before"):
        ClosedDays.parse("2027-01-01..2026-12-24")


def test_a_bare_amount_is_in_the_base_currency_and_never_converted() -> None:
    bare = MoneyTable.parse("25.00")
    assert bare.of("GBP", "GBP") == Decimal("25.00")
    assert bare.of("USD", "GBP") is None
    table = MoneyTable.parse({"USD": "30", "GBP": 25})
    assert (table.of("USD", "GBP"), table.of("GBP", "GBP")) == (Decimal(30), Decimal(25))
    assert table.of("EUR", "EUR") is None
    assert MoneyTable.parse(table.plain()) == table


@pytest.mark.parametrize(
    "written",
    [
        "when_due",
        "claim_only",
        {"every": "month", "on": "last_business_day"},
        {"every": "month", "on": 28},
        {"every": "30d"},
        {"with_stage": "final-notice"},
    ],
)
def test_posting_schedules_are_written_as_they_are_read(written: object) -> None:
    assert PostingSchedule.parse(written).plain() == written


@pytest.mark.parametrize(
    "written",
    [
        "when_dew",
        {},
        {"on": 3},
        {"every": "month", "on": 0},
        {"every": "month", "on": "32"},
        {"every": "5bd"},
        {"every": "30d", "on": 5},
        {"with_stage": "x", "on": 5},
        {"with_stage": ""},
        {"evry": "month"},
    ],
)
def test_wrong_posting_schedules_have_a_hint(written: object) -> None:
    with pytest.raises(Misread) as caught:
        PostingSchedule.parse(written)
    assert caught.value.hint


def test_repetitions_and_consolidation() -> None:
    assert Repeat.parse({"every": "14d", "times": 6}) == Repeat(Duration(14, "d"), 6)
    for wrong in ({"every": "0d", "times": 6}, {"every": "14d", "times": 0}, "14d"):
        with pytest.raises(Misread):
            Repeat.parse(wrong)
    assert Above.parse({"above": "3"}) == Above(3)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("5,00", "5.00"),
        ("1,250.50", "1250.50"),
        ("12 %", "write 12"),
        ("€25", "25"),
        ("ten", "12.50"),
    ],
)
def test_a_number_written_otherwise_says_how(written: str, hint: str) -> None:
    with pytest.raises(Misread) as caught:
        exact_number(written)
    assert hint in caught.value.hint


@pytest.mark.parametrize("written", ["NaN", "Infinity", True, None, []])
def test_what_is_no_number(written: object) -> None:
    with pytest.raises(Misread):
        exact_number(written)


def test_equal_numbers_have_one_spelling() -> None:
    spelled = {plain_decimal(Decimal(text)) for text in ("5", "5.0", "5.00", "0.5E1")}
    assert spelled == {"5"}
    assert plain_decimal(Decimal("0.00")) == "0"
    assert plain_decimal(Decimal("100")) == "100"


def test_dates_are_dates() -> None:
    assert plain_day("2026-01-31") == date(2026, 1, 31)
    with pytest.raises(Misread):
        plain_day(20260131)
