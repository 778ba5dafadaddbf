"""Working days, send windows and time zones.

Everything here is a function of its arguments. Holidays come frozen in the book; time zone data
come from the tz database (`tzdata`), which is the one thing read from outside.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from rules.lazily import lazily
from rules.model.book import HolidaySet

_DAY: Final = timedelta(days=1)

# A calendar without one open day in this many days is a mistake, not a long holiday.
_HORIZON: Final = 800


class Span(Protocol):
    """Days in a row, both ends included."""

    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date: ...


class Hours(Protocol):
    """Local hours; the end is outside."""

    @property
    def start(self) -> time: ...
    @property
    def end(self) -> time: ...


class Length(Protocol):
    """So many days (`d`), business days (`bd`), months (`m`) or hours (`h`)."""

    @property
    def count(self) -> int: ...
    @property
    def unit(self) -> str: ...


class NoOpenDayError(ValueError):
    """No day on which anything could be done: the closures or send days leave none."""


class UnknownTimezoneError(ValueError):
    """A name that the tz database does not have."""


@lru_cache(maxsize=256)
def zone(tz: str) -> ZoneInfo:
    """The zone of an IANA name. Raises UnknownTimezoneError."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimezoneError(
            f'"{tz}" is not a time zone; write one such as Europe/London'
        ) from None


def local_date(now_utc: datetime, tz: str) -> date:
    """The date that a calendar on the wall shows at that instant in that zone."""
    return now_utc.astimezone(zone(tz)).date()


def days_in_month(day: date) -> int:
    """Number of days of the month that the day lies in."""
    return month_end(day).day


def month_end(day: date) -> date:
    """Last day of the month that the day lies in."""
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return following - _DAY


def add_months(day: date, months: int, *, anchor_day: int | None = None) -> date:
    """The same day `months` later (or earlier), clamped to the end of a shorter month.

    Repeated steps keep the day they started from by passing it as `anchor_day`:
    31 January, 28 February, 31 March.
    """
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    return first.replace(day=min(anchor_day or day.day, days_in_month(first)))


class BusinessCalendar(msgspec.Struct, frozen=True, dict=True):
    """Working days of one region, less the days on which the company is closed."""

    holidays: HolidaySet = HolidaySet(region="")
    closures: tuple[Span, ...] = ()

    def is_closed(self, day: date) -> bool:
        """A public holiday, or a day on which the company is closed."""
        if day in self.holidays.dates:
            return True
        return any(closed.first <= day <= closed.last for closed in self.closures)

    def is_working_day(self, day: date) -> bool:
        """Neither weekend nor closed."""
        return day.weekday() not in self.holidays.weekend and not self.is_closed(day)

    def next_working_day(self, day: date) -> date:
        """The day itself, or the first working day after it. Raises NoOpenDayError."""
        return self.add_business_days(day - _DAY, 1)

    def add_business_days(self, day: date, count: int) -> date:
        """The working day that lies `count` working days after (before, if negative) the day.

        The day itself is never counted; 0 gives it back whatever it is. Raises NoOpenDayError.
        """
        step = _DAY if count > 0 else -_DAY
        for _ in range(abs(count)):
            for _ in range(_HORIZON):
                day += step
                if self.is_working_day(day):
                    break
            else:
                raise NoOpenDayError(f"no working day within {_HORIZON} days of {day}")
        return day

    def shift(self, day: date, length: Length | None, sign: int = 1) -> date:
        """A day moved by a duration in days, business days or months.

        Raises ValueError for hours, which move no date.
        """
        if length is None:
            return day
        count = sign * length.count
        if length.unit == "d":
            return day + timedelta(days=count)
        if length.unit == "bd":
            return self.add_business_days(day, count)
        if length.unit == "m":
            return add_months(day, count)
        raise ValueError(f"{length} is hours and moves no date")

    def last_business_day(self, day: date) -> date:
        """Last working day of the month that the day lies in."""
        month = (day.year, day.month)
        found = self._last_of_month.get(month)
        if found is None:
            found = self.add_business_days(month_end(day) + _DAY, -1)
            self._last_of_month[month] = found
        return found

    @lazily
    def _last_of_month(self) -> dict[tuple[int, int], date]:
        """Worked out so far: fees of hundreds of due dates are posted on the same few days."""
        return {}

    def is_send_day(
        self, day: date, send_days: Collection[int], month_days: Sequence[int] = ()
    ) -> bool:
        """Whether messages go out on that day.

        `send_days` are weekday numbers, Monday 0. `month_days` are days of the month, clamped to
        its length; one that falls on a day without sending moves to the next day with.
        """
        if not self._is_open(day, send_days):
            return False
        if not month_days:
            return True
        for _ in range(_HORIZON):
            if any(min(wanted, days_in_month(day)) == day.day for wanted in month_days):
                return True
            day -= _DAY
            if self._is_open(day, send_days):
                return False
        return False

    def next_send_day(
        self, day: date, send_days: Collection[int], month_days: Sequence[int] = ()
    ) -> date:
        """The day itself, or the first day after it on which messages go out.

        Raises NoOpenDayError.
        """
        for ahead in range(_HORIZON):
            candidate = day + timedelta(days=ahead)
            if self.is_send_day(candidate, send_days, month_days):
                return candidate
        raise NoOpenDayError(f"no day to send on within {_HORIZON} days of {day}")

    def _is_open(self, day: date, send_days: Collection[int]) -> bool:
        return day.weekday() in send_days and not self.is_closed(day)


def send_instant(
    not_before: datetime,
    window: Hours,
    tz: str,
    calendar: BusinessCalendar,
    send_days: Collection[int] = (0, 1, 2, 3, 4),
    month_days: Sequence[int] = (),
) -> datetime:
    """The first instant, in UTC, at or after `not_before` (aware) at which a message may go out.

    The window is in local hours of `tz`, its end outside. A start that the clocks skip in spring
    becomes the instant that it would have been with the clocks unchanged (PEP 495, fold 0).
    Raises NoOpenDayError and UnknownTimezoneError.
    """
    local_zone = zone(tz)
    local = not_before.astimezone(local_zone)
    day = local.date()
    if calendar.is_send_day(day, send_days, month_days):
        wall = local.time()
        if window.start <= wall < window.end:
            return not_before.astimezone(UTC)
        if wall >= window.end:
            day += _DAY
    for _ in range(_HORIZON):
        day = calendar.next_send_day(day, send_days, month_days)
        opening = datetime.combine(day, window.start, tzinfo=local_zone).astimezone(UTC)
        # A window that lies wholly in the skipped hour opens on another day.
        shown = opening.astimezone(local_zone)
        if opening >= not_before and shown.date() == day and shown.time() < window.end:
            return opening
        day += _DAY
    raise NoOpenDayError(f"no window to send in within {_HORIZON} days of {not_before}")
