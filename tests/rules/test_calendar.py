"""Working days, months, send windows and zones."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import (
    BusinessCalendar,
    NoOpenDayError,
    UnknownTimezoneError,
    add_months,
    local_date,
    month_end,
    send_instant,
)
from rules.model import HolidaySet
from rules.policy.values import ClosedDays, Duration, LocalWindow
from tests.shared_material import shared

WINDOW = LocalWindow(time(9), time(16, 30))
PLAIN = BusinessCalendar()
DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))


def _cases(prefix: str) -> list[dict[str, Any]]:
    rows = json.loads(shared("cases/calendar.json").read_text())["cases"]
    found = [row for row in rows if row["id"].startswith(prefix)]
    assert found
    return found


def test_local_dates_as_worked_out_elsewhere() -> None:
    for case in _cases("Z"):
        given_, expected = case["input"], case["expected"]
        day = local_date(datetime.fromisoformat(given_["now_utc"]), given_["org_timezone"])
        assert day.isoformat() == expected["local_date"], case["id"]
        late = (day - date.fromisoformat(given_["due_date"])).days
        assert late == expected["days_late"], case["id"]


def test_send_instants_as_worked_out_elsewhere() -> None:
    for case in _cases("W"):
        given_ = case["input"]
        start, end = (time.fromisoformat(text) for text in given_["window"])
        calendar = BusinessCalendar(
            HolidaySet(
                region="",
                dates=frozenset(date.fromisoformat(day) for day in given_["holidays"]),
                weekend=frozenset(given_["weekend"]),
            )
        )
        found = send_instant(
            datetime.fromisoformat(given_["now_utc"]),
            LocalWindow(start, end),
            given_["customer_timezone"],
            calendar,
            sorted(set(range(7)) - set(given_["weekend"])),
        )
        assert found == datetime.fromisoformat(case["expected"]["send_at_utc"]), case["id"]
        assert found.tzinfo is UTC


def test_months_and_rolled_due_dates_as_worked_out_elsewhere() -> None:
    for case in _cases("Y"):
        given_, expected = case["input"], case["expected"]
        if given_.get("terms", "").startswith("months:"):
            months = int(given_["terms"].removeprefix("months:"))
            due = add_months(date.fromisoformat(given_["invoice_date"]), months)
            assert due.isoformat() == expected["due_date"], case["id"]
        if given_.get("roll") == "following_business_day":
            rolled = PLAIN.next_working_day(date.fromisoformat(given_["nominal_due"]))
            assert rolled.isoformat() == expected["effective_due"], case["id"]


def test_months_keep_their_anchor_day() -> None:
    day = date(2026, 1, 31)
    walked = []
    for _ in range(3):
        day = add_months(day, 1, anchor_day=31)
        walked.append(day)
    assert walked == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    assert add_months(date(2026, 1, 31), -2) == date(2025, 11, 30)
    assert month_end(date(2028, 2, 3)) == date(2028, 2, 29)


def test_closures_and_holidays_are_no_working_days() -> None:
    calendar = BusinessCalendar(
        HolidaySet(region="GB-ENG", dates=frozenset({date(2026, 12, 25), date(2026, 12, 28)})),
        (ClosedDays(date(2026, 12, 29), date(2027, 1, 1)),),
    )
    assert calendar.add_business_days(date(2026, 12, 24), 1) == date(2027, 1, 4)
    assert calendar.add_business_days(date(2027, 1, 4), -1) == date(2026, 12, 24)
    assert calendar.last_business_day(date(2026, 12, 5)) == date(2026, 12, 24)
    assert calendar.next_send_day(date(2026, 12, 25), (0, 1, 2, 3, 4)) == date(2027, 1, 4)


def test_other_weekends_belong_to_the_region() -> None:
    gulf = BusinessCalendar(HolidaySet(region="SA", weekend=frozenset({4, 5})))
    thursday = date(2026, 3, 12)
    assert gulf.add_business_days(thursday, 1) == date(2026, 3, 15)


def test_a_duration_moves_a_date_in_its_own_unit() -> None:
    friday = date(2026, 3, 13)
    assert PLAIN.shift(friday, Duration(3, "d")) == date(2026, 3, 16)
    assert PLAIN.shift(friday, Duration(3, "bd")) == date(2026, 3, 18)
    assert PLAIN.shift(friday, Duration(1, "m"), -1) == date(2026, 2, 13)
    assert PLAIN.shift(friday, None) == friday
    with pytest.raises(ValueError, match="hours"):
        PLAIN.shift(friday, Duration(26, "h"))


def test_a_day_of_the_month_that_is_closed_moves_to_the_next_open_day() -> None:
    weekdays = (0, 1, 2, 3, 4)
    # 6 June 2026 is a Saturday.
    assert PLAIN.next_send_day(date(2026, 6, 1), weekdays, (6,)) == date(2026, 6, 8)
    assert PLAIN.next_send_day(date(2026, 6, 9), weekdays, (6,)) == date(2026, 7, 6)
    # The 31st of a month with 30 days is the 30th.
    assert PLAIN.next_send_day(date(2026, 6, 9), weekdays, (31,)) == date(2026, 6, 30)


def test_no_day_to_send_on_is_an_error_and_not_an_endless_search() -> None:
    closed = BusinessCalendar(closures=(ClosedDays(date(2020, 1, 1), date(2040, 1, 1)),))
    with pytest.raises(NoOpenDayError):
        closed.next_send_day(date(2026, 6, 1), (0,))
    with pytest.raises(NoOpenDayError):
        closed.add_business_days(date(2026, 6, 1), 1)


def test_a_window_opens_at_a_real_instant_when_the_clocks_go_forward() -> None:
    every_day = tuple(range(7))
    before = datetime(2026, 3, 8, 5, tzinfo=UTC)  # midnight in New York; 02:00 becomes 03:00
    opening = send_instant(
        before, LocalWindow(time(2, 30), time(8)), "America/New_York", PLAIN, every_day
    )
    assert opening == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    swallowed = send_instant(
        before, LocalWindow(time(2, 15), time(2, 45)), "America/New_York", PLAIN, every_day
    )
    assert swallowed == datetime(2026, 3, 9, 6, 15, tzinfo=UTC)


def test_a_wrong_zone_says_so() -> None:
    with pytest.raises(UnknownTimezoneError, match="Europe/Londn"):
        local_date(datetime(2026, 1, 1, tzinfo=UTC), "Europe/Londn")
    with pytest.raises(UnknownTimezoneError):
        local_date(datetime(2026, 1, 1, tzinfo=UTC), "../etc")


@given(DAYS, st.integers(-60, 60))
def test_business_days_there_and_back(day: date, count: int) -> None:
    start = PLAIN.next_working_day(day)
    there = PLAIN.add_business_days(start, count)
    assert PLAIN.is_working_day(there)
    assert PLAIN.add_business_days(there, -count) == start


@given(
    st.integers(1_704_067_200, 1_893_456_000).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.sampled_from(
        ["UTC", "Europe/London", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe"]
    ),
)
def test_what_is_sent_goes_out_within_the_window_and_never_early(now: datetime, tz: str) -> None:
    found = send_instant(now, WINDOW, tz, PLAIN)
    assert now <= found <= now + timedelta(days=4)
    # Asking again at that instant gives the same instant.
    assert send_instant(found, WINDOW, tz, PLAIN) == found
    assert local_date(found, tz).weekday() < 5
