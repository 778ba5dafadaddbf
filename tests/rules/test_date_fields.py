"""Date fields of invoices: names and days as people type them."""

from datetime import date

import pytest

from rules.model.date_fields import field_name, read_date


@pytest.mark.parametrize(
    ("text", "name"),
    [("Work date", "work_date"), ("work_date", "work_date"), (" P.O. / Day ", "p_o_day")],
)
def test_names(text: str, name: str) -> None:
    assert field_name(text) == name


@pytest.mark.parametrize(
    ("text", "day_first", "day"),
    [
        ("2026-09-01", None, date(2026, 9, 1)),
        ("2026-09-01T10:00:00Z", None, date(2026, 9, 1)),
        ("13/09/2026", None, date(2026, 9, 13)),
        ("9/13/2026", True, date(2026, 9, 13)),
        ("05/09/2026", True, date(2026, 9, 5)),
        ("05/09/2026", False, date(2026, 5, 9)),
        ("05/09/2026", None, None),
        ("05.09.2026", None, date(2026, 9, 5)),
        ("05/05/2026", None, date(2026, 5, 5)),
        ("31/02/2026", None, None),
        ("next week", None, None),
        ("2026", None, None),
    ],
)
def test_days(text: str, day_first: bool | None, day: date | None) -> None:
    assert read_date(text, day_first=day_first) == day
