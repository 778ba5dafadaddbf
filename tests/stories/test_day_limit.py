"""A used-up day stops the work cleanly, says when it goes on, and loses nothing."""

from datetime import timedelta

import pytest

from ar_bridge.shared_budget import SharedBudget
from connectors.errors import RateLimitedError
from tests.stories.conftest import Opens
from tests.stories.stage import Office
from tests.stories.test_batches import approved_office, is_all_done, nothing_twice


def pause(office: Office, hours: float) -> None:
    """As if another process had just been told that the day is used up."""
    for folder in (office.home.root / "budgets").iterdir():
        with SharedBudget(folder).changing() as use:
            use.paused_until = office.clock.now().timestamp() + hours * 3600
            use.paused_by = "day"


def test_the_limit_is_said_with_the_time_it_ends(an_office: Opens, ledger: str) -> None:
    office = approved_office(an_office)
    pause(office, 5)
    with pytest.raises(
        RateLimitedError, match=r"calls of the day are used up until 13:0\d \(UTC\)"
    ):
        office.run()
    office.clock.advance(timedelta(hours=5, minutes=1))
    office.apply()
    is_all_done(office)


def test_in_the_middle_of_the_work_the_rest_is_left_for_later(an_office: Opens) -> None:
    office = approved_office(an_office)
    office.desk.channels["email"] = Pausing(office, office.desk.channels["email"])
    report = office.apply()
    assert report.limited_until is not None and report.next_at == report.limited_until
    assert report.waiting > 0
    assert any("used up until" in text for _, _, text in report.problems)
    assert len(office.mails) < 3 or not office.records.notes
    office.clock.advance(timedelta(hours=6))
    office.reopen()
    office.apply()
    nothing_twice(office)
    is_all_done(office)


class Pausing:
    """A channel on which, while it sends, the ledger's day comes to its end."""

    def __init__(self, office: Office, real: object) -> None:
        self._office = office
        self._real = real

    def __getattr__(self, name: str) -> object:
        if name == "send":
            pause(self._office, 5)
        return getattr(self._real, name)
